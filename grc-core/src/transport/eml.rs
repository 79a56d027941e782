//! An e-mail as a file: RFC 5322, in UTF-8, its headers encoded, its body in base 64.

use crate::{Moment, contact, engine::Outgoing};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The most bytes of an encoded word, so that a line with it and the name of its header has at most 76 characters.
const WORD: usize = 39;

/// Writes the message; none if the addresses are none.
pub(super) fn write(outgoing: &Outgoing, from: &str, at: Moment) -> Option<String> {
    let to = outgoing.to.expose_text().map(str::trim).filter(|to| contact::email(to).is_some())?;
    let from = Some(from.trim()).filter(|from| contact::email(from).is_some())?;
    let (_, domain) = from.rsplit_once('@')?;
    let recipient = outgoing.recipient.as_ref().and_then(|name| name.expose_text()).unwrap_or_default();
    let subject = outgoing.subject.as_ref().and_then(|subject| subject.expose_text()).unwrap_or_default();
    let text = outgoing.text.expose_text()?;
    let mut out = String::new();
    let mut header = |name: &str, value: &str| {
        out.push_str(name);
        out.push_str(": ");
        out.push_str(value);
        out.push_str("\r\n");
    };
    header("Message-ID", &format!("<{}@{domain}>", outgoing.key.replace('/', ".")));
    header("Date", &at.to_utc().format("%a, %d %b %Y %H:%M:%S +0000").to_string());
    header("From", &mailbox(&outgoing.sender, from));
    header("To", &mailbox(recipient, to));
    let subject = if subject.trim().is_empty() { outgoing.sender.as_str() } else { subject };
    header("Subject", &encoded(subject));
    // What a person wrote is not a machine's, though a machine sends it: it may be answered by an absence notice.
    if outgoing.automatic || outgoing.template.is_some() {
        header("Auto-Submitted", "auto-generated");
    }
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    header("Content-Transfer-Encoding", "base64");
    out.push_str("\r\n");
    let mut body = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    body.push_str("\r\n");
    let body = STANDARD.encode(body);
    for line in body.as_bytes().chunks(76) {
        out.extend(line.iter().map(|byte| char::from(*byte)));
        out.push_str("\r\n");
    }
    Some(out)
}

/// `name <address>`.
fn mailbox(name: &str, address: &str) -> String {
    if name.trim().is_empty() { format!("<{address}>") } else { format!("{}\r\n <{address}>", encoded(name)) }
}

/// Text in a header, as encoded words of which each holds whole characters. Plain words stay as they are.
fn encoded(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if text.len() <= WORD && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > WORD) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<String> =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_makes_a_header() {
        let text = encoded("Bonjour\r\nBcc: x@y.z — élève");
        assert!(!text.contains("Bcc"), "{text}");
        assert_eq!(encoded("Votre demande"), "Votre demande");
        for word in encoded(&"é".repeat(200)).split("\r\n ") {
            assert!(word.len() <= 75 && word.starts_with("=?UTF-8?B?"), "{word}");
        }
    }
}
