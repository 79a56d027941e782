//! Moments, in any zone, at the ends of time.

use grc_core::Moment;

/// Any bytes: a moment, milliseconds, months, a zone.
pub fn run(data: &[u8]) -> bool {
    let mut bytes = [0; 24];
    for (to, from) in bytes.iter_mut().zip(data) {
        *to = *from;
    }
    let number = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let (micros, millis, rest) = (number(0), number(8), number(16));
    let zone = chrono_tz::TZ_VARIANTS[(rest as u64 % chrono_tz::TZ_VARIANTS.len() as u64) as usize];
    let months = (rest >> 32) as u32;
    for at in [Moment::from_micros(micros), Moment::from_micros(micros).plus_millis(millis)] {
        let _ = (at.to_string(), at.month(zone), at.plus_days(millis), at.plus_months(months, zone));
        let begun = Moment::start_of(at.day(zone), zone);
        // Of the years that documents are of. A gap ends within half an hour of where it is looked for.
        if at.micros().unsigned_abs() < 250_000_000_000_000_000 {
            let since = at.micros() - begun.micros();
            assert!((-1_800_000_000..90_000_000_000).contains(&since), "{at} in {zone}: {since}");
        }
    }
    data.len() >= 24
}
