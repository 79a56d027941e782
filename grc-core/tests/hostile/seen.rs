//! What is done with a request that is open, and with its files.

use crate::{
    strings,
    town::{Town, Watchdog, answered},
};
use grc_core::{
    BlobId, GrcError, Instruction, Intake, Party, SeededEntropy, Stores,
    engine::SiteInstruction,
    intervention::{Planning, Work},
    request::{Command, Fire, NewFile},
    vault::{FileInfo, FileKey},
};
use pollster::block_on;
use std::io::{Error, Write};

/// A disk that is full.
#[derive(Debug)]
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(Error::other("full"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_seen_is_acted_on_with_any_text() {
    let _watchdog = Watchdog::new("seen");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let (mut noted, mut fired, mut given) = (0, 0, 0);
    let request = || {
        let anne = Party::named("Anne", "Le Gall").email("anne@example.org").answer_by("courriel");
        block_on(desk.submit(Intake::new("tout", "web").party(anne))).unwrap().id()
    };
    let mut id = request();
    for (n, text) in strings::all().into_iter().chain(strings::giants()).step_by(2).enumerate() {
        if n.is_multiple_of(20) {
            id = request();
        }
        let size = text.len() * 4;
        let open = || block_on(desk.open(id)).unwrap();
        let seen = open();
        assert_eq!(seen.field(&text), None);
        // The same again under its key is the same, and another is refused.
        let note = || Instruction::new(Command::note(text.as_str())).key(text.as_str());
        let first = answered(&text, size, desk.act(&seen, note()));
        let again = answered(&text, size, desk.act(&seen, note()));
        assert_eq!(first.as_ref().ok(), again.as_ref().ok());
        let other = Instruction::new(Command::note("x")).key(text.as_str());
        if first.is_ok() {
            answered(&text, size, desk.act(&open(), other)).unwrap_err();
            noted += 1;
        }
        let _ = answered(&text, size, desk.act(&open(), Instruction::new(Command::tell(text.as_str()))));
        answered(&text, size, desk.fire(&open(), Fire::new(text.as_str()))).unwrap_err();
        let said = Fire::new("finir").outcome("fait").message(text.as_str()).note(text.as_str());
        if answered(&text, size, desk.fire(&open(), said)).is_ok() {
            answered(&text, size, desk.fire(&open(), Fire::new("rouvrir"))).unwrap();
            fired += 1;
        }
        if n % 20 == 19 {
            answered("", 8 << 20, desk.history(id)).unwrap();
        }
        let stored = answered(&text, size, desk.store_file(None, &text, &b"\xff\xd8\xff0000"[..]));
        let Ok(file) = stored else { continue };
        answered(&text, size, desk.act(&open(), Command::Attach(file))).unwrap();
        let seen = open();
        let shown = seen.files().last().unwrap();
        assert_eq!(shown.name(), text);
        assert_eq!(answered(&text, size, desk.read_file(id, shown)).unwrap(), b"\xff\xd8\xff0000");
        let full = block_on(desk.read_file_to(id, shown, &mut Full));
        assert!(matches!(full, Err(GrcError::Attachment(_))), "{full:?}");
        given += 1;
    }
    println!("{noted} noted, {fired} fired, {given} files");
    assert!(noted > 250 && fired > 250 && given > 80, "{noted}, {fired}, {given}");
}

#[test]
fn files_that_were_never_stored_are_refused() {
    let _watchdog = Watchdog::new("described files");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    answered("", 0, desk.follow()).unwrap_err();
    let key = FileKey::fresh(&SeededEntropy::new(5)).unwrap();
    for text in strings::all().into_iter().chain(strings::giants()) {
        for (field, name, media, bytes) in [
            (Some(text.as_str()), "a.jpg", "image/jpeg", 7),
            (Some("photo"), text.as_str(), "image/jpeg", u64::MAX),
            (None, "a.jpg", text.as_str(), 0),
        ] {
            let info = FileInfo::new(name.to_owned(), media.to_owned(), bytes, &[0; 32], &key);
            let file = NewFile::new(field.map(str::to_owned), BlobId::from_uuid(Default::default()), info);
            let intake = Intake::new("tout", "web").file(file);
            // Nothing was stored under this description.
            answered(&text, text.len() * 4, desk.submit(intake)).unwrap_err();
        }
    }
}

#[test]
fn work_on_site_is_told_apart_by_any_key() {
    let _watchdog = Watchdog::new("keys on site");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let from = "2026-11-25T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for text in strings::all().into_iter().chain(strings::giants()).step_by(4) {
        let size = text.len() * 4;
        let plan = Planning::new(from, from + chrono::Duration::hours(3)).serving(town.request());
        let plan = plan.team("chaussee").key(text.as_str());
        let site = answered(&text, size, desk.plan(plan.clone())).unwrap().id();
        assert_eq!(answered(&text, size, desk.plan(plan)).unwrap().id(), site);
        let start = || SiteInstruction::from(Work::Start).key(text.as_str()).occurred_at(from);
        let _ = answered(&text, size, desk.work_on(site, None, start()));
        let early =
            SiteInstruction::from(Work::Acknowledge).occurred_at(chrono::DateTime::<chrono::Utc>::MIN_UTC);
        let _ = answered(&text, size, desk.work_on(site, None, early));
        answered(&text, size, desk.intervention(site)).unwrap();
    }
}
