//! Lists of requests, within what the actor may see.

use super::{
    Authority, GrcError, Here, asked,
    authority::Current,
    kinds::LinkKind,
    outline::Outline,
    sealing::{Opened, Wanted, open_all},
    tokens::contact_token,
};
use crate::{
    Condition, Moment, RequestId, Value, Word,
    condition::{Comparison, Scalar, Var},
    contact,
    definition::{Action, Contact, Field, FieldKind},
    refusal::{Problem, Refusal},
    request::{Acting, ActorKind, Request},
    storage::{Cursor, Fact, LinkKey, Order, Query},
    vault::{HEAD, Slot},
};
use std::collections::BTreeSet;

/// Which requests, in which order, how many.
///
/// ```
/// use grc_core::{List, storage::Fact};
/// let open = List::new().is(Fact::Phase, "in-progress").is(Fact::Service, "water").limit(20);
/// ```
#[derive(Debug, Clone)]
pub struct List {
    filter: Condition,
    only: BTreeSet<Only>,
    order: Order,
    after: Option<Cursor>,
    limit: u32,
}

/// What depends on who asks, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Only {
    Mine,
    MyTeams,
    Unassigned,
    Overdue,
}

impl Only {
    /// As a condition: of open requests only, since what is over waits for nobody.
    fn condition(self, acting: &Acting, now: Moment) -> Condition {
        let has = |fact| Condition::Present(Var::Fact(fact));
        let which = match self {
            Self::Mine => match acting.id().filter(|_| acting.kind() == ActorKind::Agent) {
                Some(me) => Condition::is(Fact::Agent, me),
                None => Condition::Constant(false),
            },
            Self::MyTeams => Condition::among(Fact::Team, acting.teams()),
            Self::Unassigned => Condition::Not(Box::new(has(Fact::Agent))),
            Self::Overdue => {
                let now = Scalar::Integer(now.micros());
                Condition::Compare(Var::Fact(Fact::Target), Comparison::Less, now)
            }
        };
        which.and(Condition::Not(Box::new(has(Fact::Closed))))
    }
}

impl Default for List {
    fn default() -> Self {
        Self {
            filter: Condition::Constant(true),
            only: BTreeSet::new(),
            order: Order::NewestFirst,
            after: None,
            limit: 50,
        }
    }
}

impl List {
    /// All that the actor may see, the newest first, 50 a page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those of which a fact is this.
    #[must_use]
    pub fn is(self, fact: Fact, value: &str) -> Self {
        self.filter(Condition::is(fact, value))
    }

    /// Only those that meet a condition over facts and indexed fields.
    #[must_use]
    pub fn filter(mut self, condition: Condition) -> Self {
        self.filter = self.filter.and(condition);
        self
    }

    /// Only the open ones that the actor holds.
    #[must_use]
    pub fn mine(mut self) -> Self {
        self.only.insert(Only::Mine);
        self
    }

    /// Only the open ones that the actor's teams hold.
    #[must_use]
    pub fn my_teams(mut self) -> Self {
        self.only.insert(Only::MyTeams);
        self
    }

    /// Only the open ones that no agent holds.
    #[must_use]
    pub fn unassigned(mut self) -> Self {
        self.only.insert(Only::Unassigned);
        self
    }

    /// Only the open ones whose closure was promised for earlier than now.
    #[must_use]
    pub fn overdue(mut self) -> Self {
        self.only.insert(Only::Overdue);
        self
    }

    /// The oldest first.
    #[must_use]
    pub const fn oldest_first(mut self) -> Self {
        self.order = Order::OldestFirst;
        self
    }

    /// From where the page before ended.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// At most so many a page (1 to 1000).
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }
}

impl List {
    /// By what it goes.
    pub(super) const fn condition(&self) -> &Condition {
        &self.filter
    }

