//! Rules on sizes, labels and numbers.

use super::{Findings, Scope};
use crate::{
    Word,
    definition::{Definition, Delay, Label, Then},
};
use std::collections::{BTreeMap, BTreeSet};

const MAX_PROCEDURES: usize = 5000;
const MAX_ITEMS: usize = 10_000;
/// Each is rendered at load.
const MAX_TEMPLATES: usize = 500;
const MAX_FIELDS: usize = 200;
const MAX_OPTIONS: usize = 1000;
const MAX_STATES: usize = 100;
const MAX_TRANSITIONS: usize = 500;
const MAX_LABEL: usize = 500;
const MAX_WORK: usize = 10_000_000;
/// A hundred years: far enough for any promise, and no calendar overflows.
const MAX_MONTHS: u32 = 1200;
const MAX_DAYS: u32 = 36_525;
const MAX_HOURS: u32 = 876_600;

/// No more of anything than can be worked with.
pub(super) fn sizes(definition: &Definition, findings: &mut Findings) {
    let mut check = |path: String, count: usize, most: usize, what: &str| {
        if count > most {
            let message = format!("there are {count} {what}; the most is {most}");
            findings.push(crate::definition::Finding::new("too-many", path, message));
        }
    };
    let org = &definition.organisation;
    let items = org.entities.len()
        + org.services.len()
        + org.teams.len()
        + org.suppliers.len()
        + org.families.len()
        + org.zones.len()
        + org.channels.len()
        + org.roles.len()
        + org.agents.len()
        + org.grants.len()
        + org.acceptabilities.iter().map(|item| 1 + item.reasons.len()).sum::<usize>()
        + org.outcomes.len()
        + org.impossibilities.len()
        + org.templates.iter().map(|item| 1 + item.channels.len()).sum::<usize>();
    let texts = org.templates.iter().map(|item| 1 + item.channels.len()).sum::<usize>();
    check("organisation.template".to_owned(), texts, MAX_TEMPLATES, "texts of templates");
    check("organisation".to_owned(), items, MAX_ITEMS, "items");
    check("procedure".to_owned(), definition.procedures.len(), MAX_PROCEDURES, "procedures");
    check("workflow".to_owned(), definition.workflows.len(), MAX_PROCEDURES, "workflows");
    for (name, procedure) in &definition.procedures {
        check(format!("procedure.{name}.field"), procedure.fields.len(), MAX_FIELDS, "fields");
        check(format!("procedure.{name}.rights"), procedure.rights.len(), MAX_FIELDS, "rights");
        check(format!("procedure.{name}.state"), procedure.states.len(), MAX_STATES, "states");
        let transitions = procedure.transitions.len();
        check(format!("procedure.{name}.transition"), transitions, MAX_TRANSITIONS, "transitions");
        for (index, field) in procedure.fields.iter().enumerate() {
            if field.options.len() > MAX_OPTIONS {
                let path = format!("procedure.{name}.field[{index}].option");
                check(path, field.options.len(), MAX_OPTIONS, "options");
            }
        }
    }
    for (name, workflow) in &definition.workflows {
        check(format!("workflow.{name}.state"), workflow.states.len(), MAX_STATES, "states");
        check(
            format!("workflow.{name}.transition"),
            workflow.transitions.len(),
            MAX_TRANSITIONS,
            "transitions",
        );
    }
    effort(definition, &mut check);
}

