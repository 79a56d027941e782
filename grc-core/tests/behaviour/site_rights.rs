//! Who sees and writes what of work on site that serves several requests, not all of them theirs.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::{self, Town, at, leak, refusal};
use grc_core::{
    Actor, Assignee, Definition, GrcError, Intake, InterventionId, Party, Place, RequestId, TrackingCode,
    engine::SiteInstruction,
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, Fire},
};
use pollster::block_on;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

/// The town with a change to its definition.
async fn town_with(change: impl FnOnce(&mut Definition)) -> Town {
    let town = Town::open("voirie").await;
    assert!(town.stores.store.info().test, "a store for tests");
    publish(&town, change).await;
    town.clock.set(at("2026-11-24T10:00:00Z"));
    town
}

async fn publish(town: &Town, change: impl FnOnce(&mut Definition)) {
    let mut definition = common::definition("voirie").resolved();
    change(&mut definition);
    town.authority.host("essai").publish(&definition).await.unwrap();
}

fn planning() -> Planning {
    Planning::new(at("2026-11-25T08:00:00Z").to_utc(), at("2026-11-25T11:00:00Z").to_utc())
}

/// A leak of the water service and waste of the cleaning service, served by one intervention of the road team.
struct Both {
    leak: RequestId,
    code: TrackingCode,
    waste: RequestId,
    id: InterventionId,
}

async fn both(town: &Town) -> Both {
    let desk = town.agent("a-01");
    let leak = desk.submit(leak().party(Party::named("Anne", "Le Gall"))).await.unwrap();
    let code = leak.tracking_code().clone();
    desk.act_on(leak.id(), None, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
    let waste = Intake::new("depot-sauvage", "telephone")
        .set("nature", "gravats")
        .at(Place::address("3 impasse des Tilleuls", "35140", "Saint-Aubin"))
        .party(Party::named("Yves", "Morvan"));
    let waste = desk.submit(waste).await.unwrap().id();
    desk.act_on(waste, None, Fire::new("affecter").to(Assignee::team("collecte"))).await.unwrap();
    let plan = planning()
        .serving(leak.id())
        .serving(waste)
        .team("chaussee")
        .instructions(waste, "Sonner chez M. Morvan.");
    let id = town.agent("a-09").plan(plan).await.unwrap().id();
    Both { leak: leak.id(), code, waste, id }
}

#[test]
fn a_work_order_shows_only_the_requests_that_one_may_see() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { leak, waste, id, .. } = both(&town).await;
        // The head of the water service may see the leak, and so that there is work for it; the waste is not theirs.
        let marc = town.agent("a-02");
        assert!(matches!(marc.open(waste).await, Err(GrcError::NotFound)));
        let order = marc.work_order(id).await.unwrap();
        assert_eq!(order.requests.iter().map(|request| request.request).collect::<Vec<_>>(), [leak]);
        let page = order.to_html();
        for hidden in ["Morvan", "Tilleuls", "gravats", "Gravats"] {
            assert!(!page.contains(hidden), "`{hidden}` shows");
        }
        let seen = marc.intervention(id).await.unwrap();
        assert_eq!(seen.served().iter().map(|served| served.request).collect::<Vec<_>>(), [leak]);
        assert!(!format!("{seen:?}").contains(&waste.to_string()), "nor in its debug form");
        // Who does the work has both.
        let road = town.agent("a-06");
        assert_eq!(road.work_order(id).await.unwrap().requests.len(), 2);
        assert_eq!(road.intervention(id).await.unwrap().served().len(), 2);
    });
}

#[test]
fn who_may_work_for_one_request_types_nothing_on_another() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { leak, waste, id, .. } = both(&town).await;
        let marc = town.agent("a-02");
        let file = marc.store_file(None, "photo.png", PNG).await.unwrap();
        let photo = Work::Photo { request: Some(waste), occasion: Occasion::Before, file };
        assert!(refusal(marc.work_on(id, None, photo).await).has("request.unknown"));
        let cancel = || match Work::done_with(waste, "annulé") {
            Work::Done { report } => Work::Cancel { report },
            other => other,
        };
        for work in [Work::done_with(waste, "fait"), cancel()] {
            assert!(refusal(marc.work_on(id, None, work).await).has("request.unknown"));
        }
        // For theirs they may, and who does the work may for both.
        let file = marc.store_file(None, "photo.png", PNG).await.unwrap();
        let photo = Work::Photo { request: Some(leak), occasion: Occasion::Before, file };
        marc.work_on(id, None, photo).await.unwrap();
        town.agent("a-06").work_on(id, None, Work::done_with(waste, "fait")).await.unwrap();
    });
}