    /// Makes it a query, by its condition as it was checked, within what an actor may see. Answers the moment that it is of: pass it to [`Self::next`].
    pub(super) fn fill(
        &self,
        query: &mut Query,
        filter: Condition,
        acting: &Acting,
        organisation: &crate::definition::Organisation,
        now: Moment,
    ) -> Moment {
        let (of, after) = self.begin(now);
        query.filter = filter.and(acting.scope(organisation, Action::See));
        for only in &self.only {
            query.filter = query.filter.clone().and(only.condition(acting, of));
        }
        query.order = self.order;
        query.after = after;
        query.limit = self.limit;
        of
    }

    /// What is overdue depends on the moment, and a cursor goes on with one list only: all its pages are of the moment
    /// of the first, which the cursor carries.
    fn begin(&self, now: Moment) -> (Moment, Option<Cursor>) {
        let carried = self.after.as_ref().filter(|_| self.only.contains(&Only::Overdue));
        match carried.and_then(|after| after.as_bytes().split_first_chunk::<8>()) {
            Some((of, rest)) => {
                (Moment::from_micros(i64::from_be_bytes(*of)), Some(Cursor::from_bytes(rest.to_vec())))
            }
            None => (now, self.after.clone()),
        }
    }

    /// The cursor of the page after one of a moment.
    pub(super) fn next(&self, of: Moment, next: Option<Cursor>) -> Option<Cursor> {
        if !self.only.contains(&Only::Overdue) {
            return next;
        }
        next.map(|next| Cursor::from_bytes([&of.micros().to_be_bytes(), next.as_bytes()].concat()))
    }
}

/// A request in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: RequestId,
    /// Its type.
    pub type_: Word,
    /// Its state.
    pub state: Word,
    /// Its phase.
    pub phase: Word,
    /// The service that holds it.
    pub service: Option<Word>,
    /// The team that holds it.
    pub team: Option<Word>,
    /// The agent who holds it.
    pub agent: Option<Word>,
    /// The channel by which it came in.
    pub channel: Word,
    /// When it came in.
    pub opened_at: Moment,
    /// When its handling ended.
    pub closed_at: Option<Moment>,
    /// When its closure was promised.
    pub target: Option<Moment>,
    /// Who asks, if the actor may read the name.
    pub requester: Option<String>,
    /// Where it is, if the actor may read the address.
    pub address: Option<String>,
}

/// The slots that a summary shows, as far as the actor may read them.
struct Shown {
    given: Option<Slot>,
    name: Option<Slot>,
    address: Option<Slot>,
}

impl Shown {
    fn of(request: &Outline, reads: impl Fn(&str) -> bool) -> Self {
        let detail = |name: &str| {
            let requester = request.requester()?;
            let slot = requester.details.get(name).copied()?;
            reads(&format!("{}.{name}", requester.role)).then_some(slot)
        };
        let place = request.place.as_ref().and_then(|place| place.data.address);
        Self {
            given: detail("given"),
            name: detail("name"),
            address: place.filter(|_| reads("place.address")),
        }
    }

    const fn slots(&self) -> [Option<Slot>; 3] {
        [self.given, self.name, self.address]
    }

