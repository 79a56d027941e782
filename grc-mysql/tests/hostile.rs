//! Lists that ask for anything that can be typed: memory, SQLite and MySQL find the same, or refuse the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;
#[path = "../../grc-core/tests/hostile/strings.rs"]
#[expect(dead_code, reason = "giants are for other tests")]
mod strings;

use common::{fresh, options, shared};
use grc_core::{
    Actor, Condition, Definition, Grc, Intake, List, ManualClock, Moment, SeededEntropy, Session, Stores,
    Word,
    condition::{Comparison, Scalar, Var},
    storage::Fact,
};
use pollster::block_on;
use std::sync::Arc;

/// One in so many texts is in a request.
const ONE_IN: usize = 4;

async fn desk(stores: Stores, texts: &[String]) -> Session {
    let text = include_str!("../../grc-core/tests/definitions/hostile.toml");
    let definition =
        Definition::from_files([("hostile.toml", text)]).unwrap_or_else(|error| panic!("{error}"));
    let clock = Arc::new(ManualClock::at(Moment::from_micros(1_795_514_400_000_000)));
    let grc = Grc::with(stores, clock, Arc::new(SeededEntropy::new(3))).await.unwrap();
    let authority = grc.authority("ville").unwrap();
    authority.host("essai").publish(&definition).await.unwrap();
    let desk = authority.session(Actor::agent("a-1"));
    for text in texts.iter().step_by(ONE_IN) {
        // What the index takes; who hands in more is refused, by each store.
        let _ = desk.submit(Intake::new("tout", "web").set("clair", text.as_str())).await;
    }
    desk
}

fn filters(text: &str) -> Vec<Condition> {
    let clair = || Var::Field(Word::slug("clair"));
    let mut out = vec![
        Condition::OneOf(clair(), vec![Scalar::from(text), Scalar::from("x")]),
        Condition::Not(Box::new(Condition::is(Fact::Service, text))),
    ];
    for comparison in [Comparison::Less, Comparison::AtLeast] {
        out.push(Condition::Compare(clair(), comparison, Scalar::from(text)));
    }
    for var in [clair(), Var::Fact(Fact::State), Var::Field(Word::slug(text))] {
        out.push(Condition::Compare(var.clone(), Comparison::Equal, Scalar::from(text)));
        out.push(Condition::Contains(var, text.to_owned()));
    }
    out
}

/// What a list's first page says: which requests, or that it is refused.
async fn found(desk: &Session, filter: &Condition) -> Option<Vec<String>> {
    let list = List::new().filter(filter.clone()).oldest_first().limit(8);
    let page = desk.list(&list).await.ok()?;
    Some(page.requests.iter().map(|request| request.id.to_string()).collect())
}

#[test]
fn lists_of_any_text_are_the_same_on_every_store() {
    let texts: Vec<String> = strings::all();
    let directory = tempfile::tempdir().unwrap();
    let sqlite = grc_sqlite::Options::new().create(true).test(true);
    let sqlite: Stores = sqlite.open(directory.path().join("town.db")).unwrap().into();
    block_on(async {
        let keyring = Arc::new(options().open_keyring(&fresh(shared())).await.unwrap());
        let mysql = options().open(&fresh(shared()), keyring).await.unwrap();
        let memory = desk(Stores::memory(), &texts).await;
        let others = [("SQLite", desk(sqlite, &texts).await), ("MySQL", desk(mysql, &texts).await)];
        let (mut some, mut none, mut refused) = (0, 0, 0);
        for text in &texts {
            for filter in filters(text) {
                let expected = found(&memory, &filter).await;
                match expected.as_deref() {
                    None => refused += 1,
                    Some([]) => none += 1,
                    Some(_) => some += 1,
                }
                for (name, desk) in &others {
                    assert_eq!(found(desk, &filter).await, expected, "{name}: {filter:?}");
                }
            }
        }
        println!("{some} lists found something, {none} nothing, {refused} were refused");
        assert!(some > 500 && none > 500 && refused > 500);
    });
}
