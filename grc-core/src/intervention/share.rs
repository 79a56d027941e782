//! Sharing what an intervention took over the requests that it serves.

/// Shares an amount by weights: the shares sum to it exactly. Each is the exact part rounded down, and what is left
/// goes one by one to those that were rounded down the most; among equals it begins at `turn`, so that of many small
/// amounts not always the same pays the odd cent. Weights that are all nothing share equally.
///
/// ```
/// use grc_core::intervention::shares;
/// assert_eq!(shares(100, &[1, 1, 1], 0), [34, 33, 33]);
/// assert_eq!(shares(100, &[1, 1, 1], 1), [33, 34, 33]);
/// assert_eq!(shares(-100, &[3, 1], 0), [-75, -25]);
/// ```
pub fn shares(amount: i64, weights: &[u32], turn: usize) -> Vec<i64> {
    let count = weights.len();
    if count == 0 {
        return Vec::new();
    }
    let equal = weights.iter().all(|weight| *weight == 0);
    let weight = |index: usize| {
        if equal { 1 } else { i128::from(weights.get(index).copied().unwrap_or(0)) }
    };
    let total: i128 = (0..count).map(weight).sum();
    let amount = i128::from(amount);
    let mut out: Vec<i128> = (0..count).map(|index| (amount * weight(index)).div_euclid(total)).collect();
    let mut left = amount - out.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|index| {
        let lost = (amount * weight(*index)).rem_euclid(total);
        (-lost, (*index + count - turn % count) % count)
    });
    for index in order {
        if left == 0 {
            break;
        }
        if let Some(share) = out.get_mut(index) {
            *share += 1;
            left -= 1;
        }
    }
    // Each lies between nothing and the amount.
    out.into_iter().map(|share| i64::try_from(share).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_always_sum_to_the_whole_and_lie_within_a_unit_of_the_exact_part() {
        let mut state = 7_u64;
        let mut next = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let mut odd = 0;
        for _ in 0..20_000 {
            let weights: Vec<u32> = (0..=next(12)).map(|_| next(40) as u32).collect();
            let amount = next(2_000_001) as i64 - 1_000_000;
            let turn = next(300) as usize;
            let shared = shares(amount, &weights, turn);
            assert_eq!(shared.iter().sum::<i64>(), amount, "{amount} over {weights:?}");
            let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            for (share, weight) in shared.iter().zip(&weights) {
                let exact = match total {
                    0 => amount as f64 / weights.len() as f64,
                    total => amount as f64 * f64::from(*weight) / total as f64,
                };
                assert!((*share as f64 - exact).abs() < 1.0, "{share} of {exact}");
                odd += u32::from((*share as f64 - exact).abs() > 1e-9);
            }
        }
        println!("{odd} shares were rounded");
        assert!(odd > 10_000);
        assert_eq!(
            shares(i64::MAX, &[1, 2], 0).iter().map(|s| i128::from(*s)).sum::<i128>(),
            i128::from(i64::MAX)
        );
        assert_eq!(shares(5, &[], 0), [] as [i64; 0]);
    }

    #[test]
    fn the_odd_cents_take_turns() {
        let mut paid = [0, 0, 0];
        for turn in 0..30 {
            for (paid, share) in paid.iter_mut().zip(shares(1, &[1, 1, 1], turn)) {
                *paid += share;
            }
        }
        assert_eq!(paid, [10, 10, 10]);
    }
}