#[test]
fn who_sees_an_intervention_does_not_plan_it_anew_without_the_right() {
    block_on(async {
        // Who takes calls sees everything, and plans for the roads.
        let town = town_with(|definition| {
            let clerk = definition.organisation.agents.iter_mut().find(|agent| agent.id == "a-01").unwrap();
            clerk.roles.push("responsable".parse().unwrap());
            clerk.services.push("voirie".parse().unwrap());
        })
        .await;
        let desk = town.agent("a-01");
        let hole = desk.submit(Intake::new("nid-de-poule", "telephone").set("danger", "oui")).await;
        let own = hole.unwrap().id();
        let leak = desk.submit(leak()).await.unwrap().id();
        let plan = planning().serving(leak).team("fontainiers");
        let id = town.agent("a-02").plan(plan).await.unwrap().id();
        assert!(refusal(desk.work_on(id, None, Work::done()).await).is_denied());
        let away = Work::Plan(planning().serving(own).team("chaussee"));
        assert!(refusal(desk.work_on(id, None, away).await).is_denied());
        // Nor is an intervention seen through a request that it is only to serve.
        let (road, hole) = (town.agent("a-03"), planning().serving(own).team("chaussee"));
        assert!(matches!(road.work_on(id, None, Work::Plan(hole)).await, Err(GrcError::NotFound)));
        let stays = desk.open(leak).await.unwrap();
        assert_eq!(stays.interventions()[0].stage, "planned");
    });
}

#[test]
fn work_on_site_is_not_for_citizens() {
    block_on(async {
        let town = town_with(|definition| {
            let grants = &mut definition.organisation.grants;
            let requesters = grants.iter_mut().find(|grant| grant.to == ["@requester"]).unwrap();
            requesters.may.extend([grc_core::definition::Action::Handle, grc_core::definition::Action::Cost]);
        })
        .await;
        let Both { leak, code, waste, id } = both(&town).await;
        let anne = town.authority.session(Actor::holder(code));
        assert!(anne.follow().await.unwrap().interventions().is_empty());
        assert!(matches!(anne.intervention(id).await, Err(GrcError::NotFound)));
        assert!(matches!(anne.work_order(id).await, Err(GrcError::NotFound)));
        assert!(matches!(anne.work_on(id, None, Work::spend(5)).await, Err(GrcError::NotFound)));
        for request in [leak, waste] {
            let plan = planning().serving(request).team("fontainiers");
            assert!(refusal(anne.plan(plan).await).is_denied());
        }
    });
}

#[test]
fn amounts_are_not_in_the_debug_form_either() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { id, .. } = both(&town).await;
        town.agent("a-09").work_on(id, None, Work::Buy(Purchase::net(8_017))).await.unwrap();
        let seen = town.agent("a-06").intervention(id).await.unwrap();
        assert_eq!(seen.cents(), None);
        let shown = format!("{seen:?}");
        assert!(!shown.contains("8017"), "{shown}");
    });
}

#[test]
fn who_may_not_see_amounts_does_not_change_the_estimate() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let desk = town.agent("a-01");
        let leak = desk.submit(leak()).await.unwrap().id();
        desk.act_on(leak, None, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
        let (marc, paul) = (town.agent("a-02"), town.agent("a-05"));
        let plan = || planning().serving(leak).team("fontainiers");
        let id = marc.plan(plan().estimate(90, "120,00").quote("D-1")).await.unwrap().id();
        for anew in [plan(), plan().estimate(60, 0)] {
            paul.work_on(id, None, Work::Plan(anew)).await.unwrap();
            assert_eq!(marc.intervention(id).await.unwrap().cents(), Some((12_000, 0)));
        }
        assert_eq!(marc.intervention(id).await.unwrap().minutes(), (60, 0));
        marc.work_on(id, None, Work::Plan(plan().estimate(60, 0))).await.unwrap();
        assert_eq!(marc.intervention(id).await.unwrap().cents(), Some((0, 0)));
    });
}

