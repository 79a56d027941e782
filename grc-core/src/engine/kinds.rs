//! The words by which the rows of one table are told apart, each written once: who must know all of them (a kept store
//! has to hold one of each) asks here.

use crate::Word;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident { $($kind:ident = $word:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
            pub(crate) enum $name { $($kind,)* }

            impl $name {
                /// All of them.
                #[cfg(all(feature = "conformance", not(test)))]
                pub(crate) const ALL: &'static [Self] = &[$(Self::$kind,)*];

                /// As it is stored.
                pub(crate) const fn as_str(self) -> &'static str {
                    match self { $(Self::$kind => $word,)* }
                }

                /// As it is stored.
                pub(crate) fn word(self) -> Word {
                    Word::of(self.as_str())
                }
            }
        )*
    };
}

kinds! {
    /// What a task is to do.
    TaskKind {
        Deliver = "deliver",
        Destroy = "destroy",
        Retention = "retention",
        Timer = "timer",
    }
    /// What a document is.
    DocumentKind {
        Directory = "directory",
        Key = "key",
        Keyring = "keyring",
        Organisation = "organisation",
        Procedure = "procedure",
    }
    /// By what a link leads to a stream. Several of a kind are told apart by what follows, after a point.
    LinkKind {
        Blob = "blob",
        Contact = "contact",
        Index = "index",
        Related = "related",
        Source = "source",
        Tracking = "tracking",
    }
}

impl TaskKind {
    /// The one of a word; none for what a later version of the library stored.
    pub(crate) fn of(word: &Word) -> Option<Self> {
        [Self::Deliver, Self::Destroy, Self::Retention, Self::Timer]
            .into_iter()
            .find(|kind| *word == *kind.as_str())
    }
}

impl LinkKind {
    /// The kind of link of a name: `contact.2026-11.1`.
    pub(crate) fn named(self, name: &Word) -> Word {
        let kind = format!("{}.{name}", self.as_str());
        Word::new(&kind).unwrap_or_else(|_| Word::slug(&kind))
    }

    /// What all kinds of links begin with that are named so; the whole of what has no names.
    pub(crate) fn prefix(self) -> String {
        match self {
            Self::Blob | Self::Tracking => self.as_str().to_owned(),
            Self::Contact | Self::Index | Self::Related | Self::Source => format!("{}.", self.as_str()),
        }
    }
}
