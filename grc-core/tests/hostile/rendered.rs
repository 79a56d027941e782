//! What others are shown of it: pages, letters, mails.

use crate::{
    strings,
    town::{Town, Watchdog, bounded, start},
};
use async_trait::async_trait;
use grc_core::{
    Budget, Intake, Party, Stores, SystemEntropy,
    definition::Contact,
    engine::{Delivery, Outgoing, RecordingTransport, Transport},
    request::{Command, Fire},
    transport::{Answered, FileDrop, Post, Webhook, WebhookRequest, WebhookSecret},
};
use pollster::block_on;
use std::sync::{Arc, Mutex};

/// A page has no element and no handler that the text brought.
#[track_caller]
pub(crate) fn is_harmless(page: &str, text: &str) {
    let lower = page.to_lowercase();
    for element in ["<script", "<img", "<svg", "<iframe", "<a ", "<input", "<object", "<plaintext", "<!--"] {
        assert!(!lower.contains(element), "{element} of {:?}", start(text));
    }
}

/// The names of the headers of a mail, and that each line of it is one.
fn headers(mail: &str) -> Vec<&str> {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head:?}");
    assert!(body.chars().all(|c| c.is_ascii_alphanumeric() || "+/=\r\n".contains(c)), "{body:?}");
    let lines = head.split("\r\n").filter(|line| !line.starts_with(' '));
    lines.map(|line| line.split_once(": ").unwrap().0).collect()
}

#[test]
fn letters_mails_and_pages_hold_it_harmlessly() {
    let _watchdog = Watchdog::new("letters");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let directory = tempfile::tempdir().unwrap();
    let clock: Arc<dyn grc_core::Clock> = Arc::<grc_core::ManualClock>::clone(&town.clock);
    let out = FileDrop::new(directory.path(), "mairie@ville.example", clock, Arc::new(SystemEntropy));
    let harmful = |text: &&String| text.contains(['<', '\r', '\n', '"', '{', '\u{202e}', '=']);
    // Each file is flushed to the disk, so not all of them; those that are aimed at pages and mails stand last.
    let texts: Vec<String> = strings::all().iter().rev().filter(harmful).take(60).cloned().collect();
    assert_eq!(texts.len(), 60);
    for text in &texts {
        for channel in ["courriel", "courrier", "telephone"] {
            let party = Party::named(text.as_str(), text.as_str())
                .email("anne@example.org")
                .phone("06 39 98 12 34")
                .address("12 rue des Lilas", "35000", "Rennes")
                .answer_by(channel);
            let line = text.replace(['\r', '\n'], " ");
            let intake =
                Intake::new("tout", "web").set("texte", text.as_str()).set("ligne", line).party(party);
            let Ok(submitted) = block_on(desk.submit(intake)) else { continue };
            let _ = block_on(desk.act_on(submitted.id(), None, Command::tell(text.as_str())));
            let fire = Fire::new("finir").outcome("fait").message(text.as_str());
            let _ = block_on(desk.act_on(submitted.id(), None, Command::Fire(fire)));
        }
    }
    block_on(town.authority.host("facteur").work(Some(&out), Budget::ALL)).unwrap();
    let (mut mails, mut letters, mut others) = (0, 0, 0);
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read_to_string(&path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("eml") => {
                let mut names = headers(&content);
                names.retain(|name| *name != "Auto-Submitted");
                let wanted = [
                    "Message-ID",
                    "Date",
                    "From",
                    "To",
                    "Subject",
                    "MIME-Version",
                    "Content-Type",
                    "Content-Transfer-Encoding",
                ];
                assert_eq!(names, wanted);
                mails += 1;
            }
            Some("html") => {
                is_harmless(&content, "a letter");
                letters += 1;
            }
            Some("json") => {
                serde_json::from_str::<serde_json::Value>(&content).unwrap();
                others += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{mails} mails, {letters} letters, {others} others");
    assert!(mails > 60 && letters > 20, "{mails}, {letters}");
}

/// What was posted last.
#[derive(Debug, Default)]
struct Posted(Mutex<Option<WebhookRequest>>);

#[async_trait]
impl Post for Posted {
    async fn post(&self, request: &WebhookRequest) -> Option<Answered> {
        *self.0.lock().unwrap() = Some(request.clone());
        Some(Answered { status: u16::MAX, retry_after: Some(u32::MAX) })
    }
}

/// A message of each kind, as the engine hands it over.
fn outgoing(town: &Town) -> Vec<Outgoing> {
    for channel in ["courriel", "courrier"] {
        let party = Party::named("Anne", "Le Gall").email("anne@example.org").answer_by(channel);
        let party = party.address("12 rue des Lilas", "35000", "Rennes");
        block_on(town.desk().submit(Intake::new("tout", "web").party(party))).unwrap();
    }
    let sent = RecordingTransport::new();
    block_on(town.authority.host("facteur").work(Some(&sent), Budget::ALL)).unwrap();
    sent.given()
}

#[test]
fn senders_and_addresses_of_any_text_do_no_harm() {
    let _watchdog = Watchdog::new("senders");
    let town = Town::open(Stores::memory());
    let given = outgoing(&town);
    assert_eq!(given.len(), 2);
    let clock: Arc<dyn grc_core::Clock> = Arc::<grc_core::ManualClock>::clone(&town.clock);
    let directory = tempfile::tempdir().unwrap();
    let (mut mails, mut letters) = (0, 0);
    for (n, text) in strings::all().iter().chain(&strings::giants()).enumerate() {
        let posted = Arc::new(Posted::default());
        let secret = WebhookSecret::from_bytes(vec![7; 32]).unwrap();
        let webhook = Webhook::new(text, secret, Arc::clone(&clock), Arc::<Posted>::clone(&posted));
        let answer = bounded(text, text.len(), || block_on(webhook.deliver(&given[0])));
        assert!(matches!(answer, Delivery::Later(_)), "{answer:?}");
        assert_eq!(posted.0.lock().unwrap().as_ref().map(|request| &request.url), Some(text));
        assert!(!format!("{webhook:?}").contains(text.as_str()) || text.len() < 12);
        // Each file is flushed to the disk, so not all of them.
        if n % 8 != 0 && text.len() < 1_000_000 {
            continue;
        }
        let from = if n % 16 == 0 { text.as_str() } else { "mairie@ville.example" };
        let out = FileDrop::new(directory.path(), from, Arc::clone(&clock), Arc::new(SystemEntropy));
        let out = out.address([text.as_str(), "35000 Rennes", text.as_str()]);
        for message in &given {
            let mut message = message.clone();
            message.key = format!("{n}/1");
            let answer = bounded(text, text.len() * 2, || block_on(out.deliver(&message)));
            match (message.contact, answer) {
                (Contact::Email, Delivery::Sent) => mails += 1,
                (Contact::Address, Delivery::Sent) => letters += 1,
                (_, Delivery::Refused("address")) => {}
                (_, other) => panic!("{other:?}"),
            }
        }
    }
    println!("{mails} mails, {letters} letters");
    assert!(mails > 20 && letters > 40, "{mails}, {letters}");
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read_to_string(&path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("eml") => assert!(headers(&content).contains(&"Content-Transfer-Encoding")),
            Some("html") => is_harmless(&content, "a sender"),
            other => panic!("{other:?}"),
        }
    }
}
