//! Bounds of work on site: how much at once, how many values, and moments that fit together.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::{self, Town, at, leak, refusal};
use grc_core::{
    Assignee, InterventionId, RequestId, Word,
    engine::SiteInstruction,
    intervention::{Planning, Purchase, Work},
    request::{Command, Fire, Measure},
    storage::{Load, Parts, StreamKey},
};
use pollster::block_on;

fn planning() -> Planning {
    Planning::new(at("2026-11-25T08:00:00Z").to_utc(), at("2026-11-25T11:00:00Z").to_utc())
}

async fn assigned(town: &Town) -> RequestId {
    let desk = town.agent("a-01");
    let id = desk.submit(leak()).await.unwrap().id();
    desk.act_on(id, None, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
    id
}

/// What lasted of a request, from its measure row.
async fn measure(town: &Town, id: RequestId) -> Measure {
    let mut after = None;
    loop {
        let page = town.stores.store.measures(town.authority.name(), after.as_ref(), 1_000).await.unwrap();
        if let Some(row) = page.rows.iter().find(|(stream, _)| stream.id == id.uuid()) {
            return Measure::from_bytes(&row.1).unwrap();
        }
        after = page.next;
        assert!(after.is_some(), "no measure row");
    }
}

async fn ends_after_it_begins(town: &Town, id: RequestId) {
    for span in measure(town, id).await.spans {
        assert!(span.until.is_none_or(|until| until >= span.from), "{span:?}");
    }
}

#[test]
fn what_joined_late_does_not_end_before_it_began() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (first, second) = (assigned(&town).await, assigned(&town).await);
        let chief = town.agent("a-09");
        let plan = || planning().serving(first).team("fontainiers");
        let id = chief.plan(plan()).await.unwrap().id();
        chief.work_on(id, None, Work::Start).await.unwrap();
        town.clock.set(at("2026-11-24T11:00:00Z"));
        chief.work_on(id, None, Work::Plan(plan().serving(second))).await.unwrap();
        town.clock.set(at("2026-11-24T12:00:00Z"));
        let done = SiteInstruction::from(Work::done()).occurred_at(at("2026-11-24T10:30:00Z").to_utc());
        chief.work_on(id, None, done).await.unwrap();
        for request in [first, second] {
            ends_after_it_begins(&town, request).await;
        }
    });
}

#[test]
fn an_assignment_is_not_dated_back_behind_the_one_before() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = assigned(&town).await;
        town.clock.set(at("2026-11-24T12:00:00Z"));
        let (paul, marc) = (town.agent("a-05"), town.agent("a-09"));
        paul.act_on(id, None, Command::Take).await.unwrap();
        let between = at("2026-11-24T11:00:00Z").to_utc();
        let over = Command::hand_over(Assignee::team("fontainiers"), "retour à l'équipe");
        let over = grc_core::engine::Instruction::new(over).occurred_at(between);
        assert!(refusal(paul.act_on(id, None, over).await).is_denied());
        let assign = Command::Assign { to: Assignee::team("fontainiers"), reason: None };
        let assign = grc_core::engine::Instruction::new(assign).occurred_at(between);
        assert!(refusal(town.agent("a-05").act_on(id, None, assign).await).is_denied());
        ends_after_it_begins(&town, id).await;
        // What a person said an hour ago is still noted as it was.
        let heard = Command::Hear { text: "il rappelle".into(), channel: "telephone".to_owned() };
        let heard = grc_core::engine::Instruction::new(heard).occurred_at(between);
        marc.act_on(id, None, heard).await.unwrap();
    });
}

#[test]
fn work_is_not_dated_back_behind_what_it_is_for() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = assigned(&town).await;
        let paul = town.agent("a-05");
        let early = at("1950-01-01T00:00:00Z").to_utc();
        let plan = planning().serving(id).team("fontainiers");
        assert!(refusal(paul.plan(plan.clone().occurred_at(early)).await).is_denied());
        let on_site = paul.plan(plan).await.unwrap().id();
        for work in [Work::Start, Work::done(), Work::spend(5)] {
            let work = SiteInstruction::from(work).occurred_at(early);
            assert!(refusal(paul.work_on(on_site, None, work).await).is_denied());
        }
        // Who may replay what is past, may.
        let head = town.agent("a-02");
        head.work_on(on_site, None, SiteInstruction::from(Work::spend(5)).occurred_at(early)).await.unwrap();
    });
}

#[test]
fn more_requests_than_one_serves_are_refused_before_they_are_looked_for() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = assigned(&town).await;
        let chief = town.agent("a-09");
        let many = (0..5_000).map(|n| RequestId::from_uuid(uuid::Uuid::from_u128(n)));
        let plan = || many.clone().fold(planning().team("fontainiers"), Planning::serving);
        assert!(refusal(chief.plan(plan()).await).has("intervention.too-many"));
        let on_site = chief.plan(planning().serving(id).team("fontainiers")).await.unwrap().id();
        assert!(refusal(chief.work_on(on_site, None, Work::Plan(plan())).await).has("intervention.too-many"));
    });
}

