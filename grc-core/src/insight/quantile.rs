//! Means and quantiles of delays.

const HOUR: f64 = 3_600_000_000.0;

/// The mean of microseconds, in hours.
pub(super) fn mean(delays: &[i64]) -> Option<f64> {
    if delays.is_empty() {
        return None;
    }
    let sum: i128 = delays.iter().map(|delay| i128::from(*delay)).sum();
    Some(sum as f64 / delays.len() as f64 / HOUR)
}

/// A quantile by linear interpolation (Hyndman and Fan, type 7), in hours; the values are in microseconds, sorted.
pub(super) fn quantile(sorted: &[i64], numerator: usize, denominator: usize) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? * numerator;
    let (index, rest) = (place / denominator, place % denominator);
    let low = *sorted.get(index)?;
    let high = sorted.get(index + 1).copied().unwrap_or(low);
    Some((low as f64 + (high as f64 - low as f64) * (rest as f64 / denominator as f64)) / HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let hours = |values: &[i64]| values.iter().map(|v| v * 3_600_000_000).collect::<Vec<_>>();
        for (values, half, ninety, middle) in [
            (vec![], None, None, None),
            (vec![5], Some(5.0), Some(5.0), Some(5.0)),
            (vec![1, 2], Some(1.5), Some(1.9), Some(1.5)),
            (vec![-3, 0, 4, 10], Some(2.0), Some(8.2), Some(2.75)),
            (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], Some(5.0), Some(9.0), Some(5.0)),
        ] {
            let sorted = hours(&values);
            for (found, expected) in
                [(quantile(&sorted, 1, 2), half), (quantile(&sorted, 9, 10), ninety), (mean(&sorted), middle)]
            {
                let near = match (found, expected) {
                    (Some(found), Some(expected)) => f64::abs(found - expected) < 1e-9,
                    (found, expected) => found == expected,
                };
                assert!(near, "{values:?}: {found:?} {expected:?}");
            }
        }
    }
}
