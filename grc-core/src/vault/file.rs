//! The sealing of attachments, piece by piece (docs/formats.md §9).

use crate::{BlobId, Entropy, EntropyError, entropy};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Plain bytes of a piece.
pub const PIECE: usize = 65_536;

/// The key of one attachment. It exists in its slot only.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`EntropyError`] if there are no random bytes.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy::bytes(entropy)?)))
    }

    fn associated(blob: BlobId, piece: u32, last: bool) -> Vec<u8> {
        let mut bytes = b"grc-blob-1\0".to_vec();
        bytes.extend_from_slice(blob.as_bytes());
        bytes.extend_from_slice(&piece.to_be_bytes());
        bytes.push(u8::from(last));
        bytes
    }

    /// Seals a piece: the nonce, then the sealed bytes.
    ///
    /// # Errors
    /// [`EntropyError`] if there are no random bytes.
    pub fn seal(
        &self,
        blob: BlobId,
        piece: u32,
        last: bool,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EntropyError> {
        let nonce: [u8; 24] = entropy::bytes(entropy)?;
        let aad = Self::associated(blob, piece, last);
        let sealed = XChaCha20Poly1305::new((&*self.0).into())
            .encrypt((&nonce).into(), Payload { msg: plain, aad: &aad })
            .map_err(|_| EntropyError("a piece could not be sealed".to_owned()))?;
        let mut out = nonce.to_vec();
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a piece; `None` if its bytes were changed or are those of another piece.
    pub fn open(&self, blob: BlobId, piece: u32, last: bool, stored: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = stored.split_first_chunk::<24>()?;
        let aad = Self::associated(blob, piece, last);
        XChaCha20Poly1305::new((&*self.0).into())
            .decrypt(nonce.into(), Payload { msg: sealed, aad: &aad })
            .ok()
    }

    pub(crate) fn to_hex(&self) -> String {
        crate::hex::encode(&*self.0)
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        crate::hex::decode(text).and_then(|bytes| bytes.try_into().ok()).map(|key| Self(Zeroizing::new(key)))
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// What the slot of an attachment holds. A file's name is a typed value like any other, so this is only ever in the
/// vault, and in the hands of who may read it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileInfo {
    /// The name that it came with.
    pub name: String,
    /// The media type, as found in its bytes.
    pub media: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    pub(crate) key: String,
}

/// Without the key: what is printed of a file does not open it.
impl fmt::Debug for FileInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, media, bytes, sha256, key: _ } = self;
        f.debug_struct("FileInfo")
            .field("name", name)
            .field("media", media)
            .field("bytes", bytes)
            .field("sha256", sha256)
            .finish_non_exhaustive()
    }
}

impl FileInfo {
    /// Describes a file that was sealed under a key.
    pub fn new(name: String, media: String, bytes: u64, sha256: &[u8; 32], key: &FileKey) -> Self {
        Self { name, media, bytes, sha256: crate::hex::encode(sha256), key: key.to_hex() }
    }

    /// The key that opens its pieces.
    pub fn key(&self) -> Option<FileKey> {
        FileKey::from_hex(&self.key)
    }
}