    fn summary(&self, request: Outline, opened: &Opened) -> Summary {
        let text = |slot: Option<Slot>| match slot.and_then(|slot| opened.values.get(&slot)) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let names: Vec<String> = [text(self.given), text(self.name)].into_iter().flatten().collect();
        Summary {
            id: request.id,
            type_: request.type_,
            state: request.state,
            phase: request.phase,
            service: request.service,
            team: request.team,
            agent: request.agent,
            channel: request.channel,
            opened_at: request.opened_at,
            closed_at: request.closed_at,
            target: request.target,
            requester: (!names.is_empty()).then(|| names.join(" ")),
            address: text(self.address),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The requests.
    pub requests: Vec<Summary>,
    /// Where it goes on; none at the end. A page may be short and still go on.
    pub next: Option<Cursor>,
}

impl Authority {
    pub(super) fn list<'a>(
        &'a self,
        acting: &'a Acting,
        current: &'a Current,
        list: &'a List,
    ) -> Here<'a, Result<Listed, GrcError>> {
        Box::pin(async move {
            let filter = self.checked_filter(acting, current, &list.filter).await?;
            let inner = self.inner();
            let mut query = Query::new(inner.name.clone(), Word::of(RequestId::KIND));
            let organisation = &current.document.organisation;
            let of = list.fill(&mut query, filter, acting, organisation, inner.grc.0.clock.now());
            query.parts = BTreeSet::from([HEAD]);
            asked::page(&query)?;
            if acting.scope(organisation, Action::See) == Condition::Constant(false) {
                return Ok(Listed::default());
            }
            let page = inner.grc.0.stores.store.query(&query).await?;
            let mut found = Vec::with_capacity(page.rows.len());
            let mut wanted = Vec::with_capacity(page.rows.len());
            for record in &page.rows {
                let request = self.outline_of(&record.row).await?;
                let (holding, family) = (request.holding(), request.family.as_ref());
                // The scope has let it through; what is judged here again is this one, under this organisation.
                if !acting.may_held(organisation, Action::See, &request.type_, family, Some(&holding)) {
                    continue;
                }
                let procedure = self.procedure(&request.type_, request.procedure).await?;
                let shown = Shown::of(&request, |path| acting.reads_held(&procedure, path, Some(&holding)));
                wanted.push(Wanted::of(record, &|slot| shown.slots().contains(&Some(slot)))?);
                found.push((request, shown));
            }
            // The keys of a page are asked for at once: each question may cross a network.
            let opened = open_all(&*inner.grc.0.stores.keyring, &wanted).await?;
            let requests = found
                .into_iter()
                .zip(&opened)
                .map(|((request, shown), opened)| shown.summary(request, opened));
            let requests = requests.collect();
            Ok(Listed { requests, next: list.next(of, page.next) })
        })
    }

    /// A list cannot be made by what the actor may not read: its length would tell. Answers the condition as stores compare
    /// it, within where it can be asked: for each field named, the versions of the types under which it is in clear and
    /// readable.
    pub(super) async fn checked_filter(
        &self,
        acting: &Acting,
        current: &Current,
        filter: &Condition,
    ) -> Result<Condition, GrcError> {
        let refuse = |path: String, message: &str, hint: &str| {
            GrcError::from(Refusal::from(Problem::new("list.field", path, message).hint(hint)))
        };
        let mut filter = asked::filter(filter)?;
        let organisation = &current.document.organisation;
        let mut only = Condition::Constant(true);
        let vars: BTreeSet<Var> = filter.vars().into_iter().cloned().collect();
        for var in &vars {
            let by_place = matches!(var, Var::Fact(Fact::Lat | Fact::Lon));
            let field = match var {
                Var::Field(field) => Some(field),
                Var::Fact(_) => None,
            };
            if field.is_none() && !by_place {
                continue;
            }
            let mut readable = Vec::new();
            let mut fields = Vec::new();
            for (type_, newest) in &current.document.procedures {
                let mut versions = Vec::new();
                for version in 1..=*newest {
                    let procedure = self.procedure(type_, version).await?;
                    let path = field.map_or("place.point", Word::as_str);
                    let in_clear = field
                        .is_none_or(|field| procedure.field(field.as_str()).is_some_and(Field::is_clear));
                    if in_clear && acting.reads(organisation, &procedure, path, None) {
                        fields.extend(field.and_then(|field| procedure.field(field.as_str())).cloned());
                        versions.push(Scalar::Integer(i64::try_from(version).unwrap_or(i64::MAX)));
                    }
                }
                if !versions.is_empty() {
                    let versions = Condition::OneOf(Var::Fact(Fact::Procedure), versions);
                    readable.push(Condition::is(Fact::Type, type_).and(versions));
                }
            }
            if readable.is_empty() {
                let hint = "use a field that is indexed, not personal, and that you may read";
                return Err(refuse(var.to_string(), "lists cannot be made by this field", hint));
            }
            if fields.iter().any(|field| field.kind == FieldKind::Amount) {
                filter = asked::with_amounts(filter, var);
            }
            asked::fit(&filter, var, &fields)?;
            only = only.and(Condition::Any(readable));
        }
        Ok(filter.and(only))
    }

