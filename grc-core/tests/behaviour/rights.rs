//! What an actor may not read is nowhere: not in views, lists, history, choices, errors and conflict messages.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{self, Town, at, leak, refusal};
use grc_core::{
    Actor, Assignee, Condition, Definition, GrcError, List, Party, Place, Typed, Value,
    condition::{Comparison, Scalar, Var},
    definition::Contact,
    request::{Command, Fire},
    storage::{EventRange, Log, StreamKey},
};
use pollster::block_on;

async fn town_with_a_leak() -> (Town, grc_core::Submitted) {
    let town = Town::open("voirie").await;
    let clerk = town.agent("a-01");
    let intake = leak()
        .set("code-portail", "4242B")
        .at(Place::address("12 rue des Lilas", "35000", "Rennes"))
        .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms"));
    let submitted = clerk.submit(intake).await.unwrap();
    let chief = town.agent("a-02");
    let seen = chief.open(submitted.id()).await.unwrap();
    chief.act(&seen, Command::correct("cout-estime", "125,50")).await.unwrap();
    let seen = chief.open(submitted.id()).await.unwrap();
    chief
        .act(&seen, Fire::new("affecter").to(Assignee::agent("a-05")).note("prévoir une pelle"))
        .await
        .unwrap();
    (town, submitted)
}

#[test]
fn hidden_fields_are_nowhere() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let worker = town.agent("a-05");
        let seen = worker.open(leak.id()).await.unwrap();
        // `code-portail` and the phone are not for field workers, `cout-estime` for chiefs only.
        assert_eq!(seen.fields().keys().map(|k| k.as_str()).collect::<Vec<_>>(), ["description", "gravite"]);
        assert_eq!(
            seen.parties()[0].details.keys().map(|k| k.as_str()).collect::<Vec<_>>(),
            ["given", "name"]
        );
        let everything = format!("{:?} {:?}", seen.fields(), worker.history(leak.id()).await.unwrap());
        for hidden in ["4242B", "06 39", "12550", "code-portail", "cout-estime", "requester.phone"] {
            assert!(!everything.contains(hidden), "`{hidden}` shows");
        }
        // The correction of a field that they may not read is not in their history at all.
        assert!(worker.history(leak.id()).await.unwrap().iter().all(|entry| entry.kind != "corrected"));
        let chief = town.agent("a-02").history(leak.id()).await.unwrap();
        assert!(chief.iter().any(|entry| entry.kind == "corrected"));
        // Writing to it is refused like writing to a field that does not exist.
        let hidden = refusal(worker.act(&seen, Command::correct("cout-estime", 1)).await).to_string();
        let absent = refusal(worker.act(&seen, Command::correct("cout-estimu", 1)).await).to_string();
        assert_eq!(hidden.replace("cout-estime", "?"), absent.replace("cout-estimu", "?"));
        // A list cannot be made by it.
        let by = |field: &str| {
            let var = Var::Field(field.parse().unwrap());
            List::new().filter(Condition::Compare(var, Comparison::Equal, Scalar::from("pvc")))
        };
        let hidden = refusal(worker.list(&by("code-portail")).await).to_string();
        let absent = refusal(worker.list(&by("code-secret")).await).to_string();
        assert_eq!(hidden.replace("code-portail", "?"), absent.replace("code-secret", "?"));
        assert_eq!(worker.list(&by("materiau")).await.unwrap().requests.len(), 0);
        // Nor can a person be found by a phone that they may not read.
        assert!(worker.by_contact("espace-public", Contact::Phone, "0639981234").await.unwrap().is_empty());
        assert_eq!(
            town.agent("a-01").by_contact("espace-public", Contact::Phone, "0639981234").await.unwrap(),
            [leak.id()]
        );
        // A conflict names no field that they may not see.
        let stale = worker.open(leak.id()).await.unwrap();
        let chief = town.agent("a-02");
        chief.act_on(leak.id(), None, Command::correct("cout-estime", "99")).await.unwrap();
        worker.act(&stale, Command::correct("materiau", "fonte")).await.unwrap();
    });
}

