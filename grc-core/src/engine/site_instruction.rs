//! A command on an intervention, with how it is given.

use super::instruction::Canonical;
use crate::{
    InterventionId, Moment, RequestId, Typed, Value,
    intervention::{Planning, Purchase, Work},
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A command on an intervention, when it happened, and under which key it may be repeated.
///
/// ```
/// use grc_core::{engine::SiteInstruction, intervention::Work};
/// let spent = SiteInstruction::from(Work::spend(45)).key("tablet-91c2");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInstruction {
    pub(super) work: Work,
    pub(super) occurred_at: Option<Moment>,
    pub(super) key: Option<String>,
}

impl SiteInstruction {
    /// With a key: the same command again under it gives the first result, another one is refused. Keys are the
    /// actor's own and are remembered for 30 days.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says when it happened, if that was earlier than now.
    #[must_use]
    pub fn occurred_at(mut self, at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(at.into());
        self
    }
}

impl From<Work> for SiteInstruction {
    fn from(work: Work) -> Self {
        // A planning says itself when it was made, and under which key.
        let (occurred_at, key) = match &work {
            Work::Plan(planning) => (planning.occurred_at, planning.key.clone()),
            _ => (None, None),
        };
        Self { work, occurred_at, key }
    }
}

impl Canonical {
    fn texts(&mut self, texts: &BTreeMap<RequestId, Typed>) {
        for (request, text) in texts {
            self.text(&request.to_string());
            self.typed(Some(text));
        }
    }

    fn value(&mut self, value: Option<&Value>) {
        self.bytes(&value.map(|value| value.to_plain().unwrap_or_default().to_vec()).unwrap_or_default());
    }

    pub(super) fn of_planning(planning: &Planning) -> Self {
        let mut out = Self::new("planning");
        out.planning(planning);
        out
    }

    fn planning(&mut self, planning: &Planning) {
        let Planning {
            requests,
            from,
            until,
            service,
            team,
            supplier,
            agents,
            minutes,
            amount,
            quote,
            instructions,
            occurred_at,
            key: _,
        } = planning;
        for (request, weight) in requests {
            self.text(&request.to_string());
            self.text(&format!("{weight:?}"));
        }
        self.text(&format!("{} {} {minutes}", Moment::from(*from).micros(), Moment::from(*until).micros()));
        for part in [service, team, supplier] {
            self.maybe(part.as_deref());
        }
        agents.iter().for_each(|agent| self.text(agent));
        self.value(amount.as_ref());
        self.typed(quote.as_ref());
        self.texts(instructions);
        self.given(*occurred_at, false);
    }

    pub(super) fn of_work(id: InterventionId, instruction: &SiteInstruction) -> Self {
        let SiteInstruction { work, occurred_at, key: _ } = instruction;
        let mut out = Self::new("work-on-site");
        out.text(&id.to_string());
        out.given(*occurred_at, false);
        match work {
            Work::Plan(planning) => {
                out.text("plan");
                out.planning(planning);
            }
            Work::Acknowledge => out.text("acknowledge"),
            Work::Start => out.text("start"),
            Work::Done { report } => {
                out.text("done");
                out.texts(report);
            }
            Work::Impossible { reason, report } => {
                out.text("impossible");
                out.maybe(reason.as_deref());
                out.texts(report);
            }
            Work::Cancel { report } => {
                out.text("cancel");
                out.texts(report);
            }
            Work::Spend { agent, minutes } => {
                out.text(&format!("spend {minutes}"));
                out.maybe(agent.as_deref());
            }
            Work::Buy(Purchase { net, vat, rate, supplier, item, quote, invoice }) => {
                out.text(&format!("buy {rate:?}"));
                out.value(Some(net));
                out.value(vat.as_ref());
                out.maybe(supplier.as_deref());
                for typed in [item, quote, invoice] {
                    out.typed(typed.as_ref());
                }
            }
            Work::Strike { entry } => out.text(&format!("strike {entry}")),
            Work::Photo { request, occasion, file } => {
                out.text(&format!("photo {request:?} {occasion:?}"));
                out.file(file);
            }
            Work::Erase { slots, reason } => {
                out.text(&format!("erase {slots:?}"));
                out.text(reason);
            }
        }
        out
    }
}
