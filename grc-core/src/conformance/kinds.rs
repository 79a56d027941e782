//! What a store holds, kind by kind: of what is kept of a version there has to be one of each, so that a kind that is new
//! is missed.

use crate::{
    InterventionId, Moment, RequestId, Value, Word,
    definition::{FieldKind, Procedure},
    engine::{
        kinds::{DocumentKind, LinkKind, TaskKind},
        stored,
    },
    intervention::InterventionEvent,
    request::{ActorKind, RequestEvent},
    storage::{
        Claim, DocumentRange, EventRange, Fact, LinkKey, Log, Query, StorageError, Store, StoreInfo,
        StreamRecord, Touched, Which,
    },
};
use serde::{
    Deserialize,
    de::value::{MapDeserializer, StrDeserializer},
};
use serde_json::Value as Json;
use std::{collections::BTreeSet, fmt};

type Kinds = BTreeSet<String>;

/// The words that a type takes: what it says when it refuses another.
#[derive(Debug)]
struct Taken(&'static [&'static str]);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {:?} is taken", self.0)
    }
}

impl std::error::Error for Taken {}

impl serde::de::Error for Taken {
    fn custom<T: fmt::Display>(message: T) -> Self {
        panic!("another word is refused for what it is, and not because: {message}")
    }

    fn unknown_variant(_: &str, taken: &'static [&'static str]) -> Self {
        Self(taken)
    }
}

/// The words of a type that is one of them, or begins with one.
fn words<T: for<'d> Deserialize<'d>>() -> &'static [&'static str] {
    T::deserialize(StrDeserializer::<Taken>::new("another word")).err().unwrap().0
}

/// A body whose kind is another word.
fn of_another_kind() -> MapDeserializer<'static, std::array::IntoIter<(&'static str, &'static str), 1>, Taken>
{
    MapDeserializer::new([("kind", "another word")].into_iter())
}

/// As a row of the feed is listed here.
const TOUCHED: [&str; 10] =
    ["stream", "events", "vault", "link", "links", "task", "tasks", "document", "receipt", "access"];

const fn touched(touched: &Touched) -> &'static str {
    // Another one is added to the list above.
    match touched {
        Touched::Stream(..) => "stream",
        Touched::Events(..) => "events",
        Touched::Vault(..) => "vault",
        Touched::Link(..) => "link",
        Touched::Links(..) => "links",
        Touched::Task(..) => "task",
        Touched::Tasks(..) => "tasks",
        Touched::Document(..) => "document",
        Touched::Receipt(..) => "receipt",
        Touched::Access(..) => "access",
    }
}

