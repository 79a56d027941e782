//! A command with how it is given.

use crate::{
    Typed, Value,
    request::{Assignee, Command, Fire, Given, Intake, NewFile, Party, Place},
};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

/// A command, when it happened, and under which key it may be repeated.
///
/// ```
/// use grc_core::{Instruction, request::Fire};
/// let close = Instruction::from(Fire::new("close").outcome("repaired")).key("mobile-7f3a");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    pub(crate) command: Command,
    pub(crate) given: Given,
    pub(crate) key: Option<String>,
}

impl Instruction {
    /// A command, now.
    pub const fn new(command: Command) -> Self {
        Self { command, given: Given::NOW, key: None }
    }

    /// With a key: the same command again under it gives the first result, another one is refused. Keys are the
    /// actor's own and are remembered for 30 days.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says when it happened, if that was earlier than now.
    #[must_use]
    pub fn occurred_at(mut self, at: DateTime<Utc>) -> Self {
        self.given.occurred_at = Some(at.into());
        self
    }

    /// As a replay of what is past: no message is queued and no timer started.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.given.quiet = true;
        self
    }
}

impl From<Command> for Instruction {
    fn from(command: Command) -> Self {
        Self::new(command)
    }
}

impl From<Fire> for Instruction {
    fn from(fire: Fire) -> Self {
        Self::new(Command::Fire(fire))
    }
}

/// The bytes by which two commands are the same: only ever fed to a MAC whose key goes with the request.
pub(crate) struct Canonical(Zeroizing<Vec<u8>>);

impl Canonical {
    pub(super) fn new(kind: &str) -> Self {
        let mut out = Self(Zeroizing::new(Vec::new()));
        out.text(kind);
        out
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn maybe(&mut self, text: Option<&str>) {
        self.bytes(&[u8::from(text.is_some())]);
        self.text(text.unwrap_or_default());
    }

    pub(super) fn typed(&mut self, typed: Option<&Typed>) {
        match typed.map(Typed::expose) {
            None => self.bytes(&[0]),
            // A file's blob and key are made anew at each attempt; its content is what makes it the same.
            Some(Value::File(file)) => self.text(&format!("{}\0{}", file.name, file.sha256)),
            Some(value) => self.bytes(&value.to_plain().unwrap_or_default()),
        }
    }

    fn assignee(&mut self, to: Option<&Assignee>) {
        let none = Assignee::default();
        let Assignee { service, team, agent } = to.unwrap_or(&none);
        for part in [service, team, agent] {
            self.maybe(part.as_deref());
        }
    }

    pub(super) fn file(&mut self, file: &NewFile) {
        self.maybe(file.field.as_deref());
        self.typed(Some(&file.info));
    }

    pub(super) fn given(&mut self, at: Option<crate::Moment>, quiet: bool) {
        self.maybe(at.map(|at| at.micros().to_string()).as_deref());
        self.bytes(&[u8::from(quiet)]);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn of_intake(intake: &Intake) -> Self {
        let Intake {
            type_,
            channel,
            fields,
            parties,
            place,
            files,
            service,
            entity,
            target,
            occurred_at,
            source,
            code: _,
            quiet,
            key: _,
        } = intake;
        let mut out = Self::new("intake");
        out.text(type_);
        out.text(channel);
        for (name, typed) in fields {
            out.text(name);
            out.typed(Some(typed));
        }
        for Party { role, details, answer } in parties {
            out.text(role);
            out.maybe(answer.as_deref());
            for (name, typed) in details {
                out.text(name);
                out.typed(Some(typed));
            }
        }
        if let Some(Place { address, point, zone, bad_point: _ }) = place {
            out.typed(address.as_ref());
            out.text(&format!("{point:?}"));
            out.maybe(zone.as_deref());
        }
        for file in files {
            out.file(file);
        }
        out.maybe(service.as_deref());
        out.maybe(entity.as_deref());
        out.maybe(target.map(|at| at.micros().to_string()).as_deref());
        out.typed(source.as_ref());
        out.given(*occurred_at, *quiet);
        out
    }

    pub(crate) fn of_command(command: &Command, given: Given) -> Self {
        let mut out = Self::new("command");
        out.given(given.occurred_at, given.quiet);
        match command {
            Command::Fire(Fire { transition, fields, assignee, outcome, message, note }) => {
                out.text("fire");
                out.text(transition);
                for (name, typed) in fields {
                    out.text(name);
                    out.typed(typed.as_ref());
                }
                out.assignee(assignee.as_ref());
                out.maybe(outcome.as_deref());
                out.typed(message.as_ref());
                out.typed(note.as_ref());
            }
            Command::Assign { to, reason } => {
                out.text("assign");
                out.assignee(Some(to));
                out.typed(reason.as_ref());
            }
            Command::Take => out.text("take"),
            Command::HandOver { to, reason } => {
                out.text("hand-over");
                out.assignee(Some(to));
                out.typed(Some(reason));
            }
            Command::Conclude { outcome, reason } => {
                out.text("conclude");
                out.text(outcome);
                out.typed(reason.as_ref());
            }
            Command::Confirm { satisfied, comment } => {
                out.text(&format!("confirm {satisfied}"));
                out.typed(comment.as_ref());
            }
            Command::Correct(fields) => {
                out.text("correct");
                for (name, typed) in fields {
                    out.text(name);
                    out.typed(typed.as_ref());
                }
            }
            Command::Assess { acceptability, reason } => {
                out.text("assess");
                out.text(acceptability);
                out.maybe(reason.as_deref());
            }
            Command::Tell { text, channel } => {
                out.text("tell");
                out.typed(Some(text));
                out.maybe(channel.as_deref());
            }
            Command::Hear { text, channel } => {
                out.text("hear");
                out.typed(Some(text));
                out.text(channel);
            }
            Command::Note(text) => {
                out.text("note");
                out.typed(Some(text));
            }
            Command::Attach(file) => {
                out.text("attach");
                out.file(file);
            }
            Command::Work { minutes, cents, supplier } => {
                out.text(&format!("work {minutes} {cents}"));
                out.maybe(supplier.as_deref());
            }
            Command::Link { kind, target } => {
                out.text("link");
                out.text(kind);
                out.text(&target.to_string());
            }
            Command::Hold { reason } => {
                out.text("hold");
                out.typed(Some(reason));
            }
            Command::Release { hold } => out.text(&format!("release {hold}")),
            Command::Erase { paths, reason } => {
                out.text("erase");
                paths.iter().for_each(|path| out.text(path));
                out.text(reason);
            }
            Command::Anonymise { rule } => out.text(&format!("anonymise {rule}")),
            Command::Elapsed { transition } => out.text(&format!("elapsed {transition}")),
            Command::Resend { message, channel } => {
                out.text(&format!("resend {message}"));
                out.maybe(channel.as_deref());
            }
            Command::Delivered { message, round, report } => {
                out.text(&format!("delivered {message} {round} {report:?}"));
            }
        }
        out
    }
}
