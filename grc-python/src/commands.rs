//! Commands: what may be asked of a request.

use crate::{
    files::StoredFile,
    given::{How, assignee},
    values::{boolean, cents, class_of_package, corrections, count, fields, optional_text, part, text, uuid},
};
use grc_core::{
    Instruction, RequestId, Typed,
    request::{Command, DeliveryReport, Fire},
};
use pyo3::{exceptions::PyTypeError, prelude::*};

type Any<'py> = Bound<'py, PyAny>;

fn typed(given: &Any<'_>, name: &str) -> PyResult<Typed> {
    text(name, &part(given, name)?).map(Typed::new)
}

fn optional_typed(given: &Any<'_>, name: &str) -> PyResult<Option<Typed>> {
    Ok(optional_text(name, &part(given, name)?)?.map(Typed::new))
}

fn fire(given: &Any<'_>) -> PyResult<Fire> {
    let mut fire = Fire::new(text("transition", &part(given, "transition")?)?);
    for (name, value) in fields("fields", &part(given, "fields")?)? {
        fire = fire.set(name, value);
    }
    let to = part(given, "to")?;
    if !to.is_none() {
        fire = fire.to(assignee("to", &to)?);
    }
    if let Some(outcome) = optional_text("outcome", &part(given, "outcome")?)? {
        fire = fire.outcome(outcome);
    }
    if let Some(message) = optional_text("message", &part(given, "message")?)? {
        fire = fire.message(message);
    }
    if let Some(note) = optional_text("note", &part(given, "note")?)? {
        fire = fire.note(note);
    }
    Ok(fire)
}

/// One of the classes of `grc.commands`.
pub(crate) fn command(given: &Any<'_>) -> PyResult<Command> {
    let words = |name: &str| text(name, &part(given, name)?);
    let optional = |name: &str| optional_text(name, &part(given, name)?);
    let number = |name: &str| count(name, &part(given, name)?);
    let class = class_of_package(given, "grc.commands")?;
    Ok(match class.as_deref().unwrap_or_default() {
        "Fire" => Command::Fire(fire(given)?),
        "Assign" => Command::Assign {
            to: assignee("to", &part(given, "to")?)?,
            reason: optional_typed(given, "reason")?,
        },
        "Take" => Command::Take,
        "HandOver" => {
            Command::HandOver { to: assignee("to", &part(given, "to")?)?, reason: typed(given, "reason")? }
        }
        "Correct" => Command::Correct(corrections("fields", &part(given, "fields")?)?),
        "Assess" => Command::Assess { acceptability: words("acceptability")?, reason: optional("reason")? },
        "Conclude" => {
            Command::Conclude { outcome: words("outcome")?, reason: optional_typed(given, "reason")? }
        }
        "Confirm" => Command::Confirm {
            satisfied: boolean("satisfied", &part(given, "satisfied")?)?,
            comment: optional_typed(given, "comment")?,
        },
        "Tell" => Command::Tell { text: typed(given, "text")?, channel: optional("channel")? },
        "Resend" => Command::Resend { message: number("message")?.into(), channel: optional("channel")? },
        "Hear" => Command::Hear { text: typed(given, "text")?, channel: words("channel")? },
        "Note" => Command::Note(typed(given, "text")?),
        "Attach" => Command::Attach(StoredFile::taken("file", &part(given, "file")?)?),
        "Work" => Command::Work {
            minutes: number("minutes")?,
            cents: cents("amount", &part(given, "amount")?)?,
            supplier: optional("supplier")?,
        },
        "Link" => Command::Link {
            kind: words("kind")?,
            target: RequestId::from_uuid(uuid("target", &part(given, "target")?)?),
        },
        "Hold" => Command::Hold { reason: typed(given, "reason")? },
        "Release" => Command::Release { hold: number("hold")? },
        "Erase" => {
            let mut paths = Vec::new();
            for path in part(given, "paths")?.try_iter()? {
                paths.push(text("paths", &path?)?);
            }
            Command::Erase { paths, reason: words("reason")? }
        }
        "Delivered" => Command::Delivered {
            message: number("message")?.into(),
            round: number("round")?,
            report: report(&part(given, "report")?)?,
        },
        _ => {
            let class = given.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "a command is wanted (one of `grc.commands`, such as grc.Note(\"…\")), not {class}"
            )));
        }
    })
}

/// What became of a message: one of the classes of `grc.transports`.
pub(crate) fn report(given: &Any<'_>) -> PyResult<DeliveryReport> {
    let code = || text("code", &part(given, "code")?);
    let class = class_of_package(given, "grc.transports")?;
    Ok(match class.as_deref().unwrap_or_default() {
        "Sent" => DeliveryReport::Sent,
        "Arrived" => DeliveryReport::Delivered,
        "Read" => DeliveryReport::Read,
        "Failed" => DeliveryReport::Failed(code()?),
        "Bounced" => DeliveryReport::Bounced(code()?),
        _ => {
            let class = given.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "a report is wanted (grc.Sent, Failed, Arrived, Bounced or Read), not {class}"
            )));
        }
    })
}

/// A command with what goes with it.
pub(crate) fn instruction(command: Command, how: How) -> Instruction {
    let mut instruction = Instruction::new(command);
    if let Some(key) = how.key {
        instruction = instruction.key(key);
    }
    if let Some(at) = how.occurred_at {
        instruction = instruction.occurred_at(at);
    }
    if how.quiet { instruction.quiet() } else { instruction }
}
