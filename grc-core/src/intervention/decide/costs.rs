//! Time spent and things bought, shared over the requests.

use super::{Desk, MAX_ENTRIES, MAX_MINUTES, Told};
use crate::{
    Moment, RequestId, Word,
    definition::Action,
    intervention::{Entry, Intervention, InterventionEvent, Purchase, shares, state::turn},
    refusal::Refusal,
    request::{ActorKind, RequestEvent, amount, denied},
};

/// The number of the next entry; none where there is no room.
fn next_entry(intervention: &Intervention, desk: &mut Desk<'_>) -> u32 {
    if intervention.entries.len() >= MAX_ENTRIES {
        let hint = "enter several at once, or plan another intervention";
        desk.problem("intervention.full", "intervention", "it has as many entries as one can have", hint);
    }
    u32::try_from(intervention.entries.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// What each request bears of an entry, in place of what it bore of it before.
pub(super) fn charge(
    requests: &[crate::intervention::ServedRequest],
    intervention: &Intervention,
    entry: &Entry,
    desk: &mut Desk<'_>,
) {
    let weights: Vec<u32> = requests.iter().map(|served| served.weight).collect();
    let minutes = shares(entry.time().into(), &weights, turn(entry.entry));
    let cents = shares(entry.cents(), &weights, turn(entry.entry));
    for (served, (minutes, cents)) in requests.iter().zip(minutes.into_iter().zip(cents)) {
        desk.tell(
            RequestId::from_uuid(served.request),
            Told::Share(RequestEvent::Charged {
                intervention: intervention.id.uuid(),
                entry: entry.entry,
                spent: entry.at,
                minutes: u32::try_from(minutes).unwrap_or(0),
                cents,
                supplier: entry.supplier.clone(),
                team: entry.team.clone(),
                agent: entry.agent.clone(),
            }),
        );
    }
}

pub(super) fn spend(
    intervention: &Intervention,
    agent: Option<&str>,
    minutes: i64,
    at: Moment,
    desk: &mut Desk<'_>,
) {
    let super::Site { organisation, acting, .. } = *desk.site;
    let entry = next_entry(intervention, desk);
    if minutes <= 0 {
        let hint = "give whole minutes, at least 1; an entry that was wrong is struck out";
        desk.problem("work.negative", "minutes", "time spent is more than nothing", hint);
    } else if minutes > MAX_MINUTES {
        desk.problem("work.range", "minutes", "this is more than any work takes", "give at most a year");
    }
    let agent = match agent {
        Some(name) => {
            let ids: Vec<&Word> = organisation.agents.iter().map(|agent| &agent.id).collect();
            desk.named("agent", "agent", name, &ids)
        }
        None => acting.id().filter(|_| acting.kind() == ActorKind::Agent).cloned(),
    };
    // The agent's own team, where that is the one that does it; else the team that does it.
    let member = agent.as_ref().and_then(|id| organisation.agent(id.as_str()));
    let own = member.and_then(|member| member.teams.first());
    let team = intervention.team.as_ref().or(own).cloned();
    let rate = team.as_ref().and_then(|team| organisation.team(team.as_str())).and_then(|team| team.rate);
    let minutes = u32::try_from(minutes).unwrap_or(0);
    // Rounded half up, to the cent.
    let cents = rate.map_or(0, |rate| (i64::from(rate) * i64::from(minutes) + 30) / 60);
    let spent = Entry {
        entry,
        at,
        minutes,
        net: cents,
        vat: 0,
        rate: None,
        supplier: None,
        team: team.clone(),
        agent: agent.clone(),
        references: Vec::new(),
        struck: false,
    };
    charge(&intervention.requests, intervention, &spent, desk);
    desk.event(InterventionEvent::Spent { entry, team, agent, minutes, cents });
}

pub(super) fn buy(intervention: &Intervention, purchase: &Purchase, at: Moment, desk: &mut Desk<'_>) {
    let entry = next_entry(intervention, desk);
    let net = desk.check(amount("net", &purchase.net)).unwrap_or(0);
    if purchase.rate.is_some_and(|rate| rate > 10_000) {
        let hint = "give it in hundredths of a per cent: 2000 for 20 %";
        desk.problem("vat.range", "vat_rate", "this rate is more than the price itself", hint);
    }
    // Rounded half away from nothing, to the cent.
    let by_rate = |rate: u32| {
        let exact = i128::from(net) * i128::from(rate.min(10_000));
        let half = if exact < 0 { -5_000 } else { 5_000 };
        i64::try_from((exact + half) / 10_000).unwrap_or(0)
    };
    let vat = match &purchase.vat {
        Some(vat) => desk.check(amount("vat", vat)).unwrap_or(0),
        None => purchase.rate.map_or(0, by_rate),
    };
    if vat != 0 && (vat < 0) != (net < 0) || vat.unsigned_abs() > net.unsigned_abs() {
        let hint = "give the amount without VAT, and the VAT that comes on top of it";
        desk.problem("vat.range", "vat", "this VAT does not fit the amount", hint);
    }
    let supplier = match &purchase.supplier {
        Some(name) => {
            let ids: Vec<&Word> =
                desk.site.organisation.suppliers.iter().map(|supplier| &supplier.id).collect();
            desk.named("supplier", "supplier", name, &ids)
        }
        None => intervention.supplier.clone(),
    };
    if net == 0 && desk.problems.is_empty() {
        desk.problem("amount.zero", "net", "nothing is bought for nothing", "leave it out");
    }
    let forgotten = |served: &super::Served<'_>| served.request.anonymised_at.is_some();
    if purchase.item.is_some() && desk.served.iter().any(forgotten) {
        let hint = "leave out what was bought";
        desk.problem("request.anonymised", "item", "a request that this is for was anonymised", hint);
    }
    let item = desk.reference("item", purchase.item.as_ref());
    let quote = desk.reference("quote", purchase.quote.as_ref());
    let invoice = desk.reference("invoice", purchase.invoice.as_ref());
    let rate = purchase.rate;
    let bought = Entry {
        entry,
        at,
        minutes: 0,
        net,
        vat,
        rate,
        supplier: supplier.clone(),
        team: None,
        agent: None,
        references: Vec::new(),
        struck: false,
    };
    charge(&intervention.requests, intervention, &bought, desk);
    desk.event(InterventionEvent::Bought { entry, supplier, net, vat, rate, item, quote, invoice });
}

/// Time is struck out by who may enter time, what was bought by who may enter amounts.
pub(super) fn strike(
    intervention: &Intervention,
    entry: u32,
    may: &dyn Fn(Action) -> bool,
    desk: &mut Desk<'_>,
) -> Result<(), Refusal> {
    let known = intervention.entries.iter().find(|known| known.entry == entry && !known.struck);
    let needed = if known.is_some_and(Entry::is_purchase) { Action::Cost } else { Action::Work };
    if !may(needed) {
        return Err(denied("entry", "you may not strike this out"));
    }
    match known {
        None => {
            let hint = "name one that is not struck out";
            desk.problem("entry.unknown", "entry", "there is no such entry", hint);
        }
        Some(known) => {
            let struck = Entry { struck: true, ..known.clone() };
            charge(&intervention.requests, intervention, &struck, desk);
            desk.event(InterventionEvent::Struck { entry });
        }
    }
    Ok(())
}
