//! Randomness that does not depend on how much of it is used.

use grc_core::{Entropy, EntropyError, SeededEntropy};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// A value that is not there takes no nonce, and ids that are drawn after it would be other ones. So at each command a source
/// begins anew, and bytes of each number (keys, nonces, ids) come from a source of their own. Nothing of what is compared is
/// passed over for it: two worlds must still draw the same number of ids before each that is seen.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<(u64, BTreeMap<usize, SeededEntropy>)>);

impl Turns {
    /// Begins anew.
    pub(crate) fn begin(&self, seed: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (seed, BTreeMap::new());
    }

    /// Begins anew, otherwise than before.
    pub(crate) fn next(&self) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *turns = (turns.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1), BTreeMap::new());
    }
}

impl Entropy for Turns {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (seed, sources) = &mut *turns;
        let own = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(buffer.len() as u64);
        sources.entry(buffer.len()).or_insert_with(|| SeededEntropy::new(own)).fill(buffer)
    }

    fn is_seeded(&self) -> bool {
        true
    }
}
