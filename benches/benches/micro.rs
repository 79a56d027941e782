//! The pure core, function by function: `cargo bench -p grc-benches --bench micro`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use criterion::{Criterion, criterion_group, criterion_main};
use grc_benches::pure::{Pure, SLOT};
use grc_core::{
    KeyId, SystemEntropy, Value, canonical,
    condition::{Environment, Var},
    request,
    storage::Facts,
    vault,
};
use std::hint::black_box;
use uuid::Uuid;

/// The facts of a request, as conditions see them.
struct Seen(Facts);

impl Environment for Seen {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.0.get(*fact).map(Value::from),
            Var::Field(_) => None,
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

fn micro(c: &mut Criterion) {
    let pure = Pure::new().unwrap();
    let key = KeyId::from_uuid(Uuid::from_u128(2));
    let body = pure.events.first().unwrap().to_bytes().unwrap();
    let row = pure.row.to_bytes().unwrap();
    let facts = Seen(pure.request.facts(None));
    c.bench_function("decide an intake", |b| b.iter(|| pure.decide_intake().unwrap()));
    c.bench_function("decide an assignment and apply it", |b| {
        b.iter(|| pure.decide_and_apply_quietly().unwrap());
    });
    c.bench_function("decide a transition that tells", |b| b.iter(|| pure.decide().unwrap()));
    c.bench_function("decide it and apply it", |b| b.iter(|| pure.decide_and_apply().unwrap()));
    c.bench_function("what an agent may read of a request", |b| b.iter(|| pure.redact()));
    c.bench_function("apply an event", |b| {
        b.iter(|| request::Request::begin(pure.request.id, pure.events.first().unwrap()).unwrap());
    });
    c.bench_function("a condition of four comparisons", |b| {
        b.iter(|| black_box(&pure.condition).holds(black_box(&facts)));
    });
    c.bench_function("seal a value", |b| {
        b.iter(|| vault::seal(&pure.context, SLOT, key, &pure.key, &pure.value, &SystemEntropy).unwrap());
    });
    c.bench_function("open a value", |b| {
        b.iter(|| vault::open(&pure.context, &pure.key, black_box(&pure.sealed)).unwrap());
    });
    c.bench_function("commit to a value", |b| b.iter(|| vault::commit(&pure.key, &pure.value).unwrap()));
    c.bench_function("the head of an event", |b| {
        b.iter(|| request::head(&pure.context, 1, &[0; 32], black_box(&body)));
    });
    c.bench_function("encode an event", |b| b.iter(|| pure.events.first().unwrap().to_bytes().unwrap()));
    c.bench_function("decode an event", |b| {
        b.iter(|| request::Event::<request::RequestEvent>::from_bytes(black_box(&body)).unwrap());
    });
    c.bench_function("encode a state", |b| b.iter(|| canonical::to_bytes(&pure.request).unwrap()));
    c.bench_function("encode a vault of ten slots", |b| b.iter(|| pure.row.to_bytes().unwrap()));
    c.bench_function("decode a vault of ten slots", |b| {
        b.iter(|| vault::VaultRow::from_bytes(black_box(&row)).unwrap());
    });
}

criterion_group!(benches, micro);
criterion_main!(benches);
