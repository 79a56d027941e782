//! Planning, and planning anew.

use super::{
    Desk, InterventionDecision, MAX_AGENTS, MAX_MINUTES, MAX_REQUESTS, Served, Site, Told, costs::charge,
    estimates, not_before, stage_event,
};
use crate::{
    InterventionId, Moment, RequestId, Word,
    definition::Action,
    intervention::{Intervention, InterventionEvent, Planning, ServedRequest},
    refusal::{Problem, Refusal},
    request::{Event, amount, denied, is_plausible, occurred},
};
use std::collections::BTreeMap;

/// Decides a new intervention. `served` are the requests that it is to serve.
///
/// # Errors
/// [`Refusal`] with every reason found.
pub fn decide_plan(
    id: InterventionId,
    plan: &Planning,
    occurred_at: Option<Moment>,
    served: &[Served<'_>],
    site: &Site<'_>,
) -> Result<InterventionDecision, Refusal> {
    let at = occurred(occurred_at, site.now)?;
    let mut desk = Desk::new(site, served, 1);
    self::plan(id, plan, None, &mut desk)?;
    not_before(at, served, site)?;
    desk.finish()
}

/// The longest that one intervention is planned for, in days.
const MAX_DAYS: i64 = 366;

pub(super) fn plan<'a>(
    id: InterventionId,
    plan: &'a Planning,
    before: Option<&Intervention>,
    desk: &mut Desk<'a>,
) -> Result<(), Refusal> {
    let Site { organisation, acting, .. } = *desk.site;
    for (index, (request, _)) in plan.requests.iter().enumerate() {
        let served = desk.served.iter().find(|served| served.request.id == *request);
        let may = |action| served.is_some_and(|s| acting.may_with(organisation, action, s.request));
        if acting.is_citizen() || !may(Action::See) || !may(Action::Plan) {
            return Err(denied(&format!("requests[{index}]"), "you may not plan work for this request"));
        }
    }
    let amounts = plan.amount.as_ref().is_some_and(|amount| *amount != crate::Value::Integer(0));
    let costs = |(request, _): &(RequestId, Option<u32>)| {
        let served = desk.served.iter().find(|served| served.request.id == *request);
        served.is_some_and(|s| acting.may_with(organisation, Action::Cost, s.request))
    };
    let counts = plan.requests.iter().all(costs);
    if (amounts || plan.quote.is_some()) && !counts {
        return Err(denied("cents", "you may not enter amounts"));
    }
    let requests = requests(plan, before, desk);
    let (from, until) = window(plan, desk);
    let (service, team, supplier, agents) = doing(plan, desk);
    if !(0..=MAX_MINUTES).contains(&plan.minutes) {
        let code = if plan.minutes < 0 { "work.negative" } else { "work.range" };
        let hint = "give minutes from 0 to a year of them";
        desk.problem(code, "minutes", "work does not take so long", hint);
    }
    let cents = match &plan.amount {
        // Who may not see amounts leaves the estimate as it was.
        _ if !counts => before.map_or(0, |before| before.cents),
        Some(given) => desk.check(amount("cents", given)).unwrap_or(0),
        None => 0,
    };
    if cents < 0 {
        desk.problem("amount.negative", "cents", "work is not thought to cost less than nothing", "give 0");
    }
    // Whoever plans may plan for each of them.
    desk.texts("instructions", &plan.instructions, before, &|request| {
        plan.requests.iter().any(|(id, _)| *id == request.id)
    });
    let quote = desk.reference("quote", plan.quote.as_ref());
    let planned = InterventionEvent::Planned {
        requests,
        rule: Word::of(if plan.requests.iter().any(|(_, weight)| weight.is_some()) {
            "weights"
        } else {
            "equal"
        }),
        from,
        until,
        service,
        team,
        supplier,
        agents,
        minutes: u32::try_from(plan.minutes).unwrap_or(0),
        cents,
        quote,
    };
    tell(id, &planned, before, plan, desk);
    desk.event(planned);
    Ok(())
}

/// Refuses more requests than one intervention serves.
pub(crate) fn check_number(requests: usize) -> Result<(), Problem> {
    if requests <= MAX_REQUESTS {
        return Ok(());
    }
    let problem = Problem::new("intervention.too-many", "requests", "it serves more than 50 requests");
    Err(problem.hint("plan several interventions of at most 50 requests each"))
}

/// The requests that it serves, with their weights.
fn requests(plan: &Planning, before: Option<&Intervention>, desk: &mut Desk<'_>) -> Vec<ServedRequest> {
    if plan.requests.is_empty() {
        desk.problem("intervention.serves-none", "requests", "it serves no request", "name at least one");
    }
    desk.check(check_number(plan.requests.len()));
    let weighted = plan.requests.iter().filter(|(_, weight)| weight.is_some()).count();
    if weighted != 0 && weighted != plan.requests.len() {
        let hint = "give all requests a weight, or none";
        desk.problem("sharing.mixed", "requests", "some requests have a weight and others none", hint);
    }
    let heavy = plan.requests.iter().any(|(_, weight)| weight.is_some_and(|weight| weight > 1_000_000));
    let nothing = weighted != 0 && plan.requests.iter().all(|(_, weight)| *weight == Some(0));
    if heavy || nothing {
        let hint = "give weights from 0 to 1,000,000, one of them at least 1";
        desk.problem("sharing.weights", "requests", "costs cannot be shared by these weights", hint);
    }
    let mut seen = std::collections::BTreeSet::new();
    if !plan.requests.iter().all(|(request, _)| seen.insert(*request)) {
        desk.problem("intervention.twice", "requests", "a request is named twice", "name it once");
    }
    plan.requests
        .iter()
        .enumerate()
        .filter_map(|(index, (id, weight))| {
            let request = desk.served.iter().find(|served| served.request.id == *id)?.request;
            let known = before.is_some_and(|b| b.requests.iter().any(|s| s.request == id.uuid()));
            // Work that is planned for a request from now on needs one that is still somebody's.
            if request.anonymised_at.is_some() && !known {
                let path = format!("requests[{index}]");
                let hint = "leave it out";
                desk.problem("request.anonymised", &path, "this request was anonymised", hint);
            }
            Some(ServedRequest {
                request: id.uuid(),
                weight: weight.unwrap_or(1),
                type_: request.type_.clone(),
                family: request.family.clone(),
                entity: request.entity.clone(),
                zone: request.place.as_ref().and_then(|place| place.data.zone.clone()),
            })
        })
        .collect()
}

