//! Threads with a connection each, which do what they are handed.

use crate::error::{Fault, Outcome};
use rusqlite::Connection;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
};

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The pool has ended, or a thread of it has died.
#[derive(Debug)]
pub(crate) struct Closed;

/// A few threads, each with its own connection. Ends them when it is dropped.
pub(crate) struct Pool(Mutex<Option<Running>>);

struct Running {
    jobs: mpsc::Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts a thread for each connection.
    pub(crate) fn start(name: &str, connections: Vec<Connection>) -> std::io::Result<Self> {
        let (jobs, received) = mpsc::channel::<Job>();
        let received = Arc::new(Mutex::new(received));
        let mut threads = Vec::new();
        for connection in connections {
            let received = Arc::clone(&received);
            threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                loop {
                    // Whoever holds the lock waits for the next job; the others wait for the lock.
                    let next = received.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match next {
                        Ok(job) => job(&connection),
                        Err(mpsc::RecvError) => break,
                    }
                }
            })?);
        }
        Ok(Self(Mutex::new(Some(Running { jobs, threads }))))
    }

    /// Runs something on one of the connections.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<Outcome<T>, Closed> {
        let (reply, answer) = oneshot::async_channel();
        let job: Job = Box::new(move |connection| {
            // The caller may have gone.
            let _ = reply.send(work(connection));
        });
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(running) => running.jobs.send(job).map_err(|_| Closed)?,
            None => return Err(Closed),
        }
        answer.await.map_err(|_| Closed)
    }

    /// Ends the threads when they have done what they were handed.
    pub(crate) fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { jobs, threads }) = running {
            drop(jobs);
            for thread in threads {
                // A thread that panicked has nothing left to end.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl From<Closed> for Fault {
    fn from(_: Closed) -> Self {
        Self::Store(crate::error::closed())
    }
}
