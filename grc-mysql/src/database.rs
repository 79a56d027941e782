//! A database at work: its connections, and the threads that use them.

use crate::{Options, error::Outcome, runtime::Workers, server::Server};
use grc_core::storage::StorageError;

/// A database of a server, with threads of its own.
#[derive(Debug)]
pub(crate) struct Database {
    // Given up before the threads that work with it.
    server: Server,
    workers: Workers,
}

impl Database {
    /// Opens the database at an address. `connect` makes it ready, and says what it found.
    pub(crate) async fn open<T, F>(
        options: &Options,
        address: &str,
        connect: impl Fn(Server, Options) -> F + Send + 'static,
    ) -> Result<(Self, T), StorageError>
    where
        T: Send + 'static,
        F: Future<Output = Outcome<T>> + Send,
    {
        let workers = Workers::start(options.threads)?;
        let (options, address) = (options.clone(), address.to_owned());
        let (server, found) = workers
            .run(async move {
                // Within the runtime, which the driver wants to be there.
                let server = Server::at(&address, &options)?;
                let mut waits = server.lock_waits();
                let found = loop {
                    match connect(server.clone(), options.clone()).await {
                        // Several processes may make it ready at once: the first does, the others find it done.
                        Err(fault) if fault.is_clash() && waits > 0 => waits -= 1,
                        other => break other.map_err(|fault| fault.at(server.place()))?,
                    }
                };
                Ok((server, found))
            })
            .await?;
        Ok((Self { server, workers }, found))
    }

    /// Where it is, without the account.
    pub(crate) fn place(&self) -> &str {
        self.server.place()
    }

    /// Does something on its own threads.
    pub(crate) async fn run<T, F>(&self, work: impl FnOnce(Server) -> F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let place = self.server.clone();
        let work = work(self.server.clone());
        self.workers.run(async move { work.await.map_err(|fault| fault.at(place.place())) }).await
    }

    /// Waits for what was handed in, and closes the connections. Later calls fail.
    pub(crate) async fn close(&self) {
        // Fails only when there is nothing left to close.
        let _ = self
            .run(|server| async move {
                server.close().await;
                Ok(())
            })
            .await;
    }
}
