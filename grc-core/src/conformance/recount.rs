//! A naive recount of figures: from the stored events as JSON, without states, spans or measures.
//!
//! It shares no code with [`crate::insight`] but the names of figures and dimensions. Each kind of event has a function
//! of its own here; a kind that is not known stops the recount.

mod compare;
mod count;
mod proof;

pub use compare::{Compared, compare};
pub use count::Asked;
pub use proof::prove_figures;

use crate::{
    RequestId, Word,
    storage::{EventRange, Log, Store, StoreInfo, StreamKey},
};
use chrono_tz::Tz;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A visit of a state.
#[derive(Debug, Clone)]
struct Visit {
    at: i64,
    state: String,
    phase: String,
}

/// Somebody came to hold it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Desk {
    at: i64,
    held: [Option<String>; 3],
}

/// A message.
#[derive(Debug, Clone)]
struct Exchange {
    at: i64,
    direction: String,
    channel: String,
    automatic: bool,
}

/// Work, done or planned; of an intervention, and of one of its entries, where it is known of which.
#[derive(Debug, Clone, Default)]
struct Work {
    of: Option<(String, Option<u64>)>,
    at: i64,
    minutes: u64,
    cents: i64,
    supplier: Option<String>,
    team: Option<String>,
    agent: Option<String>,
}

/// One request, as its events tell it.
#[derive(Debug, Clone, Default)]
struct Case {
    id: String,
    /// What is so today, by the name of the dimension.
    facts: BTreeMap<&'static str, String>,
    opened: i64,
    closed: Option<i64>,
    anonymised: Option<i64>,
    /// When a step was promised, by its name.
    targets: BTreeMap<&'static str, i64>,
    /// In the order of events.
    visits: Vec<Visit>,
    desks: Vec<Desk>,
    reopenings: Vec<i64>,
    exchanges: Vec<Exchange>,
    done: Vec<Work>,
    planned: Vec<Work>,
    /// When each intervention began, and its supplier then.
    interventions: Vec<(i64, Option<String>)>,
    /// Which intervention each of these is.
    begun: Vec<String>,
    /// How far each intervention is, the one that was heard of last at the end.
    stages: Vec<(String, String)>,
}

const HELD: [&str; 3] = ["service", "team", "agent"];

fn text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

impl Case {
    fn set(&mut self, fact: &'static str, value: Option<String>) {
        match value {
            Some(value) => self.facts.insert(fact, value),
            None => self.facts.remove(fact),
        };
    }

    fn held(&self) -> [Option<String>; 3] {
        HELD.map(|fact| self.facts.get(fact).cloned())
    }

    /// Notes who holds it from now on, if anybody does.
    fn sits_down(&mut self, at: i64) {
        let held = self.held();
        if held.iter().any(Option::is_some) {
            self.desks.push(Desk { at, held });
        }
    }

    fn submitted(&mut self, at: i64, data: &Json) {
        self.opened = at;
        for fact in ["type", "family", "entity", "service", "channel"] {
            self.set(fact, text(&data[fact]));
        }
        self.set("zone", text(&data["place"]["zone"]));
        let parties = data["parties"].as_array().cloned().unwrap_or_default();
        let requester = parties.iter().find(|party| party["role"] == "requester").or(parties.first());
        self.set("answer", requester.and_then(|party| text(&party["answer"])));
        if let Some(target) = data["target"].as_i64() {
            self.targets.insert("closure", target);
        }
        for step in ["response", "assignment", "intervention"] {
            if let Some(promised) = data["promises"][step].as_i64() {
                self.targets.insert(step, promised);
            }
        }
        self.exchanges.push(Exchange {
            at,
            direction: "in".to_owned(),
            channel: text(&data["channel"]).unwrap(),
            automatic: false,
        });
        self.comes_to(at, &data["state"], &data["phase"]);
        if self.closed.is_none() {
            self.sits_down(at);
        }
    }

    fn comes_to(&mut self, at: i64, state: &Json, phase: &Json) {
        let (state, phase) = (text(state).unwrap(), text(phase).unwrap());
        self.set("state", Some(state.clone()));
        self.set("phase", Some(phase.clone()));
        let was_closed = self.closed.is_some();
        if phase != "closed" {
            self.closed = None;
        } else if !was_closed {
            self.closed = Some(at);
        }
        self.visits.push(Visit { at, state, phase });
    }

    fn moved(&mut self, at: i64, data: &Json) {
        let was_closed = self.closed.is_some();
        self.comes_to(at, &data["to"], &data["phase"]);
        if was_closed && self.closed.is_none() {
            self.reopenings.push(at);
            self.set("outcome", None);
            self.set("confirmation", None);
            self.sits_down(at);
        }
        if let Some(outcome) = text(&data["outcome"]) {
            self.set("outcome", Some(outcome));
        }
    }

    fn assigned(&mut self, at: i64, data: &Json) {
        let before = self.held();
        for fact in HELD {
            self.set(fact, text(&data[fact]));
        }
        // Giving it to who holds it already is nothing new, and what is closed is on nobody's desk.
        if self.held() != before && self.closed.is_none() {
            self.sits_down(at);
        }
    }

    fn assessed(&mut self, data: &Json) {
        self.set("acceptability", text(&data["acceptability"]));
        self.set("acceptability-reason", text(&data["reason"]));
    }

