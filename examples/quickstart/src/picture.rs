//! A small picture made on the spot, for what is attached.

/// The check sum of a PNG chunk (CRC-32).
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The check sum of a zlib stream (Adler-32).
fn adler(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    (b << 16) | a
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut body = kind.to_vec();
    body.extend_from_slice(data);
    out.extend_from_slice(&u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(&crc(&body).to_be_bytes());
}

/// A puddle seen from above.
pub(crate) fn puddle() -> Vec<u8> {
    picture(true)
}

/// The same place when it is dry again.
pub(crate) fn dry() -> Vec<u8> {
    picture(false)
}

/// A PNG of 32 by 32 greys.
fn picture(wet: bool) -> Vec<u8> {
    const SIDE: u8 = 32;
    let mut rows = Vec::new();
    for y in 0..SIDE {
        // No filter.
        rows.push(0);
        for x in 0..SIDE {
            let (dx, dy) = (i32::from(x) - 16, i32::from(y) - 16);
            let inside = wet && dx * dx + 2 * dy * dy < 200;
            rows.push(if inside { 90 + (x ^ y) } else { 200 });
        }
    }
    // One block that is stored as it is.
    let length = u16::try_from(rows.len()).unwrap_or(0);
    let mut data = vec![0x78, 0x01, 1];
    data.extend_from_slice(&length.to_le_bytes());
    data.extend_from_slice(&(!length).to_le_bytes());
    data.extend_from_slice(&rows);
    data.extend_from_slice(&adler(&rows).to_be_bytes());
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = [0, 0, 0, SIDE];
    let header = [&side[..], &side[..], &[8, 0, 0, 0, 0]].concat();
    chunk(&mut out, *b"IHDR", &header);
    chunk(&mut out, *b"IDAT", &data);
    chunk(&mut out, *b"IEND", &[]);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sums_are_the_known_ones() {
        assert_eq!(super::crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(super::adler(b"Wikipedia"), 0x11E6_0398);
        assert!(super::puddle().starts_with(b"\x89PNG"));
    }
}
