//! Work on site: planned, carried out, paid and shared, for one request or several.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::{Town, at, leak, refusal};
use chrono::{DateTime, Duration, Utc};
use grc_core::{
    Assignee, Budget, GrcError, Intake, InterventionId, List, Party, Place, RequestId,
    condition::Var,
    engine::SiteInstruction,
    intervention::{Occasion, Planning, Purchase, Work},
    request::Fire,
    storage::Fact,
};
use pollster::block_on;
use std::collections::BTreeMap;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0000";

fn time(text: &str) -> DateTime<Utc> {
    at(text).to_utc()
}

/// A morning's window.
fn window() -> (DateTime<Utc>, DateTime<Utc>) {
    (time("2026-11-25T08:00:00Z"), time("2026-11-25T11:00:00Z"))
}

fn planning() -> Planning {
    let (from, until) = window();
    Planning::new(from, until)
}

/// A leak held by the plumbers, and a hole in the road held by the road service: of two families.
async fn two(town: &Town) -> (RequestId, RequestId) {
    let desk = town.agent("a-01");
    let leak = leak()
        .at(Place::address("12 rue des Lilas", "35140", "Saint-Aubin"))
        .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34"));
    let leak = desk.submit(leak).await.unwrap().id();
    desk.act_on(leak, None, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
    let waste = Intake::new("depot-sauvage", "telephone").set("nature", "gravats");
    let waste = desk.submit(waste).await.unwrap().id();
    desk.act_on(waste, None, Fire::new("affecter").to(Assignee::team("collecte"))).await.unwrap();
    (leak, waste)
}

async fn one(town: &Town) -> (RequestId, InterventionId) {
    let (leak, _) = two(town).await;
    let plan = planning().serving(leak).team("fontainiers");
    (leak, town.agent("a-02").plan(plan).await.unwrap().id())
}

#[test]
fn the_whole_way_of_one_intervention() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, _) = two(&town).await;
        let marc = town.agent("a-02");
        let plan = planning()
            .serving(leak)
            .team("fontainiers")
            .agent("a-05")
            .estimate(90, "120,00")
            .instructions(leak, "Prendre le collier de 60.");
        let id = marc.plan(plan).await.unwrap().id();
        let paul = town.agent("a-05");
        town.authority.host("x").name_agent("a-05", "Paul Guillou").await.unwrap();
        let order = paul.work_order(id).await.unwrap();
        let page = order.to_html();
        for text in [
            "12 rue des Lilas",
            "Prendre le collier de 60.",
            "Fontainiers",
            "Paul Guillou",
            "25/11/2026 09:00",
        ] {
            assert!(page.contains(text), "{text} is not on the page");
        }
        assert!(!page.contains("06 39 98"), "the telephone number is not for the team");
        assert!(serde_json::to_string(&order).unwrap().contains("collier"));
        for step in [Work::Acknowledge, Work::Start] {
            let seen = paul.intervention(id).await.unwrap();
            paul.work_on(id, Some(seen.version()), step).await.unwrap();
        }
        for occasion in [Occasion::Before, Occasion::After] {
            let file = paul.store_file(None, "photo.png", PNG).await.unwrap();
            paul.work_on(id, None, Work::Photo { request: None, occasion, file }).await.unwrap();
        }
        paul.work_on(id, None, Work::spend(75)).await.unwrap();
        marc.work_on(
            id,
            None,
            Work::Buy(Purchase::net("80,00").vat_rate(2_000).item("Collier").invoice("F-77")),
        )
        .await
        .unwrap();
        town.clock.set(at("2026-11-25T10:00:00Z"));
        paul.work_on(id, None, Work::done_with(leak, "Collier changé.")).await.unwrap();

        let seen = marc.intervention(id).await.unwrap();
        assert_eq!((seen.stage().as_str(), seen.minutes()), ("done", (90, 75)));
        // 75 minutes at 42 € an hour, and 96 € with VAT.
        assert_eq!(seen.cents(), Some((12_000, 5_250 + 9_600)));
        assert_eq!(seen.entries()[1].invoice.as_deref(), Some("F-77"));
        let request = marc.open(leak).await.unwrap();
        let on_site = &request.interventions()[0];
        assert_eq!((on_site.minutes, on_site.cents), (75, Some(14_850)));
        assert_eq!(on_site.texts[1].1, "Collier changé.");
        let moments: Vec<_> = request.files().iter().filter_map(|file| file.moment()).collect();
        assert_eq!(moments.iter().map(|m| m.as_str()).collect::<Vec<_>>(), ["before", "after"]);
        let done = List::new().is(Fact::Intervention, "done");
        assert_eq!(marc.list(&done).await.unwrap().requests.len(), 1);
        // The plumber enters time and sees no amounts.
        let his = paul.intervention(id).await.unwrap();
        assert_eq!((his.cents(), his.entries()[1].net, &his.entries()[1].invoice), (None, None, &None));
        assert_eq!(paul.open(leak).await.unwrap().interventions()[0].cents, None);
        let told = paul.history(leak).await.unwrap();
        assert!(told.iter().all(|entry| !entry.details.contains_key("cents")), "nor in the history");
        let kinds: Vec<&str> = told.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "served").count(), 4);
        for verdict in [
            town.authority.host("x").verify(leak).await.unwrap(),
            town.authority.host("x").verify_intervention(id).await.unwrap(),
        ] {
            assert_eq!(verdict.problems, Vec::<String>::new());
        }
        assert_eq!(town.authority.host("x").verify_intervention(id).await.unwrap().opened, 2);
    });
}

