//! What a list needs of a request. The rest of its state is not read: a page has many, and shows little of each.

use super::{Authority, GrcError};
use crate::{
    Moment, RequestId, Word,
    request::{Holding, PartyData, PlaceState, Request},
    storage::StreamRow,
};
use serde::Deserialize;

/// A request's state, as far as lists show it or go by it. Its names are those of [`Request`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Outline {
    pub(super) id: RequestId,
    version: u64,
    #[serde(rename = "type")]
    pub(super) type_: Word,
    pub(super) procedure: u64,
    pub(super) family: Option<Word>,
    pub(super) service: Option<Word>,
    pub(super) team: Option<Word>,
    pub(super) agent: Option<Word>,
    submitter: Option<Word>,
    pub(super) channel: Word,
    pub(super) state: Word,
    pub(super) phase: Word,
    pub(super) opened_at: Moment,
    pub(super) closed_at: Option<Moment>,
    pub(super) target: Option<Moment>,
    #[serde(default)]
    pub(super) parties: Vec<PartyData>,
    pub(super) place: Option<PlaceState>,
}

impl From<Request> for Outline {
    fn from(request: Request) -> Self {
        Self {
            id: request.id,
            version: request.version,
            type_: request.type_,
            procedure: request.procedure,
            family: request.family,
            service: request.service,
            team: request.team,
            agent: request.agent,
            submitter: request.submitter,
            channel: request.channel,
            state: request.state,
            phase: request.phase,
            opened_at: request.opened_at,
            closed_at: request.closed_at,
            target: request.target,
            parties: request.parties,
            place: request.place,
        }
    }
}

impl Outline {
    /// Who holds it.
    pub(super) fn holding(&self) -> Holding<'_> {
        Holding {
            request: self.id,
            submitter: self.submitter.as_ref(),
            services: self.service.iter().collect(),
            teams: self.team.iter().collect(),
            agents: self.agent.iter().collect(),
        }
    }

    /// Who asks.
    pub(super) fn requester(&self) -> Option<&PartyData> {
        Request::requester_of(&self.parties)
    }
}

impl Authority {
    /// What a list needs of the request of a row.
    pub(super) async fn outline_of(&self, row: &StreamRow) -> Result<Outline, GrcError> {
        if row.fold != Request::FOLD {
            return Ok(self.state_of::<Request>(row).await?.into());
        }
        let id = row.key.id;
        let outline: Outline = serde_json::from_slice(&row.body).map_err(|error| {
            GrcError::Corrupt(format!("the state of request {id} cannot be read: {error}"))
        })?;
        if outline.version == row.version && outline.id.uuid() == id {
            Ok(outline)
        } else {
            Err(GrcError::Corrupt(format!("the state of request {id} is not of its row")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Actor, Grc, Intake, Party, Place, Stores,
        definition::Definition,
        storage::{Load, Parts, StreamKey},
    };

    /// What is read of a state is what reading all of it gives.
    #[test]
    fn an_outline_is_that_of_the_whole_state() {
        const TOWN: &str = include_str!("../../tests/definitions/lib.toml");
        pollster::block_on(async {
            let stores = Stores::memory();
            let grc = Grc::open(stores.clone()).await.unwrap();
            let town = grc.authority("rennes").unwrap();
            let definition = Definition::from_files([("town.toml", TOWN)]).unwrap();
            town.host("set-up").publish(&definition).await.unwrap();
            let party = Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms");
            let intake = Intake::new("water-leak", "phone")
                .set("description", "eau qui coule")
                .at(Place::address("12 rue des Lilas", "35000", "Rennes"))
                .party(party);
            let id = town.session(Actor::agent("a-17")).submit(intake).await.unwrap().id();
            let key = StreamKey::new(town.name().clone(), Word::of(RequestId::KIND), id.uuid());
            let load = Load {
                authority: town.name().clone(),
                streams: vec![key],
                parts: Parts::None,
                receipt: None,
            };
            let loaded = stores.store.load(&load).await.unwrap();
            let row = &loaded.streams[0].as_ref().unwrap().row;
            let whole: Request = town.state_of(row).await.unwrap();
            let outline = town.outline_of(row).await.unwrap();
            assert_eq!(outline.requester(), whole.requester());
            assert_eq!(outline.place, whole.place);
            assert_eq!(outline, whole.into());
            // A row that another fold made is folded again, and one that is of another version is damaged.
            let mut other = row.clone();
            other.fold += 1;
            assert_eq!(town.outline_of(&other).await.unwrap(), outline);
            other.fold -= 1;
            other.version += 1;
            assert!(matches!(town.outline_of(&other).await, Err(GrcError::Corrupt(_))));
        });
    }
}