fn window(plan: &Planning, desk: &mut Desk<'_>) -> (Moment, Moment) {
    let (from, until) = (Moment::from(plan.from), Moment::from(plan.until));
    if until < from {
        let hint = "give the beginning first, then the end";
        desk.problem("window.order", "until", "it would end before it begins", hint);
    } else if !is_plausible(from) || !is_plausible(until) || until > from.plus_days(MAX_DAYS) {
        let hint = "give a window of at most a year, between 1900 and 2199";
        desk.problem("window.range", "from", "no work is planned so", hint);
    }
    (from, until)
}

type Doing = (Option<Word>, Option<Word>, Option<Word>, Vec<Word>);

/// Who does it: what is named, and the service that goes with it.
fn doing(plan: &Planning, desk: &mut Desk<'_>) -> Doing {
    let organisation = desk.site.organisation;
    if plan.agents.len() > MAX_AGENTS {
        let hint = "name the team, or plan several interventions";
        desk.problem("intervention.too-many", "agents", "it is done by more than 50 agents", hint);
        return (None, None, None, Vec::new());
    }
    let mut find = |path: &str, what: &str, name: Option<&String>, ids: Vec<&Word>| {
        name.and_then(|name| desk.named(path, what, name, &ids))
    };
    let services = organisation.services.iter().map(|service| &service.id).collect();
    let service = find("service", "service", plan.service.as_ref(), services);
    let teams = organisation.teams.iter().map(|team| &team.id).collect();
    let team = find("team", "team", plan.team.as_ref(), teams);
    let suppliers = organisation.suppliers.iter().map(|supplier| &supplier.id).collect();
    let supplier = find("supplier", "supplier", plan.supplier.as_ref(), suppliers);
    let mut agents = Vec::new();
    for (index, name) in plan.agents.iter().enumerate() {
        let ids = organisation.agents.iter().map(|agent| &agent.id).collect();
        let agent = find(&format!("agents[{index}]"), "agent", Some(name), ids);
        agents.extend(agent.filter(|agent| !agents.contains(agent)));
    }
    let first = plan.requests.first().map(|(id, _)| *id);
    let first = first.and_then(|id| desk.served.iter().find(|served| served.request.id == id));
    let own = |team: &Word| organisation.team(team.as_str()).map(|team| team.service.clone());
    let nobody = team.is_none() && supplier.is_none() && agents.is_empty() && service.is_none();
    let team = team.or_else(|| first.and_then(|f| f.request.team.clone()).filter(|_| nobody));
    let service = service
        .or_else(|| team.as_ref().and_then(own))
        .or_else(|| first.and_then(|served| served.request.service.clone()));
    if nobody && team.is_none() && service.is_none() && desk.problems.is_empty() {
        let hint = "name a team, a supplier, an agent or a service";
        desk.problem("intervention.nobody", "team", "nobody is named who does it", hint);
    }
    (service, team, supplier, agents)
}

/// Tells the requests: those that it serves, and those that it serves no more. Where the sharing changed, what was spent
/// is shared anew.
fn tell<'a>(
    id: InterventionId,
    planned: &InterventionEvent,
    before: Option<&Intervention>,
    plan: &'a Planning,
    desk: &mut Desk<'a>,
) {
    let at = desk.site.now;
    let version = before.map_or(0, |before| before.version);
    // As it will be: the fold says so.
    let event = Event {
        v: Event::<InterventionEvent>::VERSION,
        seq: version + 1,
        occurred_at: at,
        recorded_at: at,
        actor: desk.site.acting.reference(),
        organisation: desk.site.organisation_version,
        data: planned.clone(),
        key: None,
        slots: BTreeMap::new(),
    };
    let after = match before {
        None => Intervention::fold(id, [&event]).ok().flatten(),
        Some(before) => {
            let mut after = before.clone();
            after.apply(&event).ok().map(|()| after)
        }
    };
    let Some(after) = after else { return };
    for (served, estimate) in after.requests.iter().zip(estimates(&after)) {
        let request = RequestId::from_uuid(served.request);
        let event = stage_event(&after, &after.stage, None, estimate);
        let instructions = plan.instructions.get(&request);
        desk.tell(request, Told::Stage { event, instructions, report: None });
    }
    let Some(before) = before else { return };
    let gone: Vec<ServedRequest> = before
        .requests
        .iter()
        .filter(|served| after.requests.iter().all(|stays| stays.request != served.request))
        .cloned()
        .collect();
    let left = Word::of("left");
    for served in &gone {
        let event = stage_event(&after, &left, None, (0, 0));
        let told = Told::Stage { event, instructions: None, report: None };
        desk.tell(RequestId::from_uuid(served.request), told);
    }
    if before.requests == after.requests {
        return;
    }
    for entry in before.entries.iter().filter(|entry| !entry.struck) {
        charge(&after.requests, &after, entry, desk);
        let nothing = crate::intervention::Entry { struck: true, ..entry.clone() };
        charge(&gone, &after, &nothing, desk);
    }
}
