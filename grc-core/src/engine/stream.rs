//! What the streams of different kinds have in common: events that fold to a state with slots.

use crate::{
    InterventionId, RequestId,
    intervention::{Intervention, InterventionEvent},
    request::{Event, FoldError, Request, RequestEvent},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A state that is the fold of a stream's events.
pub(crate) trait Folded: Serialize + DeserializeOwned + PartialEq + Sized + Send + Sync {
    /// The kind of its streams.
    const KIND: &'static str;
    /// The version of its fold.
    const FOLD: u32;
    /// What happens to it.
    type Data: Serialize + DeserializeOwned + Clone + Send + Sync;

    fn fold_all(id: Uuid, events: &[Event<Self::Data>]) -> Result<Option<Self>, FoldError>;
    fn id(&self) -> Uuid;
    fn version(&self) -> u64;
}

impl Folded for Request {
    const KIND: &'static str = RequestId::KIND;
    const FOLD: u32 = Self::FOLD;
    type Data = RequestEvent;

    fn fold_all(id: Uuid, events: &[Event]) -> Result<Option<Self>, FoldError> {
        Self::fold(RequestId::from_uuid(id), events)
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn version(&self) -> u64 {
        self.version
    }
}

impl Folded for Intervention {
    const KIND: &'static str = InterventionId::KIND;
    const FOLD: u32 = Self::FOLD;
    type Data = InterventionEvent;

    fn fold_all(id: Uuid, events: &[Event<InterventionEvent>]) -> Result<Option<Self>, FoldError> {
        Self::fold(InterventionId::from_uuid(id), events)
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn version(&self) -> u64 {
        self.version
    }
}
