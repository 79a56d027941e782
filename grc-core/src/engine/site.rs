//! What an actor sees of interventions: one of them, its work order, lists.

use super::{
    Authority, GrcError, Here, Intervened, List, Session, SiteInstruction, asked,
    intervene::{AGENTS, Asked, LoadedIntervention},
    sealing::open_slots,
    session::Who,
};
use crate::{
    Condition, InterventionId, Moment, RequestId, Value, Word,
    condition::Var,
    definition::Action,
    intervention::{Entry, Intervention, Planning, WorkOrder},
    refusal::Problem,
    storage::{Cursor, Fact, Parts, Query},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A request that an intervention serves, and its share of what that took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedView {
    /// Which.
    pub request: RequestId,
    /// Its type.
    pub type_: Word,
    /// Its weight when costs are shared.
    pub weight: u32,
    /// Its share of the minutes spent.
    pub minutes: i64,
    /// Its share of the cents spent, VAT included; none for who may not see amounts.
    pub cents: Option<i64>,
}

/// Time spent or something bought, as an actor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// Its number.
    pub entry: u32,
    /// When.
    pub at: Moment,
    /// Minutes.
    pub minutes: u32,
    /// Cents without VAT; none for who may not see amounts.
    pub net: Option<i64>,
    /// Cents of VAT; none for who may not see amounts.
    pub vat: Option<i64>,
    /// From whom; none for who may not see amounts.
    pub supplier: Option<Word>,
    /// Whose time.
    pub team: Option<Word>,
    /// Whose time.
    pub agent: Option<Word>,
    /// What was bought.
    pub item: Option<String>,
    /// The number of the quote.
    pub quote: Option<String>,
    /// The number of the invoice.
    pub invoice: Option<String>,
    /// Whether it was struck out.
    pub struck: bool,
}

/// What may be done with an intervention: `plan`, `acknowledge`, `start`, `done`, `impossible`, `cancel`, `spend`, `buy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteChoice {
    /// What.
    pub work: &'static str,
    /// Why not now; none if it can be done.
    pub blocked: Option<Problem>,
}

/// An intervention as one actor sees it. What they may not read is not here, nor in its `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct InterventionView {
    intervention: Intervention,
    costs: bool,
    quote: Option<String>,
    entries: Vec<EntryView>,
    served: Vec<ServedView>,
    choices: Vec<SiteChoice>,
}

impl fmt::Debug for InterventionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterventionView")
            .field("id", &self.id())
            .field("version", &self.version())
            .field("stage", self.stage())
            .field("window", &self.window())
            .field("team", &self.team())
            .field("supplier", &self.supplier())
            .field("minutes", &self.minutes())
            .field("cents", &self.cents())
            .field("entries", &self.entries)
            .field("served", &self.served)
            .field("choices", &self.choices)
            .finish_non_exhaustive()
    }
}

impl InterventionView {
    /// Its id.
    pub const fn id(&self) -> InterventionId {
        self.intervention.id
    }

    /// Its version: what a command that follows is compared with.
    pub const fn version(&self) -> u64 {
        self.intervention.version
    }

    /// How far it is: `planned`, `acknowledged`, `started`, `done`, `impossible`, `cancelled`.
    pub const fn stage(&self) -> &Word {
        &self.intervention.stage
    }

    /// Why it was impossible.
    pub const fn reason(&self) -> Option<&Word> {
        self.intervention.reason.as_ref()
    }

    /// From when until when it is planned.
    pub const fn window(&self) -> (Moment, Moment) {
        (self.intervention.from, self.intervention.until)
    }

    /// When it began.
    pub const fn started_at(&self) -> Option<Moment> {
        self.intervention.started_at
    }

    /// When it ended.
    pub const fn ended_at(&self) -> Option<Moment> {
        self.intervention.ended_at
    }

    /// The service that does it.
    pub const fn service(&self) -> Option<&Word> {
        self.intervention.service.as_ref()
    }

    /// The team that does it.
    pub const fn team(&self) -> Option<&Word> {
        self.intervention.team.as_ref()
    }

