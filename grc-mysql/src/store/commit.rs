//! Committing a batch: attempts, each a transaction of its own, until it is clear what became of it.
//!
//! | what happens | what follows |
//! |---|---|
//! | a deadlock, a lock that is waited for too long, a row changed since (1213, 1205, 1020) | the transaction was rolled back: it is run again |
//! | the same at COMMIT | the same; a node of a cluster that was just cut off from the others may say so of what they have |
//! | a row is there that was not there a moment ago (1062) | the same |
//! | the number of the lane is taken | again, in another lane |
//! | the batch's id is in the feed | it was committed before: said so, once it is flushed too |
//! | a step meets something else than it expects | the same is asked first; then it is a conflict |
//! | a right is missing, or the server is read-only | again on a new connection, which may have it or lead to another server |
//! | the connection is lost before COMMIT | nothing was written: again, on another connection |
//! | the connection is lost at COMMIT | nobody knows: again. The id of the batch is a unique key, so that the second waits for the first, and finds it or takes its place |
//! | a document has another version | an earlier attempt may be under way still, on a node of a cluster that knows nothing of this one's locks, and it writes nothing that would stop it: it is ruled out before the conflict is told |
//! | the node is cut off from its cluster (1047), or does not answer, before COMMIT | again, on another one, if the address names others |
//! | that cannot be done either | the outcome is unknown, and the caller is told so |

use super::{
    apply::{Failed, apply},
    feed,
    lanes::Lanes,
};
use crate::{
    error::{Fault, Outcome, doubtful},
    server::Server,
    session::Session,
};
use grc_core::storage::{Batch, ConflictOn, Receipt, StorageError};

/// How often a transaction that met another one is run again.
const CLASHES: u32 = 50;
/// What an attempt came to.
enum Ended {
    Committed,
    /// It had been committed before.
    Known,
    /// Nothing was written; what stood in the way is gone, or will be.
    Again(Fault),
    /// The same, at COMMIT.
    Clashed(Fault),
    /// Nobody knows.
    Doubtful(Fault),
    Failed(Fault),
}

/// Commits a batch.
pub(super) async fn commit(server: &Server, lanes: &Lanes, batch: &Batch) -> Result<Receipt, StorageError> {
    let receipt = |replayed| Ok(Receipt { batch: batch.id(), replayed });
    let (mut clashes, mut waits, mut lost) = (CLASHES, server.lock_waits(), server.connections() + 8);
    let mut hops = server.others();
    let mut doubt: Option<Fault> = None;
    let mut clashed = false;
    let mut is_new = false;
    loop {
        let fault = match attempt(server, lanes, batch).await {
            Ended::Committed => return receipt(false),
            // After a doubtful attempt it is this very call that did it.
            Ended::Known => return receipt(doubt.is_none()),
            Ended::Failed(fault) if fault.is_of_node() && hops > 0 => {
                hops -= 1;
                continue;
            }
            ended @ (Ended::Again(_) | Ended::Clashed(_)) => {
                clashed |= matches!(ended, Ended::Clashed(_));
                let (Ended::Again(fault) | Ended::Clashed(fault)) = ended else { continue };
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
            // Definite: what stands against it was written by another, and whoever is second of two that write the same
            // row is refused. But a document is only compared.
            Ended::Failed(Fault::Store(error)) if error.conflict_on() != Some(ConflictOn::Document) => {
                return Err(error);
            }
            Ended::Failed(Fault::Store(error)) => match rule_out(server, batch).await {
                Ok(true) => return receipt(doubt.is_none()),
                Ok(false) => return Err(error),
                Err(fault) => return Err(doubtful(fault, server.place())),
            },
            Ended::Failed(fault) => fault,
        };
        let in_doubt = doubt.is_some() || clashed;
        return Err(if in_doubt { doubtful(fault, server.place()) } else { fault.at(server.place()) });
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
                Err(fault) if fault.is_clash() => Ended::Clashed(fault),
                Err(fault) => Ended::Doubtful(fault),
            };
        }
        Err(failed) => failed,
    };
    let (at_feed, fault) = match failed {
        Failed::Feed(fault) => (true, fault),
        Failed::Steps(fault) => (false, fault),
    };
    if at_feed && fault.is_wait() {
        lane.is_slow();
    }
    session.rollback().await;
    // What the batch met may be what it wrote itself. In the feed it met that, or the lane's number.
    if matches!(fault, Fault::Store(_)) || at_feed && fault.is_duplicate() {
        return match is_committed(&mut session, batch).await {
            Ok(true) => Ended::Known,
            Ok(false) if at_feed => Ended::Again(fault),
            Ok(false) => Ended::Failed(fault),
            Err(fault) => again_if_lost(fault),
        };
    }
    // A duplicate that no step has an answer to: another was faster, and the step finds its row the next time.
    if fault.is_duplicate() { Ended::Again(fault) } else { again_if_lost(fault) }
}

/// Before COMMIT a lost connection means that nothing was written; a server that is silent is not asked again.
fn again_if_lost(fault: Fault) -> Ended {
    match fault {
        Fault::Silent => Ended::Failed(fault),
        fault if fault.is_lost() || fault.is_clash() => Ended::Again(fault),
        fault => Ended::Failed(fault),
    }
}

/// Whether a batch was committed, for good: it is seen before it is flushed. Asked on the connection on which it was met:
/// another one may lead to a server that was started anew, and has lost it.
async fn is_committed(session: &mut Session, batch: &Batch) -> Outcome<bool> {
    let read = "SELECT 1 FROM grc_change WHERE authority = ? AND batch = ?";
    let read = sqlx::query(read).bind(batch.authority().as_str().as_bytes()).bind(&batch.id().as_bytes()[..]);
    let there = session.row(read).await?.is_some();
    if there {
        session.flush().await?;
    }
    Ok(there)
}

/// Sees to it that no earlier attempt of the batch is committed after this, wherever it is under way. Answers whether one
/// was committed before.
async fn rule_out(server: &Server, batch: &Batch) -> Outcome<bool> {
    server
        .again(|| async {
            let mut session = server.session().await?;
            session.begin().await?;
            match feed::rule_out(&mut session, batch).await {
                Ok(()) => session.commit().await.map(|()| false),
                Err(fault) => {
                    session.rollback().await;
                    if fault.is_duplicate() { is_committed(&mut session, batch).await } else { Err(fault) }
                }
            }
        })
        .await
}
