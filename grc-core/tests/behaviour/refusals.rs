//! Bad input: each gets an error with code, path and hint; nothing is written; no error repeats a typed value.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use crate::common::{Town, at, leak, refusal};
use grc_core::{
    Actor, Assignee, GrcError, Instruction, Intake, Party, Place, Typed, Value,
    insight::Question,
    request::{Command, DeliveryReport, Fire},
};
use pollster::block_on;
use std::path::Path;

#[track_caller]
fn check(town: &Town, intake: Intake, code: &str, path: &str) {
    let refusal = refusal(block_on(town.agent("a-01").submit(intake)));
    let problem = refusal.problems().iter().find(|problem| problem.code == code);
    let problem = problem.unwrap_or_else(|| panic!("no `{code}` in {refusal}"));
    assert_eq!(problem.path, path, "{refusal}");
    assert!(problem.hint.is_some(), "{refusal}");
}

#[test]
fn intakes_are_refused_with_code_path_and_hint() {
    let town = block_on(Town::open("voirie"));
    let named = |party: Party| leak().party(party);
    for (intake, code, path) in [
        (Intake::new("fuite", "telephone"), "type.unknown", "type"),
        (Intake::new("Fuite d'eau !", "telephone"), "type.unknown", "type"),
        (
            Intake::new("fuite-eau", "pigeon").set("description", "x").set("gravite", "ecoulement"),
            "channel.unknown",
            "channel",
        ),
        (
            Intake::new("fuite-eau", "sms").set("description", "x").set("gravite", "ecoulement"),
            "channel.unknown",
            "channel",
        ),
        (
            Intake::new("fuite-eau", "telephone").set("gravite", "ecoulement"),
            "field.required",
            "fields.description",
        ),
        (leak().set("description", "  \n "), "field.required", "fields.description"),
        (leak().set("descripton", "x"), "field.unknown", "fields.descripton"),
        (leak().set("gravite", "enorme"), "field.option", "fields.gravite"),
        (leak().set("description", 5), "field.kind", "fields.description"),
        (leak().set("description", "x".repeat(20_001)), "field.too-long", "fields.description"),
        (leak().set("code-portail", "deux\nlignes"), "field.kind", "fields.code-portail"),
        (leak().set("code-portail", "nul\0"), "field.control", "fields.code-portail"),
        (leak().set("materiau", "fonte"), "permission.field", "fields.materiau"),
        (leak().service("egouts"), "service.unknown", "service"),
        (leak().at(Place::position(91.0, 0.0)), "place.point", "place.point"),
        (leak().at(Place::position(f64::NAN, 0.0)), "place.point", "place.point"),
        (leak().at(Place::default().in_zone("lune")), "zone.unknown", "place.zone"),
        (leak().at(Place::address(&"x".repeat(600), "", "")), "field.too-long", "place.address"),
        (named(Party::new("voisin").phone("06 39 98 12 34")), "party.role", "parties[0].role"),
        (named(Party::requester().phone("douze")), "field.phone", "requester.phone"),
        (named(Party::requester().email("anne@")), "field.email", "requester.email"),
        (named(Party::named("Anne", "x".repeat(501))), "field.too-long", "requester.name"),
        (
            named(Party::requester().email("a@b.fr").answer_by("guichet")),
            "channel.unknown",
            "requester.answer",
        ),
        (leak().occurred_at(at("2026-11-24T09:00:01Z").to_utc()), "date.future", "occurred_at"),
    ] {
        check(&town, intake, code, path);
    }
    // All reasons at once.
    let bad = Intake::new("fuite-eau", "pigeon")
        .set("gravite", "enorme")
        .party(Party::requester().phone("x").email("y"));
    let refusal = refusal(block_on(town.agent("a-01").submit(bad)));
    let codes: Vec<_> = refusal.problems().iter().map(|problem| problem.code).collect();
    assert_eq!(codes.len(), 5, "{refusal}");
    let figures = block_on(town.authority.host("essai").figures(&Question::all())).unwrap();
    assert_eq!(figures.total, 0, "nothing was written");
    assert_eq!(
        block_on(town.stores.store.changes(town.authority.name(), None, 100)).unwrap().changes.len(),
        2,
        "but the definition"
    );
}

#[test]
fn unknown_actors_and_roles_are_refused() {
    let town = block_on(Town::open("voirie"));
    for (actor, code) in [
        (Actor::agent("a-77"), "actor.unknown"),
        (Actor::agent("pas un mot"), "actor.id"),
        (Actor::agent("a-77").role("empereur"), "actor.role"),
    ] {
        let refused = refusal(block_on(town.authority.session(actor).submit(leak())));
        assert!(refused.has(code), "{refused}");
    }
    // A role that the host vouches for is enough.
    assert!(block_on(town.authority.session(Actor::agent("a-77").role("accueil")).submit(leak())).is_ok());
    // Denied by default: no grant, no intake.
    let denied = block_on(town.agent("a-08").submit(leak()));
    assert!(matches!(denied, Err(GrcError::NotPermitted(_))), "{denied:?}");
}