    /// The supplier who does it.
    pub const fn supplier(&self) -> Option<&Word> {
        self.intervention.supplier.as_ref()
    }

    /// The agents who do it.
    pub fn agents(&self) -> &[Word] {
        &self.intervention.agents
    }

    /// The requests that it serves and that the actor may see, each with its share.
    pub fn served(&self) -> &[ServedView] {
        &self.served
    }

    /// Time spent and things bought, in order, struck out ones too.
    pub fn entries(&self) -> &[EntryView] {
        &self.entries
    }

    /// The number of the quote that it was planned with.
    pub fn quote(&self) -> Option<&str> {
        self.quote.as_deref()
    }

    /// Minutes: planned, and spent.
    pub fn minutes(&self) -> (u64, u64) {
        (self.intervention.minutes.into(), self.intervention.minutes_spent())
    }

    /// Cents with VAT: planned, and spent; none for who may not see amounts.
    pub fn cents(&self) -> Option<(i64, i64)> {
        self.costs.then(|| (self.intervention.cents, self.intervention.cents_spent()))
    }

    /// What the actor may do now, and why not the rest.
    pub fn choices(&self) -> &[SiteChoice] {
        &self.choices
    }
}

/// An intervention in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterventionSummary {
    /// Its id.
    pub id: InterventionId,
    /// How far it is.
    pub stage: Word,
    /// From when it is planned.
    pub from: Moment,
    /// Until when it is planned.
    pub until: Moment,
    /// The service that does it.
    pub service: Option<Word>,
    /// The team that does it.
    pub team: Option<Word>,
    /// The supplier who does it.
    pub supplier: Option<Word>,
    /// The agents who do it.
    pub agents: Vec<Word>,
    /// The requests that it serves.
    pub requests: Vec<RequestId>,
}

/// A page of a list of interventions.
#[derive(Debug, Clone, Default)]
pub struct InterventionsListed {
    /// The interventions.
    pub interventions: Vec<InterventionSummary>,
    /// Where it goes on; none at the end. A page may be short and still go on.
    pub next: Option<Cursor>,
}

impl Session {
    /// Plans work on site for one or several requests. The requests' histories say so too, in the same commit.
    ///
    /// # Errors
    /// [`GrcError::Refused`] with every reason; [`GrcError::NotPermitted`] for a request for which the actor may not
    /// plan; [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail. Nothing is written then.
    pub async fn plan(&self, planning: Planning) -> Result<Intervened, GrcError> {
        let grc = &self.authority().inner().grc.0;
        let id = InterventionId::fresh(grc.clock.now(), &*grc.entropy)?;
        self.authority().intervene(&self.who().await?, &Asked::Plan(id, &planning), None).await
    }

    /// Gives a command to an intervention. `seen` is the version that its author saw: it is refused if somebody
    /// changed what it touches since.
    ///
    /// # Errors
    /// [`GrcError::Refused`] with every reason; [`GrcError::NotPermitted`]; [`GrcError::Conflict`];
    /// [`GrcError::NotFound`]; [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail. Nothing is written then.
    pub async fn work_on(
        &self,
        id: InterventionId,
        seen: Option<u64>,
        instruction: impl Into<SiteInstruction>,
    ) -> Result<Intervened, GrcError> {
        let asked = Asked::Work(id, &instruction.into());
        self.authority().intervene(&self.who().await?, &asked, seen).await
    }

    /// Opens an intervention, as far as the actor may see it.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is none, or the actor may not know of it.
    pub async fn intervention(&self, id: InterventionId) -> Result<InterventionView, GrcError> {
        self.authority().see_intervention(&self.who().await?, id).await
    }

    /// The work order: what who does the work takes with them. What is theirs to read of each request is on it, for
    /// this intervention only; readings of sensitive fields are noted.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is none, or the actor may not know of it.
    pub async fn work_order(&self, id: InterventionId) -> Result<WorkOrder, GrcError> {
        self.authority().order(&self.who().await?, id).await
    }

