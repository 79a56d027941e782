//! What a request knows of the interventions that serve it.

use super::{Request, RequestEvent, Span};
use crate::{InterventionId, Moment, Word, vault::Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An intervention, as a request that it serves knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedState {
    /// Which.
    pub intervention: Uuid,
    /// How far it is: `planned`, `acknowledged`, `started`, `done`, `impossible`, `cancelled`, `left`.
    pub stage: Word,
    /// From when it is planned.
    pub from: Moment,
    /// Until when it is planned.
    pub until: Moment,
    /// The service that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Word>,
    /// The team that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Word>,
    /// The supplier who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Word>,
    /// Why it was impossible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Word>,
    /// What was written to who does it, and by them: `instructions` and `report`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<(Word, Slot)>,
}

impl ServedState {
    /// Whether it is still to be done.
    pub fn is_open(&self) -> bool {
        matches!(self.stage.as_str(), "planned" | "acknowledged" | "started")
    }
}

impl Request {
    pub(super) fn served(&mut self, at: Moment, event: &RequestEvent) {
        let RequestEvent::Served {
            intervention,
            stage,
            from,
            until,
            service,
            team,
            supplier,
            minutes,
            cents,
            reason,
            instructions,
            report,
        } = event
        else {
            return;
        };
        let index = self.interventions.iter().position(|known| known.intervention == *intervention);
        let mut texts = index.map_or_else(Vec::new, |index| self.interventions.remove(index).texts);
        texts.extend(instructions.map(|slot| (Word::of("instructions"), slot)));
        texts.extend(report.map(|slot| (Word::of("report"), slot)));
        // The last that was heard of stands last.
        self.interventions.push(ServedState {
            intervention: *intervention,
            stage: stage.clone(),
            from: *from,
            until: *until,
            service: service.clone(),
            team: team.clone(),
            supplier: supplier.clone(),
            reason: reason.clone(),
            texts,
        });
        let id = InterventionId::from_uuid(*intervention).word();
        let dimensions =
            [("intervention", Some(&id)), ("team", team.as_ref()), ("supplier", supplier.as_ref())];
        self.spans.retain(|span| !(span.kind == "estimate" && span.dimension("intervention") == Some(&id)));
        let gone = matches!(stage.as_str(), "cancelled" | "left");
        if !gone && (*minutes, *cents) != (0, 0) {
            let mut estimate = Span::new("estimate", *from, &dimensions).point();
            (estimate.minutes, estimate.cents) = (*minutes, *cents);
            self.spans.push(estimate);
        }
        let same = |span: &Span| span.kind == "intervention" && span.dimension("intervention") == Some(&id);
        match stage.as_str() {
            "started" if !self.spans.iter().any(same) => {
                self.spans.push(Span::new("intervention", at, &dimensions));
            }
            "done" | "impossible" => {
                if !self.spans.iter().any(same) {
                    self.spans.push(Span::new("intervention", at, &dimensions));
                }
                for span in self.spans.iter_mut().filter(|span| same(span) && span.until.is_none()) {
                    // It joined work under way, of which the end was entered late.
                    span.from = span.from.min(at);
                    span.until = Some(at);
                    span.dimensions.insert(Word::of("result"), stage.clone());
                }
            }
            "cancelled" | "left" => self.spans.retain(|span| !same(span)),
            _ => {}
        }
    }

    pub(super) fn charged(&mut self, event: &RequestEvent) {
        let RequestEvent::Charged { intervention, entry, spent, minutes, cents, supplier, team, agent } =
            event
        else {
            return;
        };
        let id = InterventionId::from_uuid(*intervention).word();
        let entry = entry_word(*entry);
        self.spans.retain(|span| {
            let same = span.dimension("intervention") == Some(&id) && span.dimension("entry") == Some(&entry);
            !(span.kind == "work" && same)
        });
        if (*minutes, *cents) == (0, 0) {
            return;
        }
        let dimensions = [
            ("intervention", Some(&id)),
            ("entry", Some(&entry)),
            ("supplier", supplier.as_ref()),
            ("team", team.as_ref()),
            ("agent", agent.as_ref()),
        ];
        let mut span = Span::new("work", *spent, &dimensions).point();
        (span.minutes, span.cents) = (*minutes, *cents);
        self.spans.push(span);
    }

    /// How far work on site is: of what is still to be done, or else of what ended last.
    pub(super) fn work_on_site(&self) -> Option<&Word> {
        let open = || self.interventions.iter().filter(|served| served.is_open());
        let started = open().find(|served| served.stage == "started");
        let ended = || {
            self.interventions
                .iter()
                .rev()
                .find(|served| matches!(served.stage.as_str(), "done" | "impossible"))
        };
        started.or_else(|| open().next_back()).or_else(ended).map(|served| &served.stage)
    }
}

/// The word by which spans name an entry.
fn entry_word(entry: u32) -> Word {
    Word::new(&format!("e{entry}")).unwrap_or_else(|_| Word::of("x"))
}
