//! What the embedding program asks: authorities, errands, letters, the feed, what is verified; and the ends of limits.

use crate::{
    commands, strings,
    town::{Town, Watchdog, answered, bounded, refused_for},
};
use grc_core::{
    Actor, Budget, Condition, GrcError, InterventionId, Moment, RequestId, Stores, Word,
    definition::Label,
    engine::DeadLetter,
    insight::{Dimension, Figure, Question},
    request::{Command, DeliveryReport},
    storage::Fact,
};
use pollster::block_on;
use uuid::Uuid;

/// A letter of a request that nobody wrote.
fn letter(request: RequestId, message: u64, channel: &str) -> DeadLetter {
    DeadLetter::new(request, message, Word::slug(channel), Moment::from_micros(i64::MAX))
}

#[test]
fn errands_and_letters_of_any_text_are_answered() {
    let _watchdog = Watchdog::new("errands");
    let town = Town::open(Stores::memory());
    let (grc, desk) = (&town.grc, town.desk());
    let (mut authorities, mut taken, mut refused) = (0, 0, 0);
    let mut id = town.request();
    for (n, text) in strings::all().iter().enumerate() {
        if n.is_multiple_of(60) {
            id = town.request();
        }
        let size = text.len() * 4;
        let authority = answered(text, size, async { grc.authority(text) });
        assert_eq!(authority.is_ok(), Word::new(text).is_ok() && text != "store");
        authorities += u32::from(authority.is_ok());
        // The errand is in the history of what is done on it.
        let host = town.authority.host(text);
        for command in commands(text) {
            match answered(text, size, host.act(id, command)) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        let named = answered(text, size, host.name_agent("a-1", text)).is_ok();
        let name = answered(text, size, desk.agent_name("a-1")).unwrap();
        assert!(!named || name.as_deref() == Some(text.as_str()));
        assert!(answered(text, size, desk.agent_name(text)).is_ok());
        let question = || Question::those(Condition::is(Fact::Service, text.as_str()));
        let _ = answered(text, size, host.figures(&question()));
        let _ = answered(text, size, desk.figures(&question()));
        let asked = [question().figures([Figure::Total]), Question::all().figures([Figure::Total])];
        let _ = answered(text, size, host.measure(&asked[0]));
        let _ = answered(text, size, host.measure_all(&asked));
        let _ = answered(text, size, desk.measure_all(&asked));
        let message = u64::try_from(n).unwrap();
        let letters = [letter(id, message, text), letter(id, 0, text), letter(id, u64::MAX, text)];
        assert_eq!(answered(text, size, host.resend(&letters)).unwrap(), 0);
        let key = format!("{id}/{message}/{text}");
        answered(text, size, host.report(&key, DeliveryReport::Bounced(text.clone()))).unwrap();
        if n % 60 == 59 {
            let verdict = answered(text, 8 << 20, host.verify(id)).unwrap();
            assert!(verdict.problems.is_empty(), "{:?}", verdict.problems);
            answered(text, 8 << 20, desk.history(id)).unwrap();
        }
    }
    println!("{authorities} authorities; {taken} taken, {refused} refused");
    assert!(authorities > 5 && taken > 400 && refused > 4_000);
    // What was left is as it was.
    let host = town.host();
    assert!(answered("", 1 << 20, host.definition()).unwrap().check().is_ok());
    answered("", 0, host.sweep()).unwrap();
    answered("", 0, host.scrub()).unwrap();
    answered("", 1 << 20, desk.forms()).unwrap();
}

#[test]
fn definitions_of_any_text_are_published_or_refused() {
    let _watchdog = Watchdog::new("publishing");
    let town = Town::open(Stores::memory());
    let host = town.host();
    let before = block_on(host.definition()).unwrap();
    let (mut published, mut refused) = (0, 0);
    for text in strings::all().into_iter().step_by(3).chain(strings::giants()) {
        let mut definition = before.clone();
        let organisation = &mut definition.organisation;
        organisation.label = Label::Plain(text.clone());
        organisation.services[0].phone = Some(text.clone());
        organisation.templates[0].text = text.clone();
        for outcome in [
            bounded(&text, text.len() * 4, || block_on(host.publish(&definition)).map(drop)),
            answered(&text, text.len() * 4 + (1 << 20), host.definition()).map(drop),
        ] {
            match outcome {
                Ok(()) => published += 1,
                Err(GrcError::Definition(error)) => {
                    assert!(error.to_string().len() < 3_000);
                    refused += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    println!("{published} published or read, {refused} refused");
    assert!(published > 200 && refused > 0);
}

#[test]
fn giants_are_no_names_of_anything() {
    let _watchdog = Watchdog::new("giant names");
    let town = Town::open(Stores::memory());
    let (grc, desk) = (&town.grc, town.desk());
    let id = town.request();
    for text in strings::giants() {
        let size = text.len();
        answered(&text, size, async { grc.authority(&text) }).unwrap_err();
        let host = bounded(&text, size, || town.authority.host(&text));
        answered(&text, size, host.act(id, Command::Hold { reason: "litige".into() })).unwrap();
        answered(&text, size, host.name_agent(&text, &text)).unwrap_err();
        answered(&text, size, host.name_agent("a-1", &text)).unwrap_err();
        answered(&text, size, host.forget_agent(&text)).unwrap_err();
        assert_eq!(answered(&text, size, desk.agent_name(&text)).unwrap(), None);
        assert_eq!(answered(&text, size, host.resend(&[letter(id, 1, &text)])).unwrap(), 0);
        answered(&text, size, host.report(&text, DeliveryReport::Failed(text.clone()))).unwrap();
        let vouched = town.authority.session(Actor::agent(text.as_str()).role(text.as_str()));
        answered(&text, size, vouched.forms()).unwrap_err();
        let question = Question::those(Condition::is(Fact::Service, text.as_str()));
        // Several questions are made of it.
        let _ = answered(&text, size * 4, host.figures(&question));
    }
}

#[test]
fn names_without_end_are_not_kept() {
    let _watchdog = Watchdog::new("names without end");
    let town = Town::open(Stores::memory());
    let grc = &town.grc;
    bounded("", 0, || {
        for n in 0..100_000 {
            grc.authority(&format!("v-{n}")).unwrap();
        }
    });
    answered("", 1 << 20, town.host().definition()).unwrap();
    let again = grc.authority("ville").unwrap();
    answered("", 1 << 20, again.host("essai").definition()).unwrap();
}

#[test]
fn ids_of_nothing_are_not_found() {
    let _watchdog = Watchdog::new("ids");
    let town = Town::open(Stores::memory());
    let (desk, host) = (town.desk(), town.host());
    let there = town.request().uuid();
    for uuid in [Uuid::nil(), Uuid::max(), Uuid::from_u128(1), Uuid::from_u128(there.as_u128() ^ 1)] {
        let id = RequestId::from_uuid(uuid);
        answered("", 0, desk.open(id)).unwrap_err();
        answered("", 0, desk.history(id)).unwrap_err();
        answered("", 0, host.verify(id)).unwrap_err();
        answered("", 0, host.act(id, Command::note("x"))).unwrap_err();
        assert_eq!(answered("", 0, host.resend(&[letter(id, 1, "web")])).unwrap(), 0);
    }
    // What is there as a request is no intervention, and no file.
    for uuid in [there, Uuid::nil(), Uuid::max()] {
        let site = InterventionId::from_uuid(uuid);
        answered("", 0, desk.intervention(site)).unwrap_err();
        answered("", 0, desk.work_order(site)).unwrap_err();
        answered("", 0, host.verify_intervention(site)).unwrap_err();
        let (file, id) = (grc_core::BlobId::from_uuid(uuid), RequestId::from_uuid(there));
        answered("", 0, desk.read_file(id, file)).unwrap_err();
        answered("", 0, desk.read_file_to(id, file, &mut std::io::sink())).unwrap_err();
    }
}

#[test]
fn limits_are_kept_at_their_ends() {
    let _watchdog = Watchdog::new("limits");
    let town = Town::open(Stores::memory());
    let (desk, host) = (town.desk(), town.host());
    let id = town.request();
    for limit in [0, 1, 1_000, 1_001, u32::MAX] {
        let fits = (1..=1_000).contains(&limit);
        let changes = answered("", 0, host.changes(None, limit)).map(drop);
        let letters = answered("", 0, host.dead_letters(None, limit)).map(drop);
        let sites = answered("", 0, desk.interventions(&grc_core::List::new().limit(limit))).map(drop);
        for outcome in [changes, letters, sites] {
            assert_eq!(outcome.is_ok(), fits, "{limit}");
            if !fits {
                refused_for("list.limit", outcome);
            }
        }
    }
    let question = Question::all().figures([Figure::Opened]).by([Dimension::Type]);
    for limit in [0, 1, 1_000, usize::MAX] {
        for after in [None, Some(RequestId::from_uuid(Uuid::nil())), Some(RequestId::from_uuid(Uuid::max()))]
        {
            let behind = host.behind(&question, Figure::Opened, &[Some("tout")], after, limit);
            let behind = answered("", 0, behind).unwrap();
            assert_eq!(behind.requests.len(), usize::from(after.is_none_or(|after| after < id)), "{limit}");
        }
    }
    for budget in
        [Budget::tasks(0), Budget::tasks(u64::MAX), Budget::minutes(i64::MIN), Budget::minutes(i64::MAX)]
    {
        answered("", 0, host.work(None, budget)).unwrap();
    }
}

#[test]
fn what_the_program_asks_without_end_is_bounded() {
    let _watchdog = Watchdog::new("lists of the program");
    let town = Town::open(Stores::memory());
    let (desk, host) = (town.desk(), town.host());
    let id = town.request();
    const MANY: usize = 200_000;
    let size = MANY * 64;
    let question = || Question::all().figures([Figure::Opened]).by([Dimension::Type]);
    let questions = vec![question(); MANY];
    refused_for("figures.too-many", answered("", size, host.measure_all(&questions)));
    refused_for("figures.too-many", answered("", size, desk.measure_all(&questions)));
    let fits = &questions[..Question::MAX_AT_ONCE];
    assert_eq!(answered("", size, host.measure_all(fits)).unwrap().len(), Question::MAX_AT_ONCE);
    let keys = vec![Some("tout"); MANY];
    let behind = host.behind(&questions[0], Figure::Opened, &keys, None, 5);
    refused_for("figures.keys", answered("", size, behind));
    let letters = vec![letter(id, 1, "web"); MANY / 10];
    assert_eq!(answered("", size, host.resend(&letters)).unwrap(), 0);
    let roles = (0..MANY).fold(Actor::agent("a-1"), |actor, _| actor.role("bureau"));
    let vouched = bounded("", size, || town.authority.session(roles));
    answered("", size, vouched.forms()).unwrap();
    assert!(block_on(desk.open(id)).is_ok());
}
