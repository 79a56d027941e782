//! Forms: what an actor may hand in, and the form that a request was handed in by.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{Town, leak, refusal};
use grc_core::{
    Actor, Assignee, Definition, Intake, Value,
    definition::{FieldKind, Personal, PlaceKind},
    engine::{Form, FormField},
    request::{Command, Fire},
};
use pollster::block_on;

fn ids(fields: &[FormField]) -> Vec<&str> {
    fields.iter().map(|field| field.id.as_str()).collect()
}

fn form<'f>(forms: &'f [Form], type_: &str) -> &'f Form {
    forms.iter().find(|form| form.type_ == *type_).unwrap()
}

#[test]
fn a_form_has_all_that_a_page_asks() {
    block_on(async {
        let town = Town::open("voirie").await;
        let forms = town.agent("a-01").forms().await.unwrap();
        let leak = form(&forms, "fuite-eau");
        assert_eq!(leak.label.get("en"), "Water leak on the highway");
        assert_eq!(leak.family.as_ref().unwrap().id, "espace-public");
        assert_eq!(leak.place, PlaceKind::Public);
        assert!(!leak.channels.is_empty() && !leak.answers.is_empty() && !leak.requester);
        // Not what a reception may not fill: the material is for who is on site, the cost for chiefs.
        assert_eq!(ids(&leak.fields), ["description", "gravite", "photo", "code-portail"]);
        let described = &leak.fields[0];
        assert!(described.required && described.writable && described.options.is_empty());
        assert_eq!((described.kind, described.personal), (FieldKind::LongText, Personal::FreeText));
        assert_eq!((described.min, described.max), (None, Some(20_000)));
        let graveness = &leak.fields[1];
        assert_eq!(graveness.options[1].label.get("fr"), "Écoulement");
        assert_eq!((graveness.personal, graveness.max), (Personal::No, None));
        let photo = &leak.fields[2];
        assert_eq!((photo.max, photo.accept.len()), (Some(10_485_760), 3));
    });
}

/// What a form asks for can be handed in, and what it does not have cannot.
#[test]
fn a_form_is_what_an_intake_takes() {
    block_on(async {
        let mut seen = (0, 0);
        for definition in ["voirie", "urbanisme"] {
            let town = Town::open(definition).await;
            let everything: Vec<_> =
                town.authority.host("essai").definition().await.unwrap().procedures.into_iter().collect();
            for actor in [Actor::agent("a-01"), Actor::agent("a-02"), Actor::agent("a-05"), Actor::citizen()]
            {
                let session = town.authority.session(actor);
                let Ok(forms) = session.forms().await else { continue };
                for (type_, procedure) in &everything {
                    let form = forms.iter().find(|form| form.type_ == *type_);
                    for field in procedure.fields.iter().filter(|field| field.kind != FieldKind::File) {
                        let empty = Intake::new(type_.as_str(), "nulle-part").set(field.id.as_str(), "");
                        let refused = refusal(session.submit(empty).await);
                        let denied = refused.is_denied() || refused.has("field.unknown");
                        let asked = form.is_some_and(|form| form.fields.iter().any(|one| one.id == field.id));
                        assert_eq!(denied, !asked, "{type_}.{}: {refused}", field.id);
                        if asked { seen.0 += 1 } else { seen.1 += 1 }
                    }
                }
            }
        }
        println!("{} fields that are asked, {} that are not", seen.0, seen.1);
        assert!(seen.0 > 20 && seen.1 > 20);
    });
}

