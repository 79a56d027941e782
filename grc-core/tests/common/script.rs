//! A town that is played from a script, on the definition `kept.toml`: what a random walk comes upon rarely, and every
//! kind of thing that is stored at least once, in few bytes. What a fixture holds of it is not made again: to a new kind
//! of thing belongs a new step here, and the next fixture.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use super::{AGENT, requests};
use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Budget, Clock, Definition, Grc, GrcError, Host, Instruction, Intake, InterventionId,
    ManualClock, Moment, Party, Place, RequestId, Session, Stores, Typed, Value, Word,
    conformance::{Walk, code_of},
    definition::Delay,
    engine::{Delivery, Outgoing, SiteInstruction, Transport},
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, DeliveryReport, Fire},
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// When it begins.
const BEGIN: Moment = Moment::from_micros(1_767_600_000_000_000);
/// When it ends: what was given with a key is remembered then.
const END: Moment = BEGIN.plus_days(46);

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n0000";

pub(crate) fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/kept.toml");
    Definition::from_files([("kept.toml", std::fs::read_to_string(path).unwrap())])
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Nobody is reached by e-mail, everybody by SMS. It knows by what it was given each message.
#[derive(Debug, Default)]
struct Post(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Post {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        if outgoing.channel == "courriel" {
            return Delivery::Refused("no-such-address");
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(outgoing.key.clone());
        Delivery::Sent
    }
}

/// Who is there.
struct Cast {
    host: Host,
    /// May do everything.
    head: Session,
    /// Works on site.
    field: Session,
}

impl Cast {
    fn of(grc: &Grc) -> Self {
        let town = grc.authority(Walk::TOWN).unwrap();
        Self {
            host: town.host("mise-en-place"),
            head: town.session(Actor::agent(AGENT)),
            field: town.session(Actor::agent("a-04")),
        }
    }

    async fn does(&self, id: RequestId, instruction: impl Into<Instruction>) {
        self.head.act_on(id, None, instruction).await.unwrap();
    }
}

/// A leak with everything that can be said of one, from another system.
fn hole() -> Intake {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    Intake::new("signalement", "telephone")
        .set("numero", "L-12")
        .set("profondeur", 12)
        .set("cout", Value::Amount(1_250))
        .set("danger", true)
        .set("constate-le", day("2026-01-03"))
        .set("gravite", "forte")
        .set("usagers", Value::Choices(["pietons", "velos"].map(|id| Word::new(id).unwrap()).to_vec()))
        .set("description", "un trou devant le 12")
        .set("dossier", "D-2026-7")
        .set("code-portail", "1234A")
        .set("courriel-temoin", "temoin@exemple.fr")
        .set("telephone-temoin", "06 39 98 00 01")
        .at(Place::address("12 rue des Lilas", "35000", "Rennes")
            .and_position(48.117_266, -1.677_793)
            .in_zone("centre"))
        .party(
            Party::named("Anne", "Le Gall")
                .phone("06 39 98 12 34")
                .email("anne@exemple.fr")
                .address("12 rue des Lilas", "35000", "Rennes")
                .answer_by("courriel"),
        )
        .party(Party::new("beneficiary").given_name("Paul").family_name("Le Gall"))
        .source_key("ancien-17")
        .occurred_at(BEGIN.plus_days(-1).to_utc())
        .target(BEGIN.plus_days(20).to_utc())
}

/// What is given again at the end, each under the key that it was given under.
fn last_intake() -> Intake {
    Intake::new("signalement", "telephone").set("numero", "L-13").key("clef-du-depot")
}

fn last_note() -> Instruction {
    Instruction::new(Command::note("à revoir")).key("clef-du-mot")
}

fn last_planning(request: RequestId) -> Planning {
    let from = BEGIN.plus_days(50);
    Planning::new(from.to_utc(), from.plus_millis(7_200_000).to_utc())
        .serving(request)
        .team("chaussee")
        .agent("a-04")
        .key("clef-du-plan")
}

fn last_spending() -> SiteInstruction {
    SiteInstruction::from(Work::spend(10)).key("clef-du-temps")
}

/// Plays it.
pub(crate) async fn play(stores: Stores) {
    let (grc, clock) = super::engine_at(stores, BEGIN).await;
    let post = Post::default();
    let cast = Cast::of(&grc);
    let mut definition = definition();
    cast.host.publish(&definition).await.unwrap();
    cast.host.name_agent("a-04", "Lucie Martine").await.unwrap();
    cast.host.name_agent("a-04", "Lucie Martin").await.unwrap();

    let photo = cast.head.store_file(Some("photo"), "trou.png", PICTURE).await.unwrap();
    let first = cast.head.submit(hole().file(photo)).await.unwrap();
    let holder = grc.authority(Walk::TOWN).unwrap().session(Actor::holder(first.tracking_code().clone()));
    let first = first.id();
    let citizen = grc.authority(Walk::TOWN).unwrap().session(Actor::citizen());
    let bulky = Intake::new("encombrants", "web")
        .set("volume", 3)
        .at(Place::address("3 impasse du Puits", "35000", "Rennes").and_position(48.1, -1.6))
        .party(Party::named("Yann", "Kerbrat").email("yann@exemple.fr"));
    let second = citizen.submit(bulky).await.unwrap().id();
    let old = Intake::new("signalement", "telephone")
        .set("description", "comme l'an dernier")
        .at(Place::position(48.12, -1.68))
        .party(Party::named("Rose", "Tanguy").phone("06 39 98 55 66"))
        .occurred_at(BEGIN.plus_days(-20).to_utc())
        .quiet();
    let third = cast.head.submit(old).await.unwrap().id();
    later(&clock, 1);
    cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    let sent = post.0.lock().unwrap_or_else(PoisonError::into_inner).first().unwrap().clone();
    cast.host.report(&sent, DeliveryReport::Delivered).await.unwrap();
    cast.host.report(&sent, DeliveryReport::Read).await.unwrap();

    cast.head.open(first).await.unwrap();
    exchange(&cast, first, second).await;
    later(&clock, 60);
    on_site(&cast, first, third).await;
    later(&clock, 60);

    // One is closed, commented on and opened again; one suspended for so long that a timer closes it; one forgotten.
    cast.does(first, Fire::new("cloturer").outcome("repare").note("vu sur place")).await;
    cast.does(first, Command::conclude("sans-objet", Some("c'était à côté"))).await;
    holder.act_on(first, None, Command::confirm(false, Some("le trou est là"))).await.unwrap();
    holder.act_on(first, None, Fire::new("rouvrir").message("revenez voir")).await.unwrap();
    cast.does(second, Fire::new("suspendre")).await;
    cast.does(third, Fire::new("cloturer").outcome("repare")).await;
    clock.set(BEGIN.plus_days(25));
    cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    definition.organisation.teams[0].rate = Some(4_500);
    let target = Delay { days: 12, ..Delay::default() };
    definition.procedures.values_mut().for_each(|procedure| procedure.target = Some(target));
    cast.host.publish(&definition).await.unwrap();
    // December's key closes with what was forgotten of it, and would be destroyed the next time.
    clock.set(BEGIN.plus_days(45));
    let report = cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    assert_eq!((report.anonymised, report.months), (1, 0), "{report:?}");

    // What waits when it ends.
    let letters = cast.host.dead_letters(None, 10).await.unwrap().letters;
    assert_eq!((letters.len(), cast.host.resend(&letters[..1]).await.unwrap()), (2, 1), "{letters:?}");
    cast.does(first, Command::Tell { text: Typed::new("nous revenons"), channel: Some("sms".into()) }).await;
    let erase = Command::Erase { paths: vec!["note".into()], reason: "droit-a-l-effacement".into() };
    cast.does(first, erase).await;
    let last = cast.head.submit(last_intake()).await.unwrap().id();
    cast.does(last, last_note()).await;
    cast.does(last, Fire::new("suspendre")).await;
    let site = cast.head.plan(last_planning(last)).await.unwrap().id();
    cast.field.work_on(site, None, last_spending()).await.unwrap();
}

fn later(clock: &ManualClock, minutes: i64) {
    clock.set(clock.now().plus_millis(minutes * 60_000));
}

/// What is said and done with a request while it is dealt with.
async fn exchange(cast: &Cast, id: RequestId, other: RequestId) {
    let corrected = [("profondeur", Some(Typed::new(15))), ("telephone-temoin", None)];
    let corrected = corrected.map(|(field, value)| (field.to_owned(), value));
    cast.does(id, Command::Correct(corrected.into())).await;
    let assess = |acceptability: &str, reason: Option<&str>| Command::Assess {
        acceptability: acceptability.to_owned(),
        reason: reason.map(str::to_owned),
    };
    cast.does(id, assess("traitable", None)).await;
    cast.does(id, assess("non-traitable", Some("prive"))).await;
    let reason = Some(Typed::new("par compétence"));
    cast.does(id, Command::Assign { to: Assignee::team("chaussee"), reason }).await;
    cast.field.act_on(id, None, Command::Take).await.unwrap();
    cast.field.act_on(id, None, Command::hand_over(Assignee::team("chaussee"), "absente")).await.unwrap();
    cast.does(id, Command::Hear { text: Typed::new("toujours là"), channel: "telephone".into() }).await;
    cast.does(id, Command::Tell { text: Typed::new("nous passons"), channel: Some("telephone".into()) })
        .await;
    cast.does(id, Command::note("voir le riverain")).await;
    let plan = cast.head.store_file(None, "plan.png", PICTURE).await.unwrap();
    cast.does(id, Command::Attach(plan)).await;
    cast.does(id, Command::Work { minutes: 30, cents: 1_250, supplier: Some("martin".into()) }).await;
    cast.does(id, Command::Link { kind: "duplicate-of".into(), target: other }).await;
    cast.does(id, Command::Hold { reason: Typed::new("contentieux") }).await;
    cast.does(id, Command::Release { hold: 1 }).await;
    cast.host.act(id, Command::Hold { reason: Typed::new("archives") }).await.unwrap();
    cast.host.act(id, Command::Release { hold: 2 }).await.unwrap();
}

/// Work on site that is done, one that cannot be, one that is given up.
async fn on_site(cast: &Cast, first: RequestId, third: RequestId) {
    let planning = || {
        let from = BEGIN.plus_days(1);
        Planning::new(from.to_utc(), from.plus_millis(7_200_000).to_utc())
    };
    let work = async |id: InterventionId, work: Work| {
        cast.head.work_on(id, None, work).await.unwrap();
    };
    let full = planning()
        .serving_with(first, 2)
        .serving_with(third, 1)
        .team("chaussee")
        .supplier("martin")
        .agent("a-04")
        .estimate(90, 12_000)
        .quote("D-7")
        .instructions(first, "sonner deux fois");
    let done = cast.head.plan(full).await.unwrap().id();
    cast.field.work_on(done, None, Work::Acknowledge).await.unwrap();
    cast.field.work_on(done, None, Work::Start).await.unwrap();
    cast.field.work_on(done, None, Work::spend(75)).await.unwrap();
    let bought = Purchase::net(8_000).vat_rate(2_000).supplier("martin");
    work(done, Work::Buy(bought.clone().item("enrobé").quote("D-8").invoice("F-77"))).await;
    work(done, Work::Buy(bought)).await;
    work(done, Work::Strike { entry: 3 }).await;
    let file = cast.field.store_file(None, "avant.png", PICTURE).await.unwrap();
    work(done, Work::Photo { request: Some(first), occasion: Occasion::Before, file }).await;
    work(done, Work::done_with(first, "rebouché")).await;
    // The quote that it was planned with.
    work(done, Work::Erase { slots: vec![1], reason: "erreur".into() }).await;

    let impossible = cast.head.plan(planning().serving(first).supplier("martin")).await.unwrap().id();
    let report = BTreeMap::from([(first, Typed::new("une voiture dessus"))]);
    work(impossible, Work::Impossible { reason: Some("acces".into()), report }).await;

    let cancelled = cast.head.plan(planning().serving(first).serving(third)).await.unwrap().id();
    work(cancelled, Work::Plan(planning().serving(first).team("chaussee"))).await;
    let report = BTreeMap::from([(first, Typed::new("plus la peine"))]);
    work(cancelled, Work::Cancel { report }).await;
}

/// What is answered on the day on which it ended: to what was given under a key, and is given again; and to what came
/// under the key of another system, and comes again. Nothing of it writes.
pub(crate) async fn answers(stores: Stores) -> String {
    let (grc, _) = super::engine_at(stores, END).await;
    let cast = Cast::of(&grc);
    let before = requests(&grc).await;
    let last = cast.head.submit(last_intake()).await.unwrap();
    let noted = cast.head.act_on(last.id(), None, last_note()).await.unwrap();
    let planned = cast.head.plan(last_planning(last.id())).await.unwrap();
    let spent = cast.field.work_on(planned.id(), None, last_spending()).await.unwrap();
    let known = cast.head.submit(hole()).await.unwrap_err();
    assert_eq!(code_of(&known), "source.duplicate");
    assert!(before.contains(&last.id()));
    assert_eq!(requests(&grc).await, before);
    assert!(last.version() < noted.version(), "it is answered as then: {last:?}, {noted:?}");
    assert!(planned.version() < spent.version(), "it is answered as then: {planned:?}, {spent:?}");
    format!(
        "{} {} {}, noted {}, planned {} {}, spent {}\n",
        last.id(),
        last.tracking_code(),
        last.version(),
        noted.version(),
        planned.id(),
        planned.version(),
        spent.version(),
    )
}

/// All that waits is done, and the rest goes on to its end.
pub(crate) async fn goes_on(stores: Stores) {
    let (grc, clock) = super::engine_at(stores, END).await;
    let cast = Cast::of(&grc);
    cast.host.publish(&definition()).await.unwrap();
    let post = Post::default();
    let report = cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    // The key of December, an erasure, a message, and one that comes back again.
    assert_eq!((report.months, report.destroyed, report.sent, report.dead), (1, 1, 1, 1), "{report:?}");
    let mut noted = 0;
    for id in requests(&grc).await {
        match cast.head.act_on(id, None, Instruction::new(Command::note("vu"))).await {
            Ok(_) => noted += 1,
            Err(GrcError::Refused(_)) => {}
            Err(error) => panic!("{id}: {error:?}"),
        }
    }
    assert_eq!(noted, 3, "one is anonymised, and not changed any more");
    clock.set(END.plus_days(25));
    let report = cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    assert_eq!((report.fired, report.anonymised), (1, 1), "{report:?}");
    for intervention in super::interventions(&grc).await {
        if cast.head.intervention(intervention).await.unwrap().ended_at().is_none() {
            cast.field.work_on(intervention, None, Work::done()).await.unwrap();
        }
    }
    clock.set(END.plus_days(60));
    let report = cast.host.work(Some(&post), Budget::ALL).await.unwrap();
    assert_eq!((report.anonymised, report.later), (1, 0), "{report:?}");
    super::verify(&grc).await;
}
