//! Interventions.

use crate::{
    answers::{all, made},
    failure::unsuitable,
    files::StoredFile,
    given::by_request,
    operation::Operation,
    session::{Session, list, version},
    values::{
        amount, cents, class_of_package, count, datetime, integer, moment, optional_datetime,
        optional_moment, optional_money, optional_text, optional_word, part, text, uuid, word,
    },
};
use grc_core::{
    InterventionId, RequestId, Typed,
    engine::{
        EntryView, Intervened, InterventionSummary, InterventionView, InterventionsListed, ServedView,
        SiteChoice, SiteInstruction,
    },
    intervention::{Occasion, OrderEntry, OrderRequest, Planning, Purchase, Work, WorkOrder},
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyTuple};
use std::collections::BTreeMap;

type Any<'py> = Bound<'py, PyAny>;

fn id(given: &Any<'_>) -> PyResult<InterventionId> {
    uuid("id", given).map(InterventionId::from_uuid)
}

fn planning(given: &Any<'_>) -> PyResult<Planning> {
    let begins = moment("begins", &part(given, "begins")?)?;
    let mut planning = Planning::new(begins, moment("ends", &part(given, "ends")?)?);
    let serves = part(given, "serves")?;
    if serves.hasattr("items")? {
        for item in serves.call_method0("items")?.try_iter()? {
            let (request, weight): (Any<'_>, Any<'_>) = item?.extract()?;
            let request = RequestId::from_uuid(uuid("serves", &request)?);
            planning = planning.serving_with(request, count("serves", &weight)?);
        }
    } else {
        for request in serves.try_iter()? {
            planning = planning.serving(RequestId::from_uuid(uuid("serves", &request?)?));
        }
    }
    if let Some(service) = optional_text("service", &part(given, "service")?)? {
        planning = planning.service(service);
    }
    if let Some(team) = optional_text("team", &part(given, "team")?)? {
        planning = planning.team(team);
    }
    if let Some(supplier) = optional_text("supplier", &part(given, "supplier")?)? {
        planning = planning.supplier(supplier);
    }
    for agent in part(given, "agents")?.try_iter()? {
        planning = planning.agent(text("agents", &agent?)?);
    }
    let (minutes, estimate) = (part(given, "minutes")?, part(given, "amount")?);
    if !minutes.is_none() || !estimate.is_none() {
        let minutes = if minutes.is_none() { 0 } else { integer("minutes", &minutes)? };
        let estimate =
            if estimate.is_none() { grc_core::Value::Integer(0) } else { amount("amount", &estimate)? };
        planning = planning.estimate(minutes, estimate);
    }
    if let Some(quote) = optional_text("quote", &part(given, "quote")?)? {
        planning = planning.quote(quote);
    }
    for (request, said) in by_request("instructions", &part(given, "instructions")?)? {
        planning = planning.instructions(request, said);
    }
    if let Some(at) = optional_moment("occurred_at", &part(given, "occurred_at")?)? {
        planning = planning.occurred_at(at);
    }
    if let Some(key) = optional_text("key", &part(given, "key")?)? {
        planning = planning.key(key);
    }
    Ok(planning)
}

fn purchase(given: &Any<'_>) -> PyResult<Purchase> {
    let mut purchase = Purchase::net(amount("net", &part(given, "net")?)?);
    let rate = part(given, "vat_rate")?;
    if !rate.is_none() {
        // Per cent, with at most two decimals: hundredths of a per cent.
        let hundredths = cents("vat_rate", &rate)?;
        let rate = u32::try_from(hundredths).map_err(|_| unsuitable("vat_rate: not negative"))?;
        purchase = purchase.vat_rate(rate);
    }
    let vat = part(given, "vat")?;
    if !vat.is_none() {
        purchase = purchase.vat(amount("vat", &vat)?);
    }
    if let Some(supplier) = optional_text("supplier", &part(given, "supplier")?)? {
        purchase = purchase.supplier(supplier);
    }
    if let Some(item) = optional_text("item", &part(given, "item")?)? {
        purchase = purchase.item(item);
    }
    if let Some(quote) = optional_text("quote", &part(given, "quote")?)? {
        purchase = purchase.quote(quote);
    }
    if let Some(invoice) = optional_text("invoice", &part(given, "invoice")?)? {
        purchase = purchase.invoice(invoice);
    }
    Ok(purchase)
}