#[test]
fn a_choice_names_the_fields_that_must_be_filled_with_it() {
    block_on(async {
        let town = Town::open("voirie").await;
        let mut definition: Definition = town.authority.host("essai").definition().await.unwrap();
        let leaks = definition.procedures.get_mut("fuite-eau").unwrap();
        let assigns = leaks.transitions.iter_mut().find(|transition| transition.id == "affecter").unwrap();
        assigns.requires = ["materiau", "photo", "gravite"].map(|id| id.parse().unwrap()).to_vec();
        town.authority.host("essai").publish(&definition).await.unwrap();
        let (clerk, chief) = (town.agent("a-01"), town.agent("a-02"));
        let id = clerk.submit(leak()).await.unwrap().id();
        let choice = |seen: &grc_core::engine::Seen| {
            seen.choices().iter().find(|choice| choice.transition == "affecter").unwrap().clone()
        };
        // Who may not fill it is kept from it, and a file is attached before; what is filled is not asked for.
        let seen = chief.open(id).await.unwrap();
        let asked = choice(&seen);
        assert_eq!(asked.fields, ["materiau"]);
        assert_eq!(asked.blocked.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["fields.photo"]);
        let photo = chief.store_file(Some("photo"), "a.jpg", &b"\xff\xd8\xff\xe0"[..]).await.unwrap();
        chief.act(&seen, Command::Attach(photo)).await.unwrap();
        let seen = chief.open(id).await.unwrap();
        assert!(choice(&seen).blocked.is_empty());
        let fire = Fire::new("affecter").to(Assignee::team("fontainiers"));
        assert!(refusal(chief.act(&seen, fire.clone()).await).has("field.required"));
        chief.act(&seen, fire.set("materiau", "pvc")).await.unwrap();
    });
}

#[test]
fn what_a_form_says_of_a_field_is_so() {
    block_on(async {
        let town = Town::open("hostile.toml").await;
        let desk = town.agent("a-1");
        let forms = desk.forms().await.unwrap();
        let bound = |id: &str| forms[0].fields.iter().find(|field| field.id == *id).unwrap().max.unwrap();
        for (id, letter) in [("texte", "a"), ("ligne", "a"), ("clair", "a"), ("nombre", "9")] {
            let most = bound(id);
            let (fits, not) = if letter == "9" {
                (most.to_string(), (most + 1).to_string())
            } else {
                (letter.repeat(most as usize), letter.repeat(most as usize + 1))
            };
            let intake = |text: String| Intake::new("tout", "web").set(id, text);
            desk.submit(intake(fits)).await.unwrap();
            assert!(!refusal(desk.submit(intake(not)).await).problems().is_empty(), "{id}");
        }
    });
}

#[test]
fn a_request_keeps_the_form_that_it_was_handed_in_by() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (clerk, chief) = (town.agent("a-01"), town.agent("a-02"));
        let old = clerk.submit(leak()).await.unwrap();
        let mut definition: Definition = town.authority.host("essai").definition().await.unwrap();
        let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
        procedure.fields.retain(|field| field.id != "cout-estime");
        town.authority.host("essai").publish(&definition).await.unwrap();
        let new = clerk.submit(leak()).await.unwrap();
        let seen = chief.open(old.id()).await.unwrap();
        let form = seen.form();
        let all = ["description", "gravite", "materiau", "photo", "code-portail", "cout-estime"];
        assert_eq!(ids(&form), all);
        let cost = form.last().unwrap();
        assert!(cost.kind == FieldKind::Amount && cost.writable && cost.min == Some(0));
        // What it says can be corrected can be.
        for field in form.iter().filter(|field| field.kind == FieldKind::Amount) {
            let value = Value::Amount(1_250);
            chief.act_on(old.id(), None, Command::correct(field.id.as_str(), value)).await.unwrap();
        }
        let again = chief.open(old.id()).await.unwrap();
        assert_eq!(again.field("cout-estime"), Some(&Value::Amount(1_250)));
        let history = chief.history(old.id()).await.unwrap();
        let corrected = history.iter().find(|entry| entry.kind == "corrected").unwrap();
        assert_eq!(corrected.values.get("cout-estime"), Some(&Some(Value::Amount(1_250))));
        assert_eq!(ids(&chief.open(new.id()).await.unwrap().form()), all[..5]);
        // Who may not read a field does not see it in the form either, and a reader may be no writer.
        let form = clerk.open(old.id()).await.unwrap().form();
        assert!(!ids(&form).contains(&"cout-estime"));
        assert!(!form.iter().find(|field| field.id == "materiau").unwrap().writable);
    });
}
