//! What a town says of all that is in it, in a few words that a fixture keeps.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use grc_core::{
    Actor, Grc, List, RequestId,
    conformance::Walk,
    insight::{Dimension, Figure, Question},
};
use std::fmt::Write;

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