    fn messaged(&mut self, at: i64, data: &Json) {
        self.exchanges.push(Exchange {
            at,
            direction: text(&data["direction"]).unwrap(),
            channel: text(&data["channel"]).unwrap(),
            automatic: data["automatic"] == true,
        });
    }

    fn worked(&mut self, at: i64, data: &Json) {
        self.done.push(Work {
            of: None,
            at,
            minutes: data["minutes"].as_u64().unwrap(),
            cents: data["cents"].as_i64().unwrap(),
            supplier: text(&data["supplier"]),
            team: text(&data["team"]),
            agent: text(&data["agent"]),
        });
    }

    /// An intervention that serves it has come so far.
    fn served(&mut self, at: i64, data: &Json) {
        let id = text(&data["intervention"]).unwrap();
        let stage = text(&data["stage"]).unwrap();
        let supplier = text(&data["supplier"]);
        let over = stage == "cancelled" || stage == "left";
        self.planned.retain(|work| work.of.as_ref().is_none_or(|(of, _)| *of != id));
        let (minutes, cents) = (data["minutes"].as_u64().unwrap(), data["cents"].as_i64().unwrap());
        if !over && (minutes, cents) != (0, 0) {
            self.planned.push(Work {
                of: Some((id.clone(), None)),
                at: data["from"].as_i64().unwrap(),
                minutes,
                cents,
                supplier: supplier.clone(),
                team: text(&data["team"]),
                agent: None,
            });
        }
        let begun = self.begun.iter().position(|known| *known == id);
        match (begun, stage.as_str()) {
            (None, "started" | "done" | "impossible") => {
                self.begun.push(id.clone());
                self.interventions.push((at, supplier));
            }
            // The end was entered late, of work that the request had joined meanwhile.
            (Some(index), "done" | "impossible") => {
                self.interventions[index].0 = self.interventions[index].0.min(at);
            }
            (Some(index), "cancelled" | "left") => {
                self.begun.remove(index);
                self.interventions.remove(index);
            }
            _ => {}
        }
        self.stages.retain(|(known, _)| *known != id);
        self.stages.push((id, stage));
        let last = |wanted: &[&str]| {
            self.stages
                .iter()
                .rev()
                .map(|(_, stage)| stage)
                .find(|stage| wanted.contains(&stage.as_str()))
                .cloned()
        };
        let shown = last(&["started"])
            .or_else(|| last(&["planned", "acknowledged"]))
            .or_else(|| last(&["done", "impossible"]));
        self.set("intervention", shown);
    }

    /// Its share of an entry of an intervention, in place of what it was before.
    fn charged(&mut self, data: &Json) {
        let of = Some((text(&data["intervention"]).unwrap(), data["entry"].as_u64()));
        self.done.retain(|work| work.of != of);
        let (minutes, cents) = (data["minutes"].as_u64().unwrap(), data["cents"].as_i64().unwrap());
        if (minutes, cents) != (0, 0) {
            self.done.push(Work {
                of,
                at: data["spent"].as_i64().unwrap(),
                minutes,
                cents,
                supplier: text(&data["supplier"]),
                team: text(&data["team"]),
                agent: text(&data["agent"]),
            });
        }
    }

    fn take(&mut self, event: &Json) {
        let at = event["at"].as_i64().unwrap();
        let data = &event["data"];
        match event["kind"].as_str().unwrap() {
            "submitted" => self.submitted(at, data),
            "moved" => self.moved(at, data),
            "assigned" => self.assigned(at, data),
            "assessed" => self.assessed(data),
            "messaged" => self.messaged(at, data),
            "worked" => self.worked(at, data),
            "served" => self.served(at, data),
            "charged" => self.charged(data),
            "concluded" => self.set("outcome", text(&data["outcome"])),
            "confirmed" => self.set("confirmation", text(&data["confirmation"])),
            "anonymised" => self.anonymised = event["rec"].as_i64(),
            "corrected" | "delivered" | "noted" | "attached" | "linked" | "held" | "released" | "erased" => {}
            kind => panic!("the recount knows no event `{kind}`: teach it, one function a kind"),
        }
    }
}

/// All requests, as their events tell them.
#[derive(Debug, Clone)]
pub struct Recount {
    zone: Tz,
    cases: Vec<Case>,
}

impl Recount {
    /// Reads every event of these requests.
    pub async fn read(store: &dyn Store, authority: &Word, requests: &[RequestId], zone: Tz) -> Self {
        let mut cases = Vec::new();
        for id in requests {
            let stream = StreamKey::new(authority.clone(), Word::of(RequestId::KIND), id.uuid());
            let mut case = Case { id: id.uuid().to_string(), ..Case::default() };
            let mut after = 0;
            loop {
                let limit = StoreInfo::MAX_PAGE;
                let range = EventRange { stream: stream.clone(), log: Log::History, after, limit };
                let page = store.events(&range).await.unwrap();
                let Some(last) = page.last() else { break };
                after = last.sequence;
                for event in &page {
                    case.take(&serde_json::from_slice(&event.body).unwrap());
                }
            }
            cases.push(case);
        }
        Self { zone, cases }
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// How many of them were anonymised.
    pub fn anonymised(&self) -> usize {
        self.cases.iter().filter(|case| case.anonymised.is_some()).count()
    }
}
