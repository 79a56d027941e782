//! A webhook, signed by the scheme of Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`).

use super::file_drop::json;
use crate::{
    Clock, Moment, Word,
    engine::{Delivery, Outgoing, Transport},
};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{fmt, sync::Arc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What two sides share: 24 to 64 bytes, written `whsec_` and their base 64.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// A text that is no secret of a webhook. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the secret of a webhook: write `whsec_` and 24 to 64 bytes in base 64")]
pub struct SecretError;

/// A request that was not signed so, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsignedError {
    /// The moment is no moment, or too far from now.
    #[error("the moment of the request is too far from now, or is none")]
    Stale,
    /// No signature is one under this secret.
    #[error("the request is not signed with this secret")]
    Signature,
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl WebhookSecret {
    /// Reads a secret as it is written.
    ///
    /// # Errors
    /// [`SecretError`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let bytes =
            text.strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok()).ok_or(SecretError)?;
        Self::from_bytes(bytes)
    }

    /// Of these bytes.
    ///
    /// # Errors
    /// [`SecretError`] if there are fewer than 24 or more than 64.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(SecretError) }
    }

    /// The header `webhook-signature` of a request.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        // HMAC takes keys of any length, so this cannot fail; an empty signature is taken by nobody.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        for part in [id.as_bytes(), b".", seconds.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Verifies a request that came in: that it was signed with this secret, over these bytes, not longer ago (nor
    /// further ahead) than `tolerance` seconds; 300 is usual. `signatures` may hold several, one of them right. Whoever
    /// receives must still remember ids, so that the same request twice is one.
    ///
    /// ```
    /// use grc_core::{Moment, transport::{UnsignedError, WebhookSecret}};
    /// // The example of the specification.
    /// let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    /// let (id, at) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
    /// let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    /// let now = Moment::from_micros(1_614_265_330_000_000);
    /// let body = br#"{"test": 2432232314}"#;
    /// assert_eq!(secret.verify(id, at, signature, body, now, 300), Ok(()));
    /// assert_eq!(secret.verify(id, at, signature, b"{}", now, 300), Err(UnsignedError::Signature));
    /// assert_eq!(secret.verify(id, at, signature, body, now.plus_days(1), 300), Err(UnsignedError::Stale));
    /// # Ok::<(), grc_core::transport::SecretError>(())
    /// ```
    ///
    /// # Errors
    /// [`UnsignedError`] if it is not.
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signatures: &str,
        body: &[u8],
        now: Moment,
        tolerance: u32,
    ) -> Result<(), UnsignedError> {
        let seconds: i64 = timestamp.trim().parse().map_err(|_| UnsignedError::Stale)?;
        let age = now.micros().div_euclid(1_000_000).saturating_sub(seconds);
        if age.unsigned_abs() > u64::from(tolerance) {
            return Err(UnsignedError::Stale);
        }
        let expected = self.sign(id, seconds, body);
        let mut found = false;
        for signature in signatures.split_ascii_whitespace() {
            found |= bool::from(signature.as_bytes().ct_eq(expected.as_bytes()));
        }
        if found && !expected.is_empty() { Ok(()) } else { Err(UnsignedError::Signature) }
    }
}

/// A request to be posted, headers and body exactly so: the signature is over them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookRequest {
    /// Where to.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl fmt::Debug for WebhookRequest {
    /// The key and no more: the body is what was typed, and a URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.headers.iter().find(|(name, _)| *name == "webhook-id").map(|(_, id)| id);
        f.debug_struct("WebhookRequest").field("webhook-id", &id).finish_non_exhaustive()
    }
}

/// What a server answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The seconds of `retry-after`, if there were any.
    pub retry_after: Option<u32>,
}

/// The host's HTTP client. It follows no redirection, and gives up well before the five minutes that a message is held.
#[async_trait]
pub trait Post: fmt::Debug + Send + Sync {
    /// Posts a request; none if there was no answer.
    async fn post(&self, request: &WebhookRequest) -> Option<Answered>;
}