/// What the requests bear together, and what the intervention says.
async fn totals(town: &Town, id: InterventionId, requests: &[RequestId]) -> (i64, i64, i64) {
    let chief = town.agent("a-09");
    let seen = chief.intervention(id).await.unwrap();
    let mut borne = 0;
    let mut said = 0;
    for request in requests {
        let of = seen.served().iter().find(|served| served.request == *request);
        said += of.and_then(|served| served.cents).unwrap_or(0);
        let view = chief.open(*request).await.unwrap();
        borne += view.interventions().iter().find(|on| on.id == id).and_then(|on| on.cents).unwrap_or(0);
    }
    (borne, said, seen.cents().unwrap().1)
}

#[test]
fn costs_are_shared_to_the_cent_and_stay_when_one_is_forgotten() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, waste) = two(&town).await;
        let chief = town.agent("a-09");
        let plan = planning().serving_with(leak, 2).serving_with(waste, 1).team("fontainiers");
        let id = chief.plan(plan).await.unwrap().id();
        for (net, rate, supplier) in [
            ("33,34", 2_000, "travaux-publics-martin"),
            ("0,01", 0, "enrobes-du-sud"),
            ("-10,00", 1_000, "enrobes-du-sud"),
        ] {
            let bought = Purchase::net(net).vat_rate(rate).supplier(supplier);
            chief.work_on(id, None, Work::Buy(bought)).await.unwrap();
        }
        chief.work_on(id, None, Work::Spend { agent: Some("a-05".into()), minutes: 50 }).await.unwrap();
        let both = [leak, waste];
        let total = 4_001 + 1 - 1_100 + 3_500;
        assert_eq!(totals(&town, id, &both).await, (total, total, total));
        // Planned anew with other weights: everything is shared anew.
        let plan = planning().serving(leak).serving(waste).team("fontainiers");
        chief.work_on(id, None, Work::Plan(plan)).await.unwrap();
        assert_eq!(totals(&town, id, &both).await, (total, total, total));
        let halves = chief.intervention(id).await.unwrap();
        let halves: Vec<i64> = halves.served().iter().filter_map(|served| served.cents).collect();
        assert!((halves[0] - halves[1]).abs() <= 2, "{halves:?}");
        // One is closed and forgotten; a late invoice comes after that, and one that was wrong is struck out.
        for step in [Fire::new("traiter"), Fire::new("cloturer").outcome("repare")] {
            town.agent("a-02").act_on(leak, None, step).await.unwrap();
        }
        town.clock.set(at("2027-12-01T00:00:00Z"));
        let report = town.authority.host("x").work(None, Budget::ALL).await.unwrap();
        assert_eq!(report.anonymised, 1);
        assert_eq!(totals(&town, id, &both).await, (total, total, total));
        chief.work_on(id, None, Work::Buy(Purchase::net(1_001))).await.unwrap();
        let total = total + 1_001;
        assert_eq!(totals(&town, id, &both).await, (total, total, total));
        chief.work_on(id, None, Work::Strike { entry: 2 }).await.unwrap();
        let total = total - 1;
        assert_eq!(totals(&town, id, &both).await, (total, total, total));
        for request in both {
            let verdict = town.authority.host("x").verify(request).await.unwrap();
            assert_eq!(verdict.problems, Vec::<String>::new());
        }
    });
}

