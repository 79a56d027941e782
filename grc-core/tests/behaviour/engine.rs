//! The main job end to end, on the reference store.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use grc_core::{
    Actor, Assignee, Budget, Clock, Grc, GrcError, Instruction, Intake, List, ManualClock, Moment, Party,
    Place, SeededEntropy, Stores, Value,
    definition::Definition,
    engine::RecordingTransport,
    insight::Question,
    request::{Command, Fire},
    storage::Fact,
};
use pollster::block_on;
use std::sync::Arc;

const TOWN: &str = r#"{
 "organisation": {
  "label": "Ville-sur-Lac", "time-zone": "Europe/Paris", "custodian": "administration",
  "service": [{"id": "eau", "label": "Eau"}, {"id": "voirie", "label": "Voirie"}],
  "team": [{"id": "fontainiers", "label": "Fontainiers", "service": "eau"}],
  "channel": [
    {"id": "telephone", "label": "Téléphone"},
    {"id": "sms", "label": "SMS", "answer": "phone"},
    {"id": "courriel", "label": "Courriel", "answer": "email"}],
  "role": [{"id": "accueil", "label": "Accueil"}, {"id": "responsable", "label": "Responsable"}, {"id": "fontainier", "label": "Fontainier"}, {"id": "administration", "label": "Administration"}],
  "agent": [
    {"id": "a-17", "roles": ["accueil"]},
    {"id": "a-03", "roles": ["responsable"], "services": ["eau"]},
    {"id": "a-08", "roles": ["fontainier"], "teams": ["fontainiers"]},
    {"id": "a-99", "roles": ["responsable"], "services": ["voirie"]}],
  "grant": [
    {"to": ["accueil"], "may": ["submit", "see", "message", "note", "attach", "measure", "hold", "erase", "correct"]},
    {"to": ["responsable"], "may": ["see", "assign", "handle"], "scope": "service"},
    {"to": ["fontainier"], "may": ["see", "handle"], "scope": "team"},
    {"to": ["@requester"], "may": ["see", "message"]},
    {"to": ["@citizen"], "may": ["submit"]}],
  "outcome": [{"id": "repare", "label": "Réparé"}]
 },
 "procedure": {
  "fuite": {
   "label": "Fuite d'eau", "family": null, "service": "eau", "place": "public", "initial": "nouvelle",
   "target": {"days": 5},
   "field": [
     {"id": "description", "label": "Description", "kind": "long-text", "required": true, "personal": "free-text"},
     {"id": "materiau", "label": "Matériau", "kind": "choice", "personal": "no", "indexed": true, "option": [{"id": "fonte", "label": "Fonte"}, {"id": "pvc", "label": "PVC"}]},
     {"id": "digicode", "label": "Digicode", "kind": "text", "personal": "yes", "read": ["accueil", "responsable"]},
     {"id": "debit", "label": "Débit", "kind": "integer", "personal": "no"}],
   "rights": {"requester.email": {"read": ["accueil"]}},
   "state": [
     {"id": "nouvelle", "label": "Nouvelle", "phase": "received", "stage": "Reçue"},
     {"id": "confiee", "label": "Confiée", "phase": "in-progress", "stage": "En cours"},
     {"id": "finie", "label": "Finie", "phase": "closed", "stage": "Terminée"}],
   "transition": [
     {"id": "confier", "label": "Confier", "from": ["nouvelle"], "to": "confiee", "by": ["responsable"], "asks": ["assignee"]},
     {"id": "finir", "label": "Finir", "from": ["confiee"], "to": "finie", "by": ["accueil", "@assignee"], "asks": ["outcome"]},
     {"id": "rouvrir", "label": "Rouvrir", "from": ["finie"], "to": "nouvelle", "by": ["@requester"], "reopens": true}]
  }
 }
}"#;

fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

#[test]
fn an_engine_ends_with_its_last_handle() {
    let stores = Stores::memory();
    let store = Arc::downgrade(&stores.store);
    let grc = block_on(Grc::open(stores)).unwrap();
    let session = grc.authority("ville").unwrap().session(Actor::agent("a-17"));
    drop(grc);
    assert!(store.upgrade().is_some());
    drop(session);
    assert!(store.upgrade().is_none(), "nothing holds the store any more: it can close");
}

