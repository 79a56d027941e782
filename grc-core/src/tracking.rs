//! Tracking codes: what a citizen follows a request by (docs/formats.md §11).

use crate::{Entropy, EntropyError, entropy};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH: usize = 12;

/// A short random code, easy to dictate: no look-alike symbols, and a check symbol that notices every single wrong
/// symbol and every exchange of two. Whoever has it may follow the request, so its `Debug` does not show it.
///
/// ```
/// use grc_core::{SeededEntropy, TrackingCode};
/// let code = TrackingCode::fresh(&SeededEntropy::new(1))?;
/// let read: TrackingCode = code.to_string().to_lowercase().replace('-', " ").parse().unwrap();
/// assert_eq!(read, code);
/// assert!("2222-2222-2223".parse::<TrackingCode>().is_err());
/// # Ok::<(), grc_core::EntropyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TrackingCode(Zeroizing<[u8; LENGTH]>);

/// A text is not a tracking code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a tracking code: it has 12 letters and digits, written XXXX-XXXX-XXXX, without 0, 1, I, L and O"
)]
pub struct TrackingCodeError;

impl TrackingCode {
    /// A fresh code.
    ///
    /// # Errors
    /// [`EntropyError`] if there are no random bytes.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut values = Vec::with_capacity(LENGTH);
        while values.len() < LENGTH - 1 {
            let bytes: [u8; 16] = entropy::bytes(entropy)?;
            // 248 is the greatest multiple of 31 in a byte: above it, some symbols would be more likely.
            values.extend(bytes.iter().filter(|byte| **byte < 248).map(|byte| byte % 31));
            values.truncate(LENGTH - 1);
        }
        let sum = weighted(&values);
        // 12·v ≡ −sum (mod 31), and 13 is the inverse of 12 (12·13 = 156 = 5·31 + 1).
        let check = (31 - sum) % 31 * 13 % 31;
        values.push(u8::try_from(check).unwrap_or(0));
        let symbols =
            values.iter().map(|v| ALPHABET.get(usize::from(*v)).copied().unwrap_or(b'2')).collect::<Vec<_>>();
        Ok(Self(Zeroizing::new(symbols.try_into().unwrap_or([b'2'; LENGTH]))))
    }

    /// The symbols without separators.
    pub(crate) fn symbols(&self) -> &[u8] {
        &*self.0
    }
}

fn weighted(values: &[u8]) -> u32 {
    values.iter().zip(1_u32..).map(|(value, weight)| u32::from(*value) * weight).sum::<u32>() % 31
}

impl FromStr for TrackingCode {
    type Err = TrackingCodeError;

    fn from_str(text: &str) -> Result<Self, TrackingCodeError> {
        if text.len() > 64 {
            return Err(TrackingCodeError);
        }
        let symbols: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b' ' | b'-'))
            .map(|byte| byte.to_ascii_uppercase())
            .collect();
        let values = symbols
            .iter()
            .map(|symbol| {
                ALPHABET.iter().position(|known| known == symbol).and_then(|v| u8::try_from(v).ok())
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(TrackingCodeError)?;
        let symbols: [u8; LENGTH] = symbols.try_into().map_err(|_| TrackingCodeError)?;
        if weighted(&values) == 0 { Ok(Self(Zeroizing::new(symbols))) } else { Err(TrackingCodeError) }
    }
}

impl fmt::Display for TrackingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, symbol) in self.0.iter().enumerate() {
            if n > 0 && n % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for TrackingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrackingCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn every_wrong_symbol_and_every_exchange_is_noticed() {
        let entropy = SeededEntropy::new(7);
        for _ in 0..50 {
            let code = TrackingCode::fresh(&entropy).unwrap();
            let symbols = code.symbols().to_vec();
            for place in 0..LENGTH {
                for symbol in ALPHABET {
                    let mut wrong = symbols.clone();
                    wrong[place] = *symbol;
                    let parsed = String::from_utf8(wrong.clone()).unwrap().parse::<TrackingCode>();
                    assert_eq!(parsed.is_ok(), wrong == symbols);
                }
                for other in 0..place {
                    let mut wrong = symbols.clone();
                    wrong.swap(place, other);
                    let parsed = String::from_utf8(wrong.clone()).unwrap().parse::<TrackingCode>();
                    assert_eq!(parsed.is_ok(), wrong == symbols);
                }
            }
        }
    }
}