/// One of the classes of `grc.site`.
fn work(given: &Any<'_>) -> PyResult<Work> {
    let report = || {
        let said = by_request("report", &part(given, "report")?)?;
        PyResult::Ok(
            said.into_iter().map(|(request, said)| (request, Typed::new(said))).collect::<BTreeMap<_, _>>(),
        )
    };
    let class = class_of_package(given, "grc.site")?;
    Ok(match class.as_deref().unwrap_or_default() {
        "Planning" => Work::Plan(planning(given)?),
        "Acknowledge" => Work::Acknowledge,
        "Start" => Work::Start,
        "Done" => Work::Done { report: report()? },
        "Impossible" => {
            Work::Impossible { reason: optional_text("reason", &part(given, "reason")?)?, report: report()? }
        }
        "Cancel" => Work::Cancel { report: report()? },
        "Spend" => Work::Spend {
            agent: optional_text("agent", &part(given, "agent")?)?,
            minutes: integer("minutes", &part(given, "minutes")?)?,
        },
        "Buy" => Work::Buy(purchase(given)?),
        "Strike" => Work::Strike { entry: count("entry", &part(given, "entry")?)? },
        "Photo" => {
            let request = part(given, "request")?;
            Work::Photo {
                request: if request.is_none() {
                    None
                } else {
                    Some(RequestId::from_uuid(uuid("request", &request)?))
                },
                occasion: match text("occasion", &part(given, "occasion")?)?.as_str() {
                    "before" => Occasion::Before,
                    "after" => Occasion::After,
                    _ => return Err(unsuitable("occasion: before or after")),
                },
                file: StoredFile::taken("file", &part(given, "file")?)?,
            }
        }
        "EraseOnSite" => {
            let slots = part(given, "slots")?;
            let slots = slots.try_iter()?.map(|slot| count("slots", &slot?)).collect::<PyResult<_>>()?;
            Work::Erase { slots, reason: text("reason", &part(given, "reason")?)? }
        }
        _ => {
            let class = given.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "work on an intervention is wanted (one of `grc.site`, such as grc.Start()), not {class}"
            )));
        }
    })
}

fn intervened(py: Python<'_>, told: Intervened) -> PyResult<Py<PyAny>> {
    made!(py, "Intervened", id: told.id().uuid(), version: told.version()).map(Bound::unbind)
}

fn summary<'py>(py: Python<'py>, told: &InterventionSummary) -> PyResult<Any<'py>> {
    made!(py, "InterventionSummary",
        id: told.id.uuid(),
        stage: word(py, &told.stage),
        begins: datetime(py, told.from)?,
        ends: datetime(py, told.until)?,
        service: optional_word(py, told.service.as_ref()),
        team: optional_word(py, told.team.as_ref()),
        supplier: optional_word(py, told.supplier.as_ref()),
        agents: PyTuple::new(py, told.agents.iter().map(|agent| word(py, agent)))?,
        requests: PyTuple::new(py, told.requests.iter().map(|id| id.uuid()))?,
    )
}

fn listed(py: Python<'_>, told: InterventionsListed) -> PyResult<Py<PyAny>> {
    made!(py, "Page",
        items: all(py, &told.interventions, summary)?,
        next: crate::answers::cursor(py, told.next.as_ref()),
    )
    .map(Bound::unbind)
}

fn entry<'py>(py: Python<'py>, told: &EntryView) -> PyResult<Any<'py>> {
    made!(py, "EntrySeen",
        number: told.entry,
        at: datetime(py, told.at)?,
        minutes: told.minutes,
        net: optional_money(py, told.net)?,
        vat: optional_money(py, told.vat)?,
        supplier: optional_word(py, told.supplier.as_ref()),
        team: optional_word(py, told.team.as_ref()),
        agent: optional_word(py, told.agent.as_ref()),
        item: told.item.as_deref(),
        quote: told.quote.as_deref(),
        invoice: told.invoice.as_deref(),
        struck: told.struck,
    )
}

fn served<'py>(py: Python<'py>, told: &ServedView) -> PyResult<Any<'py>> {
    made!(py, "Served",
        request: told.request.uuid(),
        type: word(py, &told.type_),
        weight: told.weight,
        minutes: told.minutes,
        amount: optional_money(py, told.cents)?,
    )
}

fn choice<'py>(py: Python<'py>, told: &SiteChoice) -> PyResult<Any<'py>> {
    let blocked = told.blocked.as_ref().map(|problem| crate::failure::problem(py, problem)).transpose()?;
    made!(py, "SiteChoice", work: told.work, blocked: blocked)
}

