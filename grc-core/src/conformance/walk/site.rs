//! Work on site, at random: planning, carrying out, paying; and what must hold of it.

use super::{Dice, Walk};
use crate::{
    Clock, GrcError, InterventionId, RequestId, Typed, Word,
    engine::{Here, SiteInstruction},
    intervention::{Intervention, InterventionEvent, Occasion, Planning, Purchase, Work},
    request::{Event, Request},
    storage::{EventRange, Log, StoreInfo, StreamKey},
};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n0000";

impl Walk {
    fn some_requests(&mut self) -> Vec<RequestId> {
        let count = [1, 1, 2, 3][self.dice.below(4)];
        // Those that came in about the same time lie on one round.
        let first = self.dice.below(self.known.len().max(1));
        self.known.iter().skip(first).take(count).map(|(id, ..)| *id).collect()
    }

    fn planning(&mut self) -> Planning {
        let organisation = self.definition.organisation.clone();
        let now = self.clock.now();
        let from = now.plus_millis(self.dice.below(20_000_000) as i64);
        let length = if self.dice.once_in(20) { -1 } else { 1 } * self.dice.below(30_000_000) as i64;
        let mut planning = Planning::new(from.to_utc(), from.plus_millis(length).to_utc());
        let weighted = self.dice.once_in(3);
        for request in self.some_requests() {
            planning = if weighted {
                planning.serving_with(request, self.dice.below(4) as u32)
            } else {
                planning.serving(request)
            };
            if self.dice.once_in(4) {
                planning = planning.instructions(request, "sonner deux fois");
            }
        }
        if !self.dice.once_in(3)
            && let Some(team) = self.dice.pick(&organisation.teams)
        {
            planning = planning.team(team.id.as_str());
        }
        if self.dice.once_in(3)
            && let Some(supplier) = self.dice.pick(&organisation.suppliers)
        {
            planning = planning.supplier(supplier.id.as_str());
        }
        if self.dice.once_in(4)
            && let Some(agent) = self.dice.pick(&organisation.agents)
        {
            planning = planning.agent(agent.id.as_str());
        }
        if self.dice.once_in(2) {
            planning = planning.estimate(self.dice.below(400) as i64, self.dice.below(90_000) as i64);
        }
        if self.dice.once_in(8) { planning.quote("D-2026-7") } else { planning }
    }

    fn reports(&mut self, requests: &[RequestId]) -> BTreeMap<RequestId, Typed> {
        let mut reports = BTreeMap::new();
        for request in requests {
            if self.dice.once_in(3) {
                reports.insert(*request, Typed::new("fait sur place"));
            }
        }
        reports
    }

    fn purchase(dice: &mut Dice, suppliers: &[Word]) -> Purchase {
        let mut purchase = Purchase::net(dice.below(60_000) as i64 - 3_000);
        if !dice.once_in(3) {
            purchase = purchase.vat_rate([2_000, 1_000, 550][dice.below(3)]);
        }
        if dice.once_in(2)
            && let Some(supplier) = dice.pick(suppliers)
        {
            purchase = purchase.supplier(supplier.as_str());
        }
        if dice.once_in(2) { purchase.invoice(format!("F-{}", dice.below(500))) } else { purchase }
    }

