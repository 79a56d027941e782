//! What was answered, in words that can be compared.

use grc_core::GrcError;
use std::{collections::BTreeMap, fmt::Debug};

/// An answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    kind: &'static str,
    question: String,
    text: String,
    refused: bool,
}

/// Two answers that differ, from a little before where they do.
fn apart(one: &Answer, two: &Answer) -> String {
    let same = one.text.chars().zip(two.text.chars()).take_while(|(one, two)| one == two).count();
    let cut = |text: &str| text.chars().skip(same.saturating_sub(160)).take(320).collect::<String>();
    let Answer { kind, question, .. } = one;
    format!("{kind}, {question}:\n  …{}\n  …{}", cut(&one.text), cut(&two.text))
}

/// All that one actor was answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Vec<Answer>);

/// An outcome in words: all that a caller can see of it.
pub(crate) fn told<T: Debug>(outcome: &Result<T, GrcError>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}

impl Answers {
    /// Notes an answer, by what of it a caller can see.
    pub(crate) fn note<T: Debug>(
        &mut self,
        kind: &'static str,
        question: impl Into<String>,
        answer: &Result<T, GrcError>,
    ) {
        let (text, refused) = (told(answer), answer.is_err());
        self.0.push(Answer { kind, question: question.into(), text, refused });
    }
}

/// How many answers there were of a kind, how many of them refusals, and how many that differ.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) answers: u64,
    pub(crate) refused: u64,
    pub(crate) differ: u64,
}

/// Counts by kind.
#[derive(Debug, Default)]
pub(crate) struct Counts(pub(crate) BTreeMap<&'static str, Count>);

impl Counts {
    /// Compares what somebody was answered in two worlds; answers the first of each kind that differs. What comes to be
    /// asked goes by what was answered before: another question is a difference too.
    pub(crate) fn compare(&mut self, one: &Answers, two: &Answers) -> Vec<String> {
        let mut first = BTreeMap::new();
        for (one, two) in one.0.iter().zip(&two.0) {
            let count = self.0.entry(one.kind).or_default();
            count.answers += 1;
            count.refused += u64::from(one.refused);
            if one != two {
                count.differ += 1;
                first.entry(one.kind).or_insert_with(|| apart(one, two));
            }
        }
        let (one, two) = (one.0.len(), two.0.len());
        let other = (one != two).then(|| format!("{one} questions came to be asked, and {two}"));
        first.into_values().chain(other).collect()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            let sum = self.0.entry(kind).or_default();
            sum.answers += count.answers;
            sum.refused += count.refused;
            sum.differ += count.differ;
        }
    }

    pub(crate) fn sum(&self) -> Count {
        self.0.values().fold(Count::default(), |sum, count| Count {
            answers: sum.answers + count.answers,
            refused: sum.refused + count.refused,
            differ: sum.differ + count.differ,
        })
    }
}
