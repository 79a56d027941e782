//! Rules on templates: they can be read, use what there is, show nothing hidden, end, and fit in their channels.

use super::{Findings, Form, Scope, path};
use crate::{
    definition::{Channel, Field, FieldKind, Finding, Procedure, Template},
    request::{requester_reads, variables},
    template::{self, TemplateError, Variables, written},
};
use std::collections::{BTreeMap, BTreeSet};

/// The most variables of one text.
const MAX_NAMES: usize = 200;
/// The most texts, times the types that they are for.
const MAX_WORK: usize = 200_000;

/// One text of a template.
struct Text<'a> {
    path: String,
    source: &'a str,
    /// The channel in which it is longest allowed the least, and how long; none for subjects.
    room: Option<&'a Channel>,
}

/// Templates that are named exist, and so do the channels that they name.
pub(super) fn named(scope: &Scope<'_>, findings: &mut Findings) {
    for form in &scope.forms {
        if let Some(template) = &form.procedure.acknowledge
            && !scope.templates.contains(template.as_str())
        {
            let path = format!("{}.acknowledge", form.path);
            findings.unknown("template", template.as_str(), path, &scope.templates);
        }
    }
    for flow in &scope.flows {
        for (index, transition) in flow.transitions.iter().enumerate() {
            if let Some(template) = &transition.tell
                && !scope.templates.contains(template.as_str())
            {
                let path = format!("{}.tell", flow.transition_path(index));
                findings.unknown("template", template.as_str(), path, &scope.templates);
            }
        }
    }
    let organisation = &scope.definition.organisation;
    for (index, template) in organisation.templates.iter().enumerate() {
        for id in template.channels.keys() {
            let path = || path::member(&format!("organisation.template[{index}].channel"), id.as_str());
            match organisation.channel(id.as_str()) {
                None => findings.unknown("channel", id.as_str(), path(), &scope.channels),
                Some(channel) if !channel.answers() => {
                    let hint = "give the channel `answer` or `by-hand`, or leave its text out";
                    findings.add("channel-not-answering", path(), format!("no messages go by `{id}`"), hint);
                }
                Some(_) => {}
            }
        }
    }
}

/// How long messages may be is possible.
pub(super) fn channels(scope: &Scope<'_>, findings: &mut Findings) {
    for (index, channel) in scope.definition.organisation.channels.iter().enumerate() {
        if channel.max.is_some_and(|max| !(1..=Channel::TEXT_MAX).contains(&max)) {
            let path = format!("organisation.channel[{index}].max");
            let hint = format!("give 1 to {} characters", Channel::TEXT_MAX);
            findings.add("channel-max", path, "not a length that messages can have", &hint);
        }
    }
}

/// Templates can be rendered, for every type that uses them.
pub(super) fn texts(scope: &Scope<'_>, findings: &mut Findings) {
    let templates = &scope.definition.organisation.templates;
    if templates.is_empty() {
        return;
    }
    if cfg!(not(feature = "templates")) {
        let message = "this build of the library renders no templates";
        let hint = "build `grc-core` with its feature `templates`";
        findings.add("templates-not-built", "organisation.template", message, hint);
        return;
    }
    let users = users(scope);
    let all: BTreeSet<usize> = (0..scope.forms.len()).collect();
    let mut work = 0_usize;
    for (index, template) in templates.iter().enumerate() {
        let texts = texts_of(scope, index, template);
        // One that nothing uses yet is checked as if every type did, but for fields that some do not have.
        let used = users.get(template.id.as_str());
        let forms: Vec<&Form<'_>> =
            used.unwrap_or(&all).iter().filter_map(|index| scope.forms.get(*index)).collect();
        work = work.saturating_add(texts.len().saturating_mul(forms.len()));
        if work > MAX_WORK {
            let message =
                format!("there are more than {MAX_WORK} texts of templates, times the types that use them");
            findings.push(Finding::new("too-many", "organisation.template", message));
            return;
        }
        for text in &texts {
            if findings.full() {
                return;
            }
            one(text, &forms, used.is_some(), findings);
        }
    }
}

