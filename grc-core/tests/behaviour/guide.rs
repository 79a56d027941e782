//! What `docs/definition.md` says of definitions is whole, and what it shows works.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use grc_core::{
    Actor, Assignee, Grc, Intake, Party, Stores,
    definition::{
        Acceptability, Action, Agent, Ask, Channel, ChannelText, Contact, Definition, Delay, Field,
        FieldKind, FieldRights, Grant, Named, Organisation, Personal, Phase, PlaceKind, Procedure, Promises,
        Retention, Scope, Service, State, Team, Template, Then, Transition, Workflow,
    },
    request::Fire,
    storage::Fact,
};
use pollster::block_on;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

const GUIDE: &str = include_str!("../../../docs/definition.md");

fn town() -> &'static str {
    GUIDE.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_town_of_the_guide_works() {
    block_on(async {
        let definition = Definition::from_files([("town.toml", town())]).unwrap();
        let grc = Grc::open(Stores::memory()).await.unwrap();
        let town = grc.authority("saint-aubin").unwrap();
        town.host("set-up").publish(&definition).await.unwrap();
        let anne = Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms");
        let leak = Intake::new("leak", "phone").set("description", "l'eau coule").set("danger", false);
        let leak = town.session(Actor::agent("a-17")).submit(leak.party(anne)).await.unwrap();
        let manager = town.session(Actor::agent("a-03"));
        let seen = manager.open(leak.id()).await.unwrap();
        assert!(seen.messages()[0].text.starts_with("Saint-Aubin : demande "), "the acknowledgement");
        manager.act(&seen, Fire::new("assign").to(Assignee::team("plumbers"))).await.unwrap();
        let seen = manager.open(leak.id()).await.unwrap();
        let close = Fire::new("close").outcome("repaired").message("C'est réparé.");
        manager.act(&seen, close).await.unwrap();
        let followed = town.session(Actor::holder(leak.tracking_code().clone())).follow().await.unwrap();
        assert_eq!(followed.stage().get("fr"), "Clôturée");
    });
}

/// All words of the guide that are written as code, beside the example.
fn words() -> BTreeSet<&'static str> {
    let (before, rest) = GUIDE.split_once("```toml\n").unwrap();
    let after = rest.split_once("```").unwrap().1;
    let code = |text: &'static str| text.split('`').skip(1).step_by(2);
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '@');
    [before, after].into_iter().flat_map(code).flat_map(|code| code.split(move |c| !of_a_word(c))).collect()
}

/// What a type takes: what is expected instead of something else.
fn expected<T: DeserializeOwned>(wrong: &str) -> Vec<String> {
    let Err(error) = serde_json::from_str::<T>(wrong) else { return Vec::new() };
    let error = error.to_string();
    let names = error.split_once("expected").map(|(_, names)| names.split('`').skip(1).step_by(2));
    names.into_iter().flatten().map(str::to_owned).collect()
}

#[test]
fn the_guide_names_whatever_can_be_written() {
    let (object, word) = (r#"{"not-there": 0}"#, r#""not-there""#);
    let keys = [
        expected::<Definition>(object),
        expected::<Organisation>(object),
        expected::<Named>(object),
        expected::<Service>(object),
        expected::<Team>(object),
        expected::<Channel>(object),
        expected::<Agent>(object),
        expected::<Grant>(object),
        expected::<Acceptability>(object),
        expected::<Template>(object),
        expected::<ChannelText>(object),
        expected::<Procedure>(object),
        expected::<Promises>(object),
        expected::<Retention>(object),
        expected::<Delay>(object),
        expected::<FieldRights>(object),
        expected::<Field>(object),
        expected::<Workflow>(object),
        expected::<State>(object),
        expected::<Transition>(object),
        expected::<Contact>(word),
        expected::<Action>(word),
        expected::<Scope>(word),
        expected::<Phase>(word),
        expected::<Ask>(word),
        expected::<Then>(word),
        expected::<PlaceKind>(word),
        expected::<FieldKind>(word),
        expected::<Personal>(word),
    ];
    assert!(keys.iter().all(|keys| keys.len() > 1), "a type says what it takes");
    let facts = Fact::ALL.iter().map(|fact| fact.name().to_owned());
    let words = words();
    let missing: Vec<String> =
        keys.into_iter().flatten().chain(facts).filter(|name| !words.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "the guide does not say: {missing:?}");
}
