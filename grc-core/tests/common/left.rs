//! A town that an earlier version left: what it says of all that is in it, in a few words that a fixture keeps, and that
//! work goes on in it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

use grc_core::{
    Actor, Budget, Clock, Definition, Grc, GrcError, Instruction, List, ManualClock, Moment, RequestId,
    SeededEntropy, Stores,
    conformance::Walk,
    insight::{Dimension, Figure, Question},
    request::{Command, Fire},
};
use std::{fmt::Write, path::Path, sync::Arc};

/// Who sees all of a fixture's requests.
pub(crate) const AGENT: &str = "a-09";

/// All requests that there are.
pub(crate) async fn requests(grc: &Grc) -> Vec<RequestId> {
    let session = grc.authority(Walk::TOWN).unwrap().session(Actor::agent(AGENT));
    let mut list = List::new().oldest_first();
    let mut out = Vec::new();
    loop {
        let page = session.list(&list).await.unwrap();
        out.extend(page.requests.iter().map(|request| request.id));
        match page.next {
            Some(next) => list = list.after(next),
            None => return out,
        }
    }
}

/// What is said of a town: what there is of each request, and figures. Named one by one: what a later version says
/// besides is no difference.
pub(crate) async fn said(grc: &Grc) -> String {
    let town = grc.authority(Walk::TOWN).unwrap();
    let (host, session) = (town.host("chiffres"), town.session(Actor::agent(AGENT)));
    let mut out = String::new();
    for id in requests(grc).await {
        let verdict = host.verify(id).await.unwrap();
        assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
        let seen = session.open(id).await.unwrap();
        let parties: Vec<_> = seen.parties().iter().map(|party| &party.details).collect();
        let (messages, notes, files) = (seen.messages().len(), seen.notes().len(), seen.files().len());
        let (holds, links, sites) = (seen.holds(), seen.links(), seen.interventions().len());
        let history = session.history(id).await.unwrap().len();
        writeln!(
            out,
            "{id} {} events, {} opened, version {}, {:?}, {:?} {parties:?}, {messages} messages, {notes} notes, \
             {files} files, {holds:?} {links:?}, {sites} interventions, {history} entries",
            verdict.events,
            verdict.opened,
            seen.version(),
            seen.state(),
            seen.field("description"),
        )
        .unwrap();
    }
    let figures = [Figure::Opened, Figure::Closed, Figure::Anonymised, Figure::Reopened];
    let table =
        host.measure(&Question::all().figures(figures).by([Dimension::Service, Dimension::Type])).await;
    for row in table.unwrap().rows {
        writeln!(out, "{:?} {:?}", row.ids(), row.cells).unwrap();
    }
    out
}

/// As a number that a line of a file can hold, with how much it was.
pub(crate) fn summary(said: &str) -> String {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in said.bytes() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let requests = said.lines().filter(|line| line.contains(" events, ")).count();
    format!("{requests} requests, {} bytes, {sum:016x}\n", said.len())
}

pub(crate) fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

/// An engine on a fixture, long after all that is in it.
pub(crate) async fn engine(stores: Stores) -> (Grc, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Moment::from_micros(1_956_528_000_000_000)));
    let grc = Grc::with(stores, clock.clone(), Arc::new(SeededEntropy::new(77))).await.unwrap();
    (grc, clock)
}

/// Requests are noted on, closed and anonymised.
pub(crate) async fn work_goes_on(name: &str, grc: &Grc, clock: &ManualClock) {
    let town = grc.authority(Walk::TOWN).unwrap();
    town.host("set-up").publish(&definition()).await.unwrap();
    let (mut noted, mut closed) = (0, 0);
    for id in requests(grc).await {
        let note = Instruction::new(Command::note("vu"));
        // One is anonymised, and not changed any more.
        noted += u64::from(town.session(Actor::agent(AGENT)).act_on(id, None, note).await.is_ok());
        // By whoever may.
        for agent in ["a-02", "a-03", "a-04"] {
            let close = Fire::new("cloturer").outcome("repare");
            match town.session(Actor::agent(agent)).act_on(id, None, close).await {
                Ok(_) => closed += 1,
                Err(GrcError::Refused(_) | GrcError::NotPermitted(_) | GrcError::NotFound) => {}
                Err(error) => panic!("{id}: {error:?}"),
            }
        }
    }
    clock.set(clock.now().plus_days(400));
    let report = town.host("worker").work(None, Budget::ALL).await.unwrap();
    println!("fixture {name}: {noted} notes, {closed} closed, {report:?}");
    assert!(noted > 10 && closed > 0 && report.anonymised == closed && report.later == 0);
    for id in requests(grc).await {
        let verdict = town.host("checks").verify(id).await.unwrap();
        assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
    }
}