    pub(super) fn by_contact<'a>(
        &'a self,
        acting: &'a Acting,
        current: &'a Current,
        sector: &'a str,
        kind: Contact,
        text: &'a str,
    ) -> Here<'a, Result<Vec<RequestId>, GrcError>> {
        Box::pin(async move {
            let inner = self.inner();
            let organisation = &current.document.organisation;
            let path = match kind {
                Contact::Email => "x.email",
                Contact::Phone | Contact::Mobile => "x.phone",
                Contact::Address => "x.address",
            };
            let refuse = |code, path: &str, message: &str| {
                GrcError::from(Refusal::from(Problem::new(code, path, message)))
            };
            let sector = Word::new(sector)
                .map_err(|_| refuse("sector.unknown", "sector", "there is no such sector"))?;
            if acting.is_citizen() {
                return Err(refuse("permission.denied", "actor", "you may not look for persons"));
            }
            let normal = |text: &str| match kind {
                Contact::Email => contact::email(text),
                _ => contact::phone(text, organisation.phone_code),
            };
            let sought = normal(text);
            let mut found = Vec::new();
            for key in inner.month_keys().await? {
                let token =
                    contact_token(&key.key, &sector, path, &Value::from(text), organisation.phone_code)
                        .ok_or_else(|| {
                            refuse("contact.form", "contact", "this is not an e-mail address or phone number")
                        })?;
                let mut query = Query::new(inner.name.clone(), Word::of(RequestId::KIND));
                query.linked =
                    Some(LinkKey { kind: LinkKind::Contact.named(&key.name), key: token.to_vec() });
                query.limit = 100;
                query.parts = BTreeSet::from([HEAD]);
                loop {
                    let page = inner.grc.0.stores.store.query(&query).await?;
                    let mut candidates = Vec::new();
                    let mut wanted = Vec::new();
                    for record in &page.rows {
                        let request: Request = self.state_of(&record.row).await?;
                        if acting.may_with(organisation, Action::See, &request) {
                            let slots = self.readable_contacts(acting, current, &request, kind).await?;
                            wanted.push(Wanted::of(record, &|slot| slots.contains(&slot))?);
                            candidates.push((request.opened_at, request.id));
                        }
                    }
                    let opened = open_all(&*inner.grc.0.stores.keyring, &wanted).await?;
                    let named = candidates.into_iter().zip(&opened).filter(|(_, opened)| {
                        opened.values.values().any(|value| match value {
                            Value::Text(text) => normal(text) == sought,
                            _ => false,
                        })
                    });
                    found.extend(named.map(|(request, _)| request));
                    match page.next {
                        Some(next) if found.len() < 100 => query.after = Some(next),
                        _ => break,
                    }
                }
            }
            found.sort_unstable();
            found.reverse();
            found.truncate(100);
            Ok(found.into_iter().map(|(_, id)| id).collect())
        })
    }

    /// The slots of a request's contacts of a kind, as far as the actor may read them.
    async fn readable_contacts(
        &self,
        acting: &Acting,
        current: &Current,
        request: &Request,
        kind: Contact,
    ) -> Result<Vec<Slot>, GrcError> {
        let organisation = &current.document.organisation;
        let procedure = self.procedure(&request.type_, request.procedure).await?;
        let detail = if kind == Contact::Email { "email" } else { "phone" };
        let readable = request.parties.iter().filter(|party| {
            acting.reads(organisation, &procedure, &format!("{}.{detail}", party.role), Some(request))
        });
        Ok(readable.filter_map(|party| party.details.get(detail).copied()).collect())
    }
}
