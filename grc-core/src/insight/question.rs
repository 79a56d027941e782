//! What is asked.

use super::{Dimension, Figure};
use crate::{
    Condition, Moment,
    refusal::{Problem, Refusal},
};

/// Which requests figures are about, which figures, by what, and of which time.
///
/// ```
/// use grc_core::{Moment, insight::{Dimension, Figure, Question, Step}};
/// let july: Moment = "2026-07-01T00:00:00+02:00".parse::<chrono::DateTime<chrono::Utc>>()?.into();
/// let october: Moment = "2026-10-01T00:00:00+02:00".parse::<chrono::DateTime<chrono::Utc>>()?.into();
/// let question = Question::all()
///     .figures([Figure::Opened, Figure::Open, Figure::Median(Step::Closure)])
///     .by([Dimension::Month, Dimension::Service])
///     .between(july, october);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub(super) filter: Option<Condition>,
    pub(super) figures: Vec<Figure>,
    pub(super) by: Vec<Dimension>,
    pub(super) between: Option<(Moment, Moment)>,
    pub(super) at: Option<Moment>,
    pub(super) by_closing: bool,
}

impl Question {
    /// The most dimensions.
    pub const MAX_DIMENSIONS: usize = 3;
    /// The most cells of an answer: rows times figures.
    pub const MAX_CELLS: usize = 200_000;
    /// The most questions that are answered together.
    pub const MAX_AT_ONCE: usize = 100;

    /// All of them.
    pub const fn all() -> Self {
        Self { filter: None, figures: Vec::new(), by: Vec::new(), between: None, at: None, by_closing: false }
    }

    /// Those whose facts meet a condition.
    pub const fn those(filter: Condition) -> Self {
        Self {
            filter: Some(filter),
            figures: Vec::new(),
            by: Vec::new(),
            between: None,
            at: None,
            by_closing: false,
        }
    }

    /// These figures, a column each.
    #[must_use]
    pub fn figures(mut self, figures: impl IntoIterator<Item = Figure>) -> Self {
        self.figures = figures.into_iter().collect();
        self
    }

    /// By these dimensions, at most [`Self::MAX_DIMENSIONS`]; without any, one row for all.
    #[must_use]
    pub fn by(mut self, dimensions: impl IntoIterator<Item = Dimension>) -> Self {
        self.by = dimensions.into_iter().collect();
        self
    }

    /// Only what is dated from one moment until before another, by each figure's own date. What is open is counted at
    /// the end of the stretch, or at the end of each period in it; `total` has no date.
    #[must_use]
    pub const fn between(mut self, from: Moment, until: Moment) -> Self {
        self.between = Some((from, until));
        self
    }

    /// What is open at a moment, that moment included. The other figures do not look at it.
    #[must_use]
    pub const fn at(mut self, moment: Moment) -> Self {
        self.at = Some(moment);
        self
    }

    /// Dates the delays and promises by the closure, instead of the opening; requests that are open are not among them
    /// then.
    #[must_use]
    pub const fn by_closing(mut self) -> Self {
        self.by_closing = true;
        self
    }

    /// The same of other requests.
    pub(crate) fn of(mut self, filter: Condition) -> Self {
        self.filter = Some(filter);
        self
    }

    /// The condition, if there is one.
    pub(crate) const fn filter(&self) -> Option<&Condition> {
        self.filter.as_ref()
    }

    /// The dimensions.
    pub(crate) fn dimensions(&self) -> &[Dimension] {
        &self.by
    }

    /// Whether amounts are asked for.
    pub(crate) fn is_of_money(&self) -> bool {
        self.figures.iter().any(|figure| figure.group().is_money())
    }

    /// Whether the answer tells of amounts, or from whom something was bought.
    pub(crate) fn tells_of_money(&self) -> bool {
        self.is_of_money() || self.by.contains(&Dimension::Supplier)
    }

    /// Whether requests are told apart in the answer.
    pub(crate) fn is_by_request(&self) -> bool {
        self.by.contains(&Dimension::Request)
    }

    /// Every reason why it cannot be answered.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let mut problems = Vec::new();
        let mut add = |code, path: String, message: String, hint: &str| {
            problems.push(Problem::new(code, path, message).hint(hint));
        };
        if self.figures.is_empty() {
            add(
                "figures.none",
                "figures".to_owned(),
                "no figure is asked for".to_owned(),
                "name one, such as `opened`",
            );
        }
        if self.figures.len() > Figure::all().count() {
            let message = "more figures are asked for than there are".to_owned();
            add("figures.too-many", "figures".to_owned(), message, "name each once");
        }
        if self.by.len() > Self::MAX_DIMENSIONS {
            let message = format!("{} dimensions are too many", self.by.len());
            add("figures.dimensions", "by".to_owned(), message, "ask by three at most");
        }
        // Each with each is looked at only where there are few.
        if !problems.is_empty() {
            return Err(Refusal::new(problems));
        }
        let mut add = |code, path: String, message: String, hint: &str| {
            problems.push(Problem::new(code, path, message).hint(hint));
        };
        if self.between.is_some_and(|(from, until)| from > until) {
            let message = "the stretch of time ends before it begins".to_owned();
            add("figures.range", "between".to_owned(), message, "give the earlier moment first");
        }
        for (n, dimension) in self.by.iter().enumerate() {
            if self.by.iter().take(n).any(|before| before == dimension) {
                let message = format!("`{dimension}` is asked for twice");
                add("figures.dimension", format!("by.{dimension}"), message, "name it once");
            }
            for figure in &self.figures {
                if let Some(instead) = dimension.instead(figure.group()) {
                    let message = format!("`{figure}` by `{dimension}` means nothing");
                    add("figures.dimension", format!("by.{dimension}"), message, instead);
                }
            }
        }
        if self.figures.contains(&Figure::Open) {
            let periods = self.by.iter().filter(|dimension| dimension.is_period()).count();
            if periods > 1 {
                let message = "`open` is counted at the end of one period".to_owned();
                add("figures.dimension", "by".to_owned(), message, "ask by one of month, week and day");
            }
            if periods > 0 && self.at.is_some() {
                let message = "`open` is counted at one moment, or at the end of each period".to_owned();
                add("figures.moment", "at".to_owned(), message, "leave out the moment, or the period");
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Refusal::new(problems)) }
    }
}
