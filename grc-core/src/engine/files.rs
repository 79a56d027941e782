//! Attachments: sealed piece by piece before the event that names them.

use super::{Authority, GrcError, Here, Seen};
use crate::{
    BlobId, Value,
    definition::{Field, FieldKind},
    refusal::{Problem, Refusal},
    request::{Disguise, NewFile, media_of},
    vault::{FileInfo, FileKey, PIECE},
};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// The largest file that is taken for a field of this name by any type: what is sent is not read further than that.
async fn largest(authority: &Authority, field: Option<&str>) -> Result<u64, GrcError> {
    let default = Field::default_max(FieldKind::File);
    let Some(name) = field else { return Ok(default.unsigned_abs()) };
    let current = authority.organisation(None).await?;
    let mut largest = 0;
    for (type_, version) in &current.document.procedures {
        let procedure = authority.procedure(type_, *version).await?;
        if let Some(field) = procedure.field(name).filter(|field| field.kind == FieldKind::File) {
            largest = largest.max(field.max.unwrap_or(default));
        }
    }
    Ok(u64::try_from(largest).unwrap_or(0))
}

fn refuse(code: &'static str, message: &str, hint: &str) -> GrcError {
    Refusal::from(Problem::new(code, "file", message.to_owned()).hint(hint)).into()
}

/// Reads up to a whole piece.
fn next_piece(bytes: &mut (impl Read + Send)) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut piece = Zeroizing::new(Vec::with_capacity(PIECE));
    bytes.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// Stores a file's bytes, sealed.
pub(super) async fn store(
    authority: &Authority,
    field: Option<&str>,
    name: &str,
    mut bytes: impl Read + Send,
) -> Result<NewFile, GrcError> {
    let inner = authority.inner();
    let grc = &inner.grc.0;
    let now = grc.clock.now();
    if name.is_empty() || name.chars().count() > 200 || name.contains(['/', '\\', '\0', '\n', '\r']) {
        return Err(refuse(
            "file.name",
            "this is not the name of a file",
            "give 1 to 200 characters without slashes",
        ));
    }
    let max = largest(authority, field).await?;
    if max == 0 {
        return Err(refuse(
            "field.unknown",
            "there is no such file field",
            "name a file field of a type, or none",
        ));
    }
    let mut piece = next_piece(&mut bytes)?;
    if piece.is_empty() {
        return Err(refuse("file.empty", "this file is empty", "attach a file with something in it"));
    }
    let media = media_of(name, &piece).map_err(|disguise| match disguise {
        Disguise::Otherwise { media } => refuse(
            "file.disguised",
            &format!("the name of this file ends like another kind than what it is, `{media}`"),
            "give the file its own ending",
        ),
        Disguise::Program => refuse(
            "file.program",
            "programs, scripts and web pages are not taken",
            "attach a picture or a document",
        ),
    })?;
    let key = FileKey::fresh(&*grc.entropy)?;
    let blob = BlobId::fresh(now, &*grc.entropy)?;
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    let mut number = 0_u32;
    let result = loop {
        size += piece.len() as u64;
        if size > max {
            break Err(refuse(
                "file.too-large",
                "this file is too large",
                &format!("attach at most {max} bytes"),
            ));
        }
        hash.update(&*piece);
        let next = match next_piece(&mut bytes) {
            Ok(next) => next,
            Err(error) => break Err(error.into()),
        };
        let last = next.is_empty();
        let sealed = key.seal(blob, number, last, &piece, &*grc.entropy)?;
        if let Err(error) = grc.stores.blobs.put(&inner.name, blob, number, now, sealed).await {
            break Err(error.into());
        }
        if last {
            break Ok(());
        }
        number += 1;
        piece = next;
    };
    if let Err(error) = result {
        // As far as possible; the sweep takes what is left.
        let _ = grc.stores.blobs.remove(&inner.name, blob).await;
        return Err(error);
    }
    let info = FileInfo::new(name.to_owned(), media.to_owned(), size, &hash.finalize().into(), &key);
    Ok(NewFile::new(field.map(str::to_owned), blob, info))
}

/// Reads a file that a view shows, piece by piece. Each piece is known to be what was sealed there before it is written.
/// Answers how many bytes there were.
pub(super) fn read<'a>(
    authority: &'a Authority,
    seen: &'a Seen,
    file: BlobId,
    out: &'a mut (dyn Write + Send),
) -> Here<'a, Result<u64, GrcError>> {
    Box::pin(async move {
        let inner = authority.inner();
        let shown = seen.files().iter().find(|shown| shown.id() == file).ok_or(GrcError::NotFound)?;
        let key = shown
            .info
            .key()
            .ok_or_else(|| GrcError::Corrupt("the key of a file cannot be read".to_owned()))?;
        let total = shown.info.bytes;
        let pieces = total.div_ceil(PIECE as u64).max(1);
        let mut hash = Sha256::new();
        for number in 0..pieces {
            let damaged = || GrcError::Corrupt(format!("piece {number} of a file is missing or damaged"));
            let number32 = u32::try_from(number).map_err(|_| damaged())?;
            let stored =
                inner.grc.0.stores.blobs.get(&inner.name, shown.id(), number32).await?.ok_or_else(damaged)?;
            let plain = key.open(shown.id(), number32, number + 1 == pieces, &stored).ok_or_else(damaged)?;
            hash.update(&plain);
            out.write_all(&plain)?;
        }
        let sha: [u8; 32] = hash.finalize().into();
        if crate::hex::encode(&sha) == shown.info.sha256 {
            out.flush()?;
            Ok(total)
        } else {
            Err(GrcError::Corrupt("a file is not what was attached".to_owned()))
        }
    })
}

/// The description in a file's slot.
pub(super) fn info_of(value: Option<&Value>) -> Option<FileInfo> {
    match value {
        Some(Value::File(info)) => Some((**info).clone()),
        _ => None,
    }
}
