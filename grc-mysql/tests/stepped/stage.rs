//! Two at work, of whom one makes a call at a time: in every order that there is.

use async_trait::async_trait;
use grc_core::{
    conformance::Over,
    storage::{Batch, Claim, Document, DocumentRange, Load, Loaded, Receipt, StorageError, Store, Task},
};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// One of the two.
pub(crate) type Who = usize;

#[derive(Debug, Default)]
struct State {
    /// Who waits to make a call, and which; nobody else does anything.
    waiting: [Option<&'static str>; 2],
    ended: [bool; 2],
    go: Option<Who>,
    /// What was called, in order.
    calls: Vec<(Who, &'static str)>,
    /// The calls that take a turn: none outside of a play.
    turns: &'static [&'static str],
}

/// Where the two meet.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    state: Mutex<State>,
    news: Condvar,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        mut until: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.news.wait_while(state, |state| !until(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops before a call until it is one's turn.
    fn step(&self, who: Who, call: &'static str) {
        let mut state = self.lock();
        if !state.turns.contains(&call) {
            return;
        }
        state.waiting[who] = Some(call);
        self.news.notify_all();
        let mut state = self.wait(state, |state| state.go == Some(who));
        state.go = None;
        state.waiting[who] = None;
        state.calls.push((who, call));
    }

    /// Plays both to their ends, a turn for each of these calls. Of two that wait the one is taken that `choices` name, else
    /// the first; all that were chosen so are answered, with what was called and what came of it.
    pub(crate) fn play<T: Send>(
        &self,
        turns: &'static [&'static str],
        choices: &[Who],
        acts: [&(dyn Fn() -> T + Sync); 2],
    ) -> Played<T> {
        *self.lock() = State { turns, ..State::default() };
        let mut chosen = Vec::new();
        let ends = thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|who| {
                    scope.spawn(move || {
                        // Also when it fails, so that the other is not waited for in vain.
                        let _ending = Ending(self, who);
                        acts[who]()
                    })
                })
                .collect();
            loop {
                let all = |state: &State| {
                    state.go.is_none() && (0..2).all(|who| state.ended[who] || state.waiting[who].is_some())
                };
                let mut state = self.wait(self.lock(), all);
                let who = match state.waiting {
                    [None, None] => break,
                    [Some(_), None] => 0,
                    [None, Some(_)] => 1,
                    [Some(_), Some(_)] => {
                        let who = choices.get(chosen.len()).copied().unwrap_or(0);
                        chosen.push(who);
                        who
                    }
                };
                state.go = Some(who);
                drop(state);
                self.news.notify_all();
            }
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut state = self.lock();
        state.turns = &[];
        Played { chosen, calls: std::mem::take(&mut state.calls), ends }
    }
}

/// Says that somebody ended.
struct Ending<'a>(&'a Stage, Who);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.lock().ended[self.1] = true;
        self.0.news.notify_all();
    }
}

/// What was played.
#[derive(Debug)]
pub(crate) struct Played<T> {
    /// Whose turn it was where both could go on.
    pub(crate) chosen: Vec<Who>,
    pub(crate) calls: Vec<(Who, &'static str)>,
    /// What came of each.
    pub(crate) ends: Vec<T>,
}

impl<T> Played<T> {
    /// The place of somebody's last call of this name.
    pub(crate) fn last(&self, who: Who, call: &str) -> Option<usize> {
        self.calls.iter().rposition(|one| *one == (who, call))
    }
}

/// Plays all orders, one after the other. Answers how many there were.
pub(crate) fn every_order(mut play: impl FnMut(&[Who]) -> Vec<Who>) -> usize {
    const MOST: usize = 3_000;
    let mut choices: Vec<Who> = Vec::new();
    for count in 1..=MOST {
        choices = play(&choices);
        // The last turn that was the first one's is the other's the next time.
        while choices.pop_if(|who| *who == 1).is_some() {}
        match choices.last_mut() {
            None => return count,
            Some(last) => *last = 1,
        }
    }
    panic!("more than {MOST} orders");
}

/// One's way to the store, on which a call may have to wait for its turn.
#[derive(Debug)]
pub(crate) struct Stepped {
    pub(crate) under: Arc<dyn Store>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) who: Who,
}

#[async_trait]
impl Over for Stepped {
    fn under(&self) -> &dyn Store {
        &*self.under
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        self.stage.step(self.who, "commit");
        self.under.commit(batch).await
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        self.stage.step(self.who, "load");
        self.under.load(load).await
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        self.stage.step(self.who, "claim");
        self.under.claim(claim).await
    }

    async fn documents(&self, range: &DocumentRange) -> Result<Vec<Document>, StorageError> {
        self.stage.step(self.who, "documents");
        self.under.documents(range).await
    }
}