/// Posts each message, signed, to one address. The body is JSON with the message's `key`, which is the `webhook-id` too;
/// what is reported later of the message names that key (`Host::report`).
///
/// A status of 2xx is taken as sent; 408, 425, 429, 3xx, 5xx and no answer at all as later; any other as refused.
#[derive(Clone)]
pub struct Webhook {
    url: String,
    secret: WebhookSecret,
    clock: Arc<dyn Clock>,
    post: Arc<dyn Post>,
}

impl fmt::Debug for Webhook {
    /// Without its URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("post", &self.post).finish_non_exhaustive()
    }
}

impl Webhook {
    /// One that posts to a URL.
    pub fn new(
        url: impl Into<String>,
        secret: WebhookSecret,
        clock: Arc<dyn Clock>,
        post: Arc<dyn Post>,
    ) -> Self {
        Self { url: url.into(), secret, clock, post }
    }

    /// The request of a message.
    fn request(&self, outgoing: &Outgoing) -> Option<WebhookRequest> {
        let body = json(outgoing)?.into_bytes();
        let seconds = self.clock.now().micros().div_euclid(1_000_000);
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", outgoing.key.clone()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", self.secret.sign(&outgoing.key, seconds, &body)),
        ];
        Some(WebhookRequest { url: self.url.clone(), headers, body })
    }
}

/// What an answer says of a message.
fn outcome(answered: Option<Answered>) -> Delivery {
    let Some(Answered { status, retry_after }) = answered else { return Delivery::Later("no-answer") };
    // Whoever says a few seconds would be asked ten times in a few seconds, and the message given up: what the engine
    // waits by itself is longer, each time.
    let long = retry_after.filter(|seconds| *seconds > 60);
    let later = |code| long.map_or(Delivery::Later(code), |seconds| Delivery::LaterIn(seconds, code));
    match status {
        200..=299 => Delivery::Sent,
        408 | 425 => later("too-slow"),
        429 => later("too-many"),
        409 => Delivery::Refused("conflict"),
        410 => Delivery::Refused("gone"),
        400..=499 => Delivery::Refused("rejected"),
        500..=599 => later("server"),
        _ => Delivery::Later("not-understood"),
    }
}

#[async_trait]
impl Transport for Webhook {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        match self.request(outgoing) {
            Some(request) => outcome(self.post.post(&request).await),
            None => Delivery::Refused("text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_outcome() {
        let of = |status| outcome(Some(Answered { status, retry_after: None }));
        assert!((200..300).all(|status| of(status) == Delivery::Sent));
        for status in (100..200).chain(300..400).chain(500..700).chain([408, 425, 429]) {
            assert!(matches!(of(status), Delivery::Later(_)), "{status}");
        }
        for status in (400..500).filter(|status| ![408, 425, 429].contains(status)) {
            assert!(matches!(of(status), Delivery::Refused(_)), "{status}");
        }
        assert_eq!(outcome(None), Delivery::Later("no-answer"));
        let busy = Answered { status: 503, retry_after: Some(120) };
        assert_eq!(outcome(Some(busy)), Delivery::LaterIn(120, "server"));
        let soon = Answered { status: 429, retry_after: Some(1) };
        assert_eq!(outcome(Some(soon)), Delivery::Later("too-many"), "not ten attempts in ten seconds");
    }

    #[test]
    fn secrets_are_of_a_length_and_never_shown() {
        assert!(WebhookSecret::parse("whsec_AAAA").is_err() && WebhookSecret::parse("x").is_err());
        assert!(WebhookSecret::from_bytes(vec![0; 65]).is_err());
        let secret = WebhookSecret::from_bytes(vec![7; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        let signed = secret.sign("a/1", 10, b"x");
        let at = Moment::from_micros(10_000_000);
        assert_eq!(secret.verify("a/1", "10", &format!("v1,AAAA {signed}"), b"x", at, 5), Ok(()));
        for (id, seconds, signature) in
            [("a/2", "10", signed.as_str()), ("a/1", "11", &signed), ("a/1", "10", "")]
        {
            assert_eq!(secret.verify(id, seconds, signature, b"x", at, 5), Err(UnsignedError::Signature));
        }
        assert_eq!(secret.verify("a/1", "dix", &signed, b"x", at, 5), Err(UnsignedError::Stale));
    }
}
