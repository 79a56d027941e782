//! The second pass: many cases in flight, each case's steps in order.

use super::{
    cases::{Case, Flaw, Translator},
    model::{AGENT, CLOSE},
    reading::{Row, Rows},
    refused::{Collector, Fate},
};
use crate::failure::{Failure, Res};
use csv::ByteRecord;
use grc_core::{
    Actor, Assignee, Authority, GrcError, Instruction, RequestId, Session,
    request::{Command, Fire},
};
use indicatif::ProgressBar;
use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
};

/// A row for a worker: its number, its line, and its cells.
struct Job {
    number: u64,
    line: u64,
    key: u64,
    record: ByteRecord,
}

type Done = (u64, u64, Result<Fate, String>);

/// How many rows wait for each worker.
const WAITING: usize = 16;

/// What the second pass runs on.
pub(crate) struct Replay<'a> {
    pub(crate) town: &'a Authority,
    pub(crate) translator: &'a Translator<'a>,
    pub(crate) workers: usize,
    pub(crate) quiet: bool,
}

impl Replay<'_> {
    /// Replays all rows.
    pub(crate) fn run(
        &self,
        path: &Path,
        rows: &mut Rows,
        collector: &mut Collector,
        progress: &ProgressBar,
    ) -> Res<()> {
        let stop = AtomicBool::new(false);
        let (done, results) = channel::<Done>();
        let stop = &stop;
        std::thread::scope(|scope| {
            let mut queues = Vec::new();
            for _ in 0..self.workers {
                let (queue, jobs) = sync_channel::<Job>(WAITING);
                queues.push(queue);
                let done = done.clone();
                scope.spawn(move || self.work(&jobs, &done, stop));
            }
            let collecting = scope.spawn(move || {
                let outcome = collect(&results, collector, progress);
                if outcome.is_err() {
                    stop.store(true, Ordering::SeqCst);
                }
                outcome
            });
            let read = self.feed(path, rows, &queues, &done, stop);
            drop(queues);
            drop(done);
            let collected =
                collecting.join().map_err(|_| Failure::new("a thread of the import broke down"))?;
            collected.and(read)
        })
    }

    /// Gives each row to a worker. Rows with one source key go to one worker, so that the first in the file wins.
    fn feed(
        &self,
        path: &Path,
        rows: &mut Rows,
        queues: &[SyncSender<Job>],
        done: &Sender<Done>,
        stop: &AtomicBool,
    ) -> Res<()> {
        let hasher = RandomState::new();
        let mut number = 0_u64;
        while !stop.load(Ordering::SeqCst) {
            let Some((line, row)) = rows.next(path)? else { break };
            let sent = match row {
                Row::Whole(record) => {
                    let key =
                        self.translator.source(&record).map_or(number, |source| hasher.hash_one(source));
                    let place = usize::try_from(key % self.workers as u64).unwrap_or(0);
                    let job = Job { number, line, key, record };
                    queues.get(place).is_some_and(|queue| queue.send(job).is_ok())
                }
                Row::Uneven(cells) => {
                    let header = rows.header.len();
                    let flaw = Flaw {
                        column: format!("{cells} cells"),
                        code: "row.cells".to_owned(),
                        reason: format!(
                            "the row has {cells} cells, the header {header} (a separator or a quotation mark too many or too few?)"
                        ),
                    };
                    done.send((number, line, Ok(Fate::Refused(vec![flaw])))).is_ok()
                }
            };
            if !sent {
                break;
            }
            number += 1;
        }
        Ok(())
    }

    fn work(&self, jobs: &Receiver<Job>, done: &Sender<Done>, stop: &AtomicBool) {
        let session = self.town.session(Actor::agent(AGENT));
        // The engine refuses a source key that was taken in before; one that comes again with another month of
        // opening is found here.
        let mut taken: HashSet<u64> = HashSet::new();
        while let Ok(job) = jobs.recv() {
            if stop.load(Ordering::SeqCst) {
                continue;
            }
            let known = self.translator.source(&job.record).is_some() && taken.contains(&job.key);
            let fate = match self.translator.case(&job.record) {
                Err(flaws) => Ok(Fate::Refused(flaws)),
                Ok(_) if known => Ok(Fate::Refused(vec![self.duplicate()])),
                Ok(case) => pollster::block_on(self.replay(&session, case)),
            };
            let is_there = match &fate {
                Ok(Fate::Accepted | Fate::Incomplete(_)) => true,
                Ok(Fate::Refused(flaws)) => flaws.iter().any(|flaw| flaw.code == "source.duplicate"),
                Err(_) => false,
            };
            if is_there {
                taken.insert(job.key);
            }
            let fate = fate.map_err(|error| error.to_string());
            if fate.is_err() {
                stop.store(true, Ordering::SeqCst);
            }
            if done.send((job.number, job.line, fate)).is_err() {
                return;
            }
        }
    }

    fn duplicate(&self) -> Flaw {
        Flaw {
            column: self.translator.source_column().to_owned(),
            code: "source.duplicate".to_owned(),
            reason: "a request with this source key was taken in before; leave it out: it is here already"
                .to_owned(),
        }
    }

    /// One case, step by step. An error that is no refusal ends the run.
    async fn replay(&self, session: &Session, case: Case) -> Result<Fate, GrcError> {
        let Case { intake, opened, closed, state, assigned, acceptability, outcome, note, message } = case;
        let submitted = match patient(|| session.submit(intake.clone())).await {
            Ok(submitted) => submitted,
            Err(error) => return self.refused(error).map(Fate::Refused),
        };
        let id = submitted.id();
        let mut steps = Vec::new();
        if let Some(word) = acceptability {
            let assess = Command::Assess { acceptability: word.to_string(), reason: None };
            steps.push((assess, opened));
        }
        if let Some(service) = assigned {
            steps.push((Command::assign(Assignee::service(service.as_str())), opened));
        }
        let reached = state.as_ref().filter(|_| closed.is_none()).map(grc_core::Word::as_str);
        let way = match reached {
            Some("en-cours") => Some("prendre"),
            Some("en-attente") => Some("attendre"),
            _ => None,
        };
        steps.extend(way.map(|way| (Command::Fire(Fire::new(way)), opened)));
        if let Some(closed) = closed {
            let fire = outcome.iter().fold(Fire::new(CLOSE), |fire, word| fire.outcome(word.as_str()));
            let fire = note.into_iter().fold(fire, Fire::note);
            let fire = message.into_iter().fold(fire, Fire::message);
            steps.push((Command::Fire(fire), closed));
        } else {
            steps.extend(note.map(|text| (Command::note(text), opened)));
            steps.extend(message.map(|text| (Command::tell(text), opened)));
        }
        for (command, at) in steps {
            let mut instruction = Instruction::new(command).occurred_at(at);
            if self.quiet {
                instruction = instruction.quiet();
            }
            if let Err(error) = self.step(session, id, &instruction).await {
                return self.refused(error).map(Fate::Incomplete);
            }
        }
        Ok(Fate::Accepted)
    }

    async fn step(
        &self,
        session: &Session,
        id: RequestId,
        instruction: &Instruction,
    ) -> Result<(), GrcError> {
        patient(|| session.act_on(id, None, instruction.clone())).await.map(|_| ())
    }

    fn refused(&self, error: GrcError) -> Result<Vec<Flaw>, GrcError> {
        match error.refusal() {
            Some(refusal) => Ok(self.translator.flaws(refusal)),
            None => Err(error),
        }
    }
}

/// Again if others were in the way.
async fn patient<T, F: Future<Output = Result<T, GrcError>>>(
    mut run: impl FnMut() -> F,
) -> Result<T, GrcError> {
    for _ in 0..10 {
        match run().await {
            Err(GrcError::Busy) => std::thread::yield_now(),
            other => return other,
        }
    }
    run().await
}

fn collect(results: &Receiver<Done>, collector: &mut Collector, progress: &ProgressBar) -> Res<()> {
    while let Ok((number, line, fate)) = results.recv() {
        progress.inc(1);
        match fate {
            Ok(fate) => collector.take(number, line, fate)?,
            Err(error) => return Err(Failure::new(format!("line {line}: {error}"))),
        }
    }
    Ok(())
}
