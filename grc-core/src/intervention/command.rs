//! What may be asked of an intervention.

use crate::{Moment, RequestId, Typed, Value, request::NewFile};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What is planned: for which requests, when, by whom, and what it is thought to take. Given again it plans anew.
///
/// ```
/// use grc_core::intervention::Planning;
/// # let (leak, hole) = (grc_core::RequestId::from_uuid(uuid::Uuid::nil()), grc_core::RequestId::from_uuid(uuid::Uuid::max()));
/// let from = "2026-11-25T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>()?;
/// let plan = Planning::new(from, from + chrono::Duration::hours(3))
///     .serving_with(leak, 2)            // two thirds of what it costs
///     .serving_with(hole, 1)
///     .team("plumbers")
///     .estimate(90, "120,00")           // minutes, and an amount with VAT
///     .instructions(leak, "Bring the 60 mm clamp; the key is at number 14.");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planning {
    pub(crate) requests: Vec<(RequestId, Option<u32>)>,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    pub(crate) service: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) supplier: Option<String>,
    pub(crate) agents: Vec<String>,
    pub(crate) minutes: i64,
    pub(crate) amount: Option<Value>,
    pub(crate) quote: Option<Typed>,
    pub(crate) instructions: BTreeMap<RequestId, Typed>,
    pub(crate) occurred_at: Option<Moment>,
    pub(crate) key: Option<String>,
}

impl Planning {
    /// Work between two moments.
    pub const fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self {
            requests: Vec::new(),
            from,
            until,
            service: None,
            team: None,
            supplier: None,
            agents: Vec::new(),
            minutes: 0,
            amount: None,
            quote: None,
            instructions: BTreeMap::new(),
            occurred_at: None,
            key: None,
        }
    }

    /// For a request. Without weights costs are shared equally.
    #[must_use]
    pub fn serving(mut self, request: RequestId) -> Self {
        self.requests.push((request, None));
        self
    }

    /// For a request that bears this weight of the costs.
    #[must_use]
    pub fn serving_with(mut self, request: RequestId, weight: u32) -> Self {
        self.requests.push((request, Some(weight)));
        self
    }

    /// By a service; else that of the team, or of the first request.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// By a team.
    #[must_use]
    pub fn team(mut self, team: impl Into<String>) -> Self {
        self.team = Some(team.into());
        self
    }

    /// By a supplier.
    #[must_use]
    pub fn supplier(mut self, supplier: impl Into<String>) -> Self {
        self.supplier = Some(supplier.into());
        self
    }

    /// By an agent; several may be named.
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agents.push(agent.into());
        self
    }

    /// What it is thought to take: minutes, and an amount with VAT: cents, or a text such as `120,00`.
    #[must_use]
    pub fn estimate(mut self, minutes: i64, amount: impl Into<Value>) -> Self {
        self.minutes = minutes;
        self.amount = Some(amount.into());
        self
    }

    /// The number of the supplier's quote.
    #[must_use]
    pub fn quote(mut self, quote: impl Into<String>) -> Self {
        self.quote = Some(Typed::new(quote.into()));
        self
    }

    /// What who does it must know about one of the requests; kept with that request.
    #[must_use]
    pub fn instructions(mut self, request: RequestId, text: impl Into<String>) -> Self {
        self.instructions.insert(request, Typed::new(text.into()));
        self
    }
}

impl Planning {
    /// Says when it was planned, if that was earlier than now.
    #[must_use]
    pub fn occurred_at(mut self, at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(at.into());
        self
    }

    /// With a key: the same planning again under it gives the first result, another one is refused. Keys are the
    /// actor's own and are remembered for 30 days.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// Something bought for an intervention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub(crate) net: Value,
    pub(crate) vat: Option<Value>,
    pub(crate) rate: Option<u32>,
    pub(crate) supplier: Option<String>,
    pub(crate) item: Option<Typed>,
    pub(crate) quote: Option<Typed>,
    pub(crate) invoice: Option<Typed>,
}

impl Purchase {
    /// An amount without VAT: cents, or a text such as `84,50`. Negative for a credit note.
    pub fn net(amount: impl Into<Value>) -> Self {
        Self {
            net: amount.into(),
            vat: None,
            rate: None,
            supplier: None,
            item: None,
            quote: None,
            invoice: None,
        }
    }

    /// The rate of VAT in hundredths of a per cent: 2,000 for 20 %, 550 for 5.5 %.
    #[must_use]
    pub const fn vat_rate(mut self, rate: u32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// The amount of VAT as the invoice has it, where it is not what the rate gives.
    #[must_use]
    pub fn vat(mut self, amount: impl Into<Value>) -> Self {
        self.vat = Some(amount.into());
        self
    }

    /// From whom; else the supplier of the intervention.
    #[must_use]
    pub fn supplier(mut self, supplier: impl Into<String>) -> Self {
        self.supplier = Some(supplier.into());
        self
    }

    /// What was bought.
    #[must_use]
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.item = Some(Typed::new(item.into()));
        self
    }

    /// The number of the quote.
    #[must_use]
    pub fn quote(mut self, quote: impl Into<String>) -> Self {
        self.quote = Some(Typed::new(quote.into()));
        self
    }

    /// The number of the invoice.
    #[must_use]
    pub fn invoice(mut self, invoice: impl Into<String>) -> Self {
        self.invoice = Some(Typed::new(invoice.into()));
        self
    }
}

/// When a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// Before the work.
    Before,
    /// After the work.
    After,
}

/// What may be asked of an intervention that is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Plan it anew: another window, other persons, other requests.
    Plan(Planning),
    /// Say that one has seen it.
    Acknowledge,
    /// Begin.
    Start,
    /// It is done.
    Done {
        /// What was done, by request; kept with each.
        report: BTreeMap<RequestId, Typed>,
    },
    /// It could not be done.
    Impossible {
        /// Why: from the organisation's list.
        reason: Option<String>,
        /// What was found, by request; kept with each.
        report: BTreeMap<RequestId, Typed>,
    },
    /// It will not take place.
    Cancel {
        /// Why, by request; kept with each.
        report: BTreeMap<RequestId, Typed>,
    },
    /// Time spent.
    Spend {
        /// By whom; else by who says so.
        agent: Option<String>,
        /// Minutes.
        minutes: i64,
    },
    /// Something bought.
    Buy(Purchase),
    /// Strike out an entry that was wrong.
    Strike {
        /// Its number.
        entry: u32,
    },
    /// A picture, kept with a request.
    Photo {
        /// Of which request; may be left out where only one is served.
        request: Option<RequestId>,
        /// Before or after the work.
        occasion: Occasion,
        /// The picture.
        file: NewFile,
    },
    /// Erase values before their time: slots by number.
    Erase {
        /// Which.
        slots: Vec<u32>,
        /// Why: a word.
        reason: String,
    },
}

impl Work {
    /// It is done, with nothing to say.
    pub const fn done() -> Self {
        Self::Done { report: BTreeMap::new() }
    }

    /// It is done, and this is what was done for a request.
    pub fn done_with(request: RequestId, report: impl Into<String>) -> Self {
        Self::Done { report: BTreeMap::from([(request, Typed::new(report.into()))]) }
    }

    /// It could not be done, for a reason of the organisation's list.
    pub fn impossible(reason: impl Into<String>) -> Self {
        Self::Impossible { reason: Some(reason.into()), report: BTreeMap::new() }
    }

    /// Minutes that who says so spent.
    pub const fn spend(minutes: i64) -> Self {
        Self::Spend { agent: None, minutes }
    }
}
