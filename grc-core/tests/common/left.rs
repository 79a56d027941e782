//! A town that an earlier version left: what it says of all that is in it, in a few words that a fixture keeps, and that
//! work goes on in it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

pub(crate) mod script;

use grc_core::{
    Actor, Budget, Clock, Definition, Grc, GrcError, Instruction, InterventionId, List, ManualClock, Moment,
    RequestId, SeededEntropy, Stores,
    conformance::{Walk, kinds},
    definition::Contact,
    insight::{Dimension, Figure, Question},
    request::{Command, Fire},
    storage::{EventRange, Log, StoreInfo, StreamKey, Touched},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
    sync::Arc,
};

/// What an earlier version left, in one store and in the other.
pub(crate) struct Fixture {
    /// The folder in which it is.
    pub(crate) name: &'static str,
    /// What is said of it besides what is in its folder: see [`besides`].
    pub(crate) besides: &'static str,
    /// What is answered by it on the day on which it ended, if it was played from the script.
    pub(crate) answers: &'static str,
}

/// The fixtures that there are, oldest first. The first is a random walk on the definition `voirie`, the others were
/// played from the script of their time.
pub(crate) const FIXTURES: [Fixture; 2] = [
    Fixture { name: "1", besides: "5 requests, 54500 bytes, 2dca7b2df169b242", answers: "" },
    Fixture {
        name: "2",
        besides: "4 requests, 22272 bytes, 34f14135668dd815",
        answers: "019c74e9-b800-7b9f-b18d-fe9de51127de FEVT-DFNF-JP9U 1, noted 2, planned \
                  019c74e9-b800-7804-980e-e2c91007b8f6 1, spent 2",
    },
];

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

/// All interventions that there are, in the order of their ids.
pub(crate) async fn interventions(grc: &Grc) -> Vec<InterventionId> {
    let session = grc.authority(Walk::TOWN).unwrap().session(Actor::agent(AGENT));
    let list = List::new().limit(StoreInfo::MAX_PAGE);
    let page = session.interventions(&list).await.unwrap();
    assert!(page.next.is_none());
    let mut out: Vec<InterventionId> = page.interventions.iter().map(|found| found.id).collect();
    out.sort();
    out
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

/// What is said of a town besides, where it is as it was left: who read what, the feed, the work on site, by what its
/// requests are found, and the bytes of files. Named one by one, as above.
pub(crate) async fn besides(grc: &Grc) -> String {
    let requests = requests(grc).await;
    let mut out = String::new();
    for id in &requests {
        let stream = StreamKey::new(word(Walk::TOWN), word(RequestId::KIND), id.uuid());
        let range = EventRange { stream, log: Log::Access, after: 0, limit: StoreInfo::MAX_PAGE };
        for read in grc.stores().store.events(&range).await.unwrap() {
            writeln!(out, "{id} read {} {}", read.sequence, String::from_utf8_lossy(&read.body)).unwrap();
        }
    }
    out += &feed(grc).await;
    let town = grc.authority(Walk::TOWN).unwrap();
    let (host, session) = (town.host("chiffres"), town.session(Actor::agent(AGENT)));
    for id in interventions(grc).await {
        let verdict = host.verify_intervention(id).await.unwrap();
        assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
        let seen = session.intervention(id).await.unwrap();
        writeln!(
            out,
            "{id} {} events, {} opened, version {}, {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            verdict.events,
            verdict.opened,
            seen.version(),
            seen.stage(),
            seen.reason(),
            seen.window(),
            seen.team(),
            seen.supplier(),
            seen.minutes(),
            seen.cents(),
            seen.quote(),
        )
        .unwrap();
        for entry in seen.entries() {
            let said = [&entry.item, &entry.quote, &entry.invoice];
            writeln!(out, "  {} {} {:?} {said:?}", entry.entry, entry.minutes, entry.net).unwrap();
        }
        for served in seen.served() {
            writeln!(out, "  {} {} {:?}", served.request, served.minutes, served.cents).unwrap();
        }
    }
    for id in requests {
        let seen = session.open(id).await.unwrap();
        if let Some(code) = seen.tracking_code() {
            let followed = town.session(Actor::holder(code.clone())).follow().await.unwrap();
            writeln!(out, "{code} leads to {}", followed.id()).unwrap();
        }
        let sector = seen.family().unwrap_or_else(|| seen.type_()).as_str();
        for (name, value) in seen.parties().iter().flat_map(|party| &party.details) {
            let kind = match name.as_str() {
                "email" => Contact::Email,
                "phone" => Contact::Phone,
                _ => continue,
            };
            let found = session.by_contact(sector, kind, &value.to_string()).await.unwrap();
            writeln!(out, "{value} leads to {found:?}").unwrap();
        }
        for file in seen.files() {
            let bytes = session.read_file(id, file).await.unwrap();
            writeln!(out, "{} {} {:?} {bytes:?}", file.name(), file.media(), file.moment()).unwrap();
        }
        writeln!(out, "{:?} {:?}", seen.fields(), seen.place()).unwrap();
    }
    for agent in 1..10 {
        let named = session.agent_name(&format!("a-{agent:02}")).await.unwrap();
        out += &named.map(|name| format!("{agent} is {name}\n")).unwrap_or_default();
    }
    out
}

fn word(text: &str) -> grc_core::Word {
    grc_core::Word::new(text).unwrap()
}

/// The feed from its beginning. Its order is the store's own, but for that of each stream's versions.
async fn feed(grc: &Grc) -> String {
    let host = grc.authority(Walk::TOWN).unwrap().host("chiffres");
    let (mut lines, mut versions, mut after) = (Vec::new(), BTreeMap::new(), None);
    loop {
        let page = host.changes(after.as_ref(), 100).await.unwrap();
        if page.changes.is_empty() {
            break;
        }
        for change in &page.changes {
            let touched: Vec<String> = change.touched.iter().map(row).collect();
            lines.push(format!("{} {}\n", change.batch, touched.join(", ")));
            for touched in &change.touched {
                if let Touched::Stream(stream, version) = touched {
                    let before = versions.insert(stream.clone(), *version).unwrap_or(0);
                    assert!(before <= *version, "{stream:?}: {version} after {before}");
                }
            }
        }
        after = Some(page.next);
    }
    lines.sort();
    lines.concat()
}

/// A row of the feed.
fn row(touched: &Touched) -> String {
    let named = |stream: &StreamKey| format!("{} {}", stream.kind, stream.id);
    match touched {
        Touched::Stream(stream, version) => format!("{} at {version}", named(stream)),
        Touched::Events(stream, until) => format!("events of {} until {until}", named(stream)),
        Touched::Vault(stream, part) => format!("part {part} of {}", named(stream)),
        Touched::Link(key) => format!("link {} {:?}", key.kind, key.key),
        Touched::Links(stream, prefix) => format!("links {prefix} of {}", named(stream)),
        Touched::Task(queue, id) => format!("task {queue} {id}"),
        Touched::Tasks(stream) => format!("tasks of {}", named(stream)),
        Touched::Document(kind, name, version) => format!("{kind} {name} {version}"),
        Touched::Receipt(token) => format!("receipt {token:?}"),
        Touched::Access(stream) => format!("reading of {}", named(stream)),
        other => panic!("say what this is: {other:?}"),
    }
}

/// What the fixtures together have to hold: one of each kind of thing by the library's own lists, and every member that
/// docs/formats.md gives the events of requests and of interventions.
pub(crate) fn wanted() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats.md")).unwrap();
    let tables = text.split_once("\n## 7.").unwrap().1.split_once("\n## 8.").unwrap().0;
    let (requests, interventions) = tables.split_once("Event kinds of an intervention:").unwrap();
    let mut out = kinds::every();
    for (of, table) in [("request", requests), ("intervention", interventions)] {
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let (kinds, members) = row.trim_start_matches("| ").split_once(" | ").unwrap();
            for kind in quoted(kinds) {
                out.extend(quoted(members).iter().map(|member| format!("{of} {kind} with {member}")));
            }
        }
    }
    out
}

