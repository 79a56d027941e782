//! The names of keys.

use super::Dimension;
use crate::{
    Word,
    definition::{Label, Organisation},
    engine::OrganisationDocument,
};
use std::collections::BTreeMap;

/// What ids are called in the organisation's language.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    document: &'a OrganisationDocument,
    /// The names of states: in the types' workflows, not in the organisation.
    states: BTreeMap<Word, String>,
}

impl<'a> Labels<'a> {
    pub(super) const fn new(document: &'a OrganisationDocument, states: BTreeMap<Word, String>) -> Self {
        Self { document, states }
    }

    /// The name of an id; the id itself where the definition does not know it, or not any more.
    pub(super) fn of(&self, dimension: Dimension, id: &str) -> String {
        let organisation = &self.document.organisation;
        let label = match dimension {
            Dimension::Type => self.document.labels.get(id),
            Dimension::Family => named(&organisation.families, id),
            Dimension::Entity => named(&organisation.entities, id),
            Dimension::Service => organisation.service(id).map(|service| &service.label),
            Dimension::Team => organisation.team(id).map(|team| &team.label),
            Dimension::Supplier => named(&organisation.suppliers, id),
            Dimension::Channel | Dimension::ChannelOut | Dimension::Answer => {
                organisation.channel(id).map(|channel| &channel.label)
            }
            Dimension::Zone => named(&organisation.zones, id),
            Dimension::Acceptability => {
                organisation.acceptabilities.iter().find(|known| known.id == *id).map(|known| &known.label)
            }
            Dimension::AcceptabilityReason => reason(organisation, id),
            Dimension::Outcome => named(&organisation.outcomes, id),
            Dimension::State => return self.states.get(id).cloned().unwrap_or_else(|| id.to_owned()),
            Dimension::Phase | Dimension::Confirmation | Dimension::Intervention => {
                return own(id, &organisation.language).to_owned();
            }
            Dimension::Month
            | Dimension::Week
            | Dimension::Day
            | Dimension::Weekday
            | Dimension::Hour
            | Dimension::Agent
            | Dimension::Request => None,
        };
        label.map_or(id, |label| label.get(&organisation.language)).to_owned()
    }
}

fn named<'a>(list: &'a [crate::definition::Named], id: &str) -> Option<&'a Label> {
    list.iter().find(|known| known.id == *id).map(|known| &known.label)
}

fn reason<'a>(organisation: &'a Organisation, id: &str) -> Option<&'a Label> {
    let reasons = organisation.acceptabilities.iter().flat_map(|known| &known.reasons);
    reasons.into_iter().find(|known| known.id == *id).map(|known| &known.label)
}

/// What the library itself calls phases, answers of requesters and stages of interventions, in French.
const FRENCH: [(&str, &str); 11] = [
    ("received", "Reçue"),
    ("in-progress", "En cours"),
    ("waiting", "En attente"),
    ("closed", "Close"),
    ("satisfied", "Satisfait"),
    ("unsatisfied", "Pas satisfait"),
    ("planned", "Planifiée"),
    ("acknowledged", "Prise en compte"),
    ("started", "Commencée"),
    ("done", "Faite"),
    ("impossible", "Impossible"),
];

/// The library's own words, in French, or else as they are.
fn own<'a>(id: &'a str, language: &str) -> &'a str {
    let known = FRENCH.iter().find(|(known, _)| language.starts_with("fr") && *known == id);
    known.map_or(id, |(_, name)| name)
}