/// By which types each template is used: by their place in [`Scope::forms`].
fn users<'a>(scope: &Scope<'a>) -> BTreeMap<&'a str, BTreeSet<usize>> {
    let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (index, form) in scope.forms.iter().enumerate() {
        if let Some(template) = &form.procedure.acknowledge {
            users.entry(template.as_str()).or_default().insert(index);
        }
    }
    for flow in &scope.flows {
        for template in flow.transitions.iter().filter_map(|transition| transition.tell.as_ref()) {
            users.entry(template.as_str()).or_default().extend(&flow.users);
        }
    }
    users
}

fn texts_of<'a>(scope: &Scope<'a>, index: usize, template: &'a Template) -> Vec<Text<'a>> {
    let organisation = &scope.definition.organisation;
    let at = format!("organisation.template[{index}]");
    let answering = organisation.channels.iter().filter(|channel| channel.answers());
    let room = answering
        .filter(|channel| !template.channels.contains_key(&channel.id))
        .min_by_key(|channel| channel.most());
    let mut out = Vec::new();
    let mut add = |path: String, source: Option<&'a str>, room| {
        out.extend(source.map(|source| Text { path, source, room }));
    };
    add(format!("{at}.subject"), template.subject.as_deref(), None);
    add(format!("{at}.text"), Some(&template.text), room);
    for (id, own) in &template.channels {
        let at = path::member(&format!("{at}.channel"), id.as_str());
        add(format!("{at}.subject"), own.subject.as_deref(), None);
        add(format!("{at}.text"), Some(&own.text), organisation.channel(id.as_str()));
    }
    out
}

fn one(text: &Text<'_>, forms: &[&Form<'_>], used: bool, findings: &mut Findings) {
    let Text { path, source, room } = text;
    if source.trim().is_empty() {
        findings.add("template-empty", path, "the text is empty", "write what people are to read");
        return;
    }
    if source.len() > template::MAX_SOURCE {
        let message = format!("the text has more than {} bytes", template::MAX_SOURCE);
        findings.add("template-too-long", path, message, "shorten it");
        return;
    }
    let names = match template::uses(source) {
        Ok(names) => names,
        Err(error) => {
            broken(&error, path, findings);
            return;
        }
    };
    if names.len() > MAX_NAMES {
        let message = format!("the text uses more than {MAX_NAMES} variables");
        findings.push(Finding::new("too-many", path, message));
        return;
    }
    let before = findings.list.len();
    for form in forms {
        look_up(&names, path, form, used, findings);
    }
    if forms.is_empty() {
        unknown(
            names.iter().filter(|name| !is_text(name) && !is_group(name)).cloned().collect(),
            &[],
            path,
            findings,
        );
    }
    if findings.list.len() > before {
        return;
    }
    let procedures: Vec<&Procedure> = forms.iter().map(|form| form.procedure).collect();
    for (value, empty) in [("", true), ("Saint-Aubin 12", false)] {
        match template::render(source, &sample(&procedures, value), template::Use::Check) {
            Ok(rendered) => {
                let length = rendered.trim_end().chars().count();
                if let Some(channel) = room.filter(|channel| empty && length > channel.most() as usize) {
                    let message = format!(
                        "even without a value the text has {length} characters, and `{}` takes {}",
                        channel.id,
                        channel.most()
                    );
                    let hint = format!("shorten it, or write a shorter one for the channel `{}`", channel.id);
                    findings.add("template-too-long", path, message, &hint);
                }
            }
            Err(error) => {
                broken(&error, path, findings);
                return;
            }
        }
    }
}

