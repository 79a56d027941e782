//! Deciding an intake.

use super::{
    Context, Decision, Draft,
    message::{Notice, suits},
    occurred, plan_retention, required_problem, validate,
};
use crate::{
    Moment, Typed, Value, Word,
    definition::{Action, Contact, FieldKind, PlaceKind},
    refusal::{Problem, Refusal},
    request::{
        Intake, Party,
        event::{PartyData, PlaceData, RequestEvent},
    },
    vault::HEAD,
};
use std::collections::BTreeMap;

const ROLES: &[&str] = &["requester", "beneficiary", "representative", "follower"];

/// Decides an intake: the first events of a request.
///
/// # Errors
/// [`Refusal`] with every reason found.
pub fn decide_intake(intake: &Intake, type_: &Word, context: &Context<'_>) -> Result<Decision, Refusal> {
    let Context { organisation, procedure, acting, .. } = *context;
    if !acting.may(organisation, Action::Submit, type_, procedure.family.as_ref(), None) {
        return Err(super::denied("actor", "you may not hand in requests of this type"));
    }
    let mut draft = Draft::new(context, 1, 0);
    let at = draft.check(occurred(intake.occurred_at, context.now)).unwrap_or(context.now);
    if intake.quiet && !acting.may(organisation, Action::Import, type_, procedure.family.as_ref(), None) {
        return Err(super::denied("quiet", "you may not replay cases"));
    }
    if acting.is_citizen() {
        // What a citizen says of themselves and of the matter, not of how it is dealt with.
        for (given, path) in [
            (intake.occurred_at.is_some(), "occurred_at"),
            (intake.target.is_some(), "target"),
            (intake.service.is_some(), "service"),
            (intake.entity.is_some(), "entity"),
            (intake.source.is_some(), "source_key"),
        ] {
            if given {
                draft.problems.push(Problem::new(
                    "permission.denied",
                    path,
                    "this is not for citizens to say",
                ));
            }
        }
    }
    if intake.fields.len() > super::draft::MAX_FIELDS || intake.files.len() > 50 {
        let problem =
            Problem::new("intake.too-large", "intake", "there are more than 300 fields or 50 files");
        return Err(problem.hint("hand in several requests").into());
    }
    let channels = organisation.channels.iter().filter(|channel| channel.incoming).map(|channel| &channel.id);
    let allowed = channels.filter(|id| procedure.channels.as_ref().is_none_or(|only| only.contains(id)));
    let channel =
        draft.check(validate::known("channel", "channel.unknown", "channel", &intake.channel, allowed));
    let service = match &intake.service {
        Some(name) => {
            let known = organisation.services.iter().map(|service| &service.id);
            draft.check(validate::known("service", "service.unknown", "service", name, known))
        }
        None => procedure.service.clone(),
    };
    let entity = match &intake.entity {
        Some(name) => {
            let known = organisation.entities.iter().map(|entity| &entity.id);
            draft.check(validate::known("entity", "entity.unknown", "entity", name, known))
        }
        None => {
            let of_service = service.as_ref().and_then(|service| organisation.service(service.as_str()));
            of_service.and_then(|service| service.entity.clone())
        }
    };
    let place = place(intake, &mut draft);
    let parties = parties(intake, &mut draft);
    let typed = intake.fields.iter().map(|(name, typed)| (name, Some(typed)));
    let fields: BTreeMap<_, _> =
        draft.fields(typed, None).into_iter().filter_map(|(id, held)| Some((id, held?))).collect();
    for field in procedure.fields.iter().filter(|field| field.required) {
        let filled = match field.kind {
            FieldKind::File => {
                intake.files.iter().any(|file| file.field.as_deref() == Some(field.id.as_str()))
            }
            _ => fields.contains_key(&field.id),
        };
        // One that was typed wrong has its own problem already.
        if !filled && !intake.fields.get(field.id.as_str()).is_some_and(is_filled) {
            draft.problems.push(required_problem(&field.id));
        }
    }
    let code = match &intake.code {
        Some(code) => draft.slot("code", HEAD, Typed::new(Value::Text(code.to_string()))),
        None => {
            let problem = Problem::new("code.missing", "code", "a request has a tracking code");
            draft.problems.push(problem.hint("make one with `TrackingCode::fresh`"));
            0
        }
    };
    if let Some(source) = &intake.source {
        draft.check(validate::short_text("source_key", source));
    }
    let state = procedure.initial.clone().unwrap_or_else(|| Word::of("x"));
    let phase =
        procedure.state(state.as_str()).map_or_else(|| Word::of("received"), |state| state.phase.word());
    let target =
        intake.target.or_else(|| procedure.target.map(|delay| delay.from(at, organisation.time_zone)));
    if target.is_some_and(|target| !super::is_plausible(target)) {
        draft.problems.push(super::implausible("target"));
    }
    let promises = procedure
        .promises
        .named()
        .map(|(name, delay)| (Word::of(name), delay.from(at, organisation.time_zone)))
        .collect();
    let month = Word::new(&at.month(organisation.time_zone)).unwrap_or_else(|_| Word::of("x"));
    let Some(channel) = channel else { return draft.finish() };
    draft.event(RequestEvent::Submitted {
        type_: type_.clone(),
        procedure: context.procedure_version,
        family: procedure.family.clone(),
        entity,
        service,
        channel,
        state: state.clone(),
        phase: phase.clone(),
        fields,
        parties,
        place,
        code,
        target,
        promises,
        sector: procedure.sector(type_).clone(),
        month,
    });
    for file in &intake.files {
        if let Some(file) = draft.file(file, None) {
            draft.event(RequestEvent::Attached { file });
        }
    }
    if let Some(template) =
        procedure.acknowledge.as_ref().filter(|_| !intake.quiet && draft.problems.is_empty())
    {
        let notice = Notice { template, own: None, automatic: true, at };
        draft.notice(&notice, None, &super::Values::new());
    }
    plan_entry(&state, phase == "closed", at, intake.quiet, &mut draft);
    draft.finish()
}