    /// A page of interventions that the actor may see, by the service, team and agent that do them. The list goes by
    /// the facts of an intervention: `state` is its stage, `opened` and `target` are its window, [`List::mine`] and
    /// [`List::my_teams`] are what the actor or their teams are to do.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the list is made by something else.
    pub async fn interventions(&self, list: &List) -> Result<InterventionsListed, GrcError> {
        let (acting, current) = self.acting().await?;
        let message = "interventions are listed by facts, not by fields";
        let filter = asked::only_facts(list.condition(), message, "ask by state, team, supplier, opened…")?;
        let authority = self.authority();
        let inner = authority.inner();
        let mut query = Query::new(inner.name.clone(), Word::of(InterventionId::KIND));
        let organisation = &current.document.organisation;
        let of = list.fill(&mut query, filter, &acting, organisation, inner.grc.0.clock.now());
        query.filter = by_any_agent(query.filter);
        asked::page(&query)?;
        let page = inner.grc.0.stores.store.query(&query).await?;
        let mut interventions = Vec::with_capacity(page.rows.len());
        for record in &page.rows {
            let found: Intervention = authority.state_of(&record.row).await?;
            interventions.push(InterventionSummary {
                id: found.id,
                stage: found.stage,
                from: found.from,
                until: found.until,
                service: found.service,
                team: found.team,
                supplier: found.supplier,
                agents: found.agents,
                requests: found.requests.iter().map(|s| RequestId::from_uuid(s.request)).collect(),
            });
        }
        Ok(InterventionsListed { interventions, next: list.next(of, page.next) })
    }
}

/// An intervention may be done by several agents: the fact names the first, the index has them all.
fn by_any_agent(condition: Condition) -> Condition {
    let all = || Var::Field(Word::of(AGENTS));
    let each = |parts: Vec<Condition>| parts.into_iter().map(by_any_agent).collect();
    match condition {
        Condition::All(parts) => Condition::All(each(parts)),
        Condition::Any(parts) => Condition::Any(each(parts)),
        Condition::Not(part) => Condition::Not(Box::new(by_any_agent(*part))),
        Condition::Compare(Var::Fact(Fact::Agent), comparison, agent) => {
            Condition::Compare(all(), comparison, agent)
        }
        Condition::OneOf(Var::Fact(Fact::Agent), agents) => Condition::OneOf(all(), agents),
        other => other,
    }
}