#[test]
fn a_request_that_is_not_there_and_one_that_is_not_theirs_are_refused_alike() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { waste, .. } = both(&town).await;
        let marc = town.agent("a-02");
        let nobody = RequestId::from_uuid(uuid::Uuid::from_u128(7));
        let answer = async |id| refusal(marc.plan(planning().serving(id)).await).to_string();
        assert_eq!(answer(waste).await, answer(nobody).await);
    });
}

#[test]
fn nothing_is_erased_of_work_for_a_request_under_a_hold() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { leak, id, .. } = both(&town).await;
        let chief = town.agent("a-09");
        chief.work_on(id, None, Work::Buy(Purchase::net(500).invoice("F-1"))).await.unwrap();
        chief.act_on(leak, None, Command::Hold { reason: "contentieux".into() }).await.unwrap();
        let erase = || Work::Erase { slots: vec![1], reason: "erreur".to_owned() };
        assert!(refusal(chief.work_on(id, None, erase()).await).has("request.held"));
        chief.act_on(leak, None, Command::Release { hold: 1 }).await.unwrap();
        chief.work_on(id, None, erase()).await.unwrap();
    });
}

#[test]
fn a_right_to_write_instructions_or_a_report_holds() {
    block_on(async {
        let town = town_with(|definition| {
            let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
            for (what, who) in
                [("instructions", "responsable"), ("report", "administrateur"), ("reason", "administrateur")]
            {
                let rights = procedure.rights.entry(what.parse().unwrap()).or_default();
                rights.write = Some(vec![who.to_owned()]);
            }
        })
        .await;
        let desk = town.agent("a-01");
        let leak = desk.submit(leak()).await.unwrap().id();
        desk.act_on(leak, None, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
        let (marc, paul) = (town.agent("a-02"), town.agent("a-05"));
        let plan = || planning().serving(leak).team("fontainiers").instructions(leak, "Collier de 60.");
        let why = refusal(paul.plan(plan()).await);
        assert!(why.has("permission.field"), "{why}");
        let id = marc.plan(plan()).await.unwrap().id();
        let report = || Work::done_with(leak, "fait");
        assert!(refusal(paul.work_on(id, None, report()).await).has("permission.field"));
        let reasoned = Command::Assign { to: Assignee::agent("a-05"), reason: Some("il est près".into()) };
        assert!(refusal(marc.act_on(leak, None, reasoned).await).has("permission.field"));
        let corrected = Command::conclude("sans-objet", Some("rien trouvé"));
        assert!(refusal(marc.act_on(leak, None, corrected).await).has("permission.field"));
        town.agent("a-09").work_on(id, None, report()).await.unwrap();
    });
}

#[test]
fn what_a_key_remembers_is_answered_under_todays_rights() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { leak, .. } = both(&town).await;
        let marc = town.agent("a-02");
        let plan = || planning().serving(leak).team("fontainiers").key("tablette-1");
        let id = marc.plan(plan()).await.unwrap().id();
        let spend = || SiteInstruction::from(Work::spend(30)).key("tablette-2");
        marc.work_on(id, None, spend()).await.unwrap();
        publish(&town, |definition| {
            let marc = definition.organisation.agents.iter_mut().find(|agent| agent.id == "a-02").unwrap();
            marc.services = vec!["voirie".parse().unwrap()];
        })
        .await;
        assert!(matches!(marc.intervention(id).await, Err(GrcError::NotFound)));
        assert!(matches!(marc.work_on(id, None, spend()).await, Err(GrcError::NotFound)));
        assert!(matches!(marc.plan(plan()).await, Err(GrcError::NotFound)));
    });
}

#[test]
fn the_key_of_a_planning_counts_when_it_is_planned_anew() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let Both { leak, .. } = both(&town).await;
        let marc = town.agent("a-02");
        let id = marc.plan(planning().serving(leak).team("fontainiers")).await.unwrap().id();
        let anew = || Work::Plan(planning().serving(leak).team("fontainiers").key("tablette-3"));
        let first = marc.work_on(id, None, anew()).await.unwrap();
        assert_eq!(marc.work_on(id, None, anew()).await.unwrap(), first);
    });
}
