//! What is handed in.

use super::NewFile;
use crate::{Moment, TrackingCode, Typed, Value};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A person of a request: who asks, for whom it is, who represents them, who follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub(crate) role: String,
    pub(crate) details: BTreeMap<&'static str, Typed>,
    pub(crate) answer: Option<String>,
}

impl Party {
    /// A person with a role: `requester`, `beneficiary`, `representative`, `follower`.
    pub fn new(role: impl Into<String>) -> Self {
        Self { role: role.into(), details: BTreeMap::new(), answer: None }
    }

    /// The requester.
    pub fn requester() -> Self {
        Self::new("requester")
    }

    /// The requester, by given name and family name.
    pub fn named(given: impl Into<String>, family: impl Into<String>) -> Self {
        Self::requester().detail("given", given).detail("name", family)
    }

    fn detail(mut self, name: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        // An empty text is nothing typed.
        if !text.trim().is_empty() {
            self.details.insert(name, Typed::new(text));
        }
        self
    }

    /// With a family name.
    #[must_use]
    pub fn family_name(self, name: impl Into<String>) -> Self {
        self.detail("name", name)
    }

    /// With given names.
    #[must_use]
    pub fn given_name(self, name: impl Into<String>) -> Self {
        self.detail("given", name)
    }

    /// With an e-mail address.
    #[must_use]
    pub fn email(self, address: impl Into<String>) -> Self {
        self.detail("email", address)
    }

    /// With a telephone number.
    #[must_use]
    pub fn phone(self, number: impl Into<String>) -> Self {
        self.detail("phone", number)
    }

    /// With a postal address.
    #[must_use]
    pub fn address(self, street: &str, postcode: &str, city: &str) -> Self {
        self.detail("address", lines(street, postcode, city))
    }

    /// With the channel chosen for answers.
    #[must_use]
    pub fn answer_by(mut self, channel: impl Into<String>) -> Self {
        self.answer = Some(channel.into());
        self
    }

    /// Whether nothing is said of the person.
    pub fn is_empty(&self) -> bool {
        self.details.is_empty()
    }
}

/// An address as lines: the street, then postcode and town.
fn lines(street: &str, postcode: &str, city: &str) -> String {
    let town = [postcode.trim(), city.trim()].join(" ");
    [street.trim(), town.trim()]
        .iter()
        .filter(|line| !line.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("\n")
}

/// Where it is: an address, a position, a zone of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub(crate) address: Option<Typed>,
    pub(crate) point: Option<(i32, i32)>,
    pub(crate) zone: Option<String>,
    pub(crate) bad_point: bool,
}

impl Place {
    /// A place by its address.
    pub fn address(street: &str, postcode: &str, city: &str) -> Self {
        let text = lines(street, postcode, city);
        Self { address: (!text.is_empty()).then(|| Typed::new(text)), ..Self::default() }
    }

    /// A place by its position, in degrees (WGS 84).
    pub fn position(latitude: f64, longitude: f64) -> Self {
        Self::default().and_position(latitude, longitude)
    }

    /// And its position, in degrees (WGS 84).
    #[must_use]
    pub fn and_position(mut self, latitude: f64, longitude: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
        let micro = |degrees: f64, limit: f64| {
            (degrees.is_finite() && degrees.abs() <= limit).then(|| (degrees * 1e6).round() as i32)
        };
        match (micro(latitude, 90.0), micro(longitude, 180.0)) {
            (Some(lat), Some(lon)) => self.point = Some((lat, lon)),
            _ => self.bad_point = true,
        }
        self
    }

    /// And its zone.
    #[must_use]
    pub fn in_zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }
}

/// A request as it is handed in.
///
/// ```
/// use grc_core::{Intake, Party, Place};
/// let leak = Intake::new("water-leak", "phone")
///     .set("description", "eau qui coule devant le 12")
///     .at(Place::address("12 rue des Lilas", "35000", "Rennes"))
///     .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    pub(crate) type_: String,
    pub(crate) channel: String,
    pub(crate) fields: BTreeMap<String, Typed>,
    pub(crate) parties: Vec<Party>,
    pub(crate) place: Option<Place>,
    pub(crate) files: Vec<NewFile>,
    pub(crate) service: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) target: Option<Moment>,
    pub(crate) occurred_at: Option<Moment>,
    pub(crate) source: Option<Typed>,
    pub(crate) code: Option<TrackingCode>,
    pub(crate) quiet: bool,
    pub(crate) key: Option<String>,
}

impl Intake {
    /// A request of a type that came in by a channel.
    pub fn new(type_: impl Into<String>, channel: impl Into<String>) -> Self {
        Self {
            type_: type_.into(),
            channel: channel.into(),
            fields: BTreeMap::new(),
            parties: Vec::new(),
            place: None,
            files: Vec::new(),
            service: None,
            entity: None,
            target: None,
            occurred_at: None,
            source: None,
            code: None,
            quiet: false,
            key: None,
        }
    }

    /// Fills a field.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(field.into(), Typed::new(value));
        self
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds a person.
    #[must_use]
    pub fn party(mut self, party: Party) -> Self {
        self.parties.push(party);
        self
    }

    /// Adds a file whose bytes are stored already.
    #[must_use]
    pub fn file(mut self, file: NewFile) -> Self {
        self.files.push(file);
        self
    }

    /// Names the service concerned, instead of the type's own.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Names the member of the authority concerned.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Sets when its closure is promised, instead of what the type promises.
    #[must_use]
    pub fn target(mut self, target: DateTime<Utc>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Says when it came in, if that was earlier than now.
    #[must_use]
    pub fn occurred_at(mut self, at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(at.into());
        self
    }

    /// Its key in the system it comes from. Two requests that came in (`occurred_at`) in the same month cannot have the
    /// same: a row that is imported again is refused, unless its date was moved to another month meanwhile.
    #[must_use]
    pub fn source_key(mut self, key: impl Into<String>) -> Self {
        self.source = Some(Typed::new(key.into()));
        self
    }

    /// The tracking code; the engine makes one.
    #[must_use]
    pub fn code(mut self, code: TrackingCode) -> Self {
        self.code = Some(code);
        self
    }

    /// With a key: the same intake again under it gives the first result, another one is refused. Keys are the
    /// actor's own and are remembered for 30 days.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// As a replay of what is past: no message is queued and no timer started.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}