#[test]
fn another_services_requests_do_not_exist() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        for agent in ["a-03", "a-04", "a-06", "a-08"] {
            let session = town.agent(agent);
            assert!(matches!(session.open(leak.id()).await, Err(GrcError::NotFound)), "{agent}");
            assert!(matches!(session.history(leak.id()).await, Err(GrcError::NotFound)), "{agent}");
            let noted = session.act_on(leak.id(), None, Command::note("x")).await;
            assert!(matches!(noted, Err(GrcError::NotFound)), "{agent}: {noted:?}");
            assert_eq!(session.list(&List::new()).await.unwrap().requests.len(), 0, "{agent}");
        }
        assert_eq!(town.agent("a-05").list(&List::new()).await.unwrap().requests.len(), 1);
        let figures = town.agent("a-03").figures(&grc_core::insight::Question::all()).await.unwrap();
        assert_eq!(figures.total, 0, "nor are they counted");
        assert!(matches!(
            town.agent("a-01").figures(&grc_core::insight::Question::all()).await,
            Err(GrcError::NotPermitted(_))
        ));
    });
}

#[test]
fn the_citizen_follows_by_code_and_sees_no_insides() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let anne = town.authority.session(Actor::holder(leak.tracking_code().clone()));
        let seen = anne.follow().await.unwrap();
        assert_eq!(seen.stage().get("fr"), "Un service s'en occupe");
        assert!(
            seen.agent().is_none()
                && seen.team().is_none()
                && seen.state().is_none()
                && seen.notes().is_empty()
        );
        assert_eq!(seen.field("code-portail"), Some(&Value::from("4242B")), "their own words they may read");
        assert!(seen.field("cout-estime").is_none());
        let told = format!("{:?}", anne.history(leak.id()).await.unwrap());
        for hidden in ["a-01", "a-02", "a-05", "pelle", "fontainiers", "affectee", "12550"] {
            assert!(!told.contains(hidden), "`{hidden}` shows to the citizen");
        }
        // Only their own request, and only what is open to them.
        let other = town.agent("a-01").submit(common::leak()).await.unwrap();
        assert!(matches!(anne.open(other.id()).await, Err(GrcError::NotFound)));
        assert!(refusal(anne.act(&seen, Command::note("psst")).await).is_denied());
        assert!(refusal(anne.act(&seen, Fire::new("cloturer").outcome("repare")).await).is_denied());
        anne.act(&seen, Command::Hear { text: Typed::new("ça coule toujours"), channel: "web".into() })
            .await
            .unwrap();
        // A citizen who is not known finds nothing.
        assert!(matches!(
            town.authority.session(Actor::citizen()).open(leak.id()).await,
            Err(GrcError::NotFound)
        ));
        let wrong = grc_core::TrackingCode::fresh(&grc_core::SystemEntropy).unwrap();
        assert!(matches!(
            town.authority.session(Actor::holder(wrong)).follow().await,
            Err(GrcError::NotFound)
        ));
    });
}

#[test]
fn readings_of_sensitive_fields_are_noted() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        town.clock.set(at("2026-11-24T10:00:00Z"));
        town.agent("a-01").open(leak.id()).await.unwrap();
        town.agent("a-05").open(leak.id()).await.unwrap();
        let stream = StreamKey::new("ville".parse().unwrap(), "request".parse().unwrap(), leak.id().uuid());
        let range = EventRange { stream, log: Log::Access, after: 0, limit: 100 };
        let rows = town.stores.store.events(&range).await.unwrap();
        let last = String::from_utf8(rows.last().unwrap().body.clone()).unwrap();
        assert_eq!(
            last,
            r#"{"actor":{"id":"a-01","kind":"agent"},"at":1795514400000000,"fields":["code-portail"]}"#
        );
        assert_eq!(
            rows.len(),
            3,
            "the chief's two readings and the clerk's; not the worker's, who may not read it"
        );
    });
}

#[test]
fn a_right_withdrawn_is_withdrawn_on_live_requests_at_the_next_command() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let worker = town.agent("a-05");
        let seen = worker.open(leak.id()).await.unwrap();
        let mut definition: Definition = common::definition("voirie");
        let agent = definition.organisation.agents.iter_mut().find(|agent| agent.id == "a-05").unwrap();
        agent.teams.clear();
        // Another process publishes: this one's cache knows nothing of it.
        let grc = grc_core::Grc::with(
            town.stores.clone(),
            town.clock.clone(),
            std::sync::Arc::new(grc_core::SeededEntropy::new(9)),
        );
        let published =
            grc.await.unwrap().authority("ville").unwrap().host("rh").publish(&definition).await.unwrap();
        assert_eq!((published.organisation, published.procedures.len()), (2, 0));
        assert!(matches!(worker.act(&seen, Fire::new("traiter")).await, Err(GrcError::NotFound)));
        assert!(matches!(worker.open(leak.id()).await, Err(GrcError::NotFound)));
        assert_eq!(worker.list(&List::new()).await.unwrap().requests.len(), 0);
    });
}

