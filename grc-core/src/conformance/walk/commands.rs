//! What is handed in and what is asked, at random.

use super::{Dice, Walk};
use crate::{
    Actor, Assignee, Intake, Party, Place, Typed, Value, Word,
    definition::{Action, Ask, Field, FieldKind, PlaceKind},
    request::{Acting, Command, Fire},
};

impl Walk {
    pub(super) fn value(&mut self, field: &Field) -> Value {
        let number = self.dice.below(10_000) as i64;
        if self.dice.once_in(80) {
            return Value::Text("\u{0}".repeat(self.dice.below(3)) + &"é".repeat(self.dice.below(30_000)));
        }
        match field.kind {
            FieldKind::Integer | FieldKind::Amount => {
                let (min, max) = (field.min.unwrap_or(0), field.max.unwrap_or(10_000));
                let number = min + number % (max - min + 1).max(1);
                if field.kind == FieldKind::Amount { Value::Amount(number) } else { Value::Integer(number) }
            }
            FieldKind::Boolean => Value::Boolean(number % 2 == 0),
            FieldKind::Date => {
                chrono::NaiveDate::from_ymd_opt(2026, 1 + (number % 12) as u32, 1 + (number % 28) as u32)
                    .map_or(Value::Integer(0), Value::Date)
            }
            FieldKind::Choice | FieldKind::Choices => {
                let options: Vec<Word> = field.options.iter().map(|option| option.id.clone()).collect();
                match self.dice.pick(&options) {
                    Some(option) if field.kind == FieldKind::Choice => Value::Choice(option.clone()),
                    Some(option) => Value::Choices(vec![option.clone()]),
                    None => Value::Text(String::new()),
                }
            }
            FieldKind::Email => Value::Text(format!("personne{number}@example.org")),
            FieldKind::Phone => Value::Text(format!("06 39 98 {:02} {:02}", number / 100, number % 100)),
            _ => Value::Text(format!("texte {number} à l'angle de la rue n° {}", number % 7)),
        }
    }

    pub(super) fn intake(&mut self) -> (Intake, Actor) {
        let types: Vec<Word> = self.definition.procedures.keys().cloned().collect();
        let type_ = self.dice.pick(&types).cloned().unwrap_or_else(|| Word::of("x"));
        let definition = self.definition.clone();
        let procedure = definition.procedures.get(&type_);
        let channels: Vec<String> =
            definition.organisation.channels.iter().map(|channel| channel.id.to_string()).collect();
        let channel = self.dice.pick(&channels).cloned().unwrap_or_default();
        let mut intake =
            Intake::new(if self.dice.once_in(40) { "rien".to_owned() } else { type_.to_string() }, channel);
        for field in procedure.iter().flat_map(|procedure| &procedure.fields) {
            if field.kind != FieldKind::File
                && (field.required || self.dice.once_in(2))
                && !self.dice.once_in(30)
            {
                let value = self.value(field);
                intake = intake.set(field.id.as_str(), value);
            }
        }
        if procedure.is_some_and(|procedure| procedure.place != PlaceKind::None) && !self.dice.once_in(3) {
            let number = self.dice.below(200) as f64;
            let mut place = Place::address(&format!("{number} rue du Test"), "35000", "Rennes");
            if self.dice.once_in(2) {
                place =
                    place.and_position(48.0 + number / 1e4, if self.dice.once_in(30) { 500.0 } else { -1.7 });
            }
            if let Some(zone) = self.dice.pick(&definition.organisation.zones)
                && self.dice.once_in(2)
            {
                place = place.in_zone(zone.id.as_str());
            }
            intake = intake.at(place);
        }
        if !self.dice.once_in(4) {
            let number = self.dice.below(30);
            let mut party = Party::named("Prénom", format!("Nom{number}"));
            if self.dice.once_in(2) {
                party = party.phone(format!("06 39 98 00 {number:02}"));
            }
            if self.dice.once_in(2) {
                party = party.email(format!("personne{number}@example.org"));
            }
            if self.dice.once_in(2) {
                let answers: Vec<String> = definition
                    .organisation
                    .channels
                    .iter()
                    .filter(|channel| channel.answer.is_some())
                    .map(|channel| channel.id.to_string())
                    .collect();
                if let Some(answer) = self.dice.pick(&answers) {
                    party = party.answer_by(answer.clone());
                }
            }
            intake = intake.party(party);
        }
        if let Some(entity) = self.dice.pick(&definition.organisation.entities)
            && self.dice.once_in(3)
        {
            intake = intake.entity(entity.id.as_str());
        }
        if self.dice.once_in(4) {
            intake = intake.source_key(format!("source-{}", self.dice.below(200)));
        }
        if self.dice.once_in(5) {
            intake = intake.key(format!("clef-{}", self.dice.below(20)));
        }
        if self.dice.once_in(6) {
            let back = self.dice.below(100) as i64 - 2;
            intake = intake.occurred_at(crate::Clock::now(&*self.clock).plus_days(-back).to_utc());
        }
        if self.dice.once_in(8) {
            let promised = crate::Clock::now(&*self.clock).plus_days(self.dice.below(300) as i64);
            intake = intake.target(promised.to_utc());
        }
        let actor = match self.dice.below(8) {
            0 => Actor::citizen(),
            1 => self.agent(),
            // Mostly somebody who may.
            _ => {
                let organisation = &definition.organisation;
                let family = procedure.and_then(|procedure| procedure.family.as_ref());
                let may = |agent: &crate::definition::Agent| {
                    Acting::resolve(organisation, &Actor::agent(agent.id.as_str()))
                        .is_ok_and(|acting| acting.may(organisation, Action::Submit, &type_, family, None))
                };
                let able: Vec<String> = organisation
                    .agents
                    .iter()
                    .filter(|agent| may(agent))
                    .map(|agent| agent.id.to_string())
                    .collect();
                self.dice.pick(&able).map_or_else(Actor::citizen, |id| Actor::agent(id.clone()))
            }
        };
        (intake, actor)
    }