#[test]
fn what_is_personal_goes_with_its_request() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, waste) = two(&town).await;
        let chief = town.agent("a-09");
        let plan = planning()
            .serving(leak)
            .serving(waste)
            .instructions(leak, "Sonner chez Mme Le Gall.")
            .instructions(waste, "Derrière la haie.");
        let id = chief.plan(plan).await.unwrap().id();
        let file = chief.store_file(None, "photo.png", PNG).await.unwrap();
        let photo = Work::Photo { request: Some(leak), occasion: Occasion::After, file };
        chief.work_on(id, None, photo).await.unwrap();
        let bought = Purchase::net(990).item("serrure de Mme Le Gall").invoice("F-9");
        chief.work_on(id, None, Work::Buy(bought)).await.unwrap();
        for step in [Fire::new("traiter"), Fire::new("cloturer").outcome("repare")] {
            town.agent("a-02").act_on(leak, None, step).await.unwrap();
        }
        town.clock.set(at("2027-12-01T00:00:00Z"));
        let host = town.authority.host("x");
        host.work(None, Budget::ALL).await.unwrap();
        host.work(None, Budget::ALL).await.unwrap();
        // What was bought was told in somebody's words: gone with the first that is forgotten. The invoice's number stays.
        let entry = chief.intervention(id).await.unwrap().entries()[0].clone();
        assert_eq!((entry.item, entry.invoice.as_deref()), (None, Some("F-9")));
        let verdict = host.verify_intervention(id).await.unwrap();
        assert_eq!((verdict.problems, verdict.opened), (Vec::new(), 1));
        let late = |item: bool| {
            let bought = Purchase::net(10).invoice("F-10");
            Work::Buy(if item { bought.item("clé de Mme Le Gall") } else { bought })
        };
        assert!(refusal(chief.work_on(id, None, late(true)).await).has("request.anonymised"));
        chief.work_on(id, None, late(false)).await.unwrap();
        let page = chief.work_order(id).await.unwrap().to_html();
        assert!(!page.contains("Sonner") && !page.contains("Lilas"), "{page}");
        assert!(page.contains("Derrière la haie."), "the other one stays whole");
        assert_eq!(chief.open(leak).await.unwrap().files().len(), 0);
        // What is typed for a forgotten request is refused; the rest goes on.
        let why = refusal(chief.work_on(id, None, Work::done_with(leak, "fait")).await);
        assert!(why.has("request.anonymised"), "{why}");
        let file = chief.store_file(None, "photo.png", PNG).await.unwrap();
        let photo = Work::Photo { request: Some(leak), occasion: Occasion::After, file };
        assert!(refusal(chief.work_on(id, None, photo).await).has("request.anonymised"));
        chief.work_on(id, None, Work::done_with(waste, "fait")).await.unwrap();
    });
}