#[test]
fn commands_are_refused_and_nothing_is_written() {
    let town = block_on(Town::open("voirie"));
    block_on(async {
        let id = town.agent("a-01").submit(leak()).await.unwrap().id();
        let chief = town.agent("a-02");
        let seen = chief.open(id).await.unwrap();
        for (instruction, code) in [
            (Instruction::from(Fire::new("cloturer").outcome("repare")), "transition.state"),
            (Fire::new("affecter").into(), "transition.asks"),
            (Fire::new("afecter").into(), "transition.unknown"),
            (Fire::new("rouvrir").message("non").into(), "permission.denied"),
            (Fire::new("rejeter").outcome("sans-objet").message("non").into(), "transition.guard"),
            (Fire::new("affecter").to(Assignee::team("pompiers")).into(), "assignee.unknown"),
            (Fire::new("affecter").to(Assignee::default()).into(), "assignee.missing"),
            (
                Fire::new("affecter").to(Assignee::agent("a-05")).message("bonjour").into(),
                "message.unreachable",
            ),
            (Command::Correct([].into()).into(), "command.empty"),
            (Command::Correct([("description".to_owned(), None)].into()).into(), "field.required"),
            (Command::correct("materiau", "or").into(), "field.option"),
            (Command::correct("cout-estime", Value::Amount(-5)).into(), "field.range"),
            (Command::correct("cout-estime", 5).into(), "field.kind"),
            (Command::correct("cout-estime", "12,345").into(), "field.kind"),
            (
                Command::Assess { acceptability: "peut-etre".into(), reason: None }.into(),
                "acceptability.unknown",
            ),
            (
                Command::Assess { acceptability: "non-traitable".into(), reason: Some("bof".into()) }.into(),
                "reason.unknown",
            ),
            (Command::note("  ").into(), "field.required"),
            (Command::tell("x".repeat(20_001)).into(), "field.too-long"),
            (Command::Hear { text: Typed::new("allo"), channel: "sms".into() }.into(), "channel.unknown"),
            (Command::Work { minutes: u32::MAX, cents: 0, supplier: None }.into(), "work.range"),
            (
                Command::Work { minutes: 1, cents: 0, supplier: Some("inconnu".into()) }.into(),
                "supplier.unknown",
            ),
            (Command::Link { kind: "parent".into(), target: id }.into(), "link.self"),
            (Command::Hold { reason: Typed::new("x") }.into(), "permission.denied"),
            (
                Command::Erase { paths: vec!["description".into()], reason: "x".into() }.into(),
                "permission.denied",
            ),
            (Command::Anonymise { rule: "tout-de-suite".into() }.into(), "permission.denied"),
            (
                Command::Delivered { message: 1, round: 0, report: DeliveryReport::Sent }.into(),
                "permission.denied",
            ),
            (
                Instruction::from(Command::note("demain")).occurred_at(at("2027-01-01T00:00:00Z").to_utc()),
                "date.future",
            ),
        ] {
            let refused = refusal(chief.act(&seen, instruction).await);
            assert!(refused.has(code), "`{code}` is not in: {refused}");
        }
        assert_eq!(chief.open(id).await.unwrap(), seen, "nothing was written");
        // A stale version.
        town.agent("a-01").act(&seen, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
        let stale = chief.act(&seen, Fire::new("affecter").to(Assignee::agent("a-05"))).await;
        assert!(
            matches!(&stale, Err(GrcError::Conflict(c)) if c.changed == ["assignment", "state"]),
            "{stale:?}"
        );
        // What does not touch what was changed goes through: a colleague's message makes nobody stale.
        chief.act(&seen, Command::note("je m'en occupe")).await.unwrap();
    });
}

#[test]
fn files_are_checked_by_their_bytes() {
    let town = block_on(Town::open("voirie"));
    block_on(async {
        let clerk = town.agent("a-01");
        let jpeg: &[u8] = b"\xff\xd8\xff\xe0 picture";
        for (name, bytes, code) in [
            ("fuite.jpg", &b"MZ\x90\x00"[..], "file.program"),
            ("fuite.jpg", b"%PDF-1.7 ...", "file.disguised"),
            ("fuite.pdf", jpeg, "file.disguised"),
            ("fuite.jpg", b"only text", "file.disguised"),
            ("page.txt", b"  <!DOCTYPE html><script>alert(1)</script>", "file.program"),
            ("script", b"#!/bin/sh", "file.program"),
            ("fuite.jpg", b"", "file.empty"),
            ("../../etc/passwd", jpeg, "file.name"),
            ("", jpeg, "file.name"),
        ] {
            let refused = refusal(clerk.store_file(Some("photo"), name, bytes).await);
            assert!(refused.has(code), "{name}: {refused}");
        }
        let pdf = clerk.store_file(Some("photo"), "plan.pdf", &b"%PDF-1.7"[..]).await.unwrap();
        assert!(refusal(clerk.submit(leak().file(pdf)).await).has("file.media"));
        let unending = std::io::Read::chain(jpeg, std::io::repeat(1));
        assert!(
            refusal(clerk.store_file(Some("photo"), "sans-fin.jpg", unending).await).has("file.too-large")
        );
        // Several pieces come back as they were.
        let long: Vec<u8> = jpeg.iter().copied().chain((0..200_000_u32).map(|n| (n % 251) as u8)).collect();
        let file = clerk.store_file(Some("photo"), "longue.jpg", long.as_slice()).await.unwrap();
        let id = clerk.submit(leak().file(file)).await.unwrap().id();
        let seen = clerk.open(id).await.unwrap();
        assert_eq!(clerk.read_file(id, &seen.files()[0]).await.unwrap(), long);
        // And into something that takes no more than so much: a disk that is full says so.
        let mut space = vec![0; 150_000];
        let mut short = space.as_mut_slice();
        let full = clerk.read_file_to(id, &seen.files()[0], &mut short).await.unwrap_err();
        assert!(matches!(full, GrcError::Attachment(_)), "{full:?}");
        assert_eq!(space, long[..150_000]);
        // What was stored and never handed in is swept away after an hour.
        town.clock.set(at("2026-11-25T09:00:01Z"));
        assert_eq!(town.authority.host("menage").sweep().await.unwrap(), 1);
        assert_eq!(clerk.read_file(id, &seen.files()[0]).await.unwrap(), long);
    });
}

/// Strings out of many people's nightmares, in every place where somebody types.
fn naughty() -> Vec<String> {
    let mut out: Vec<String> = [
        "",
        "\0",
        "undefined",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "%s%n%x",
        "../../../etc/passwd",
        "\u{202e}txet desrever",
        "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
        "👩‍👩‍👧‍👦",
        "\u{feff}bom",
        "\u{fffe}",
        "ﷺ",
        "2026-02-30",
        "1e400",
        "-0",
        "NaN",
    ]
    .map(str::to_owned)
    .to_vec();
    out.push("x".repeat(1_000_000));
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/naughty-strings/blns.json");
    if let Ok(text) = std::fs::read_to_string(shared) {
        out.extend(serde_json::from_str::<Vec<String>>(&text).unwrap());
    }
    out
}

#[test]
fn hostile_strings_are_taken_or_refused_and_never_repeated() {
    let strings = naughty();
    let (mut taken, mut refused) = (0, 0);
    let mut town = block_on(Town::open("voirie"));
    for (n, text) in strings.iter().enumerate() {
        if n % 40 == 39 {
            // The reference store copies itself at each commit: it is not made for thousands.
            town = block_on(Town::open("voirie"));
        }
        let clerk = town.agent("a-01");
        let intakes = [
            leak().set("description", text.as_str()),
            leak().set("code-portail", text.as_str()),
            Intake::new(text.as_str(), text.as_str()),
            leak().party(Party::named(text.as_str(), text.as_str())),
            leak().party(Party::requester().email(text.as_str())),
            leak().party(Party::requester().phone(text.as_str())),
            leak().at(Place::address(text, text, text).in_zone(text.as_str())),
            leak().source_key(text.as_str()).key(text.as_str()),
        ];
        for intake in intakes {
            match block_on(clerk.submit(intake)) {
                Ok(done) => {
                    taken += 1;
                    let seen = block_on(clerk.open(done.id())).unwrap();
                    if let Some(Value::Text(kept)) = seen.field("description")
                        && kept != "l'eau coule"
                    {
                        assert_eq!(kept, text, "kept as it was typed");
                    }
                }
                Err(error) => {
                    refused += 1;
                    let said = error.to_string();
                    assert!(
                        text.len() < 12 || !said.contains(text.as_str()),
                        "an error repeats what was typed: {said:.200}"
                    );
                    assert!(said.len() < 4_000, "an error is long");
                }
            }
        }
        // The name of a field is not what a person types, and its path helps who programs: only words are named.
        let unknown = refusal(block_on(clerk.submit(leak().set(text.as_str(), "x"))));
        assert!(unknown.to_string().len() < 300, "{unknown}");
        if let Ok(code) = text.parse::<grc_core::TrackingCode>() {
            panic!("`{code}` is taken for a tracking code");
        }
    }
    println!("{} strings: {taken} taken, {refused} refused", strings.len());
    assert!(taken > 30 && refused > 50);
}