fn seen(py: Python<'_>, told: InterventionView) -> PyResult<Py<PyAny>> {
    let (begins, ends) = told.window();
    let (planned_minutes, minutes) = told.minutes();
    let amounts = told.cents();
    made!(py, "InterventionSeen",
        id: told.id().uuid(),
        version: told.version(),
        stage: word(py, told.stage()),
        begins: datetime(py, begins)?,
        ends: datetime(py, ends)?,
        started_at: optional_datetime(py, told.started_at())?,
        ended_at: optional_datetime(py, told.ended_at())?,
        service: optional_word(py, told.service()),
        team: optional_word(py, told.team()),
        supplier: optional_word(py, told.supplier()),
        agents: PyTuple::new(py, told.agents().iter().map(|agent| word(py, agent)))?,
        reason: optional_word(py, told.reason()),
        minutes: minutes,
        planned_minutes: planned_minutes,
        amount: optional_money(py, amounts.map(|(_, spent)| spent))?,
        planned_amount: optional_money(py, amounts.map(|(planned, _)| planned))?,
        quote: told.quote(),
        entries: all(py, told.entries(), entry)?,
        served: all(py, told.served(), served)?,
        choices: all(py, told.choices(), choice)?,
    )
    .map(Bound::unbind)
}

fn order_request<'py>(py: Python<'py>, told: &OrderRequest) -> PyResult<Any<'py>> {
    made!(py, "OrderRequest",
        request: told.request.uuid(),
        label: &told.label,
        opened: &told.opened,
        zone: told.zone.as_deref(),
        address: told.address.as_deref(),
        position: told.point.map(|at| crate::values::point(py, at)).transpose()?,
        requester: told.requester.as_deref(),
        phone: told.phone.as_deref(),
        fields: PyTuple::new(py, told.fields.clone())?,
        instructions: PyTuple::new(py, &told.instructions)?,
        reports: PyTuple::new(py, &told.reports)?,
    )
}

fn order_entry<'py>(py: Python<'py>, told: &OrderEntry) -> PyResult<Any<'py>> {
    made!(py, "OrderEntry", who: &told.who, minutes: told.minutes)
}

fn order(py: Python<'_>, told: WorkOrder) -> PyResult<Py<PyAny>> {
    made!(py, "WorkOrder",
        intervention: told.intervention.uuid(),
        authority: &told.authority,
        stage: word(py, &told.stage),
        begins: &told.from,
        ends: &told.until,
        service: told.service.as_deref(),
        team: told.team.as_deref(),
        supplier: told.supplier.as_deref(),
        agents: PyTuple::new(py, &told.agents)?,
        minutes: told.minutes,
        requests: all(py, &told.requests, order_request)?,
        entries: all(py, &told.entries, order_entry)?,
        html: told.to_html(),
    )
    .map(Bound::unbind)
}

#[pymethods]
impl Session {
    fn plan(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, planning) = (self.get()?, planning(given)?);
        Ok(Operation::new(async move { session.plan(planning).await }, intervened))
    }

    #[pyo3(signature = (given, seen, asked, *, key, occurred_at))]
    fn work_on(
        &self,
        given: &Any<'_>,
        seen: &Any<'_>,
        asked: &Any<'_>,
        key: &Any<'_>,
        occurred_at: &Any<'_>,
    ) -> PyResult<Operation> {
        let (session, id, seen) = (self.get()?, id(given)?, version(seen)?);
        let mut instruction = SiteInstruction::from(work(asked)?);
        if let Some(key) = optional_text("key", key)? {
            instruction = instruction.key(key);
        }
        if let Some(at) = optional_moment("occurred_at", occurred_at)? {
            instruction = instruction.occurred_at(at);
        }
        Ok(Operation::new(async move { session.work_on(id, seen, instruction).await }, intervened))
    }

    fn intervention(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        Ok(Operation::new(async move { session.intervention(id).await }, self::seen))
    }

    fn interventions(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, list) = (self.get()?, list(given)?);
        Ok(Operation::new(async move { session.interventions(&list).await }, self::listed))
    }

    fn work_order(&self, given: &Any<'_>) -> PyResult<Operation> {
        let (session, id) = (self.get()?, id(given)?);
        Ok(Operation::new(async move { session.work_order(id).await }, order))
    }
}
