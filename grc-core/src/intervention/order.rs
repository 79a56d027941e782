//! The work order (*bon d'intervention*): what who does the work takes with them.

mod html;

use super::Intervention;
use crate::{
    InterventionId, Moment, RequestId, Value, Word,
    definition::{Label, Organisation, Procedure},
    request::{Held, Request, Values, spelt},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A request on a work order, as far as who asks for the order may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRequest {
    /// Which.
    pub request: RequestId,
    /// The name of its type.
    pub label: String,
    /// The day on which it came in, as it is written there.
    pub opened: String,
    /// The zone of its place, by name.
    pub zone: Option<String>,
    /// Its address, in lines.
    pub address: Option<String>,
    /// Its position in micro-degrees.
    pub point: Option<(i32, i32)>,
    /// Who asks.
    pub requester: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// What the form says: the name of each field and its value.
    pub fields: Vec<(String, String)>,
    /// What who does it must know.
    pub instructions: Vec<String>,
    /// What was said of it after the work.
    pub reports: Vec<String>,
}

/// An empty line of an order, to be filled in by hand, or an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderEntry {
    /// Whose time.
    pub who: String,
    /// Minutes.
    pub minutes: u32,
}

/// A work order, as data; [`WorkOrder::to_html`] makes it a page to be printed. It holds no amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkOrder {
    /// The intervention.
    pub intervention: InterventionId,
    /// The authority's name.
    pub authority: String,
    /// How far it is.
    pub stage: Word,
    /// From when it is planned, as the authority's clocks show it.
    pub from: String,
    /// Until when it is planned, as the authority's clocks show it.
    pub until: String,
    /// Who does it, by name: service, team, supplier, and the ids of agents.
    pub service: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The supplier.
    pub supplier: Option<String>,
    /// The agents, by their names, or by their ids where the directory has none.
    pub agents: Vec<String>,
    /// Minutes that it is thought to take.
    pub minutes: u32,
    /// The requests that it serves.
    pub requests: Vec<OrderRequest>,
    /// Time spent so far.
    pub entries: Vec<OrderEntry>,
    #[serde(skip)]
    time_zone: chrono_tz::Tz,
    #[serde(skip)]
    language: String,
    #[serde(skip)]
    zones: Vec<(Word, String)>,
}

impl WorkOrder {
    /// The order of an intervention, without its requests.
    pub(crate) fn of(
        intervention: &Intervention,
        organisation: &Organisation,
        names: &BTreeMap<Word, String>,
    ) -> Self {
        let agent = |id: &Word| names.get(id).cloned().unwrap_or_else(|| id.to_string());
        let language = organisation.language.as_str();
        let when = |at: Moment| {
            at.to_utc().with_timezone(&organisation.time_zone).format("%d/%m/%Y %H:%M").to_string()
        };
        let named = |label: &Label| label.get(language).to_owned();
        let team = intervention.team.as_ref();
        let service = intervention.service.as_ref();
        let supplier = intervention.supplier.as_ref();
        Self {
            intervention: intervention.id,
            authority: named(&organisation.label),
            stage: intervention.stage.clone(),
            from: when(intervention.from),
            until: when(intervention.until),
            service: service.map(|id| {
                organisation.service(id.as_str()).map_or_else(|| id.to_string(), |s| named(&s.label))
            }),
            team: team
                .map(|id| organisation.team(id.as_str()).map_or_else(|| id.to_string(), |t| named(&t.label))),
            supplier: supplier.map(|id| {
                let known = organisation.suppliers.iter().find(|supplier| supplier.id == *id);
                known.map_or_else(|| id.to_string(), |supplier| named(&supplier.label))
            }),
            agents: intervention.agents.iter().map(agent).collect(),
            minutes: intervention.minutes,
            requests: Vec::new(),
            entries: intervention
                .entries
                .iter()
                .filter(|entry| entry.time() > 0)
                .map(|entry| OrderEntry {
                    who: entry
                        .agent
                        .as_ref()
                        .map(agent)
                        .or_else(|| entry.team.as_ref().map(Word::to_string))
                        .unwrap_or_default(),
                    minutes: entry.time(),
                })
                .collect(),
            time_zone: organisation.time_zone,
            language: language.to_owned(),
            zones: organisation.zones.iter().map(|zone| (zone.id.clone(), named(&zone.label))).collect(),
        }
    }

    /// Puts a request on it: what may be read of it. Answers the fields that it shows.
    pub(crate) fn add(
        &mut self,
        request: &Request,
        procedure: &Procedure,
        label: &Label,
        reads: &dyn Fn(&str) -> bool,
        values: &Values,
    ) -> Vec<Word> {
        let text =
            |slot: Option<crate::vault::Slot>| slot.and_then(|slot| values.get(&slot)).map(Value::to_string);
        let detail = |name: &str| request.requester().and_then(|party| party.details.get(name).copied());
        let names: Vec<String> = [detail("given"), detail("name")].into_iter().filter_map(text).collect();
        let place = request.place.as_ref();
        let mut shown = Vec::new();
        let mut fields = Vec::new();
        for field in procedure.fields.iter().filter(|field| reads(field.id.as_str())) {
            let value = match request.fields.get(&field.id) {
                Some(Held::Clear(value)) => Some(value.clone()),
                Some(Held::Slot(slot)) => values.get(slot).cloned(),
                None => None,
            };
            if let Some(value) = value {
                shown.push(field.id.clone());
                fields
                    .push((field.label.get(&self.language).to_owned(), spelt(&value, field, &self.language)));
            }
        }
        let of_this = request
            .interventions
            .iter()
            .filter(|served| served.intervention == self.intervention.uuid())
            .flat_map(|served| &served.texts);
        let mut instructions = Vec::new();
        let mut reports = Vec::new();
        for (path, slot) in of_this {
            let list = if *path == "report" { &mut reports } else { &mut instructions };
            list.extend(text(Some(*slot)));
        }
        let point = match place.and_then(|place| place.data.point).and_then(|slot| values.get(&slot)) {
            Some(Value::Point(lat, lon)) => Some((*lat, *lon)),
            _ => place.and_then(|place| place.coarse).filter(|_| reads("place.point")),
        };
        let zone = place.and_then(|place| place.data.zone.as_ref());
        self.requests.push(OrderRequest {
            request: request.id,
            label: label.get(&self.language).to_owned(),
            opened: request.opened_at.day(self.time_zone).format("%d/%m/%Y").to_string(),
            zone: zone.map(|id| {
                let known = self.zones.iter().find(|(zone, _)| zone == id);
                known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
            }),
            address: text(place.and_then(|place| place.data.address)),
            point,
            requester: (!names.is_empty()).then(|| names.join(" ")),
            phone: text(detail("phone")),
            fields,
            instructions,
            reports,
        });
        shown
    }
}
