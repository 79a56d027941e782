//! The definition that an export needs: what its columns hold, on one plain workflow.

use super::{
    mapping::{Kind, Mapping, STATES},
    survey::Survey,
};
use crate::failure::{Failure, Res};
use grc_core::{
    Definition, Word,
    definition::{
        Acceptability, Action, Agent, Channel, Field, Grant, Label, Named, Organisation, Phase, PlaceKind,
        Procedure, Promises, Service, State, Transition, Workflow,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The last of them.
pub(crate) const CLOSED: &str = "cloturee";
/// Who replays.
pub(crate) const AGENT: &str = "reprise-1";
/// The transition that closes.
pub(crate) const CLOSE: &str = "clore";
const ROLE: &str = "reprise";

/// Which identifier each value of a kind has.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary(BTreeMap<Kind, BTreeMap<String, Word>>);

impl Vocabulary {
    /// The identifier of a value: as it is written, or without the space around it.
    pub(crate) fn find(&self, kind: Kind, value: &str) -> Option<&Word> {
        let words = self.0.get(&kind)?;
        words.get(value).or_else(|| words.get(value.trim()))
    }
}

fn word(text: &str) -> Res<Word> {
    Word::new(text).map_err(|error| Failure::usage(format!("the mapping: `{text}`: {error}")))
}

/// A value as a label. Only one that is longer than a label may be is cut, and told apart by a number made of all of it.
fn label_of(value: &str) -> String {
    const LONGEST: usize = 500;
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in value.bytes() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let start: String = value.chars().take(LONGEST - 20).collect();
    format!("{start}… {sum:016x}")
}

/// A word for a label that no other has.
fn fresh(label: &str, used: &BTreeSet<Word>) -> Word {
    let slug = Word::slug(label);
    let mut found = slug.clone();
    let mut n = 2_u32;
    while used.contains(&found) {
        let suffix = format!("-{n}");
        let start: String = slug.as_str().chars().take(Word::MAX - suffix.len()).collect();
        found = Word::new(&format!("{start}{suffix}")).unwrap_or_else(|_| Word::slug(&suffix));
        n += 1;
    }
    found
}

/// Words of a kind with their labels: those that are there already, and those that are added.
struct Words {
    vocabulary: BTreeMap<String, Word>,
    added: Vec<(Word, String)>,
}

fn words(kind: Kind, mapping: &Mapping, survey: &Survey, there: &[(Word, String)]) -> Res<Words> {
    let mut used: BTreeSet<Word> = there.iter().map(|(id, _)| id.clone()).collect();
    let mut out = Words { vocabulary: BTreeMap::new(), added: Vec::new() };
    let nothing = BTreeMap::new();
    let labels = mapping.labels.get(&kind).unwrap_or(&nothing);
    let values = mapping.values.get(&kind).unwrap_or(&nothing);
    let ids = values.values().chain(mapping.defaults.get(&kind));
    for id in ids {
        let id = word(id)?;
        if used.insert(id.clone()) {
            let label = labels.get(id.as_str()).map_or_else(|| id.to_string(), |label| label_of(label));
            out.added.push((id, label));
        }
    }
    for (value, id) in values {
        out.vocabulary.insert(value.clone(), word(id)?);
    }
    let by_label: BTreeMap<&str, &Word> = there.iter().map(|(id, label)| (label.as_str(), id)).collect();
    // In the order of the values, so that the order of the rows does not matter.
    for value in survey.values.get(&kind).into_iter().flatten() {
        if out.vocabulary.contains_key(value) {
            continue;
        }
        let label = label_of(value);
        let id = match by_label.get(label.as_str()) {
            Some(id) => (*id).clone(),
            None => {
                let id = fresh(&label, &used);
                used.insert(id.clone());
                out.added.push((id.clone(), label));
                id
            }
        };
        out.vocabulary.insert(value.clone(), id);
    }
    Ok(out)
}

fn label(text: &str) -> Label {
    Label::Plain(text.to_owned())
}

fn organisation(mapping: &Mapping) -> Res<Organisation> {
    let town = &mapping.town;
    let zone = town.time_zone.as_deref().unwrap_or("Europe/Paris");
    Ok(Organisation {
        label: label(&town.label),
        time_zone: zone
            .parse()
            .map_err(|_| Failure::usage(format!("the mapping: `{zone}` is no time zone")))?,
        language: "fr".to_owned(),
        phone_code: town.phone_code,
        custodian: word(ROLE)?,
        entities: Vec::new(),
        services: Vec::new(),
        teams: Vec::new(),
        suppliers: Vec::new(),
        families: Vec::new(),
        zones: Vec::new(),
        channels: Vec::new(),
        roles: Vec::new(),
        agents: Vec::new(),
        grants: Vec::new(),
        acceptabilities: Vec::new(),
        outcomes: Vec::new(),
        impossibilities: Vec::new(),
        templates: Vec::new(),
    })
}

fn workflow() -> Res<Workflow> {
    let names = [
        ("À traiter", Phase::Received),
        ("En cours", Phase::InProgress),
        ("En attente", Phase::Waiting),
        ("Clôturée", Phase::Closed),
    ];
    let mut states = Vec::new();
    for (id, (name, phase)) in STATES.iter().zip(names) {
        states.push(State { id: word(id)?, label: label(name), phase, stage: None });
    }
    let [new, going, waiting, closed] = STATES;
    let ways: [(&str, &str, &[&str], &str); 4] = [
        ("prendre", "Prendre en charge", &[new, waiting], going),
        ("attendre", "Mettre en attente", &[new, going], waiting),
        (CLOSE, "Clore", &[new, going, waiting], closed),
        ("rouvrir", "Rouvrir", &[closed], new),
    ];
    let mut transitions = Vec::new();
    for (id, name, from, to) in ways {
        transitions.push(Transition {
            id: word(id)?,
            label: label(name),
            from: from.iter().map(|state| word(state)).collect::<Res<_>>()?,
            to: word(to)?,
            by: vec![ROLE.to_owned()],
            when: None,
            requires: Vec::new(),
            asks: Vec::new(),
            after: None,
            reopens: from.contains(&closed),
            within: None,
            tell: None,
            discloses: Vec::new(),
        });
    }
    Ok(Workflow { initial: word(new)?, states, transitions })
}

fn fields(mapping: &Mapping) -> Res<Vec<Field>> {
    let field = |column: &super::mapping::FieldColumn| {
        Ok(Field {
            id: word(&column.id)?,
            label: label(column.label.as_deref().unwrap_or(&column.column)),
            kind: column.kind,
            required: false,
            personal: column.personal,
            indexed: column.indexed,
            sensitive: false,
            options: Vec::new(),
            min: None,
            max: None,
            accept: Vec::new(),
            read: None,
            write: None,
        })
    };
    mapping.fields.iter().map(field).collect()
}

fn is_ours(procedure: &Procedure) -> bool {
    let close = procedure.transition(CLOSE);
    close.is_some_and(|close| close.by.iter().any(|by| by == ROLE))
        && STATES.iter().all(|s| procedure.state(s).is_some())
}

/// The definition for an export, added to the one that is in force, and what each value became.
pub(crate) fn build(
    mapping: &Mapping,
    survey: &Survey,
    there: Option<Definition>,
) -> Res<(Definition, Vocabulary)> {
    let mut definition = match there {
        Some(definition) => {
            agree(&definition.organisation, mapping)?;
            definition
        }
        None => Definition {
            organisation: organisation(mapping)?,
            workflows: BTreeMap::new(),
            procedures: BTreeMap::new(),
        },
    };
    let mut vocabulary = Vocabulary::default();
    people(&mut definition.organisation)?;
    lists(&mut definition.organisation, mapping, survey, &mut vocabulary)?;
    let language = definition.organisation.language.clone();
    let fields = fields(mapping)?;
    // Of the types that are there, those with another workflow keep it, and their name is free for one of ours.
    let of_ours: Vec<(Word, String)> = definition
        .procedures
        .iter()
        .map(|(id, p)| {
            (id.clone(), if is_ours(p) { p.label.get(&language).to_owned() } else { String::new() })
        })
        .collect();
    let types = words(Kind::Type, mapping, survey, &of_ours)?;
    let labels: BTreeMap<Word, String> = types.added.into_iter().chain(of_ours).collect();
    let wanted: BTreeSet<Word> = types
        .vocabulary
        .values()
        .cloned()
        .chain(mapping.defaults.get(&Kind::Type).map(|id| word(id)).transpose()?)
        .collect();
    let has_place = {
        let place = &mapping.columns.place;
        let columns =
            [&place.street, &place.postcode, &place.city, &place.latitude, &place.point, &place.zone];
        columns.iter().any(|column| column.is_some())
    };
    let workflow = workflow()?;
    for id in wanted {
        let before = definition.procedures.get(&id);
        if before.is_some_and(|procedure| !is_ours(procedure)) {
            return Err(Failure::usage(format!(
                "the type `{id}` of the mapping is in the database with another workflow: give it another id"
            )));
        }
        let mut all = fields.clone();
        let old = before.into_iter().flat_map(|procedure| &procedure.fields);
        all.extend(old.filter(|old| fields.iter().all(|field| field.id != old.id)).cloned());
        let place = match before.map(|procedure| procedure.place) {
            Some(place) if !has_place => place,
            _ if !has_place => PlaceKind::None,
            _ if mapping.town.private_places => PlaceKind::Private,
            _ => PlaceKind::Public,
        };
        let procedure = Procedure {
            label: label(labels.get(&id).map_or(id.as_str(), String::as_str)),
            family: None,
            service: None,
            sector: Some(word(ROLE)?),
            place,
            channels: None,
            requester: false,
            target: None,
            promises: Promises::default(),
            acknowledge: None,
            retention: mapping.town.retention,
            fields: all,
            rights: BTreeMap::new(),
            workflow: None,
            initial: Some(workflow.initial.clone()),
            states: workflow.states.clone(),
            transitions: workflow.transitions.clone(),
        };
        definition.procedures.insert(id, procedure);
    }
    vocabulary.0.insert(Kind::Type, types.vocabulary);
    Ok((definition, vocabulary))
}

/// A database has one zone: months counted in another would not be those that are printed.
fn agree(organisation: &Organisation, mapping: &Mapping) -> Res<()> {
    match mapping.town.time_zone.as_deref() {
        Some(zone) if zone != organisation.time_zone.name() => Err(Failure::usage(format!(
            "the town in this database is in {}, the mapping says {zone}: use another database, or the same zone",
            organisation.time_zone.name()
        ))),
        _ => Ok(()),
    }
}

fn people(organisation: &mut Organisation) -> Res<()> {
    if !organisation.has_role(ROLE) {
        organisation.roles.push(Named { id: word(ROLE)?, label: label("Reprise de données") });
        let may = vec![
            Action::Submit,
            Action::See,
            Action::Assign,
            Action::Handle,
            Action::Measure,
            Action::Import,
        ];
        organisation.grants.push(Grant {
            to: vec![ROLE.to_owned()],
            may,
            types: None,
            families: None,
            scope: grc_core::definition::Scope::Any,
        });
    }
    if organisation.agent(AGENT).is_none() {
        let agent =
            Agent { id: word(AGENT)?, roles: vec![word(ROLE)?], services: Vec::new(), teams: Vec::new() };
        organisation.agents.push(agent);
    }
    Ok(())
}

/// Channels, services, zones… of the export.
fn lists(
    organisation: &mut Organisation,
    mapping: &Mapping,
    survey: &Survey,
    vocabulary: &mut Vocabulary,
) -> Res<()> {
    let language = organisation.language.clone();
    let text = |id: &Word, label: &Label| (id.clone(), label.get(&language).to_owned());
    let named = |list: &[Named]| list.iter().map(|item| text(&item.id, &item.label)).collect::<Vec<_>>();
    for answer in &mapping.answer_channels {
        if organisation.channel(&answer.id).is_none() {
            let (id, label) = (word(&answer.id)?, label(&answer.label));
            organisation.channels.push(Channel {
                id,
                label,
                incoming: true,
                answer: Some(answer.answer),
                max: None,
                by_hand: false,
            });
        }
    }
    for kind in [Kind::Channel, Kind::Service, Kind::Zone, Kind::Entity, Kind::Outcome, Kind::Acceptability] {
        let there: Vec<(Word, String)> = match kind {
            Kind::Channel => organisation.channels.iter().map(|item| text(&item.id, &item.label)).collect(),
            Kind::Service => organisation.services.iter().map(|item| text(&item.id, &item.label)).collect(),
            Kind::Zone => named(&organisation.zones),
            Kind::Entity => named(&organisation.entities),
            Kind::Outcome => named(&organisation.outcomes),
            _ => organisation.acceptabilities.iter().map(|item| text(&item.id, &item.label)).collect(),
        };
        let words = words(kind, mapping, survey, &there)?;
        for (id, text) in words.added {
            let label = label(&text);
            match kind {
                Kind::Channel => organisation.channels.push(Channel {
                    id,
                    label,
                    incoming: true,
                    answer: None,
                    max: None,
                    by_hand: false,
                }),
                Kind::Service => organisation.services.push(Service {
                    id,
                    label,
                    entity: None,
                    phone: None,
                    email: None,
                    address: None,
                }),
                Kind::Zone => organisation.zones.push(Named { id, label }),
                Kind::Entity => organisation.entities.push(Named { id, label }),
                Kind::Outcome => organisation.outcomes.push(Named { id, label }),
                _ => organisation.acceptabilities.push(Acceptability { id, label, reasons: Vec::new() }),
            }
        }
        vocabulary.0.insert(kind, words.vocabulary);
    }
    let mut states = BTreeMap::new();
    for (value, id) in mapping.values.get(&Kind::State).into_iter().flatten() {
        states.insert(value.clone(), word(id)?);
    }
    vocabulary.0.insert(Kind::State, states);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_word_and_a_label_of_its_own() {
        let long = "x".repeat(600);
        let longer = "x".repeat(601);
        let values = ["Voirie", "voirie", "VOIRIE ", "voirié", "!!!", "«»", "???", &long, &longer];
        let mut used = BTreeSet::new();
        let mut labels = BTreeSet::new();
        for value in values {
            let label = label_of(value);
            let word = fresh(&label, &used);
            assert!(used.insert(word.clone()), "{word}");
            assert!(label.chars().count() <= 500 && labels.insert(label));
        }
        assert!(used.contains("voirie") && used.contains("voirie-2") && used.contains("x"));
    }
}
