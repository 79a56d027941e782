//! What is typed in two worlds that differ in this only: values that some actors may not read.

/// Something that somebody types, by who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// What everybody reads who sees the request.
    Open,
    /// Anything in a request that an actor may not see at all.
    Elsewhere,
    Access,
    File,
    Cost,
    Priority,
    Day,
    Urgent,
    Plan,
    Name,
    Contact,
    Place,
    Picture,
    Note,
    Reason,
    Message,
    Instructions,
    Report,
    Price,
    Supplier,
    Item,
    Number,
    Estimate,
}

/// From whom values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// From agents who may read next to nothing of what they see.
    FromAgents,
    /// From the requester.
    FromRequesters,
    /// From agents too, but the definition says that a button gives it away.
    Disclosed,
}

impl Kept {
    const fn hides(self, what: What) -> bool {
        match self {
            Self::FromAgents => !matches!(what, What::Open | What::Urgent),
            Self::FromRequesters => matches!(
                what,
                What::Cost
                    | What::Priority
                    | What::Day
                    | What::Plan
                    | What::Note
                    | What::Reason
                    | What::Instructions
                    | What::Report
                    | What::Price
                    | What::Supplier
                    | What::Item
                    | What::Number
                    | What::Estimate
            ),
            Self::Disclosed => matches!(what, What::Urgent),
        }
    }
}

/// How the second world's values are other ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    /// As long as those of the first.
    AsLong,
    /// Longer.
    Longer,
    /// Not there: of what is handed in with others, so that as many keys are taken.
    Absent,
}

/// The values of one of the worlds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secrets {
    pub(crate) second: bool,
    pub(crate) kept: Kept,
    pub(crate) other: Other,
}

impl Secrets {
    const fn differs(self, what: What) -> bool {
        self.second && self.kept.hides(what)
    }

    const fn is_longer(self, what: What) -> bool {
        self.differs(what) && matches!(self.other, Other::Longer)
    }

    /// Whether it is there at all.
    pub(crate) const fn has(self, what: What) -> bool {
        let may_lack = matches!(
            what,
            What::Elsewhere
                | What::Access
                | What::File
                | What::Cost
                | What::Priority
                | What::Day
                | What::Supplier
        );
        !(may_lack && self.differs(what) && matches!(self.other, Other::Absent))
    }

    pub(crate) fn text(self, what: What, n: usize) -> String {
        let word = if self.differs(what) { "lune" } else { "mare" };
        let more = if self.is_longer(what) { " et davantage".repeat(1 + n % 3) } else { String::new() };
        format!("{what:?} {word} {n:03}{more}")
    }

    /// A text that may be left out.
    pub(crate) fn some_text(self, what: What, n: usize) -> Option<String> {
        self.has(what).then(|| self.text(what, n))
    }

    pub(crate) const fn cents(self, what: What, n: usize) -> i64 {
        let n = n as i64;
        match (self.differs(what), self.is_longer(what)) {
            (false, _) => 1_000 + n * 37,
            (_, false) => 5_000 + n * 31,
            (_, true) => 1_234_567 + n,
        }
    }

    pub(crate) const fn priority(self, n: usize) -> &'static str {
        match (self.differs(What::Priority), self.is_longer(What::Priority)) {
            (false, _) => "basse",
            (_, true) => "vitale",
            (_, false) if n.is_multiple_of(3) => "vitale",
            _ => "haute",
        }
    }

    pub(crate) fn day(self, n: usize) -> String {
        let year = if self.differs(What::Day) { 2031 } else { 2027 };
        format!("{year}-03-{:02}", 1 + n % 28)
    }

    pub(crate) const fn is_urgent(self, n: usize) -> bool {
        (n.is_multiple_of(2)) != self.differs(What::Urgent)
    }

    /// Of a mobile in both worlds: whether a channel reaches somebody is no value of theirs, but a fact that shows by
    /// where a message goes.
    pub(crate) fn phone(self, n: usize) -> String {
        match (self.differs(What::Contact), self.is_longer(What::Contact)) {
            (false, _) => format!("06 39 98 77 {:02}", n % 100),
            (_, false) => format!("07 39 11 22 {:02}", n % 100),
            (_, true) => format!("+33 7 39 11 22 {:02}", n % 100),
        }
    }

    pub(crate) fn email(self, n: usize) -> String {
        let more = if self.is_longer(What::Contact) { ".et.davantage" } else { "" };
        let name = if self.differs(What::Contact) { "lune" } else { "mare" };
        format!("{name}{n}{more}@example.org")
    }

    /// Latitude and longitude, far enough apart to differ when they are coarse.
    pub(crate) fn point(self, n: usize) -> (f64, f64) {
        let shift = if self.differs(What::Place) { 0.7 } else { 0.0 };
        (48.1 + shift + n as f64 / 1e3, -1.7 - shift)
    }

    pub(crate) const fn supplier(self, n: usize) -> &'static str {
        match (self.differs(What::Supplier), n % 2) {
            (false, 0) => "martin",
            (false, _) => "dupond",
            _ => "legal",
        }
    }

    /// The bytes of a picture; of one piece in both worlds, so that as many nonces are drawn.
    pub(crate) fn picture(self, what: What, n: usize) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n".as_slice(), self.text(what, n).as_bytes()].concat()
    }
}