#[test]
fn what_is_typed_about_work_counts_among_a_requests_values() {
    use grc_core::intervention::{Served, Site, decide_plan};
    use grc_core::request::{Acting, Request};
    block_on(async {
        let town = Town::open("voirie").await;
        let id = assigned(&town).await;
        let authority = town.authority.name().clone();
        let stream = StreamKey::new(authority.clone(), Word::new(RequestId::KIND).unwrap(), id.uuid());
        let load = Load { authority, streams: vec![stream], parts: Parts::None, receipt: None };
        let row = town.stores.store.load(&load).await.unwrap().streams.pop().unwrap().unwrap().row;
        let mut request: Request = serde_json::from_slice(&row.body).unwrap();
        let definition = common::definition("voirie").resolved();
        let acting = Acting::resolve(&definition.organisation, &grc_core::Actor::agent("a-09")).unwrap();
        let now = at("2026-11-24T10:00:00Z");
        let site =
            Site { organisation: &definition.organisation, organisation_version: 1, acting: &acting, now };
        let procedure = &definition.procedures["fuite-eau"];
        let plan = || planning().serving(id).team("fontainiers").instructions(id, "Collier de 60.");
        let uuid = uuid::Uuid::from_u128(1);
        let decide = |request: &Request| {
            let served = [Served { request, procedure }];
            decide_plan(InterventionId::from_uuid(uuid), &plan(), None, &served, &site)
        };
        decide(&request).unwrap();
        for slot in 100..5_100 {
            request.book.slots.insert(slot, "note".parse().unwrap());
        }
        let why = decide(&request).unwrap_err();
        assert!(why.has("request.full"), "{why}");
    });
}

#[test]
fn the_largest_intervention_is_planned_anew_in_one_commit() {
    block_on(async {
        let town = Town::open("voirie").await;
        let mut requests = Vec::new();
        for _ in 0..50 {
            requests.push(assigned(&town).await);
        }
        let chief = town.agent("a-09");
        let plan = |weight: u32| {
            requests
                .iter()
                .zip(weight..)
                .fold(planning().team("fontainiers"), |plan, (id, weight)| plan.serving_with(*id, weight))
        };
        let id = chief.plan(plan(1)).await.unwrap().id();
        for n in 0..200_i64 {
            let net = if n % 7 == 0 { -100_000_000_000 } else { 100_000_000_000 - n };
            let bought = Purchase::net(net).vat(net);
            let work = if n % 2 == 0 { Work::Buy(bought) } else { Work::spend(527_040) };
            chief.work_on(id, None, work).await.unwrap();
        }
        assert!(refusal(chief.work_on(id, None, Work::spend(1)).await).has("intervention.full"));
        let all = async || {
            let seen = chief.intervention(id).await.unwrap();
            let mut borne = (0, 0);
            for request in &requests {
                let view = chief.open(*request).await.unwrap();
                let on = &view.interventions()[0];
                borne = (borne.0 + on.minutes, borne.1 + on.cents.unwrap());
            }
            assert_eq!(borne, (seen.minutes().1, seen.cents().unwrap().1));
            let said: i64 = seen.served().iter().filter_map(|served| served.cents).sum();
            assert_eq!(said, borne.1);
            borne
        };
        let before = all().await;
        town.clock.set(at("2026-11-24T10:00:00Z"));
        chief.work_on(id, None, Work::Plan(plan(1_000))).await.unwrap();
        assert_eq!(all().await, before);
        // One that bears nothing, one that leaves, and both back.
        let few = requests[1..]
            .iter()
            .fold(planning().team("fontainiers").serving_with(requests[0], 0), |p, id| {
                p.serving_with(*id, 1)
            });
        chief.work_on(id, None, Work::Plan(few)).await.unwrap();
        assert_eq!(all().await, before);
        let half = requests[..25].iter().fold(planning().team("fontainiers"), |p, id| p.serving(*id));
        chief.work_on(id, None, Work::Plan(half)).await.unwrap();
        assert_eq!(all().await, before);
        chief.work_on(id, None, Work::Strike { entry: 1 }).await.unwrap();
        chief.work_on(id, None, Work::Strike { entry: 2 }).await.unwrap();
        let less = all().await;
        chief.work_on(id, None, Work::Plan(plan(1))).await.unwrap();
        assert_eq!(all().await, less);
        let host = town.authority.host("x");
        for request in &requests[..5] {
            ends_after_it_begins(&town, *request).await;
            assert_eq!(host.verify(*request).await.unwrap().problems, Vec::<String>::new());
        }
        assert_eq!(host.verify_intervention(id).await.unwrap().problems, Vec::<String>::new());
    });
}
