//! What many write at once in tests, and what must be there afterwards.

pub(crate) mod follower;
pub(crate) mod found;
pub(crate) mod plan;
pub(crate) mod writer;
