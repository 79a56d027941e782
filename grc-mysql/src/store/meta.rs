//! What the store says of itself.

use super::rows::bytes;
use crate::{
    error::{Fault, Outcome, corrupt, unusable},
    session::Session,
};
use grc_core::{Entropy, SystemEntropy};
use uuid::Uuid;

/// A fresh id, for a store or a keyring.
pub(crate) fn fresh_id() -> Outcome<Uuid> {
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id).map_err(|error| Fault::Store(unusable(error.to_string())))?;
    Ok(uuid::Builder::from_random_bytes(id).into_uuid())
}

/// The incarnation, and whether it is a test store; made with the store. Of several who make it at once, the first
/// wins: both are in one row.
pub(super) async fn identity(session: &mut Session, test: bool) -> Outcome<(Uuid, bool)> {
    let insert = "INSERT INTO grc_meta (name, value) VALUES ('incarnation', ?)";
    let read = "SELECT value FROM grc_meta WHERE name = 'incarnation'";
    for _ in 0..2 {
        if let Some(row) = session.row(sqlx::query(read)).await? {
            let value = bytes(&row, 0)?;
            let (id, mark) = value
                .split_first_chunk::<16>()
                .ok_or_else(|| corrupt("the store's own id cannot be read"))?;
            return Ok((Uuid::from_bytes(*id), mark == [1]));
        }
        let mut value = fresh_id()?.as_bytes().to_vec();
        value.push(u8::from(test));
        match session.execute(sqlx::query(insert).bind(&value[..])).await {
            Err(fault) if fault.is_duplicate() => {}
            other => other.map(|_| ())?,
        }
    }
    Err(corrupt("the store has no id"))
}
