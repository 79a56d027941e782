//! The town to which it is handed in, and what it may answer.

use crate::memory;
use grc_core::{
    Actor, Authority, Definition, Grc, GrcError, Host, Intake, ManualClock, Moment, RequestId, SeededEntropy,
    Session, Stores, Word,
};
use pollster::block_on;
use std::{
    fmt::Debug,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

pub(crate) struct Town {
    pub(crate) grc: Grc,
    pub(crate) authority: Authority,
    pub(crate) clock: Arc<ManualClock>,
}

impl Town {
    pub(crate) fn open(stores: Stores) -> Self {
        let text = include_str!("../definitions/hostile.toml");
        let definition =
            Definition::from_files([("hostile.toml", text)]).unwrap_or_else(|error| panic!("{error}"));
        let now: chrono::DateTime<chrono::Utc> = "2026-11-24T09:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(Moment::from(now)));
        let shown: Arc<dyn grc_core::Clock> = Arc::<ManualClock>::clone(&clock);
        block_on(async {
            let grc = Grc::with(stores, shown, Arc::new(SeededEntropy::new(3))).await.unwrap();
            let authority = grc.authority("ville").unwrap();
            authority.host("essai").publish(&definition).await.unwrap();
            Self { grc, authority, clock }
        })
    }

    pub(crate) fn desk(&self) -> Session {
        self.authority.session(Actor::agent("a-1"))
    }

    pub(crate) fn host(&self) -> Host {
        self.authority.host("essai")
    }

    pub(crate) fn request(&self) -> RequestId {
        block_on(self.desk().submit(Intake::new("tout", "web"))).unwrap().id()
    }
}

/// How much more memory than it was given a call may have at once: for each byte, and besides.
const PER_BYTE: usize = 12;
const BESIDES: usize = 8 << 20;

/// How long a call may take: for each million bytes that it was given, and besides. Many times what is measured while other
/// programs keep the machine busy, since a clock on the wall counts their turns too.
const PER_MILLION: Duration = Duration::from_secs(2);
const AT_LEAST: Duration = Duration::from_secs(10);

/// How long the slowest call of the test took, and how many bytes it was given.
static SLOWEST: Mutex<(Duration, usize)> = Mutex::new((Duration::ZERO, 0));

#[expect(clippy::disallowed_methods, reason = "how long a call takes is measured")]
fn now() -> Instant {
    Instant::now()
}

/// Makes a call with something hostile, of so many bytes, in bounded memory and time.
#[track_caller]
pub(crate) fn bounded<T>(hostile: &str, size: usize, call: impl FnOnce() -> T) -> T {
    let begun = now();
    let (peak, answer) = memory::peak_of(call);
    let took = begun.elapsed();
    assert!(peak <= size * PER_BYTE + BESIDES, "{peak} bytes at once for {size}: {:?}", start(hostile));
    let most = AT_LEAST + PER_MILLION.mul_f64(size as f64 / 1e6);
    assert!(took <= most, "{took:?} for {size} bytes: {:?}", start(hostile));
    let mut slowest = SLOWEST.lock().unwrap_or_else(PoisonError::into_inner);
    *slowest = (*slowest).max((took, size));
    answer
}

/// Calls with something hostile, of so many bytes. It is answered, or refused in few words that repeat nothing of it,
/// in bounded memory and time.
#[track_caller]
pub(crate) fn answered<T: Debug>(
    hostile: &str,
    size: usize,
    call: impl Future<Output = Result<T, GrcError>>,
) -> Result<T, GrcError> {
    let answer = bounded(hostile, size, || block_on(call));
    let error = match answer {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let (said, shown) = (error.to_string(), format!("{error:?}"));
    assert!(
        said.len() < 3_000 && shown.len() < 6_000,
        "{} bytes are said of {:?}",
        said.len(),
        start(hostile)
    );
    // Short ones are in any sentence.
    // An identifier may be named: it says where.
    if hostile.trim().chars().count() >= 12 && Word::new(hostile).is_err() {
        let needle: String = hostile.trim().chars().take(200).collect();
        assert!(!said.contains(&needle), "{said}");
        assert!(!shown.contains(&needle) && !shown.contains(&needle.escape_debug().to_string()), "{shown}");
    }
    match &error {
        GrcError::Refused(refusal) | GrcError::NotPermitted(refusal) => {
            for problem in refusal.problems() {
                assert!(!problem.path.is_empty() && !problem.code.is_empty() && !problem.message.is_empty());
            }
        }
        GrcError::NotFound | GrcError::Unsuitable(_) => {}
        other => panic!("neither taken nor refused: {other:?} of {:?}", start(hostile)),
    }
    Err(error)
}

/// Whether it was refused for a reason of this code.
#[track_caller]
pub(crate) fn refused_for<T: Debug>(code: &str, answer: Result<T, GrcError>) {
    let error = answer.unwrap_err();
    assert!(error.refusal().is_some_and(|refusal| refusal.has(code)), "{error}");
}

/// The beginning of a text, to tell it by.
pub(crate) fn start(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Ends the program when a test hangs, and keeps the other tests waiting meanwhile. Dropped, it lets all go on, and says how
/// long the slowest call took.
pub(crate) struct Watchdog {
    test: &'static str,
    _alive: mpsc::Sender<()>,
    _alone: MutexGuard<'static, ()>,
}

impl Watchdog {
    pub(crate) fn new(test: &'static str) -> Self {
        let alone = memory::alone();
        *SLOWEST.lock().unwrap_or_else(PoisonError::into_inner) = (Duration::ZERO, 0);
        let (alive, ended) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(Duration::from_mins(2)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs");
                std::process::abort();
            }
        });
        Self { test, _alive: alive, _alone: alone }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let (took, size) = *SLOWEST.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!("{}: the slowest call took {took:?}, of {size} bytes", self.test);
    }
}
