//! What somebody does in the very instant in which a request is forgotten.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::{
    common::{Town, at},
    regressions::{assigned, bought_for, closed},
};
use async_trait::async_trait;
use grc_core::{
    Budget, InterventionId, RequestId, Stores,
    conformance::Over,
    intervention::{Purchase, Work},
    request::Command,
    storage::{Batch, Receipt, Step, StorageError, Store},
};
use pollster::block_on;
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
};

/// Of what a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// What was bought goes.
    Items,
    /// A request goes, and the task that said so.
    Request,
}

impl Of {
    fn is(self, batch: &Batch) -> bool {
        batch.steps().iter().any(|step| match (self, step) {
            (Self::Items, Step::PutVault { stream, .. } | Step::DropVault { stream, .. }) => {
                stream.kind == *InterventionId::KIND
            }
            (Self::Request, Step::Finish(task)) => task.queue.starts_with("retention/"),
            _ => false,
        })
    }
}

type Then = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does something once, right before such a commit.
struct Before {
    under: Arc<dyn Store>,
    then: Mutex<Option<(Of, Then)>>,
}

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before")
    }
}

#[async_trait]
impl Over for Before {
    fn under(&self) -> &dyn Store {
        &*self.under
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let then = self.then.lock().unwrap().take_if(|(of, _)| of.is(&batch));
        if let Some((_, then)) = then {
            then.await;
        }
        self.under.commit(batch).await
    }
}

/// Two requests that are over, what was bought for both, and that the first is forgotten while something is done.
async fn forgotten_while(
    of: Of,
    then: impl FnOnce(&Town, [RequestId; 2], InterventionId) -> Then,
) -> Vec<Option<String>> {
    let stores = Stores::memory();
    let before = Arc::new(Before { under: Arc::clone(&stores.store), then: Mutex::default() });
    let town = Town::on("voirie", Stores { store: before.clone(), ..stores }).await;
    let requests = [assigned(&town).await, assigned(&town).await];
    let work = bought_for(&town, &requests).await;
    closed(&town, requests[0]).await;
    *before.then.lock().unwrap() = Some((of, then(&town, requests, work)));
    town.clock.set(at("2028-01-10T10:00:00Z"));
    let report = town.authority.host("worker").work(None, Budget::ALL).await.unwrap();
    assert!(before.then.lock().unwrap().is_none(), "it was done meanwhile");
    assert_eq!(report.anonymised, 1);
    let seen = town.agent("a-09").intervention(work).await.unwrap();
    seen.entries().iter().map(|entry| entry.item.as_deref().map(str::to_owned)).collect()
}

#[test]
fn what_is_held_while_it_is_erased_stays() {
    block_on(async {
        let hold = |town: &Town, [_, other]: [RequestId; 2], _| -> Then {
            let chief = town.agent("a-09");
            Box::pin(async move {
                chief.act_on(other, None, Command::Hold { reason: "contentieux".into() }).await.unwrap();
            })
        };
        assert_eq!(forgotten_while(Of::Items, hold).await, [Some("Collier".to_owned())]);
    });
}

#[test]
fn what_is_bought_while_its_request_is_forgotten_goes_too() {
    block_on(async {
        let buy = |town: &Town, _, work| -> Then {
            let chief = town.agent("a-02");
            Box::pin(async move {
                let purchase = Purchase::net(700).supplier("enrobes-du-sud").item("Joint de Mme Le Gall");
                chief.work_on(work, None, Work::Buy(purchase)).await.unwrap();
            })
        };
        assert_eq!(forgotten_while(Of::Request, buy).await, [None, None]);
    });
}