/// What cannot be read or rendered.
fn broken(error: &TemplateError, path: &str, findings: &mut Findings) {
    match error {
        TemplateError::Unavailable => {}
        TemplateError::Syntax(detail, line) => {
            let message = format!("in line {line} of the text: {}", path::shown(detail));
            let hint = "variables are written `{{ type }}`, conditions `{% if place %}…{% endif %}`";
            findings.add("template-syntax", path, message, hint);
        }
        TemplateError::Undefined => {
            let message = "the text looks into something that there is not";
            findings.add(
                "template-variable-unknown",
                path,
                message,
                "name variables as they are, with a dot",
            );
        }
        TemplateError::Endless => {
            let message = "the text takes too much work to render, or does not end";
            findings.add("template-endless", path, message, "leave its loops out");
        }
        TemplateError::Failed(message) => {
            findings.add("template-failed", path, message.clone(), "keep to variables and conditions");
        }
    }
}

fn is_text(name: &str) -> bool {
    name == "type" || variables::TEXTS.iter().any(|(text, _)| *text == name)
}

fn is_group(name: &str) -> bool {
    matches!(name, "fields" | "requester")
}

/// Looks a text's variables up for one type.
fn look_up(names: &BTreeSet<String>, path: &str, form: &Form<'_>, used: bool, findings: &mut Findings) {
    let procedure = form.procedure;
    let mut missing = Vec::new();
    let mut hidden = Vec::new();
    for name in names {
        if let Some(field) = name.strip_prefix("fields.") {
            let id = field.split('.').next().unwrap_or_default();
            match procedure.fields.iter().find(|field| written(field.id.as_str()) == id) {
                Some(Field { kind: FieldKind::File, .. }) => missing.push(name.clone()),
                Some(field) if !requester_reads(procedure, field.id.as_str()) => hidden.push(name.as_str()),
                Some(_) => {}
                None if used => missing.push(name.clone()),
                None => {}
            }
        } else if is_text(name) {
            let of = variables::TEXTS.iter().find(|(text, _)| text == name).and_then(|(_, path)| *path);
            if of.is_some_and(|path| !requester_reads(procedure, path)) {
                hidden.push(name.as_str());
            }
        } else if !is_group(name) {
            missing.push(name.clone());
        }
    }
    if !hidden.is_empty() {
        let message = format!(
            "the requester may not read {} of {}, and would be shown it",
            listed(&hidden),
            path::shown(&form.path)
        );
        let hint = "leave it out, or let `@requester` read it";
        findings.add("template-shows-hidden", path, message, hint);
    }
    unknown(missing, &[form], path, findings);
}

/// Says which variables there are not, all of a text in one finding.
fn unknown(missing: Vec<String>, forms: &[&Form<'_>], path: &str, findings: &mut Findings) {
    let Some(first) = missing.first() else { return };
    let fields: Vec<String> = forms
        .iter()
        .flat_map(|form| variables::fields(form.procedure))
        .map(|field| format!("fields.{}", written(field.id.as_str())))
        .collect();
    let known = variables::TEXTS.iter().map(|(name, _)| *name).chain(["type"]);
    // `fields.code-portail` is read as `fields.code` less `portail`.
    let cut = fields
        .iter()
        .find(|field| field.strip_prefix(first.as_str()).is_some_and(|rest| rest.starts_with('_')));
    let near = cut
        .map(String::as_str)
        .or_else(|| path::nearest(first, known.clone().chain(fields.iter().map(String::as_str))));
    let hint = near.map_or_else(
        || {
            let some: Vec<&str> = known.chain(fields.iter().map(String::as_str)).collect();
            format!("there are {}", listed(&some))
        },
        path::did_you_mean,
    );
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    let of = forms.first().map_or_else(String::new, |form| format!(" for {}", path::shown(&form.path)));
    let message = format!("there is no variable {}{of}", listed(&missing));
    findings.add("template-variable-unknown", path, message, &hint);
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(40).map(|name| path::shown(name)).collect();
    shown.join(", ")
}

/// Every variable that any of these types has, with the same value.
fn sample(procedures: &[&Procedure], value: &str) -> Variables {
    let mut out = Variables::default();
    for (name, _) in variables::TEXTS {
        variables::set(&mut out, name, value.to_owned());
    }
    out.set("type", value);
    for procedure in procedures {
        for field in variables::fields(procedure) {
            out.set_in("fields", &written(field.id.as_str()), value);
        }
    }
    out
}