/// The words in back quotes, but for what is in parentheses.
fn quoted(text: &str) -> Vec<String> {
    let (mut out, mut depth, mut word) = (Vec::new(), 0, None::<String>);
    for c in text.chars() {
        match (c, &mut word) {
            ('`', Some(_)) => out.extend(word.take().filter(|_| depth == 0)),
            ('`', None) => word = Some(String::new()),
            (_, Some(word)) => word.push(c),
            ('(', None) => depth += 1,
            (')', None) => depth -= 1,
            _ => {}
        }
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
    engine_at(stores, Moment::from_micros(1_956_528_000_000_000)).await
}

/// An engine at a moment.
pub(crate) async fn engine_at(stores: Stores, at: Moment) -> (Grc, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(at));
    let grc = Grc::with(stores, clock.clone(), Arc::new(SeededEntropy::new(77))).await.unwrap();
    (grc, clock)
}

/// Every history of a town is whole.
pub(crate) async fn verify(grc: &Grc) {
    let host = grc.authority(Walk::TOWN).unwrap().host("checks");
    for id in requests(grc).await {
        let verdict = host.verify(id).await.unwrap();
        assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
    }
    for id in interventions(grc).await {
        let verdict = host.verify_intervention(id).await.unwrap();
        assert!(verdict.problems.is_empty(), "{id}: {verdict:?}");
    }
}

/// Work goes on in what a version left.
pub(crate) async fn work_goes_on(name: &str, stores: Stores) {
    if name == "1" {
        let (grc, clock) = engine(stores).await;
        walk_goes_on(name, &grc, &clock).await;
    } else {
        script::goes_on(stores).await;
    }
}

/// Requests are noted on, closed and anonymised.
pub(crate) async fn walk_goes_on(name: &str, grc: &Grc, clock: &ManualClock) {
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
    verify(grc).await;
}
