//! What others are shown of it: pages, letters, mails.

use crate::{
    strings,
    town::{Town, Watchdog, start},
};
use grc_core::{
    Budget, Intake, Party, Stores, SystemEntropy,
    request::{Command, Fire},
    transport::FileDrop,
};
use pollster::block_on;
use std::sync::Arc;

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
