//! What is shown, in words.

use chrono_tz::Tz;
use grc_core::{Moment, Refusal, Seen, Value, definition::Ask, engine::HistoryEntry, request::ActorKind};

/// A moment as it is written in a town hall.
pub(super) fn moment(at: Moment, zone: Tz) -> String {
    at.to_utc().with_timezone(&zone).format("%d/%m/%Y %Hh%M").to_string()
}

/// What a transition asks for.
pub(super) const fn ask(ask: Ask) -> &'static str {
    match ask {
        Ask::Assignee => "un service, une équipe ou un agent",
        Ask::Outcome => "la suite donnée",
        Ask::Message => "un message au demandeur",
        Ask::Note => "une note interne",
        _ => "autre chose",
    }
}

/// A refusal, reason by reason.
pub(super) fn refusal(refusal: &Refusal) -> Vec<String> {
    let mut lines = Vec::new();
    for problem in refusal.problems() {
        lines.push(format!("refusé : {}", problem.message));
        lines.push(format!("         code `{}`, chemin `{}`", problem.code, problem.path));
        lines.extend(problem.hint.as_ref().map(|hint| format!("         conseil : {hint}")));
    }
    lines
}

/// What an actor sees of a request, line by line.
pub(super) fn seen(seen: &Seen) -> Vec<String> {
    let mut lines = Vec::new();
    for (field, value) in seen.fields() {
        lines.push(format!("{field} : {value}"));
    }
    for party in seen.parties() {
        let details: Vec<String> =
            party.details.iter().map(|(name, value)| format!("{name} {}", one_line(value))).collect();
        let details = if details.is_empty() { "rien".to_owned() } else { details.join(", ") };
        lines.push(format!("demandeur : {details}"));
    }
    if let Some(place) = seen.place() {
        let address = place.address.as_deref().map(|text| text.replace('\n', ", "));
        let point = place.point.map(|(lat, lon)| {
            let about = if place.coarse { "vers " } else { "" };
            format!("{about}{:.5}, {:.5}", f64::from(lat) / 1e6, f64::from(lon) / 1e6)
        });
        let parts: Vec<String> = address.into_iter().chain(point).collect();
        lines.push(format!("lieu : {}", parts.join(" ; ")));
    }
    for file in seen.files() {
        lines.push(format!("pièce jointe : {} ({}, {} octets)", file.name(), file.media(), file.bytes()));
    }
    for note in seen.notes() {
        lines.push(format!("note interne : {}", note.text));
    }
    lines
}

fn one_line(value: &Value) -> String {
    value.to_string().replace('\n', ", ")
}

/// One line of a history.
pub(super) fn entry(entry: &HistoryEntry, zone: Tz) -> String {
    let actor = match (entry.actor.kind, &entry.actor.id) {
        (ActorKind::Agent, Some(id)) => super::who(id).to_owned(),
        (ActorKind::Citizen | ActorKind::Holder, _) => "le demandeur".to_owned(),
        _ => "le programme".to_owned(),
    };
    let detail = |name: &str| entry.details.get(name).cloned().unwrap_or_default();
    let what = match entry.kind.as_str() {
        "submitted" => format!("enregistre la demande ({})", detail("channel")),
        "attached" => "joint un fichier".to_owned(),
        "assigned" => format!("la confie à : {} {} {}", detail("service"), detail("team"), detail("agent")),
        "moved" => {
            format!("{} : {} → {} {}", detail("transition"), detail("from"), detail("to"), detail("outcome"))
        }
        "messaged" if detail("direction") == "in" => format!("écrit ({})", detail("channel")),
        "messaged" => format!("écrit au demandeur ({})", detail("channel")),
        "delivered" if detail("status") == "sent" => "remet le message".to_owned(),
        "delivered" => "renonce au message".to_owned(),
        "noted" => "laisse une note interne".to_owned(),
        "worked" => format!("note {} min de travail", detail("minutes")),
        "served" => match detail("stage").as_str() {
            "planned" => "planifie une intervention".to_owned(),
            "acknowledged" => "a vu le bon d'intervention".to_owned(),
            "started" => "commence l'intervention".to_owned(),
            "done" => "a fini l'intervention".to_owned(),
            other => format!("intervention : {other}"),
        },
        "charged" if detail("minutes") != "0" => format!("compte {} min d'intervention", detail("minutes")),
        "charged" => "entre un achat".to_owned(),
        "confirmed" => format!("dit ce qu'il en pense ({})", detail("confirmation")),
        "corrected" => "complète la fiche".to_owned(),
        "anonymised" => format!("anonymise ({})", detail("rule")),
        other => other.to_owned(),
    };
    let values: Vec<String> = entry
        .values
        .iter()
        .filter(|(name, _)| {
            matches!(name.as_str(), "message" | "note" | "reason" | "instructions" | "report")
        })
        .map(|(_, value)| {
            value.as_ref().map_or_else(|| "(effacé)".to_owned(), |value| format!("« {value} »"))
        })
        .collect();
    format!("{}  {actor} : {} {}", moment(entry.occurred_at, zone), what.trim_end(), values.join(" "))
        .trim_end()
        .to_owned()
}