#[test]
fn a_reference_can_be_erased_before_its_time() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (_, id) = one(&town).await;
        let chief = town.agent("a-09");
        chief
            .work_on(id, None, Work::Buy(Purchase::net(500).invoice("M. Dupont 06 39 98 00 00").quote("D-1")))
            .await
            .unwrap();
        let erase = |slots: Vec<u32>| Work::Erase { slots, reason: "droit-a-l-effacement".to_owned() };
        assert!(refusal(town.agent("a-02").work_on(id, None, erase(vec![2])).await).is_denied());
        assert!(refusal(chief.work_on(id, None, erase(vec![9])).await).has("erase.nothing"));
        chief.work_on(id, None, erase(vec![2])).await.unwrap();
        let report = town.authority.host("x").work(None, Budget::ALL).await.unwrap();
        assert_eq!(report.destroyed, 1);
        let seen = chief.intervention(id).await.unwrap();
        assert_eq!(
            (seen.entries()[0].invoice.as_deref(), seen.entries()[0].quote.as_deref()),
            (None, Some("D-1"))
        );
        chief.work_on(id, None, Work::Buy(Purchase::net(700).invoice("F-2"))).await.unwrap();
        let seen = chief.intervention(id).await.unwrap();
        assert_eq!(
            seen.entries()[1].invoice.as_deref(),
            Some("F-2"),
            "what comes later has a key of its own"
        );
        let verdict = town.authority.host("x").verify_intervention(id).await.unwrap();
        assert_eq!((verdict.problems, verdict.opened), (Vec::new(), 2));
    });
}

#[test]
fn who_does_the_work_sees_it_and_who_has_nothing_to_do_with_it_does_not() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, _) = two(&town).await;
        // The road team helps with a leak of the water service.
        let plan = planning().serving(leak).team("chaussee").instructions(leak, "Ouvrir la chaussée.");
        let id = town.agent("a-02").plan(plan).await.unwrap().id();
        let road = town.agent("a-06");
        assert!(matches!(road.open(leak).await, Err(GrcError::NotFound)), "the request is not theirs");
        assert!(road.work_order(id).await.unwrap().to_html().contains("Ouvrir la chaussée."));
        road.work_on(id, None, Work::Start).await.unwrap();
        let listed = road.interventions(&List::new().my_teams()).await.unwrap().interventions;
        assert_eq!(listed.iter().map(|i| i.id).collect::<Vec<_>>(), [id]);
        // The waste team has nothing to do with it, nor has who takes calls a right to work.
        let waste = town.agent("a-07");
        assert!(matches!(waste.intervention(id).await, Err(GrcError::NotFound)));
        assert!(matches!(waste.work_on(id, None, Work::done()).await, Err(GrcError::NotFound)));
        assert_eq!(waste.interventions(&List::new()).await.unwrap().interventions.len(), 0);
        let desk = town.agent("a-01");
        assert!(refusal(desk.work_on(id, None, Work::done()).await).is_denied());
        let plan = planning().serving(leak).team("collecte");
        assert!(refusal(desk.plan(plan).await).is_denied());
        // Several agents do one: each finds it among theirs.
        let plan = planning().serving(leak).team("fontainiers").agent("a-05").agent("a-02");
        let both = town.agent("a-02").plan(plan).await.unwrap().id();
        for agent in ["a-05", "a-02"] {
            let mine = town.agent(agent).interventions(&List::new().mine()).await.unwrap().interventions;
            assert_eq!(mine.iter().map(|i| i.id).collect::<Vec<_>>(), [both], "{agent}");
        }
        let mine = town.agent("a-09").interventions(&List::new().mine()).await.unwrap().interventions;
        assert_eq!(mine.len(), 0);
        // Lists of interventions go by their own facts.
        let by_field = List::new()
            .filter(grc_core::Condition::Present(Var::Field(grc_core::Word::new("gravite").unwrap())));
        assert!(refusal(road.interventions(&by_field).await).has("list.field"));
    });
}

#[test]
fn a_cost_needs_the_right_to_costs() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, id) = one(&town).await;
        let paul = town.agent("a-05");
        let bought = || Work::Buy(Purchase::net(100));
        assert!(refusal(paul.work_on(id, None, bought()).await).is_denied());
        let plan = planning().serving(leak).team("fontainiers").estimate(30, 100);
        assert!(refusal(paul.plan(plan).await).is_denied());
        let paid = grc_core::request::Command::Work { minutes: 5, cents: 100, supplier: None };
        assert!(refusal(paul.act_on(leak, None, paid).await).is_denied());
        town.agent("a-02").work_on(id, None, bought()).await.unwrap();
        assert!(refusal(paul.work_on(id, None, Work::Strike { entry: 1 }).await).is_denied());
        paul.work_on(id, None, Work::spend(5)).await.unwrap();
        paul.work_on(id, None, Work::Strike { entry: 2 }).await.unwrap();
    });
}