#[test]
fn a_leak_goes_from_intake_to_anonymisation() {
    block_on(async {
        let clock = Arc::new(ManualClock::at(at("2026-11-24T09:00:00Z")));
        let stores = Stores::memory();
        let grc = Grc::with(stores.clone(), clock.clone(), Arc::new(SeededEntropy::new(1))).await.unwrap();
        let town = grc.authority("ville").unwrap();
        let definition: Definition = serde_json::from_str(TOWN).unwrap();
        town.host("mise-en-place").publish(&definition).await.unwrap();
        assert_eq!(town.host("mise-en-place").definition().await.unwrap(), definition);

        let claire = town.session(Actor::agent("a-17"));
        let photo = claire.store_file(None, "fuite.jpg", &b"\xff\xd8\xff\xe0 jpeg"[..]).await.unwrap();
        let leak = claire
            .submit(
                Intake::new("fuite", "telephone")
                    .set("description", "eau qui coule devant le 12")
                    .set("materiau", "fonte")
                    .set("digicode", "A1234")
                    .set("debit", "12")
                    .at(Place::address("12 rue des Lilas", "35000", "Rennes")
                        .and_position(48.117266, -1.677793))
                    .party(
                        Party::named("Anne", "Le Gall")
                            .phone("06 39 98 12 34")
                            .email("anne@example.org")
                            .answer_by("sms"),
                    )
                    .file(photo)
                    .source_key("import-1")
                    .key("k-1"),
            )
            .await
            .unwrap();
        // The same command again gives the same request.
        let again = Intake::new("fuite", "telephone").set("description", "autre").key("k-1");
        assert!(claire.submit(again).await.unwrap_err().refusal().unwrap().has("command.key-reused"));
        let duplicate = Intake::new("fuite", "telephone").set("description", "x").source_key("import-1");
        assert!(claire.submit(duplicate).await.unwrap_err().refusal().unwrap().has("source.duplicate"));

        let marc = town.session(Actor::agent("a-03"));
        let seen = marc.open(leak.id()).await.unwrap();
        assert_eq!(seen.field("description"), Some(&Value::from("eau qui coule devant le 12")));
        assert_eq!(seen.choices().iter().map(|c| c.transition.as_str()).collect::<Vec<_>>(), ["confier"]);
        assert!(!seen.parties()[0].details.contains_key("email"), "hidden from this role");
        assert!(town.session(Actor::agent("a-99")).open(leak.id()).await.is_err(), "another service");
        clock.set(at("2026-11-24T10:00:00Z"));
        let refused = marc.act(&seen, Fire::new("confier")).await.unwrap_err();
        assert!(refused.refusal().unwrap().has("transition.asks"));
        marc.act(&seen, Fire::new("confier").to(Assignee::agent("a-08"))).await.unwrap();
        assert!(matches!(
            marc.act(&seen, Fire::new("confier").to(Assignee::agent("a-08"))).await.unwrap_err(),
            GrcError::Conflict(_)
        ));

        let paul = town.session(Actor::agent("a-08"));
        let seen = paul.open(leak.id()).await.unwrap();
        assert!(seen.field("digicode").is_none());
        assert_eq!(seen.team().unwrap(), "fontainiers");
        assert_eq!(paul.read_file(leak.id(), &seen.files()[0]).await.unwrap(), b"\xff\xd8\xff\xe0 jpeg");
        clock.set(at("2026-11-25T10:00:00Z"));
        paul.act(&seen, Fire::new("finir").outcome("repare").message("C'est réparé.").note("joint changé"))
            .await
            .unwrap();

        let transport = RecordingTransport::new();
        let report = town.host("worker").work(Some(&transport), Budget::ALL).await.unwrap();
        assert_eq!(report.sent, 1, "{report:?}");
        assert_eq!(transport.given()[0].to.expose(), &Value::from("06 39 98 12 34"));

        let anne = town.session(Actor::holder(leak.tracking_code().clone()));
        let seen = anne.follow().await.unwrap();
        assert_eq!(seen.stage().get("fr"), "Terminée");
        assert!(seen.notes().is_empty() && seen.agent().is_none() && seen.state().is_none());
        assert_eq!(seen.messages()[0].text, "C'est réparé.");
        assert_eq!(seen.choices().len(), 1);

        let history = claire.history(leak.id()).await.unwrap();
        assert_eq!(
            history.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>(),
            ["submitted", "attached", "assigned", "moved", "moved", "messaged", "noted", "delivered"]
        );
        let page = marc.list(&List::new().is(Fact::Phase, "closed")).await.unwrap();
        assert_eq!(page.requests.len(), 1);
        assert_eq!(page.requests[0].requester.as_deref(), Some("Anne Le Gall"));
        let found =
            claire.by_contact("fuite", grc_core::definition::Contact::Phone, "+33639981234").await.unwrap();
        assert_eq!(found, [leak.id()]);

        let verdict = town.host("audit").verify(leak.id()).await.unwrap();
        assert_eq!(verdict.problems, Vec::<String>::new());
        assert_eq!(verdict.opened, 13);
        let before = claire.figures(&Question::all()).await.unwrap();
        assert_eq!((before.total, before.closed, before.on_time.within), (1, 1, 1));

        clock.set(at("2027-02-25T09:59:59Z"));
        assert_eq!(town.host("worker").work(None, Budget::ALL).await.unwrap().anonymised, 0);
        clock.set(at("2027-02-25T10:00:00Z"));
        let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
        assert_eq!((report.anonymised, report.destroyed), (1, 1), "{report:?}");
        town.host("worker").work(None, Budget::ALL).await.unwrap();
        assert!(anne.follow().await.is_err(), "the code is gone");
        let seen = claire.open(leak.id()).await.unwrap();
        assert_eq!(seen.fields().keys().map(|k| k.as_str()).collect::<Vec<_>>(), ["debit", "materiau"]);
        assert_eq!(seen.place().unwrap().point, Some((48_110_000, -1_680_000)));
        assert!(
            seen.parties()[0].details.is_empty() && seen.messages().is_empty() && seen.files().is_empty()
        );
        let after = claire.figures(&Question::all()).await.unwrap();
        assert_eq!(after.anonymised, 1);
        assert_eq!(grc_core::insight::Figures { anonymised: 0, ..after }, before);
        assert_eq!(town.host("audit").verify(leak.id()).await.unwrap().problems, Vec::<String>::new());
        let late = claire.act(&seen, Instruction::new(Command::note("trop tard"))).await.unwrap_err();
        assert!(late.refusal().unwrap().has("request.anonymised"));
        let _ = clock.now();
    });
}
