//! What callers do, on each store by the same code, few and many at once, on an empty store and a filled one:
//! `cargo bench -p grc-benches --bench scenarios`. How many requests the filled one has is set by `GRC_REQUESTS`
//! (100,000 if it is not; the reference in memory is not filled beyond some thousands).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has failed")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grc_benches::{
    place::{Kind, Place},
    town::{AGENT, Town},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const CALLERS: [usize; 4] = [1, 4, 16, 64];
/// The reference looks through everything for a link or a due task.
const IN_MEMORY: usize = 2_000;
const PAGE: u32 = 50;

#[expect(clippy::disallowed_methods, reason = "criterion takes the arguments for itself")]
fn filled() -> usize {
    std::env::var("GRC_REQUESTS")
        .map_or(100_000, |text| text.parse().unwrap_or_else(|_| panic!("GRC_REQUESTS is no number: {text}")))
}

/// A town on a store, with requests in it; one in fifty is the agent's.
struct Filled {
    town: Town,
    requests: usize,
    next: AtomicUsize,
}

impl Filled {
    fn new(place: &Place, requests: usize) -> Self {
        let town = Town::open(place.ours(&format!("filled_{requests}")).unwrap()).unwrap();
        for from in (0..requests).step_by(1_000) {
            let (ids, _) = town.receive(16, from, 1_000.min(requests - from)).unwrap();
            let own: Vec<_> = ids.into_iter().step_by(50).collect();
            town.assign(16, &own).unwrap();
            // What is recorded for a comparison by hand is not needed here.
            town.committed();
        }
        Self { town, requests, next: AtomicUsize::new(requests) }
    }

    /// Numbers of requests that nobody had yet.
    fn fresh(&self, count: usize) -> usize {
        self.next.fetch_add(count, Ordering::Relaxed)
    }

    fn bench(&self, c: &mut Criterion, store: &str) {
        let name = |what: &str| format!("{what}, {store}, {} requests", self.requests);
        let mut group = c.benchmark_group(name("intake"));
        group.throughput(Throughput::Elements(1));
        for callers in CALLERS {
            group.bench_function(BenchmarkId::new("callers", callers), |b| {
                b.iter_custom(|n| {
                    let n = usize::try_from(n).unwrap();
                    let took = self.town.receive(callers, self.fresh(n), n).unwrap().1;
                    self.town.committed();
                    took
                });
            });
        }
        group.finish();
        let mut group = c.benchmark_group(name("transition"));
        group.throughput(Throughput::Elements(1));
        for callers in CALLERS {
            group.bench_function(BenchmarkId::new("callers", callers), |b| {
                b.iter_custom(|n| {
                    let n = usize::try_from(n).unwrap();
                    let (ids, _) = self.town.receive(16, self.fresh(n), n).unwrap();
                    let took = self.town.assign(callers, &ids).unwrap();
                    self.town.committed();
                    took
                });
            });
        }
        group.finish();
        if self.requests > 0 {
            c.bench_function(&name("a page of 50 of one's own"), |b| {
                b.iter(|| self.town.page(AGENT, PAGE).unwrap());
            });
            let mut group = c.benchmark_group(name("a figure by service"));
            group.sample_size(10);
            group.bench_function("one caller", |b| b.iter(|| self.town.by_service().unwrap()));
            group.finish();
        }
    }
}

fn scenarios(c: &mut Criterion) {
    for kind in Kind::ALL {
        let most = if kind == Kind::Memory { IN_MEMORY } else { usize::MAX };
        let place = Place::new(kind).unwrap();
        for requests in [0, filled().min(most)] {
            Filled::new(&place, requests).bench(c, kind.name());
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = scenarios
}
criterion_main!(benches);