#[test]
fn live_requests_stay_on_their_version_of_the_procedure() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let mut definition = common::definition("voirie").resolved();
        let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
        procedure.fields.retain(|field| field.id != "cout-estime");
        procedure.label = "Fuite".into();
        let host = town.authority.host("essai");
        let published = host.publish(&definition).await.unwrap();
        assert_eq!(published.procedures.keys().map(|k| k.as_str()).collect::<Vec<_>>(), ["fuite-eau"]);
        assert_eq!(
            host.publish(&definition).await.unwrap().organisation,
            published.organisation,
            "again: nothing new"
        );
        let chief = town.agent("a-02");
        let old = chief.open(leak.id()).await.unwrap();
        assert_eq!(old.field("cout-estime"), Some(&Value::Amount(12_550)));
        let new = town.agent("a-01").submit(common::leak()).await.unwrap();
        let new = chief.open(new.id()).await.unwrap();
        assert!(refusal(chief.act(&new, Command::correct("cout-estime", 1)).await).has("field.unknown"));
    });
}

#[test]
fn agents_names_are_sealed_in_the_directory() {
    block_on(async {
        let town = Town::open("voirie").await;
        let host = town.authority.host("rh");
        host.name_agent("a-05", "Paul Morvan").await.unwrap();
        let name = async |id| town.agent("a-01").agent_name(id).await.unwrap();
        assert_eq!(name("a-05").await.as_deref(), Some("Paul Morvan"));
        assert_eq!(name("a-06").await, None);
        host.name_agent("a-05", "Paul Le Goff").await.unwrap();
        assert_eq!(name("a-05").await.as_deref(), Some("Paul Le Goff"));
        assert!(refusal(host.name_agent("a-05", " ").await).has("agent.name"));
        assert!(refusal(town.authority.session(Actor::citizen()).agent_name("a-05").await).is_denied());
        let range = grc_core::storage::DocumentRange {
            authority: "ville".parse().unwrap(),
            kind: "directory".parse().unwrap(),
            name: None,
            after: None,
            which: grc_core::storage::Which::All,
            limit: 10,
        };
        let stored = town.stores.store.documents(&range).await.unwrap();
        assert_eq!(stored.len(), 1, "the name before is gone");
        assert!(!String::from_utf8_lossy(&stored[0].body).contains("Goff"));
        host.forget_agent("a-05").await.unwrap();
        host.forget_agent("a-05").await.unwrap();
        assert_eq!(name("a-05").await, None);
    });
}

#[test]
fn a_transition_carries_only_what_it_asks_for_or_what_the_actor_may_do() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let chief = town.agent("a-02");
        chief.act_on(leak.id(), None, Fire::new("traiter")).await.unwrap();
        chief.act_on(leak.id(), None, Fire::new("cloturer").outcome("repare")).await.unwrap();
        let anne = town.authority.session(Actor::holder(leak.tracking_code().clone()));
        let again = || Fire::new("rouvrir").message("ça coule encore");
        for fire in [
            again().to(Assignee::agent("a-06")),
            again().to(Assignee::agent("inconnu")),
            again().outcome("sans-objet"),
            again().note("psst"),
            again().set("gravite", "suintement"),
        ] {
            let refused = refusal(anne.act_on(leak.id(), None, fire).await);
            assert!(refused.is_denied() && !refused.to_string().contains("a-0"), "{refused}");
        }
        anne.act_on(leak.id(), None, again()).await.unwrap();
    });
}