/// No more work than can be done in a moment: what several share is looked at once for each of them.
fn effort(definition: &Definition, check: &mut dyn FnMut(String, usize, usize, &str)) {
    let mut users: BTreeMap<&Word, usize> = BTreeMap::new();
    for workflow in definition.procedures.values().filter_map(|procedure| procedure.workflow.as_ref()) {
        *users.entry(workflow).or_default() += 1;
    }
    for (name, workflow) in &definition.workflows {
        let parts = workflow.transitions.iter().map(|transition| {
            let vars = transition.when.as_ref().map_or(0, |when| when.vars().len());
            1 + vars + transition.by.len() + transition.requires.len() + transition.discloses.len()
        });
        let work = parts.sum::<usize>().saturating_mul(users.get(name).copied().unwrap_or_default());
        check(format!("workflow.{name}"), work, MAX_WORK, "parts of transitions, times procedures");
    }
    let covers = super::Covers::of(definition);
    let mut work = 0_usize;
    for grant in &definition.organisation.grants {
        let families = grant.families.as_ref().map_or(1, Vec::len);
        let looked = grant.types.as_ref().map_or(1, Vec::len).saturating_mul(families);
        work = work.saturating_add(looked);
        if work <= MAX_WORK {
            work = work.saturating_add(covers.forms(grant).len().saturating_mul(grant.to.len()));
        }
    }
    check(
        "organisation.grant".to_owned(),
        work,
        MAX_WORK,
        "grants, times those who have them, times procedures",
    );
}

/// Every label is there in the organisation's language, and not too long.
pub(super) fn labels(scope: &Scope<'_>, findings: &mut Findings) {
    let org = &scope.definition.organisation;
    let language = org.language.as_str();
    if !is_language(language) {
        findings.add(
            "language",
            "organisation.language",
            "not a language tag",
            "write it as `fr` or `pt-BR`",
        );
        return;
    }
    let mut check = |label: &Label, path: &dyn Fn() -> String| one_label(label, language, path, findings);
    check(&org.label, &|| "organisation.label".to_owned());
    for (key, items) in scope.lists() {
        for (index, (_, label)) in items.into_iter().enumerate() {
            check(label, &|| format!("organisation.{key}[{index}].label"));
        }
    }
    for (index, item) in org.acceptabilities.iter().enumerate() {
        for (reason, named) in item.reasons.iter().enumerate() {
            check(&named.label, &|| format!("organisation.acceptability[{index}].reasons[{reason}].label"));
        }
    }
    for form in &scope.forms {
        check(&form.procedure.label, &|| format!("{}.label", form.path));
        for (index, field) in form.procedure.fields.iter().enumerate() {
            check(&field.label, &|| format!("{}.field[{index}].label", form.path));
            for (option, named) in field.options.iter().enumerate() {
                check(&named.label, &|| format!("{}.field[{index}].option[{option}].label", form.path));
            }
        }
    }
    for flow in &scope.flows {
        for (index, state) in flow.states.iter().enumerate() {
            check(&state.label, &|| format!("{}.state[{index}].label", flow.path));
            if let Some(stage) = &state.stage {
                check(stage, &|| format!("{}.state[{index}].stage", flow.path));
            }
        }
        for (index, transition) in flow.transitions.iter().enumerate() {
            check(&transition.label, &|| format!("{}.label", flow.transition_path(index)));
        }
    }
}

