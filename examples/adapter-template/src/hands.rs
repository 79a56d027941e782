//! Threads that do what blocks. An engine whose driver is asynchronous needs nothing of this file.

use crate::error::{closed, unanswered};
use grc_core::storage::StorageError;
use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
};

type Job = Box<dyn FnOnce() + Send>;

/// A few threads. They end when this is dropped, after what they were handed.
pub(crate) struct Hands(Mutex<Option<Running>>);

struct Running {
    jobs: mpsc::Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Hands {
    pub(crate) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let (jobs, received) = mpsc::channel::<Job>();
        let received = Arc::new(Mutex::new(received));
        let start = |_| {
            let received = Arc::clone(&received);
            Builder::new().name(name.to_owned()).spawn(move || {
                // Whoever holds the lock waits for the next job, the others for the lock.
                let next = || received.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok(job) = next() {
                    // The caller hears of a panic by not being answered; the thread goes on.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })
        };
        let threads = (0..threads.max(1)).map(start).collect::<io::Result<_>>()?;
        Ok(Self(Mutex::new(Some(Running { jobs, threads }))))
    }

    /// Has a thread do something. A call that is given up is still done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (reply, answer) = oneshot::async_channel();
        let job: Job = Box::new(move || {
            // The caller may have gone.
            let _ = reply.send(work());
        });
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(running) => running.jobs.send(job).map_err(|_| closed())?,
            None => return Err(closed()),
        }
        answer.await.unwrap_or_else(|_| Err(unanswered()))
    }

    pub(crate) fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { jobs, threads }) = running {
            drop(jobs);
            for thread in threads {
                // It cannot have panicked.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Hands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hands").finish_non_exhaustive()
    }
}