#[test]
fn nobody_dates_back_behind_what_is_known_without_the_right() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let back =
            |fire: Fire| grc_core::Instruction::from(fire).occurred_at(at("2000-01-01T00:00:00Z").to_utc());
        let worker = town.agent("a-05");
        assert!(refusal(worker.act_on(leak.id(), None, back(Fire::new("traiter"))).await).is_denied());
        let quiet = grc_core::Instruction::from(Fire::new("traiter")).quiet();
        assert!(refusal(worker.act_on(leak.id(), None, quiet).await).is_denied());
        let citizen = town.authority.session(Actor::citizen());
        for intake in [
            common::leak().occurred_at(at("2026-11-01T00:00:00Z").to_utc()),
            common::leak().quiet(),
            common::leak().service("voirie"),
            common::leak().target(at("2026-12-01T00:00:00Z").to_utc()),
        ] {
            assert!(refusal(citizen.submit(intake).await).is_denied());
        }
        assert!(refusal(citizen.submit(common::leak().key("court")).await).has("command.key-short"));
        let key = "5f2c1e0d9b8a47c6a1f3e2";
        let first = citizen.submit(common::leak().key(key)).await.unwrap();
        assert_eq!(citizen.submit(common::leak().key(key)).await.unwrap(), first);
    });
}

#[test]
fn the_same_key_on_another_request_is_refused() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let other = town.agent("a-01").submit(common::leak()).await.unwrap();
        let chief = town.agent("a-02");
        let note = || grc_core::Instruction::from(Command::note("vu")).key("vu");
        let first = chief.act_on(leak.id(), None, note()).await.unwrap();
        assert_eq!(chief.act_on(leak.id(), None, note()).await.unwrap(), first);
        assert!(refusal(chief.act_on(other.id(), None, note()).await).has("command.key-reused"));
    });
}

#[test]
fn positions_and_older_versions_do_not_leak_through_lists() {
    block_on(async {
        let town = Town::open("voirie").await;
        let mut definition = common::definition("voirie").resolved();
        let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
        let rights =
            grc_core::definition::FieldRights { read: Some(vec!["responsable".into()]), write: None };
        procedure.rights.insert("place.point".parse().unwrap(), rights);
        let gravite = procedure.fields.iter_mut().find(|field| field.id == "gravite").unwrap();
        gravite.read =
            Some(vec!["responsable".into(), "accueil".into(), "@requester".into(), "@citizen".into()]);
        let host = town.authority.host("essai");
        host.publish(&definition).await.unwrap();
        let clerk = town.agent("a-01");
        let leak = clerk.submit(leak().at(Place::position(48.117_266, -1.677_793))).await.unwrap();
        let admin = town.agent("a-09").list(&List::new()).await.unwrap();
        assert_eq!(admin.requests.len(), 1);
        // Opening the field in a later version opens nothing of this request either.
        let administrator = town.authority.session(Actor::agent("a-70").role("administrateur"));
        let by =
            |var: Var, scalar: Scalar| List::new().filter(Condition::Compare(var, Comparison::Equal, scalar));
        let gravite = || by(Var::Field("gravite".parse().unwrap()), Scalar::from("ecoulement"));
        assert_eq!(clerk.list(&gravite()).await.unwrap().requests[0].id, leak.id());
        // Under the first version everybody read it: the list is made of such requests only, and this is not one.
        assert_eq!(administrator.list(&gravite()).await.unwrap().requests.len(), 0);
        let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
        procedure.fields.iter_mut().find(|field| field.id == "gravite").unwrap().read = None;
        host.publish(&definition).await.unwrap();
        assert_eq!(administrator.list(&gravite()).await.unwrap().requests.len(), 0);
        // Other types show their place to all: the list is made of those only.
        let lat = by(Var::Fact(grc_core::storage::Fact::Lat), Scalar::from(48_117_266));
        assert_eq!(administrator.list(&lat).await.unwrap().requests.len(), 0);
        assert_eq!(town.agent("a-02").list(&lat).await.unwrap().requests.len(), 1);
    });
}

#[test]
fn the_citizen_reads_what_was_decided_and_not_why_an_agent_was_given_it() {
    block_on(async {
        let (town, leak) = town_with_a_leak().await;
        let chief = town.agent("a-02");
        let reason = Some(Typed::new("collègue en congé"));
        chief.act_on(leak.id(), None, Command::Assign { to: Assignee::agent("a-05"), reason }).await.unwrap();
        let holder = town.authority.session(Actor::holder(leak.tracking_code().clone()));
        let shown = format!("{:?}", holder.history(leak.id()).await.unwrap());
        assert!(!shown.contains("congé") && !shown.contains("prévoir une pelle"), "{shown}");
        let shown = format!("{:?}", chief.history(leak.id()).await.unwrap());
        assert!(shown.contains("congé") && shown.contains("prévoir une pelle"), "{shown}");
    });
}