fn one_label(label: &Label, language: &str, path: &dyn Fn() -> String, findings: &mut Findings) {
    let mut texts: Vec<&str> = Vec::new();
    match label {
        Label::Plain(text) => texts.push(text),
        Label::Translated(map) => {
            if !map.contains_key(language) {
                let message = format!("the label has no text in the organisation's language, `{language}`");
                findings.add("label-missing", path(), message, "add it");
            }
            for (tag, text) in map {
                if !is_language(tag) {
                    let path = crate::definition::read::path::member(&path(), tag);
                    findings.add("language", path, "not a language tag", "write it as `fr` or `pt-BR`");
                }
                texts.push(text);
            }
        }
    }
    if texts.iter().any(|text| text.trim().is_empty()) {
        findings.add("label-missing", path(), "the label is empty", "write what people are to read");
    }
    if texts.iter().any(|text| text.len() > MAX_LABEL && text.chars().count() > MAX_LABEL) {
        let message = format!("the label is longer than {MAX_LABEL} characters");
        findings.add("name-too-long", path(), message, "shorten it");
    }
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    parts
        .next()
        .is_some_and(|first| matches!(first.len(), 2 | 3) && first.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.all(|part| matches!(part.len(), 1..=8) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && tag.len() <= 35
}

/// Telephone codes, delays and retention are possible.
pub(super) fn numbers(scope: &Scope<'_>, findings: &mut Findings) {
    if !(1..=999).contains(&scope.definition.organisation.phone_code) {
        let path = "organisation.phone-code";
        findings.add("phone-code", path, "not the telephone code of a country", "for example 33, 262 or 590");
    }
    for form in &scope.forms {
        if let Some(target) = form.procedure.target {
            let path = format!("{}.target", form.path);
            if target.is_none() {
                findings.add(
                    "target-missing",
                    path,
                    "the target is no time at all",
                    "for example { days = 10 }",
                );
            } else {
                bounded(target, path, findings);
            }
        }
        for (name, delay) in form.procedure.promises.named() {
            let path = format!("{}.promises.{name}", form.path);
            if delay.is_none() {
                let message = "the promise is no time at all";
                findings.add("target-missing", path, message, "for example { days = 2 }");
            } else {
                bounded(delay, path, findings);
            }
        }
        let retention = form.procedure.retention;
        let path = format!("{}.retention", form.path);
        if retention.delay().is_none() && retention.then != Then::Keep {
            findings.add(
                "retention-missing",
                path,
                "nothing says how long personal values are kept after closure",
                "give `months` or `days`, or `then = \"keep\"` if somebody must decide",
            );
        } else {
            bounded(retention.delay(), path, findings);
        }
    }
    for flow in &scope.flows {
        for (index, transition) in flow.transitions.iter().enumerate() {
            if let Some(within) = transition.within {
                let path = format!("{}.within", flow.transition_path(index));
                if !transition.reopens {
                    let message =
                        "only a transition that opens a closed request again has a time after closure";
                    findings.add(
                        "within-without-reopens",
                        path,
                        message,
                        "add `reopens = true`, or remove it",
                    );
                } else if within.is_none() {
                    let message = "nobody could open it again: it is no time at all";
                    findings.add("within-missing", path, message, "for example { days = 14 }");
                } else {
                    bounded(within, path, findings);
                }
            }
            let Some(after) = transition.after else { continue };
            let path = format!("{}.after", flow.transition_path(index));
            if after.is_none() {
                let message = "the timer has no duration";
                findings.add("timer-without-duration", path, message, "for example { days = 30 }");
            } else {
                bounded(after, path, findings);
            }
        }
    }
}

fn bounded(delay: Delay, path: String, findings: &mut Findings) {
    if delay.months > MAX_MONTHS || delay.days > MAX_DAYS || delay.hours > MAX_HOURS {
        findings.add("delay-too-long", path, "longer than a hundred years", "shorten it");
    }
}

/// Requests can come in.
pub(super) fn incoming(scope: &Scope<'_>, findings: &mut Findings) {
    let channels = &scope.definition.organisation.channels;
    let incoming: BTreeSet<&str> =
        channels.iter().filter(|channel| channel.incoming).map(|channel| channel.id.as_str()).collect();
    if incoming.is_empty() {
        let path = "organisation.channel";
        findings.add(
            "no-incoming-channel",
            path,
            "requests come in by no channel",
            "define one that is incoming",
        );
        return;
    }
    for form in &scope.forms {
        let Some(used) = &form.procedure.channels else { continue };
        if used.is_empty() {
            let path = format!("{}.channels", form.path);
            findings.add("empty", path, "it comes in by no channel", "name some, or leave `channels` out");
        }
        for (index, channel) in used.iter().enumerate() {
            let path = || format!("{}.channels[{index}]", form.path);
            if !scope.channels.contains(channel.as_str()) {
                findings.unknown("channel", channel.as_str(), path(), &scope.channels);
            } else if !incoming.contains(channel.as_str()) {
                let message = format!("requests do not come in by `{channel}`");
                findings.add("channel-not-incoming", path(), message, "name an incoming channel");
            }
        }
    }
}