fn is_filled(typed: &Typed) -> bool {
    typed.expose_text().is_none_or(|text| !text.trim().is_empty())
}

/// What entering a state plans: its timers, and retention where handling is over.
pub(super) fn plan_entry(state: &Word, closed: bool, at: Moment, quiet: bool, draft: &mut Draft<'_>) {
    let zone = draft.context.organisation.time_zone;
    if closed {
        plan_retention(at, draft);
    }
    if quiet {
        return;
    }
    for transition in draft.context.procedure.exits(state) {
        if let Some(delay) = transition.after {
            let timer = super::Plan::Timer { due: delay.from(at, zone), transition: transition.id.clone() };
            draft.decision.plans.push(timer);
        }
    }
}

fn place(intake: &Intake, draft: &mut Draft<'_>) -> Option<PlaceData> {
    let place = intake.place.as_ref()?;
    let Context { organisation, procedure, .. } = *draft.context;
    if place.bad_point {
        let problem = Problem::new("place.point", "place.point", "this is not a position");
        draft.problems.push(problem.hint("give latitude −90 to 90 and longitude −180 to 180, in degrees"));
    }
    if procedure.place == PlaceKind::None && (place.address.is_some() || place.point.is_some()) {
        let problem = Problem::new("place.none", "place", "requests of this type have no place");
        draft.problems.push(problem.hint("leave the place out, or give the type `place = \"public\"`"));
        return None;
    }
    let zone = match &place.zone {
        Some(name) => {
            let known = organisation.zones.iter().map(|zone| &zone.id);
            draft.check(validate::known("place.zone", "zone.unknown", "zone", name, known))
        }
        None => None,
    };
    let address = match &place.address {
        Some(address)
            if draft.may_write("place.address", None)
                && draft.check(validate::short_text("place.address", address)).is_some() =>
        {
            Some(draft.slot("place.address", HEAD, address.clone()))
        }
        _ => None,
    };
    let point =
        place.point.map(|(lat, lon)| draft.slot("place.point", HEAD, Typed::new(Value::Point(lat, lon))));
    Some(PlaceData { zone, address, point, public: procedure.place == PlaceKind::Public })
}

fn parties(intake: &Intake, draft: &mut Draft<'_>) -> Vec<PartyData> {
    let organisation = draft.context.organisation;
    let mut out = Vec::new();
    if intake.parties.len() > 20 {
        let problem = Problem::new("party.too-many", "parties", "there are more than 20 persons");
        draft.problems.push(problem.hint("split the request"));
        return out;
    }
    if draft.context.procedure.requester && intake.parties.iter().all(Party::is_empty) {
        let problem = Problem::new("party.required", "requester", "a requester must be given");
        draft.problems.push(problem.hint("give a name, or a contact"));
    }
    for (n, party) in intake.parties.iter().enumerate() {
        let role = match ROLES.iter().find(|role| **role == party.role) {
            Some(role) => Word::of(role),
            None => {
                let problem = Problem::new(
                    "party.role",
                    format!("parties[{n}].role"),
                    "this is not a role of a person",
                );
                draft.problems.push(problem.hint(format!("use one of `{}`", ROLES.join("`, `"))));
                continue;
            }
        };
        let answer = match &party.answer {
            Some(name) => {
                let known = organisation.channels.iter().filter(|channel| channel.answers());
                let path = format!("{role}.answer");
                draft.check(validate::known(
                    &path,
                    "channel.unknown",
                    "answering channel",
                    name,
                    known.map(|channel| &channel.id),
                ))
            }
            None => None,
        };
        let mut details = BTreeMap::new();
        for (name, typed) in &party.details {
            let path = format!("{role}.{name}");
            if !draft.may_write(&path, None) {
                continue;
            }
            let checked = match *name {
                "email" => validate::email(&path, typed).map(Typed::new),
                "phone" => validate::phone(organisation, &path, typed).map(Typed::new),
                _ => validate::short_text(&path, typed).map(|()| typed.clone()),
            };
            if let Some(typed) = draft.check(checked) {
                let slot = draft.slot(&path, HEAD, typed);
                details.insert(Word::of(name), slot);
            }
        }
        // A replay keeps what was chosen, whether it was possible or not.
        if let Some(channel) = answer.as_ref().filter(|_| !intake.quiet)
            && let Some(contact) = organisation.channel(channel.as_str()).and_then(|channel| channel.answer)
        {
            let given = party.details.get(contact.detail());
            let fits = given
                .is_some_and(|typed| suits(organisation, contact, typed.expose_text().unwrap_or_default()));
            // One that was typed wrong has its own problem already.
            let wrong = given.is_some() && !details.contains_key(contact.detail());
            if !fits && !wrong {
                let problem = Problem::new(
                    "party.answer",
                    format!("{role}.answer"),
                    "the channel chosen for answers cannot reach this person",
                );
                draft.problems.push(problem.hint(match contact {
                    Contact::Email => "give an e-mail address, or choose another channel",
                    Contact::Phone => "give a telephone number, or choose another channel",
                    Contact::Mobile => "give the number of a mobile, or choose another channel",
                    Contact::Address => "give a postal address, or choose another channel",
                }));
            }
        }
        out.push(PartyData { role, answer, details });
    }
    out
}
