//! Looking for many byte strings at once, in much.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

/// How many bytes of a pattern are looked for: two that follow each other in a file are never further apart.
pub(crate) const LONGEST: usize = 128;

/// Byte strings that are looked for, each with what it is.
#[derive(Debug)]
pub(crate) struct Patterns {
    all: Vec<(String, Vec<u8>)>,
    /// By their first four bytes.
    heads: HashMap<u32, Vec<usize>>,
    /// Whether a pattern may begin with what has this hash.
    filter: Vec<bool>,
}

fn hash(head: u32) -> usize {
    (head.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

impl Patterns {
    pub(crate) fn of(patterns: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut out = Self { all: Vec::new(), heads: HashMap::new(), filter: vec![false; 1 << 16] };
        for (what, mut bytes) in patterns {
            assert!(bytes.len() >= 8, "{what} is too short to be looked for");
            bytes.truncate(LONGEST);
            let head = u32::from_le_bytes(bytes[..4].try_into().unwrap());
            out.filter[hash(head)] = true;
            out.heads.entry(head).or_default().push(out.all.len());
            out.all.push((what, bytes));
        }
        out
    }

    /// The patterns that are there, by their numbers.
    pub(crate) fn numbers(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut out = BTreeSet::new();
        for (at, head) in bytes.windows(4).enumerate() {
            let head = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
            if head == 0 || !self.filter[hash(head)] {
                continue;
            }
            for number in self.heads.get(&head).into_iter().flatten() {
                if bytes[at..].starts_with(&self.all[*number].1) {
                    out.insert(*number);
                }
            }
        }
        out
    }

    /// What is there, in words.
    pub(crate) fn found(&self, bytes: &[u8]) -> Vec<&str> {
        self.numbers(bytes).into_iter().map(|number| self.all[number].0.as_str()).collect()
    }
}

/// What must never be in clear: typed values, and keys. It grows while the town is played.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<Vec<Secret>>>);

type Secret = (Kind, String, Vec<u8>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Key,
}

impl Secrets {
    /// A typed value, in UTF-8 and in UTF-16.
    pub(crate) fn text(&self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let forms = [(text.as_bytes().to_vec(), "UTF-8"), (little, "UTF-16LE"), (big, "UTF-16BE")];
        let forms = forms.map(|(bytes, form)| (Kind::Text, format!("a typed value ({text}, {form})"), bytes));
        self.0.lock().unwrap().extend(forms);
    }

    pub(crate) fn key(&self, what: &str, key: &[u8; 32]) {
        self.0.lock().unwrap().push((Kind::Key, what.to_owned(), key.to_vec()));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All of them.
    pub(crate) fn patterns(&self) -> Patterns {
        self.those(|_| true)
    }

    /// What was typed only.
    pub(crate) fn texts(&self) -> Patterns {
        self.those(|kind| kind == Kind::Text)
    }

    fn those(&self, which: impl Fn(Kind) -> bool) -> Patterns {
        let all = self.0.lock().unwrap();
        let some = all.iter().filter(|(kind, ..)| which(*kind));
        Patterns::of(some.map(|(_, what, bytes)| (what.clone(), bytes.clone())))
    }
}