    pub(super) fn assignee(&mut self) -> Assignee {
        let organisation = self.definition.organisation.clone();
        match self.dice.below(4) {
            0 => Assignee::service(
                self.dice.pick(&organisation.services).map_or_else(|| "x".to_owned(), |s| s.id.to_string()),
            ),
            1 => Assignee::team(
                self.dice.pick(&organisation.teams).map_or_else(|| "x".to_owned(), |t| t.id.to_string()),
            ),
            _ if self.dice.once_in(10) => Assignee::agent("nobody"),
            _ => Assignee::agent(
                self.dice.pick(&organisation.agents).map_or_else(|| "x".to_owned(), |a| a.id.to_string()),
            ),
        }
    }

    pub(super) fn command(&mut self, seen: &crate::Seen) -> (&'static str, Command) {
        let organisation = self.definition.organisation.clone();
        let procedure = self.definition.procedures.get(seen.type_()).cloned();
        let text = |dice: &mut Dice| {
            Typed::new(if dice.once_in(20) { String::new() } else { format!("mot {}", dice.below(1_000)) })
        };
        if let Some(hold) = seen.holds().first()
            && self.dice.once_in(2)
        {
            return ("release", Command::Release { hold: *hold });
        }
        if seen.closed_at().is_some() && seen.may(Action::Confirm) && self.dice.once_in(2) {
            return ("confirm", Command::confirm(self.dice.once_in(2), Some("comme je le vois")));
        }
        match self.dice.below(24) {
            20 => ("take", Command::Take),
            21 => {
                let reason = text(&mut self.dice);
                ("hand-over", Command::HandOver { to: self.assignee(), reason })
            }
            22 => {
                let outcome = self.dice.pick(&organisation.outcomes).map(|outcome| outcome.id.to_string());
                let reason = self.dice.once_in(2).then(|| text(&mut self.dice));
                ("conclude", Command::Conclude { outcome: outcome.unwrap_or_default(), reason })
            }
            23 => {
                let comment = self.dice.once_in(2).then(|| text(&mut self.dice));
                ("confirm", Command::Confirm { satisfied: self.dice.once_in(2), comment })
            }
            0..=4 | 16..=19 => {
                let choice = self.dice.pick(seen.choices()).cloned();
                let any = procedure.and_then(|p| self.dice.pick(&p.transitions).map(|t| t.id.to_string()));
                let asks = choice.as_ref().map(|choice| choice.asks.clone()).unwrap_or_default();
                let id = if self.dice.once_in(12) {
                    any
                } else {
                    choice.map(|c| c.transition.to_string()).or(any)
                };
                let mut fire = Fire::new(id.unwrap_or_else(|| "rien".to_owned()));
                // Mostly what is asked for; sometimes not, sometimes more.
                let gives = |dice: &mut Dice, ask| {
                    if asks.contains(&ask) { !dice.once_in(12) } else { dice.once_in(6) }
                };
                if gives(&mut self.dice, Ask::Assignee) {
                    fire = fire.to(self.assignee());
                }
                if gives(&mut self.dice, Ask::Outcome)
                    && let Some(outcome) = self.dice.pick(&organisation.outcomes)
                {
                    fire = fire.outcome(outcome.id.as_str());
                }
                if gives(&mut self.dice, Ask::Message) {
                    fire = fire.message("nous vous tenons au courant");
                }
                if gives(&mut self.dice, Ask::Note) {
                    fire = fire.note("vu sur place");
                }
                ("fire", Command::Fire(fire))
            }
            5 => (
                "assign",
                Command::Assign {
                    to: self.assignee(),
                    reason: self.dice.once_in(2).then(|| Typed::new("par compétence")),
                },
            ),
            6 | 7 => {
                let fields = procedure.map(|p| p.fields).unwrap_or_default();
                let fields: Vec<Field> =
                    fields.into_iter().filter(|field| field.kind != FieldKind::File).collect();
                match self.dice.pick(&fields).cloned() {
                    Some(field) if !self.dice.once_in(12) => {
                        let value = self.value(&field);
                        let typed = (!self.dice.once_in(5)).then(|| Typed::new(value));
                        ("correct", Command::Correct([(field.id.to_string(), typed)].into()))
                    }
                    _ => ("correct", Command::correct("inconnu", "x")),
                }
            }
            8 => {
                let judged = self.dice.pick(&organisation.acceptabilities).cloned();
                let reasons = judged.as_ref().map(|judged| judged.reasons.clone()).unwrap_or_default();
                let reason = self.dice.pick(&reasons).map(|reason| reason.id.to_string());
                let reason = reason.filter(|_| !self.dice.once_in(3));
                let acceptability = judged.map_or_else(|| "x".to_owned(), |judged| judged.id.to_string());
                ("assess", Command::Assess { acceptability, reason })
            }
            9 => {
                let channel = self.dice.pick(&organisation.channels).map(|channel| channel.id.to_string());
                let channel = channel.filter(|_| self.dice.once_in(3));
                ("tell", Command::Tell { text: text(&mut self.dice), channel })
            }
            10 => {
                let channel =
                    self.dice.pick(&organisation.channels).map_or_else(String::new, |c| c.id.to_string());
                ("hear", Command::Hear { text: text(&mut self.dice), channel })
            }
            11 => ("note", Command::Note(text(&mut self.dice))),
            12 => (
                "worked",
                Command::Work {
                    minutes: self.dice.below(300) as u32,
                    cents: self.dice.below(50_000) as i64,
                    supplier: {
                        let supplier = self.dice.pick(&organisation.suppliers).map(|s| s.id.to_string());
                        supplier.filter(|_| self.dice.once_in(2))
                    },
                },
            ),
            13 => {
                let target = self
                    .known
                    .get(self.dice.below(self.known.len().max(1)))
                    .map_or_else(|| seen.id(), |k| k.0);
                ("link", Command::Link { kind: "duplicate-of".to_owned(), target })
            }
            14 => ("hold", Command::Hold { reason: Typed::new("contentieux en cours") }),
            _ => {
                let all =
                    ["requester.phone", "requester.email", "message", "note", "place.address", "slot.2"];
                let path = self.dice.pick(&all).copied().unwrap_or("note");
                (
                    "erase",
                    Command::Erase {
                        paths: vec![path.to_owned()],
                        reason: "droit-a-l-effacement".to_owned(),
                    },
                )
            }
        }
    }
}
