//! What the library is put beside.

/// Peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The same writes by hand.
    Raw,
    /// The engine without Python, beside the same commands through the bindings.
    Python,
    /// Django with django-fsm and simple-history, beside the bindings.
    Django,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Python, Self::Django];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Python => "python",
            Self::Django => "django",
        }
    }
}
