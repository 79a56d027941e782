//! What an intervention is: the fold of its events.

use super::{InterventionEvent, ServedRequest};
use crate::{
    InterventionId, Moment, Word,
    request::{Event, FoldError, Span},
    storage::{Fact, Facts},
    vault::{Slot, SlotBook},
};
use serde::{Deserialize, Serialize};

/// Time spent, or something bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub entry: u32,
    /// When it was spent or bought (occurred).
    pub at: Moment,
    /// Minutes.
    #[serde(default)]
    pub minutes: u32,
    /// Cents without VAT; what time costs has none.
    #[serde(default)]
    pub net: i64,
    /// Cents of VAT.
    #[serde(default)]
    pub vat: i64,
    /// The rate of VAT in hundredths of a per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Who sold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Word>,
    /// Whose time it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Word>,
    /// Whose time it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Word>,
    /// What was bought, and the numbers of the quote and of the invoice: `item`, `quote`, `invoice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<(Word, Slot)>,
    /// Whether it was struck out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub struck: bool,
}

impl Entry {
    /// What it costs in cents, VAT included; nothing once struck out.
    pub const fn cents(&self) -> i64 {
        if self.struck { 0 } else { self.net.saturating_add(self.vat) }
    }

    /// Its minutes; none once struck out.
    pub const fn time(&self) -> u32 {
        if self.struck { 0 } else { self.minutes }
    }

    /// Whether it is something bought, and not time.
    pub const fn is_purchase(&self) -> bool {
        self.minutes == 0
    }
}

/// An intervention. Folding its events gives exactly this; it holds slots and no typed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    /// Its id.
    pub id: InterventionId,
    /// The sequence of the last event.
    pub version: u64,
    /// The requests that it serves.
    pub requests: Vec<ServedRequest>,
    /// How costs are shared: `equal` or `weights`.
    pub rule: Word,
    /// From when it is planned.
    pub from: Moment,
    /// Until when it is planned.
    pub until: Moment,
    /// The service that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Word>,
    /// The team that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Word>,
    /// The supplier who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Word>,
    /// The agents who do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Word>,
    /// Minutes that it is thought to take.
    pub minutes: u32,
    /// Cents that it is thought to cost, VAT included.
    pub cents: i64,
    /// The number of the quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Slot>,
    /// How far it is: `planned`, `acknowledged`, `started`, `done`, `impossible`, `cancelled`.
    pub stage: Word,
    /// Why it was impossible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Word>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Moment>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Moment>,
    /// When it was last written (recorded).
    pub updated_at: Moment,
    /// Time spent and things bought, struck out ones too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
    /// Its slots, and the keys that they are sealed under.
    pub book: SlotBook,
}

impl Intervention {
    /// The version of the fold. A stream folded by another version is folded again from its events.
    pub const FOLD: u32 = 1;

