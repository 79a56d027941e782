//! Chance that comes again: the same seed gives the same year.

use std::f64::consts::TAU;

/// A generator of its own (SplitMix64), so that no dependency's new version changes the year.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// From a seed, and for one case of many.
    pub(super) const fn new(seed: u64, case: u64) -> Self {
        Self(seed ^ case.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to a bound, which is left out.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        // The bias is below one in 10^15 for bounds as small as here.
        self.next() % if bound == 0 { 1 } else { bound }
    }

    /// Whether something of so many in a hundred happens.
    pub(super) const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let place = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(place).copied()
    }

    /// One of them, by weight.
    pub(super) fn weighted<T: Copy>(&mut self, of: &[(T, u64)]) -> Option<T> {
        let mut left = self.below(of.iter().map(|(_, weight)| weight).sum());
        of.iter()
            .find(|(_, weight)| {
                let found = left < *weight;
                left = left.saturating_sub(*weight);
                found
            })
            .map(|(one, _)| *one)
    }

    /// Log-normal, by its median and the deviation of its logarithm; at most thirty times the median.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        let normal = (-2.0 * u.ln()).sqrt() * (TAU * v).cos();
        median * (normal * sigma).exp().min(30.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn it_comes_again_and_has_the_median_asked_for() {
        let throw = |seed| -> Vec<u64> {
            let mut dice = Dice::new(seed, 7);
            (0..5).map(|_| dice.below(1000)).collect()
        };
        assert_eq!(throw(1), throw(1));
        assert_ne!(throw(1), throw(2));
        let mut dice = Dice::new(3, 0);
        let below = (0..10_000).filter(|_| dice.log_normal(48.0, 0.9) < 48.0).count();
        assert!((4_800..5_200).contains(&below), "{below} of 10,000 are below the median");
        let heavy = (0..10_000).filter(|_| dice.weighted(&[('a', 3), ('b', 1)]) == Some('a')).count();
        assert!((7_300..7_700).contains(&heavy), "{heavy}");
    }
}
