//! The pass over the measure rows.

use super::{
    Behind, Dimension, Figure, Question, Table,
    contribution::Counted,
    labels::Labels,
    part::Part,
    plan::Plan,
    tally::{Place, Tally, each_place},
};
use crate::{
    Authority, Condition, GrcError, RequestId, Value, Word,
    condition::{Environment, Var},
    engine::{Current, Here},
    refusal::{Problem, Refusal},
    request::{Measure, Words},
    storage::{Cursor, StoreInfo, StreamKey},
};
use std::collections::BTreeMap;

/// Which requests an actor may measure, of which they may see the amounts, and which they may see.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) measure: Condition,
    pub(crate) money: Condition,
    pub(crate) see: Condition,
}

impl Reach {
    /// All of them: the host.
    pub(crate) const ALL: Self = Self {
        measure: Condition::Constant(true),
        money: Condition::Constant(true),
        see: Condition::Constant(true),
    };

    fn counts(&self, question: &Question, facts: &MeasureEnv<'_>) -> bool {
        self.measure.holds(facts)
            && question.filter().is_none_or(|filter| filter.holds(facts))
            && (!question.is_by_request() || self.see.holds(facts))
    }
}

/// The facts of a measure row, for conditions.
struct MeasureEnv<'a>(&'a Measure);

impl Environment for MeasureEnv<'_> {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.0.facts.get(*fact).map(Value::from),
            Var::Field(_) => None,
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

impl Authority {
    /// A page of the rows of requests, and where it goes on.
    async fn measures_after(
        &self,
        after: Option<&Cursor>,
    ) -> Result<(Vec<(StreamKey, Vec<u8>)>, Option<Cursor>), GrcError> {
        let inner = self.inner();
        let mut page = inner.grc.0.stores.store.measures(&inner.name, after, StoreInfo::MAX_PAGE).await?;
        page.rows.retain(|(key, _)| key.kind == RequestId::KIND);
        Ok((page.rows, page.next))
    }

    /// The answers to several questions: one pass for all.
    pub(crate) fn measure<'a>(
        &'a self,
        current: &'a Current,
        reach: &'a Reach,
        questions: &'a [Question],
    ) -> Here<'a, Result<Vec<Table>, GrcError>> {
        Box::pin(async move {
            let zone = current.document.organisation.time_zone;
            let now = self.inner().grc.now();
            let mut tallies = Vec::with_capacity(questions.len());
            for question in questions {
                let plan = Plan::new(question, zone, now)?;
                tallies.push((question, Tally::new(plan, question.figures.clone())));
            }
            let mut words = Words::default();
            let mut after = None;
            loop {
                let (rows, next) = self.measures_after(after.as_ref()).await?;
                for (key, bytes) in &rows {
                    // Each is read, counted and let go before the next.
                    let measure = &read(bytes, &mut words)?;
                    let facts = MeasureEnv(measure);
                    for (question, tally) in &mut tallies {
                        if reach.counts(question, &facts) {
                            let money = question.tells_of_money() && reach.money.holds(&facts);
                            tally.add(Counted { id: key.id, measure, money })?;
                        }
                    }
                }
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            let states = match questions.iter().any(|question| question.by.contains(&Dimension::State)) {
                true => self.state_names(current).await?,
                false => BTreeMap::new(),
            };
            let labels = Labels::new(&current.document, states);
            Ok(tallies.into_iter().map(|(_, tally)| tally.table(&labels)).collect())
        })
    }

    /// The requests behind a cell: those that add something to it.
    pub(crate) fn behind<'a>(
        &'a self,
        current: &'a Current,
        reach: &'a Reach,
        question: &'a Question,
        figure: Figure,
        keys: &'a [Option<&'a str>],
        (after, limit): (Option<RequestId>, usize),
    ) -> Here<'a, Result<Behind, GrcError>> {
        Box::pin(async move {
            let question = question.clone().figures([figure]);
            let group = figure.group();
            let mut plan =
                Plan::new(&question, current.document.organisation.time_zone, self.inner().grc.now())?;
            let wanted = place(&question, keys)?;
            let limit = limit.clamp(1, StoreInfo::MAX_PAGE as usize);
            let mut behind = Behind::default();
            let key = |id: RequestId| {
                StreamKey::new(self.inner().name.clone(), Word::of(RequestId::KIND), id.uuid())
            };
            let mut words = Words::default();
            let mut after = after.map(|id| Cursor::after_stream(&key(id)));
            loop {
                let (rows, next) = self.measures_after(after.as_ref()).await?;
                for (key, bytes) in &rows {
                    let measure = &read(bytes, &mut words)?;
                    let facts = MeasureEnv(measure);
                    let money = question.tells_of_money() && reach.money.holds(&facts);
                    let readable = !group.is_money() || money;
                    if !readable || !reach.see.holds(&facts) || !reach.counts(&question, &facts) {
                        continue;
                    }
                    let mut is_behind = false;
                    each_place(
                        Counted { id: key.id, measure, money },
                        group,
                        &mut plan,
                        &mut |place, contribution| {
                            let within = !matches!(figure, Figure::Within(_)) || contribution.amount > 0;
                            is_behind |= within && *place == wanted;
                        },
                    );
                    if !is_behind {
                        continue;
                    }
                    if behind.requests.len() == limit {
                        behind.next = behind.requests.last().copied();
                        return Ok(behind);
                    }
                    behind.requests.push(RequestId::from_uuid(key.id));
                }
                match next {
                    Some(next) => after = Some(next),
                    None => return Ok(behind),
                }
            }
        })
    }

    /// What the states of the types that there are are called; one name for one id.
    async fn state_names(&self, current: &Current) -> Result<BTreeMap<Word, String>, GrcError> {
        let language = &current.document.organisation.language;
        let mut names = BTreeMap::new();
        for (type_, version) in &current.document.procedures {
            let procedure = self.procedure(type_, *version).await?;
            for state in &procedure.states {
                names.entry(state.id.clone()).or_insert_with(|| state.label.get(language).to_owned());
            }
        }
        Ok(names)
    }
}

fn read(bytes: &[u8], words: &mut Words) -> Result<Measure, GrcError> {
    Measure::read(bytes, words).map_err(|error| GrcError::Corrupt(error.to_string()))
}

/// The place that keys name.
fn place(question: &Question, keys: &[Option<&str>]) -> Result<Place, Refusal> {
    let by = question.dimensions();
    if keys.len() != by.len() {
        let message = format!("there are {} keys and {} dimensions", keys.len(), by.len());
        let problem = Problem::new("figures.keys", "keys", message);
        return Err(problem.hint("give one key a dimension, as a row of the table has them").into());
    }
    let mut place = [const { Part::Without }; Question::MAX_DIMENSIONS];
    for ((slot, key), dimension) in place.iter_mut().zip(keys).zip(by) {
        *slot = Part::read(*dimension, *key).ok_or_else(|| {
            let path = format!("keys.{dimension}");
            let problem = Problem::new("figures.keys", path, format!("this is no key of `{dimension}`"));
            Refusal::from(problem.hint("give the id of a key, as a row of the table has it"))
        })?;
    }
    Ok(place)
}
