//! The small bodies that the engine stores, all in one place for who reads damaged ones on purpose.

use super::{
    authority::OrganisationDocument,
    deliver::Deliver,
    directory::Entry,
    host::AuthorityEvent,
    keys::KeyDocument,
    outline::Outline,
    work::{Destroy, Timer},
};
use crate::{definition::Procedure, request::Request, vault::VaultRow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// Reads a body as an event of an authority's own stream.
pub(crate) fn authority_event<'d, D: Deserializer<'d>>(body: D) -> Result<(), D::Error> {
    AuthorityEvent::deserialize(body).map(|_| ())
}

/// Reads bytes as each of them; answers as how many they could be read.
pub(crate) fn read_as_each(bytes: &[u8]) -> usize {
    fn reads<T: DeserializeOwned>(bytes: &[u8]) -> bool {
        serde_json::from_slice::<T>(bytes).is_ok()
    }
    let name = serde_json::from_slice::<Entry>(bytes).ok().and_then(|entry| {
        URL_SAFE_NO_PAD.decode(entry.row).ok().and_then(|row| VaultRow::from_bytes(&row).ok())
    });
    [
        reads::<OrganisationDocument>(bytes),
        reads::<Procedure>(bytes),
        reads::<KeyDocument>(bytes),
        reads::<Deliver>(bytes),
        reads::<Timer>(bytes),
        reads::<Destroy>(bytes),
        reads::<uuid::Uuid>(bytes),
        name.is_some(),
    ]
    .into_iter()
    .filter(|read| *read)
    .count()
}

/// Whether a list reads of a stored state what reading all of it gives.
pub(crate) fn is_outlined(bytes: &[u8], request: Request) -> bool {
    serde_json::from_slice::<Outline>(bytes).is_ok_and(|outline| outline == request.into())
}
