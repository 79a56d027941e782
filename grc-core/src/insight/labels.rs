//! The names of keys.

use super::Dimension;
use crate::{
    Word,
    definition::{Label, Organisation, Phase},
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
            Dimension::Phase => return phase(id, &organisation.language).to_owned(),
            Dimension::Month
            | Dimension::Week
            | Dimension::Day
            | Dimension::Weekday
            | Dimension::Hour
            | Dimension::Agent
            | Dimension::Confirmation
            | Dimension::Intervention
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

/// The phases are the library's own, so it names them: in French, or else by their ids.
fn phase<'a>(id: &'a str, language: &str) -> &'a str {
    if language != "fr" {
        return id;
    }
    [
        (Phase::Received, "Reçue"),
        (Phase::InProgress, "En cours"),
        (Phase::Waiting, "En attente"),
        (Phase::Closed, "Close"),
    ]
    .into_iter()
    .find(|(known, _)| known.as_str() == id)
    .map_or(id, |(_, name)| name)
}
