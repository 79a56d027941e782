//! Benchmarks. Nothing is here yet.
