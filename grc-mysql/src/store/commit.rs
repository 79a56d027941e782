//! Committing a batch: attempts, each a transaction of its own, until it is clear what became of it.
//!
//! | what happens | what follows |
//! |---|---|
//! | a deadlock, a lock that is waited for too long, a row changed since (1213, 1205, 1020), also at COMMIT | the transaction was rolled back: it is run again |
//! | the number of the lane is taken | again, in another lane |
//! | the batch's id is in the feed | it was committed before: said so |
//! | a step meets something else than it expects | the same is asked first; then it is a conflict |
//! | a right is missing, or the server is read-only | again on a new connection, which may have it or lead to another server |
//! | the connection is lost before COMMIT | nothing was written: again, on another connection |
//! | the connection is lost at COMMIT | nobody knows: again. The id of the batch is a unique key, so that the second waits for the first, and finds it or takes its place |
//! | that cannot be done either | the outcome is unknown, and the caller is told so |

use super::{
    apply::{Failed, apply},
    lanes::Lanes,
};
use crate::{
    error::{Fault, Outcome, doubtful},
    server::Server,
};
use grc_core::storage::{Batch, Receipt, StorageError};

/// How often a transaction that met another one is run again.
const CLASHES: u32 = 50;
/// How often a lock is waited for, each time as long as the options say.
const WAITS: u32 = 3;

/// What an attempt came to.
enum Ended {
    Committed,
    /// It had been committed before.
    Known,
    /// Nothing was written; what stood in the way is gone, or will be.
    Again(Fault),
    /// Nobody knows.
    Doubtful(Fault),
    Failed(Fault),
}

/// Commits a batch.
pub(super) async fn commit(server: &Server, lanes: &Lanes, batch: &Batch) -> Result<Receipt, StorageError> {
    let receipt = |replayed| Ok(Receipt { batch: batch.id(), replayed });
    let (mut clashes, mut waits, mut lost) = (CLASHES, WAITS, server.connections() + 8);
    let mut doubt: Option<Fault> = None;
    let mut is_new = false;
    loop {
        let fault = match attempt(server, lanes, batch).await {
            Ended::Committed => return receipt(false),
            // After a doubtful attempt it is this very call that did it.
            Ended::Known => return receipt(doubt.is_none()),
            Ended::Again(fault) => {
                let left = match &fault {
                    fault if fault.is_lost() => &mut lost,
                    fault if fault.is_wait() => &mut waits,
                    _ => &mut clashes,
                };
                if *left > 0 {
                    *left -= 1;
                    continue;
                }
                fault
            }
            Ended::Doubtful(fault) if doubt.is_none() => {
                doubt = Some(fault);
                continue;
            }
            Ended::Doubtful(fault) => return Err(doubtful(fault, server.place())),
            // Rights and a failover show on a new connection; the old one is given up.
            Ended::Failed(fault) if fault.is_of_connection() && !is_new && lost > 0 => {
                lost -= 1;
                is_new = server.is_next_new();
                continue;
            }
            // A definite answer: an attempt that is still under way would have held this one up.
            Ended::Failed(Fault::Store(error)) => return Err(error),
            Ended::Failed(fault) => fault,
        };
        return Err(match doubt {
            Some(_) => doubtful(fault, server.place()),
            None => fault.at(server.place()),
        });
    }
}

async fn attempt(server: &Server, lanes: &Lanes, batch: &Batch) -> Ended {
    let mut session = match server.session().await {
        Ok(session) => session,
        // If the server is away, or refuses us, the pool has been patient already.
        Err(fault) => return again_if_lost(fault),
    };
    if let Err(fault) = session.begin().await {
        return again_if_lost(fault);
    }
    let mut lane = lanes.borrow();
    let failed = match apply(&mut session, batch, lane.number()).await {
        Ok(()) => {
            return match session.commit().await {
                Ok(()) => Ended::Committed,
                Err(fault) if fault.is_clash() => Ended::Again(fault),
                Err(fault) => Ended::Doubtful(fault),
            };
        }
        Err(failed) => failed,
    };
    let fault = match failed {
        Failed::Feed(fault) => {
            if fault.is_wait() {
                lane.is_slow();
            }
            if fault.is_duplicate() {
                session.rollback().await;
                return match is_committed(server, batch).await {
                    Ok(true) => Ended::Known,
                    // It was the lane's number.
                    Ok(false) => Ended::Again(fault),
                    Err(fault) => again_if_lost(fault),
                };
            }
            fault
        }
        Failed::Steps(fault) => fault,
    };
    session.rollback().await;
    drop(session);
    match fault {
        fault if fault.is_clash() => Ended::Again(fault),
        // What the batch met may be what it wrote itself.
        Fault::Store(error) => match is_committed(server, batch).await {
            Ok(true) => Ended::Known,
            Ok(false) => Ended::Failed(Fault::Store(error)),
            Err(fault) => again_if_lost(fault),
        },
        fault => again_if_lost(fault),
    }
}

/// Before COMMIT a lost connection means that nothing was written; a server that is silent is not asked again.
fn again_if_lost(fault: Fault) -> Ended {
    match fault {
        Fault::Silent => Ended::Failed(fault),
        fault if fault.is_lost() || fault.is_clash() => Ended::Again(fault),
        fault => Ended::Failed(fault),
    }
}

/// Whether a batch was committed.
async fn is_committed(server: &Server, batch: &Batch) -> Outcome<bool> {
    let read = "SELECT 1 FROM grc_change WHERE authority = ? AND batch = ?";
    let rows = server
        .rows(|| {
            sqlx::query(read).bind(batch.authority().as_str().as_bytes()).bind(&batch.id().as_bytes()[..])
        })
        .await?;
    Ok(!rows.is_empty())
}