    /// Folds a history from its first event.
    ///
    /// # Errors
    /// [`FoldError`] if it is not the whole history of one intervention.
    pub fn fold<'a>(
        id: InterventionId,
        events: impl IntoIterator<Item = &'a Event<InterventionEvent>>,
    ) -> Result<Option<Self>, FoldError> {
        let mut intervention: Option<Self> = None;
        for event in events {
            match &mut intervention {
                None => intervention = Some(Self::begin(id, event)?),
                Some(intervention) => intervention.apply(event)?,
            }
        }
        Ok(intervention)
    }

    fn begin(id: InterventionId, event: &Event<InterventionEvent>) -> Result<Self, FoldError> {
        let InterventionEvent::Planned { rule, from, until, .. } = &event.data else {
            return Err(FoldError::Misplaced(event.seq));
        };
        let mut intervention = Self {
            id,
            version: 0,
            requests: Vec::new(),
            rule: rule.clone(),
            from: *from,
            until: *until,
            service: None,
            team: None,
            supplier: None,
            agents: Vec::new(),
            minutes: 0,
            cents: 0,
            quote: None,
            stage: Word::of("planned"),
            reason: None,
            started_at: None,
            ended_at: None,
            updated_at: event.recorded_at,
            entries: Vec::new(),
            book: SlotBook::default(),
        };
        intervention.apply(event)?;
        Ok(intervention)
    }

    /// Folds one more event.
    ///
    /// # Errors
    /// [`FoldError`] if it is not the next event of this intervention.
    pub fn apply(&mut self, event: &Event<InterventionEvent>) -> Result<(), FoldError> {
        if Some(event.seq) != self.version.checked_add(1) {
            return Err(FoldError::Gap { version: self.version, found: event.seq });
        }
        self.version = event.seq;
        self.updated_at = event.recorded_at;
        self.book.take(event.key, &event.slots);
        let at = event.occurred_at;
        match &event.data {
            InterventionEvent::Planned {
                requests,
                rule,
                from,
                until,
                service,
                team,
                supplier,
                agents,
                minutes,
                cents,
                quote,
            } => {
                self.requests.clone_from(requests);
                self.rule = rule.clone();
                (self.from, self.until) = (*from, *until);
                self.service.clone_from(service);
                self.team.clone_from(team);
                self.supplier.clone_from(supplier);
                self.agents.clone_from(agents);
                (self.minutes, self.cents) = (*minutes, *cents);
                if let Some(quote) = quote {
                    self.book.name(*quote, "quote");
                    self.quote = Some(*quote);
                }
                if self.stage == "acknowledged" {
                    self.stage = Word::of("planned");
                }
            }
            InterventionEvent::Acknowledged {} => self.stage = Word::of("acknowledged"),
            InterventionEvent::Started {} => {
                self.stage = Word::of("started");
                self.started_at = Some(at);
            }
            InterventionEvent::Done {} => self.end("done", at),
            InterventionEvent::Impossible { reason } => {
                self.end("impossible", at);
                self.reason.clone_from(reason);
            }
            InterventionEvent::Cancelled {} => self.end("cancelled", at),
            InterventionEvent::Spent { entry, team, agent, minutes, cents } => {
                self.entries.push(Entry {
                    entry: *entry,
                    at,
                    minutes: *minutes,
                    net: *cents,
                    vat: 0,
                    rate: None,
                    supplier: None,
                    team: team.clone(),
                    agent: agent.clone(),
                    references: Vec::new(),
                    struck: false,
                });
            }
            InterventionEvent::Bought { entry, supplier, net, vat, rate, item, quote, invoice } => {
                let mut references = Vec::new();
                for (path, slot) in [("item", item), ("quote", quote), ("invoice", invoice)] {
                    if let Some(slot) = slot {
                        self.book.name(*slot, path);
                        references.push((Word::of(path), *slot));
                    }
                }
                self.entries.push(Entry {
                    entry: *entry,
                    at,
                    minutes: 0,
                    net: *net,
                    vat: *vat,
                    rate: *rate,
                    supplier: supplier.clone(),
                    team: None,
                    agent: None,
                    references,
                    struck: false,
                });
            }
            InterventionEvent::Struck { entry } => {
                for known in self.entries.iter_mut().filter(|known| known.entry == *entry) {
                    known.struck = true;
                }
            }
            InterventionEvent::Erased { slots, .. } => {
                self.book.forget(slots);
                let lives = |slot: &Slot| !slots.contains(slot);
                self.quote = self.quote.filter(lives);
                for entry in &mut self.entries {
                    entry.references.retain(|(_, slot)| lives(slot));
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, stage: &'static str, at: Moment) {
        self.stage = Word::of(stage);
        self.ended_at = Some(at);
    }

    /// Whether it is still to be done.
    pub const fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }

    /// The weights of the requests that it serves, in order.
    pub fn weights(&self) -> Vec<u32> {
        self.requests.iter().map(|served| served.weight).collect()
    }

    /// Minutes spent, all entries together.
    pub fn minutes_spent(&self) -> u64 {
        self.entries.iter().map(|entry| u64::from(entry.time())).sum()
    }

    /// Cents spent, VAT included, all entries together.
    pub fn cents_spent(&self) -> i64 {
        self.entries.iter().map(Entry::cents).fold(0, i64::saturating_add)
    }

    /// The share of each request: minutes and cents.
    pub fn shares(&self) -> Vec<(i64, i64)> {
        let weights = self.weights();
        let mut out = vec![(0_i64, 0_i64); weights.len()];
        for entry in &self.entries {
            let turn = turn(entry.entry);
            let minutes = super::shares(entry.time().into(), &weights, turn);
            let cents = super::shares(entry.cents(), &weights, turn);
            for (total, share) in out.iter_mut().zip(minutes.into_iter().zip(cents)) {
                *total = (total.0.saturating_add(share.0), total.1.saturating_add(share.1));
            }
        }
        out
    }

    /// Its facts: those that all its requests share, and its own. `opened` and `target` are its window.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        let common = |of: fn(&ServedRequest) -> Option<&Word>| {
            let first = self.requests.first().and_then(of)?;
            self.requests.iter().all(|served| of(served) == Some(first)).then_some(first)
        };
        let phase = Word::of(match self.stage.as_str() {
            "planned" => "received",
            "acknowledged" | "started" => "in-progress",
            _ => "closed",
        });
        for (fact, word) in [
            (Fact::Type, common(|served| Some(&served.type_))),
            (Fact::Family, common(|served| served.family.as_ref())),
            (Fact::Entity, common(|served| served.entity.as_ref())),
            (Fact::Zone, common(|served| served.zone.as_ref())),
            (Fact::Service, self.service.as_ref()),
            (Fact::Team, self.team.as_ref()),
            (Fact::Agent, self.agents.first()),
            (Fact::Supplier, self.supplier.as_ref()),
            (Fact::State, Some(&self.stage)),
            (Fact::Phase, Some(&phase)),
        ] {
            facts.set_word(fact, word);
        }
        for (fact, at) in [
            (Fact::Opened, Some(self.from)),
            (Fact::Target, Some(self.until)),
            (Fact::Closed, self.ended_at),
            (Fact::Updated, Some(self.updated_at)),
        ] {
            facts.set_integer(fact, at.map(Moment::micros));
        }
        facts
    }

    /// What lasted and what it took, for its measure row.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let doing = [("team", self.team.as_ref()), ("supplier", self.supplier.as_ref())];
        let mut estimate = Span::new("estimate", self.from, &doing).point();
        (estimate.minutes, estimate.cents) = (self.minutes, self.cents);
        spans.push(estimate);
        if let Some(started) = self.started_at.or(self.ended_at) {
            let mut span = Span::new("intervention", started, &doing);
            span.until = self.ended_at;
            spans.push(span);
        }
        for entry in self.entries.iter().filter(|entry| !entry.struck) {
            let of = [
                ("supplier", entry.supplier.as_ref()),
                ("team", entry.team.as_ref()),
                ("agent", entry.agent.as_ref()),
            ];
            let mut span = Span::new("work", entry.at, &of).point();
            (span.minutes, span.cents) = (entry.minutes, entry.cents());
            spans.push(span);
        }
        spans
    }
}

/// With whom the odd cent of an entry begins.
pub(super) const fn turn(entry: u32) -> usize {
    entry.saturating_sub(1) as usize
}