    /// Plans work, or goes on with some that is planned.
    pub(super) fn on_site<'a>(&'a mut self) -> Here<'a, Result<(), GrcError>> {
        Box::pin(async move {
            let actor = self.agent();
            let session = self.session(actor)?;
            let known = self.trace.interventions.len();
            if known == 0 || self.dice.once_in(3) {
                let mut planning = self.planning();
                if self.dice.once_in(6) {
                    planning = planning.key(format!("clef-{}", self.dice.below(20)));
                }
                let planned = session.plan(planning).await;
                if let Ok(planned) = &planned
                    && !self.trace.interventions.contains(&planned.id())
                {
                    self.trace.interventions.push(planned.id());
                }
                self.trace.note(
                    "site.plan",
                    planned.map(|planned| format!("{} {}", planned.id(), planned.version())),
                );
                return Ok(());
            }
            // Mostly one of the last: what is long over is left alone.
            let index = known - 1 - self.dice.below(known.min(12));
            let Some(id) = self.trace.interventions.get(index).copied() else { return Ok(()) };
            // Mostly somebody who can do something with it.
            let mut session = session;
            let mut seen = session.intervention(id).await;
            for _ in 0..5 {
                if seen
                    .as_ref()
                    .is_ok_and(|seen| seen.choices().iter().any(|choice| choice.blocked.is_none()))
                {
                    break;
                }
                let actor = self.agent();
                session = self.session(actor)?;
                seen = session.intervention(id).await;
            }
            let requests: Vec<RequestId> =
                seen.iter().flat_map(|seen| seen.served().iter().map(|served| served.request)).collect();
            let version = seen.as_ref().ok().map(crate::engine::InterventionView::version);
            self.trace.note("site.open", seen.map(|seen| format!("{seen:?}")));
            let organisation = self.definition.organisation.clone();
            let suppliers: Vec<Word> =
                organisation.suppliers.iter().map(|supplier| supplier.id.clone()).collect();
            let (kind, work) = match self.dice.below(16) {
                0 | 1 => ("site.replan", Work::Plan(self.planning())),
                2 => ("site.acknowledge", Work::Acknowledge),
                3 | 4 => ("site.start", Work::Start),
                5 => ("site.done", Work::Done { report: self.reports(&requests) }),
                6 => {
                    let reason =
                        self.dice.pick(&organisation.impossibilities).map(|reason| reason.id.to_string());
                    ("site.impossible", Work::Impossible { reason, report: self.reports(&requests) })
                }
                7 if self.dice.once_in(3) => {
                    ("site.cancel", Work::Cancel { report: self.reports(&requests) })
                }
                8..=10 => {
                    let agent = self.dice.pick(&organisation.agents).map(|agent| agent.id.to_string());
                    let agent = agent.filter(|_| self.dice.once_in(2));
                    ("site.spend", Work::Spend { agent, minutes: self.dice.below(200) as i64 - 2 })
                }
                11..=13 => ("site.buy", Work::Buy(Self::purchase(&mut self.dice, &suppliers))),
                14 => ("site.strike", Work::Strike { entry: 1 + self.dice.below(4) as u32 }),
                _ => {
                    let file = session.store_file(None, "vue.png", PICTURE).await;
                    let Ok(file) = file else { return Ok(()) };
                    let occasion = if self.dice.once_in(2) { Occasion::Before } else { Occasion::After };
                    ("site.photo", Work::Photo { request: requests.first().copied(), occasion, file })
                }
            };
            let mut instruction = SiteInstruction::from(work);
            if self.dice.once_in(6) {
                let back = self.dice.below(30_000_000) as i64;
                instruction = instruction.occurred_at(self.clock.now().plus_millis(-back).to_utc());
            }
            if self.dice.once_in(8) {
                instruction = instruction.key(format!("clef-{}", self.dice.below(20)));
            }
            let version = version.filter(|_| !self.dice.once_in(4));
            let done = session.work_on(id, version, instruction).await;
            self.trace.note(kind, done.map(|done| format!("{} {}", done.id(), done.version())));
            Ok(())
        })
    }

    pub(super) async fn events_of<D: Serialize + DeserializeOwned>(
        &self,
        kind: &'static str,
        id: uuid::Uuid,
    ) -> Result<Vec<Event<D>>, GrcError> {
        let stream = StreamKey::new(Word::of(Self::TOWN), Word::of(kind), id);
        let range = EventRange { stream, log: Log::History, after: 0, limit: StoreInfo::MAX_PAGE };
        let stored = self.grc.stores().store.events(&range).await?;
        Ok(stored.iter().map(|event| Event::from_bytes(&event.body)).collect::<Result<_, _>>()?)
    }

    /// Checks what must hold of work on site: each history verifies, and what the requests bear of an intervention is
    /// what it took, to the minute and the cent, in all and for each supplier.
    pub(super) fn check_sites<'a>(&'a self) -> Here<'a, Result<(), String>> {
        Box::pin(async move {
            let shown = |error: GrcError| error.to_string();
            let host = self.grc.authority(Self::TOWN).map_err(shown)?.host("walk");
            type Sum = BTreeMap<Option<Word>, (i64, i64)>;
            let mut borne: BTreeMap<Word, Sum> = BTreeMap::new();
            for id in &self.trace.requests {
                let events: Vec<Event> = self.events_of(RequestId::KIND, id.uuid()).await.map_err(shown)?;
                let request = Request::fold(*id, &events).map_err(|error| error.to_string())?;
                for span in request.iter().flat_map(|r| &r.spans).filter(|span| span.kind == "work") {
                    let Some(intervention) = span.dimension("intervention") else { continue };
                    let sum = borne.entry(intervention.clone()).or_default();
                    let sum = sum.entry(span.dimension("supplier").cloned()).or_default();
                    *sum = (sum.0 + i64::from(span.minutes), sum.1 + span.cents);
                }
            }
            for id in &self.trace.interventions {
                let verdict = host.verify_intervention(*id).await.map_err(shown)?;
                if !verdict.problems.is_empty() {
                    return Err(format!("{id}: {}", verdict.problems.join("; ")));
                }
                let events: Vec<Event<InterventionEvent>> =
                    self.events_of(InterventionId::KIND, id.uuid()).await.map_err(shown)?;
                let folded = Intervention::fold(*id, &events).map_err(|error| error.to_string())?;
                let mut took: Sum = BTreeMap::new();
                for entry in folded.iter().flat_map(|intervention| &intervention.entries) {
                    let sum = took.entry(entry.supplier.clone()).or_default();
                    *sum = (sum.0 + i64::from(entry.time()), sum.1 + entry.cents());
                }
                took.retain(|_, sum| *sum != (0, 0));
                let mut bears = borne.remove(&id.word()).unwrap_or_default();
                bears.retain(|_, sum| *sum != (0, 0));
                if took != bears {
                    return Err(format!("{id} took {took:?}, its requests bear {bears:?}"));
                }
            }
            if borne.is_empty() { Ok(()) } else { Err(format!("no intervention is known of {borne:?}")) }
        })
    }
}
