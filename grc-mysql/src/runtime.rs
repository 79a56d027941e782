//! Where the driver's work is done: a runtime of the store's own, so that any executor can wait for it.

use crate::error::{broken, closed, unusable};
use grc_core::storage::StorageError;
use tokio::runtime::{Builder, Handle, Runtime};

/// A Tokio runtime of a few threads. A call that is given up by its caller goes on here to its end, so that no
/// transaction is left half way.
#[derive(Debug)]
pub(crate) struct Workers {
    handle: Handle,
    // None once it was shut down.
    runtime: Option<Runtime>,
}

impl Workers {
    pub(crate) fn start(threads: usize) -> Result<Self, StorageError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("grc-mysql")
            .enable_all()
            .build()
            .map_err(|error| unusable(format!("no threads for the store: {error}")))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs something here; the answer can be awaited anywhere.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.handle
            .spawn(work)
            .await
            .unwrap_or_else(|error| Err(if error.is_panic() { broken() } else { closed() }))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // A runtime may not be dropped from within another one, but it may be left alone.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