#[test]
fn bad_input_is_refused_with_code_path_and_hint_and_nothing_is_written() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, waste) = two(&town).await;
        let chief = town.agent("a-09");
        let (from, until) = window();
        let day = Duration::days(1);
        let serving = |plan: Planning| plan.serving(leak).team("fontainiers");
        let plans = [
            ("window.order", "until", serving(Planning::new(until, from))),
            ("window.range", "from", serving(Planning::new(from, until + day * 400))),
            ("window.range", "from", serving(Planning::new(from - day * 365 * 500, until))),
            ("work.negative", "minutes", serving(planning()).estimate(-5, 0)),
            ("work.range", "minutes", serving(planning()).estimate(10_000_000, 0)),
            ("amount.decimals", "cents", serving(planning()).estimate(5, "12,345")),
            ("amount.form", "cents", serving(planning()).estimate(5, "gratuit")),
            ("amount.form", "cents", serving(planning()).estimate(5, "79.-")),
            ("amount.negative", "cents", serving(planning()).estimate(5, "-12")),
            ("amount.range", "cents", serving(planning()).estimate(5, i64::MIN)),
            ("assignee.unknown", "team", planning().serving(leak).team("fontainier")),
            ("supplier.unknown", "supplier", planning().serving(leak).supplier("martin")),
            ("assignee.unknown", "agents[0]", planning().serving(leak).agent("a-99")),
            ("intervention.serves-none", "requests", planning().team("fontainiers")),
            ("intervention.twice", "requests", serving(planning()).serving(leak)),
            ("sharing.mixed", "requests", serving(planning()).serving_with(waste, 2)),
            ("sharing.weights", "requests", planning().team("collecte").serving_with(waste, 0)),
            ("request.unknown", "instructions", serving(planning()).instructions(waste, "ici")),
            ("field.required", "instructions", serving(planning()).instructions(leak, "  ")),
            ("date.future", "occurred_at", serving(planning()).occurred_at(time("2030-01-01T00:00:00Z"))),
        ];
        let before =
            town.stores.store.changes(town.authority.name(), None, 1_000).await.unwrap().changes.len();
        let mut compared = 0;
        for (code, path, plan) in plans {
            let why = refusal(chief.plan(plan).await);
            let found =
                why.problems().iter().find(|p| p.code == code).unwrap_or_else(|| panic!("{code}: {why}"));
            assert_eq!(found.path, path, "{why}");
            assert!(found.hint.is_some(), "{why}");
            compared += 1;
        }
        let nobody = RequestId::from_uuid(uuid_of(7));
        assert!(refusal(chief.plan(planning().serving(nobody)).await).is_denied());
        assert!(refusal(chief.plan(serving(planning()).serving(nobody)).await).is_denied());
        let after =
            town.stores.store.changes(town.authority.name(), None, 1_000).await.unwrap().changes.len();
        assert_eq!(before, after, "nothing was written");
        let id = chief.plan(serving(planning())).await.unwrap().id();
        chief.work_on(id, None, Work::Start).await.unwrap();
        let earlier = time("2026-11-24T08:00:00Z");
        let none = BTreeMap::new;
        let works: Vec<(&str, &str, SiteInstruction)> = vec![
            ("intervention.order", "occurred_at", SiteInstruction::from(Work::done()).occurred_at(earlier)),
            ("work.negative", "minutes", Work::spend(-10).into()),
            ("work.negative", "minutes", Work::spend(0).into()),
            ("work.range", "minutes", Work::spend(i64::MAX).into()),
            ("assignee.unknown", "agent", Work::Spend { agent: Some("x".into()), minutes: 5 }.into()),
            ("amount.decimals", "net", Work::Buy(Purchase::net("12.345")).into()),
            ("amount.form", "net", Work::Buy(Purchase::net("une matinée")).into()),
            ("amount.zero", "net", Work::Buy(Purchase::net(0)).into()),
            ("amount.decimals", "vat", Work::Buy(Purchase::net(100).vat("0,001")).into()),
            ("vat.range", "vat_rate", Work::Buy(Purchase::net(100).vat_rate(20_000)).into()),
            ("vat.range", "vat", Work::Buy(Purchase::net(100).vat(-20)).into()),
            ("vat.range", "vat", Work::Buy(Purchase::net(100).vat(2_000)).into()),
            ("field.too-long", "invoice", Work::Buy(Purchase::net(100).invoice("F".repeat(501))).into()),
            ("supplier.unknown", "supplier", Work::Buy(Purchase::net(100).supplier("x")).into()),
            ("reason.required", "reason", Work::Impossible { reason: None, report: none() }.into()),
            ("reason.unknown", "reason", Work::impossible("pluie").into()),
            ("entry.unknown", "entry", Work::Strike { entry: 1 }.into()),
            ("intervention.stage", "intervention", Work::Acknowledge.into()),
            ("request.unknown", "report", Work::done_with(waste, "fait").into()),
        ];
        for (code, path, work) in works {
            let why = refusal(chief.work_on(id, None, work).await);
            let found =
                why.problems().iter().find(|p| p.code == code).unwrap_or_else(|| panic!("{code}: {why}"));
            assert_eq!(found.path, path, "{why}");
            assert!(found.hint.is_some(), "{why}");
            compared += 1;
        }
        let file = chief.store_file(None, "plan.pdf", &b"%PDF-1.7"[..]).await.unwrap();
        let photo = Work::Photo { request: None, occasion: Occasion::Before, file };
        assert!(refusal(chief.work_on(id, None, photo).await).has("file.media"));
        chief.work_on(id, None, Work::impossible("intemperies")).await.unwrap();
        for over in [Work::Start, Work::done(), Work::Plan(serving(planning()))] {
            assert!(refusal(chief.work_on(id, None, over).await).has("intervention.ended"));
        }
        println!("{compared} refusals were compared");
    });
}

fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

#[test]
fn a_command_under_a_key_is_done_once() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, _) = two(&town).await;
        let marc = town.agent("a-02");
        let plan = || planning().serving(leak).team("fontainiers").key("tablette-1");
        let first = marc.plan(plan()).await.unwrap();
        assert_eq!(marc.plan(plan()).await.unwrap(), first);
        assert!(refusal(marc.plan(plan().team("chaussee")).await).has("command.key-reused"));
        let spend = || SiteInstruction::from(Work::spend(30)).key("tablette-2");
        for _ in 0..3 {
            marc.work_on(first.id(), None, spend()).await.unwrap();
        }
        assert_eq!(marc.intervention(first.id()).await.unwrap().minutes().1, 30);
    });
}

#[test]
fn who_saw_something_older_is_told() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (leak, id) = one(&town).await;
        let (marc, paul) = (town.agent("a-02"), town.agent("a-05"));
        let seen = marc.intervention(id).await.unwrap().version();
        paul.work_on(id, None, Work::spend(10)).await.unwrap();
        paul.work_on(id, None, Work::Start).await.unwrap();
        // Time entered meanwhile is in nobody's way; that it began is.
        marc.work_on(id, Some(seen), Work::spend(5)).await.unwrap();
        match marc.work_on(id, Some(seen), Work::Cancel { report: BTreeMap::new() }).await {
            Err(GrcError::Conflict(conflict)) => assert_eq!(conflict.changed, ["stage"]),
            other => panic!("{other:?}"),
        }
        // Many at once: none is lost, and the request bears them all.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let paul = paul.clone();
                scope.spawn(move || {
                    for _ in 0..10 {
                        block_on(paul.work_on(id, None, Work::spend(1))).unwrap();
                    }
                });
            }
        });
        assert_eq!(marc.intervention(id).await.unwrap().minutes().1, 95);
        assert_eq!(marc.open(leak).await.unwrap().interventions()[0].minutes, 95);
    });
}
