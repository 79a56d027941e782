//! What a file is, by its bytes and not by its name.

/// A file is not what its name says, or is of a kind that is never taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disguise {
    /// The name ends like one kind of file, the bytes begin like another.
    Otherwise {
        /// What the bytes are.
        media: &'static str,
    },
    /// A program or a script.
    Program,
}

/// How files of a kind begin, their media type and the endings of their names.
const KINDS: &[(&[u8], &str, &[&str])] = &[
    (b"\xff\xd8\xff", "image/jpeg", &["jpg", "jpeg"]),
    (b"\x89PNG\r\n\x1a\n", "image/png", &["png"]),
    (b"GIF87a", "image/gif", &["gif"]),
    (b"GIF89a", "image/gif", &["gif"]),
    (b"%PDF-", "application/pdf", &["pdf"]),
    (b"PK\x03\x04", "application/zip", &["zip", "docx", "xlsx", "odt", "ods"]),
];

const PROGRAMS: &[&[u8]] = &[b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"];

/// Finds the media type of a file by its first bytes, and refuses what is in disguise. What is not recognised is
/// `text/plain` if it is UTF-8 without control characters, else `application/octet-stream`.
///
/// # Errors
/// [`Disguise`] if the name ends like another kind of file, or if it is a program.
///
/// ```
/// use grc_core::request::{Disguise, media_of};
/// assert_eq!(media_of("fuite.jpg", b"\xff\xd8\xff\xe0rest"), Ok("image/jpeg"));
/// assert_eq!(media_of("fuite.jpg", b"%PDF-1.7"), Err(Disguise::Otherwise { media: "application/pdf" }));
/// assert_eq!(media_of("fuite.jpg", b"MZ\x90"), Err(Disguise::Program));
/// ```
pub fn media_of(name: &str, start: &[u8]) -> Result<&'static str, Disguise> {
    if PROGRAMS.iter().any(|program| start.starts_with(program)) {
        return Err(Disguise::Program);
    }
    let is_webp = start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP");
    let is_heic = start.get(4..8) == Some(b"ftyp");
    let found = KINDS
        .iter()
        .find(|(begin, ..)| start.starts_with(begin))
        .map(|(_, media, endings)| (*media, *endings))
        .or(is_webp.then_some(("image/webp", &["webp"][..])))
        .or(is_heic.then_some(("image/heic", &["heic", "heif", "mp4", "mov"][..])));
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if let Some((media, endings)) = found {
        return match ending {
            Some(ending) if !endings.contains(&ending.as_str()) => Err(Disguise::Otherwise { media }),
            _ => Ok(media),
        };
    }
    let printable = match std::str::from_utf8(start) {
        Ok(text) => text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')),
        // Cut in the middle of a character, perhaps.
        Err(error) => error.error_len().is_none(),
    };
    let media = if printable { "text/plain" } else { "application/octet-stream" };
    let claims = ending.is_some_and(|ending| {
        KINDS.iter().any(|(_, _, endings)| endings.contains(&ending.as_str()))
            || ["webp", "heic"].contains(&ending.as_str())
    });
    // Pages that browsers would run.
    let head =
        String::from_utf8_lossy(start.get(..start.len().min(512)).unwrap_or_default()).to_ascii_lowercase();
    if ["<script", "<!doctype html", "<html", "<svg"].iter().any(|tag| head.contains(tag)) {
        return Err(Disguise::Program);
    }
    if claims && !start.is_empty() { Err(Disguise::Otherwise { media }) } else { Ok(media) }
}