impl Authority {
    /// Loads an intervention for an actor who may see it, with what it holds opened.
    fn open_intervention<'a>(
        &'a self,
        who: &'a Who,
        id: InterventionId,
        parts: Parts,
    ) -> Here<'a, Result<(LoadedIntervention, crate::request::Acting, crate::request::Values), GrcError>>
    {
        Box::pin(async move {
            for _ in 0..3 {
                let loaded =
                    self.load_intervention(id, &[], parts.clone()).await?.ok_or(GrcError::NotFound)?;
                let acting = who.acting(&loaded.current.document.organisation)?;
                if !loaded.may(&acting, Action::See) {
                    return Err(GrcError::NotFound);
                }
                if self.finish_site_erasure(&loaded).await? {
                    continue;
                }
                let living = |slot| loaded.intervention.book.slots.contains_key(&slot);
                let keyring = &*self.inner().grc.0.stores.keyring;
                let opened = open_slots(keyring, &loaded.record, &living).await?;
                return Ok((loaded, acting, opened.values));
            }
            Err(GrcError::Busy)
        })
    }

    fn see_intervention<'a>(
        &'a self,
        who: &'a Who,
        id: InterventionId,
    ) -> Here<'a, Result<InterventionView, GrcError>> {
        Box::pin(async move {
            let (loaded, acting, values) = self.open_intervention(who, id, Parts::None).await?;
            let costs = loaded.may(&acting, Action::Cost);
            let text = |slot: Option<crate::vault::Slot>| match slot.and_then(|slot| values.get(&slot)) {
                Some(Value::Text(text)) if costs => Some(text.clone()),
                _ => None,
            };
            let LoadedIntervention { intervention, .. } = &loaded;
            let entries = intervention
                .entries
                .iter()
                .map(|entry: &Entry| {
                    let reference = |name: &str| {
                        text(entry.references.iter().find(|(path, _)| *path == *name).map(|(_, slot)| *slot))
                    };
                    EntryView {
                        entry: entry.entry,
                        at: entry.at,
                        minutes: entry.minutes,
                        net: costs.then_some(entry.net),
                        vat: costs.then_some(entry.vat),
                        supplier: entry.supplier.clone().filter(|_| costs),
                        team: entry.team.clone(),
                        agent: entry.agent.clone(),
                        item: reference("item"),
                        quote: reference("quote"),
                        invoice: reference("invoice"),
                        struck: entry.struck,
                    }
                })
                .collect();
            let served = intervention
                .requests
                .iter()
                .zip(intervention.shares())
                .filter(|(served, _)| loaded.allowed(&acting, Action::See, served.request).is_some())
                .map(|(served, (minutes, cents))| ServedView {
                    request: RequestId::from_uuid(served.request),
                    type_: served.type_.clone(),
                    weight: served.weight,
                    minutes,
                    cents: loaded.allowed(&acting, Action::Cost, served.request).map(|_| cents),
                })
                .collect();
            let quote = text(intervention.quote);
            let choices = choices(&loaded, &acting);
            Ok(InterventionView {
                intervention: intervention.clone(),
                costs,
                quote,
                entries,
                served,
                choices,
            })
        })
    }

    fn order<'a>(&'a self, who: &'a Who, id: InterventionId) -> Here<'a, Result<WorkOrder, GrcError>> {
        Box::pin(async move {
            let (loaded, acting, _) = self.open_intervention(who, id, Parts::All).await?;
            let keyring = &*self.inner().grc.0.stores.keyring;
            let LoadedIntervention { intervention, .. } = &loaded;
            let worked = intervention.entries.iter().filter_map(|entry| entry.agent.as_ref());
            let mut names = BTreeMap::new();
            for agent in intervention.agents.iter().chain(worked) {
                if !names.contains_key(agent)
                    && let Some(name) = self.name_of_agent(agent).await?
                {
                    names.insert(agent.clone(), name);
                }
            }
            let mut order = WorkOrder::of(intervention, &loaded.current.document.organisation, &names);
            for served in &loaded.intervention.requests {
                let Some(request) = loaded.allowed(&acting, Action::See, served.request) else { continue };
                let reads = |path: &str| {
                    crate::intervention::reads_on(
                        &acting,
                        &request.procedure,
                        path,
                        &loaded.intervention,
                        &request.request,
                    )
                };
                let readable: BTreeSet<_> = request
                    .request
                    .book
                    .slots
                    .iter()
                    .filter(|(_, path)| reads(path.as_str()))
                    .map(|(slot, _)| *slot)
                    .collect();
                let opened = open_slots(keyring, &request.record, &|slot| readable.contains(&slot)).await?;
                let label = &request.procedure.label;
                let shown = order.add(&request.request, &request.procedure, label, &reads, &opened.values);
                self.note_reading(&acting, request, &shown.iter().collect()).await?;
            }
            Ok(order)
        })
    }
}

/// What an actor may do with an intervention, in the order in which it is done.
fn choices(loaded: &LoadedIntervention, acting: &crate::request::Acting) -> Vec<SiteChoice> {
    let stage = loaded.intervention.stage.as_str();
    let open = ["planned", "acknowledged", "started"];
    let steps: [(&'static str, Action, &[&str]); 8] = [
        ("plan", Action::Plan, &open),
        ("acknowledge", Action::Work, &["planned"]),
        ("start", Action::Work, &["planned", "acknowledged"]),
        ("done", Action::Work, &open),
        ("impossible", Action::Work, &open),
        ("cancel", Action::Plan, &open),
        ("spend", Action::Work, &[]),
        ("buy", Action::Cost, &[]),
    ];
    steps
        .into_iter()
        .filter(|(_, action, _)| loaded.may(acting, *action))
        .map(|(work, _, from)| {
            let blocked = (!from.is_empty() && !from.contains(&stage)).then(|| {
                let message = "it is not so far, or further already";
                Problem::new("intervention.stage", "intervention", message)
            });
            SiteChoice { work, blocked }
        })
        .collect()
}