/// Every kind of thing that the library stores, by the library's own lists.
pub fn every() -> Kinds {
    let mut out = Kinds::new();
    let mut add = |of: &str, words: &[&str]| out.extend(words.iter().map(|word| format!("{of} {word}")));
    add("request", RequestEvent::deserialize(of_another_kind()).err().unwrap().0);
    add("intervention", InterventionEvent::deserialize(of_another_kind()).err().unwrap().0);
    add("authority", stored::authority_event(of_another_kind()).err().unwrap().0);
    add("actor", words::<ActorKind>());
    add("task", &TaskKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    add("document", &DocumentKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    add("document", &["key that is closing"]);
    add("link", &LinkKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    add("fact", &Fact::ALL.iter().map(|fact| fact.name()).collect::<Vec<_>>());
    add("field", words::<FieldKind>());
    add("feed", &TOUCHED);
    // An amount is kept as an integer; a place and a file are never in clear.
    let kept = |word: &&&str| !["amount", "point", "file"].contains(*word);
    add("clear", &words::<Value>().iter().filter(kept).copied().collect::<Vec<_>>());
    out
}

/// Every kind of thing that a store holds of an authority, and the members that its events have. Its tasks are claimed by this.
///
/// # Errors
/// Whatever the store gives.
pub async fn held(store: &dyn Store, authority: &Word) -> Result<Kinds, StorageError> {
    let mut out = Kinds::new();
    for kind in [RequestId::KIND, InterventionId::KIND, "authority"] {
        let mut query = Query::new(authority.clone(), Word::of(kind));
        query.limit = StoreInfo::MAX_PAGE;
        for StreamRecord { row, .. } in store.query(&query).await?.rows {
            out.extend(row.facts.iter().map(|(fact, _)| format!("fact {}", fact.name())));
            let range =
                EventRange { stream: row.key, log: Log::History, after: 0, limit: StoreInfo::MAX_PAGE };
            for event in store.events(&range).await? {
                event_kinds(kind, &serde_json::from_slice(&event.body).unwrap(), &mut out);
            }
        }
    }
    documents(store, authority, &mut out).await?;
    let mut links = BTreeSet::new();
    let mut after = None;
    loop {
        let page = store.changes(authority, after.as_ref(), StoreInfo::MAX_PAGE).await?;
        for what in page.changes.iter().flat_map(|change| &change.touched) {
            out.insert(format!("feed {}", touched(what)));
            if let Touched::Link(key) = what {
                links.insert(key.kind.clone());
            }
        }
        if page.changes.is_empty() {
            break;
        }
        after = Some(page.next);
    }
    for kind in links {
        let mut query = Query::new(authority.clone(), Word::of(RequestId::KIND));
        query.limit = 1;
        let of = kind.as_str().split('.').next().unwrap_or_default().to_owned();
        // An empty key: any link of the kind, of those that are there still.
        query.linked = Some(LinkKey { kind, key: Vec::new() });
        if !store.query(&query).await?.rows.is_empty() {
            out.insert(format!("link {of}"));
        }
    }
    let now = Moment::from_micros(i64::MAX / 4);
    let limit = StoreInfo::MAX_PAGE;
    let claim =
        Claim { authority: authority.clone(), kinds: None, now, until: now.plus_millis(60_000), limit };
    out.extend(store.claim(&claim).await?.iter().map(|task| format!("task {}", task.kind)));
    Ok(out)
}

fn event_kinds(of: &str, event: &Json, out: &mut Kinds) {
    let word = |of: &Json| of.as_str().unwrap_or_default().to_owned();
    out.insert(format!("{of} {}", word(&event["kind"])));
    out.insert(format!("actor {}", word(&event["actor"]["kind"])));
    for member in event["data"].as_object().iter().flat_map(|data| data.keys()) {
        out.insert(format!("{of} {} with {member}", word(&event["kind"])));
    }
    for held in event["data"]["fields"].as_object().iter().flat_map(|fields| fields.values()) {
        let clear = held["clear"].as_object();
        out.extend(clear.iter().flat_map(|value| value.keys()).map(|kind| format!("clear {kind}")));
    }
}

async fn documents(store: &dyn Store, authority: &Word, out: &mut Kinds) -> Result<(), StorageError> {
    // The store's own are of no authority.
    for (authority, kind) in
        [authority, &Word::of("store")].iter().flat_map(|of| DocumentKind::ALL.iter().map(move |k| (of, k)))
    {
        let range = DocumentRange {
            authority: (*authority).clone(),
            kind: kind.word(),
            name: None,
            after: None,
            which: Which::All,
            limit: StoreInfo::MAX_PAGE,
        };
        for document in store.documents(&range).await? {
            out.insert(format!("document {}", document.kind));
            let body: Json = serde_json::from_slice(&document.body).unwrap();
            if body["closing"] == true {
                out.insert(format!("document {} that is closing", document.kind));
            }
            if *kind == DocumentKind::Procedure {
                let procedure: Procedure = serde_json::from_value(body).unwrap();
                for field in procedure.fields {
                    let kind = serde_json::to_value(field.kind).unwrap();
                    out.insert(format!("field {}", kind.as_str().unwrap_or_default()));
                }
            }
        }
    }
    Ok(())
}
