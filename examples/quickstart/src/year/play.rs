//! Playing the cases: many in flight, the acts of each in order.

use super::acts::{Act, Case, Plan, What};
use crate::{
    clock::seconds_since,
    failure::{Failure, Res},
};
use grc_core::{
    Actor, Authority, Clock, GrcError, Instruction, InterventionId, RequestId, Session, SystemClock,
    TrackingCode, engine::SiteInstruction, intervention::Planning, request::Command,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{
    atomic::{AtomicBool, AtomicUsize, Ordering},
    mpsc::channel,
};

/// The role by which the program may say that something happened earlier.
pub(super) const ROLE: &str = "reprise";

/// What plays the year.
pub(super) struct Players<'a> {
    pub(super) authority: &'a Authority,
    pub(super) workers: usize,
}

/// What a case has come to.
#[derive(Default)]
struct Playing {
    requests: Vec<(usize, RequestId, TrackingCode)>,
    intervention: Option<InterventionId>,
}

impl Playing {
    fn of(&self, place: usize) -> Result<&(usize, RequestId, TrackingCode), GrcError> {
        self.requests.iter().find(|(known, ..)| *known == place).ok_or(GrcError::NotFound)
    }
}

impl Players<'_> {
    /// Plays all cases. Answers how many requests and how many acts there were.
    pub(super) fn play(&self, cases: &[Case]) -> Res<(u64, u64)> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (next, stop) = (&next, &stop);
        let (done, results) = channel::<Result<(), String>>();
        std::thread::scope(|scope| {
            for _ in 0..self.workers {
                let done = done.clone();
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) else { break };
                        if done.send(pollster::block_on(self.case(case))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(done);
            let start = SystemClock.now();
            let progress =
                ProgressBar::with_draw_target(Some(cases.len() as u64), ProgressDrawTarget::hidden());
            let mut outcome = Ok(());
            for result in results {
                progress.inc(1);
                if progress.is_hidden() && seconds_since(start) > 1.0 {
                    show(&progress);
                }
                if let Err(text) = result {
                    stop.store(true, Ordering::SeqCst);
                    outcome = Err(Failure::new(text));
                }
            }
            progress.finish_and_clear();
            outcome
        })?;
        let requests = cases.iter().map(|case| case.requests as u64).sum();
        let acts = cases.iter().map(|case| case.acts.len() as u64).sum();
        Ok((requests, acts))
    }

    async fn case(&self, case: &Case) -> Result<(), String> {
        let mut playing = Playing::default();
        for act in &case.acts {
            self.act(act, &mut playing).await.map_err(|error| {
                let reasons = error.refusal().map(ToString::to_string).unwrap_or_default();
                format!("the year is refused at {}: {error} {reasons}\n{:?}", act.at, act.what)
            })?;
        }
        Ok(())
    }

    async fn act(&self, act: &Act, playing: &mut Playing) -> Result<(), GrcError> {
        let session = match act.by {
            Some(agent) => self.authority.session(Actor::agent(agent).role(ROLE)),
            None => self.authority.session(Actor::holder(playing.of(act.request)?.2.clone())),
        };
        match &act.what {
            What::Submit(intake) => {
                let submitted = patient(|| session.submit((**intake).clone())).await?;
                playing.requests.push((act.request, submitted.id(), submitted.tracking_code().clone()));
            }
            What::Do(command) => self.command(&session, act, (**command).clone(), playing).await?,
            What::Duplicates(other) => {
                let target = playing.of(*other)?.1;
                let link = Command::Link { kind: "duplicate-of".to_owned(), target };
                self.command(&session, act, link, playing).await?;
            }
            What::Plan(plan) => {
                let planning = planning(plan, playing)?.occurred_at(act.at);
                let planned = patient(|| session.plan(planning.clone())).await?;
                playing.intervention = Some(planned.id());
            }
            What::Site(work) => {
                let id = playing.intervention.ok_or(GrcError::NotFound)?;
                let instruction = SiteInstruction::from((**work).clone()).occurred_at(act.at);
                patient(|| session.work_on(id, None, instruction.clone())).await?;
            }
        }
        Ok(())
    }

    async fn command(
        &self,
        session: &Session,
        act: &Act,
        command: Command,
        playing: &Playing,
    ) -> Result<(), GrcError> {
        let id = playing.of(act.request)?.1;
        let mut instruction = Instruction::new(command).occurred_at(act.at);
        // A requester may not replay; what they say queues nothing.
        if act.by.is_some() {
            instruction = instruction.quiet();
        }
        patient(|| session.act_on(id, None, instruction.clone())).await.map(|_| ())
    }
}

fn planning(plan: &Plan, playing: &Playing) -> Result<Planning, GrcError> {
    let mut planning =
        Planning::new(plan.from, plan.until).team(plan.team).estimate(plan.minutes, plan.cents);
    for (place, weight) in &plan.serves {
        planning = planning.serving_with(playing.of(*place)?.1, *weight);
    }
    Ok(plan.supplier.into_iter().fold(planning, Planning::supplier))
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

/// On standard error, if that is a terminal.
fn show(progress: &ProgressBar) {
    let template = "   {elapsed_precise} {bar:40} {pos}/{len} cas (reste {eta})";
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
    progress.set_draw_target(ProgressDrawTarget::stderr());
}
