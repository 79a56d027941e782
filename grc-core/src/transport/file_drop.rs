//! A directory that messages are put into: the only place of the crate that writes files.

use super::{eml, letter};
use crate::{
    Clock, Entropy, Word,
    definition::Contact,
    engine::{Delivery, Outgoing, Transport},
};
use async_trait::async_trait;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Puts each message into a directory, as one file: e-mails as `.eml`, letters as pages to print (`.html`), the others
/// as `.json`. From there another program sends, prints or fetches them.
///
/// A file is whole as soon as it has its name, which is made from the message's key: the same message twice is one
/// file. Names that begin with a dot are being written; those that a crash left an hour ago or earlier
/// are swept away with the first message that the next `FileDrop` puts there. What is
/// in the files is in clear: whoever takes them away deletes them too. Writing blocks the thread.
#[derive(Debug, Clone)]
pub struct FileDrop {
    directory: PathBuf,
    from: String,
    address: Vec<String>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    swept: Arc<AtomicBool>,
}

impl FileDrop {
    /// One that writes into a directory, which must be there. `from` is the e-mail address of the sender.
    pub fn new(
        directory: impl Into<PathBuf>,
        from: impl Into<String>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            directory: directory.into(),
            from: from.into(),
            address: Vec::new(),
            clock,
            entropy,
            swept: Arc::default(),
        }
    }

    /// With the lines of the sender's postal address, which letters show under the sender's name.
    #[must_use]
    pub fn address<L: Into<String>>(mut self, lines: impl IntoIterator<Item = L>) -> Self {
        self.address = lines.into_iter().map(Into::into).collect();
        self
    }

    /// Name and content of the file of a message; none if it cannot be one.
    fn file(&self, outgoing: &Outgoing) -> Result<(String, String), &'static str> {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name: String = outgoing.key.chars().map(|c| if safe(c) { c } else { '-' }).collect();
        let (ending, content) = match outgoing.contact {
            Contact::Email => ("eml", eml::write(outgoing, &self.from, self.clock.now()).ok_or("address")?),
            Contact::Address => ("html", letter::write(outgoing, &self.address).ok_or("address")?),
            Contact::Phone | Contact::Mobile => ("json", json(outgoing).ok_or("text")?),
        };
        Ok((format!("{name}.{ending}"), content))
    }

    fn put(&self, name: &str, content: &str) -> io::Result<()> {
        let path = self.directory.join(name);
        if path.exists() {
            return Ok(());
        }
        if !self.swept.swap(true, Ordering::Relaxed) {
            // Another may be sweeping at the same time; what is left over is left to the next.
            let _ = self.sweep();
        }
        let random = crate::entropy::bytes::<8>(&*self.entropy).map_err(io::Error::other)?;
        let temporary = self.directory.join(format!(".{name}.{}.tmp", crate::hex::encode(&random)));
        let written = self.write(&temporary, content).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            // It may not be there at all; what failed first is what is told.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        // The name must survive as well as the content.
        File::open(&self.directory)?.sync_all()
    }

    fn write(&self, path: &Path, content: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    }

    /// Takes away what was begun more than an hour ago.
    fn sweep(&self) -> io::Result<()> {
        let hour_ago = self.clock.now().plus_millis(-3_600_000).to_utc();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let begun = name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"));
            if begun {
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                if modified.is_ok_and(|at| chrono::DateTime::<chrono::Utc>::from(at) < hour_ago) {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

/// A message as one JSON object: what a program that sends it needs.
pub(super) fn json(outgoing: &Outgoing) -> Option<String> {
    let text = |typed: &Option<crate::Typed>| typed.as_ref().and_then(|t| t.expose_text()).map(str::to_owned);
    let body = serde_json::json!({
        "key": outgoing.key,
        "authority": outgoing.authority,
        "channel": outgoing.channel,
        "to": outgoing.to.expose_text()?,
        "recipient": text(&outgoing.recipient),
        "sender": outgoing.sender,
        "subject": text(&outgoing.subject),
        "text": outgoing.text.expose_text()?,
        "template": outgoing.template,
        "automatic": outgoing.automatic,
    });
    serde_json::to_string(&body).ok()
}

#[async_trait]
impl Transport for FileDrop {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let (name, content) = match self.file(outgoing) {
            Ok(file) => file,
            Err(code) => return Delivery::Refused(code),
        };
        match self.put(&name, &content) {
            Ok(()) => Delivery::Sent,
            Err(_) => Delivery::Later("directory"),
        }
    }
}
