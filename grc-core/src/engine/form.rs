//! Forms: what can be handed in, and what of it is asked.

use super::{GrcError, Seen, Session};
use crate::{
    Word,
    definition::{Action, Field, FieldKind, Label, Named, Personal, PlaceKind, Procedure},
};

/// A field of a form, as an actor may fill or read it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormField {
    /// Its id: how intakes, corrections and refusals (`fields.` and the id) name it.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it must be filled when the request is handed in.
    pub required: bool,
    /// Whether the actor may fill it: at intake, or by a correction of the request that was opened, or by attaching.
    pub writable: bool,
    /// What it says of persons: what a form tells those who fill it.
    pub personal: Personal,
    /// The options of a choice.
    pub options: Vec<Named>,
    /// The least number, cents of an amount, or the fewest characters.
    pub min: Option<i64>,
    /// The greatest number, cents of an amount, the most characters, or the most bytes of a file.
    pub max: Option<i64>,
    /// The media types of a file; empty: all.
    pub accept: Vec<String>,
}

impl FormField {
    fn of(field: &Field, writable: bool) -> Self {
        use FieldKind::{Amount, File, Integer, LongText, Text};
        let bounded = matches!(field.kind, Text | LongText | Integer | Amount | File);
        Self {
            id: field.id.clone(),
            label: field.label.clone(),
            kind: field.kind,
            required: field.required,
            writable,
            personal: field.personal(),
            options: field.options.clone(),
            min: field.min,
            max: bounded.then(|| field.most()),
            accept: field.accept.clone(),
        }
    }
}

/// The form of a request type that an actor may hand in: all that a page needs to ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Form {
    /// The type.
    pub type_: Word,
    /// Its name.
    pub label: Label,
    /// Its family.
    pub family: Option<Named>,
    /// The channels by which it may come in.
    pub channels: Vec<Named>,
    /// The channels by which its requester may be answered.
    pub answers: Vec<Named>,
    /// Whether a requester must be given.
    pub requester: bool,
    /// What its place is.
    pub place: PlaceKind,
    /// The zones that a place may be in; none where it has no place.
    pub zones: Vec<Named>,
    /// The fields that the actor may fill, in the order of the definition.
    pub fields: Vec<FormField>,
}

impl Session {
    /// The forms of what the actor may hand in, under the newest definition, by type.
    ///
    /// ```
    /// # use grc_core::{Actor, Definition, Grc, GrcError, Stores, definition::FieldKind};
    /// # const TOWN: &str = include_str!("../../tests/definitions/lib.toml");
    /// # pollster::block_on(async {
    /// # let grc = Grc::open(Stores::memory()).await?;
    /// # let town = grc.authority("rennes")?;
    /// # town.host("set-up").publish(&Definition::from_files([("town.toml", TOWN)])?).await?;
    /// let claire = town.session(Actor::agent("a-17"));
    /// for form in claire.forms().await? {
    ///     println!("{}", form.label.get("fr"));
    ///     for field in &form.fields {
    ///         println!("  {}{}", field.label.get("fr"), if field.required { " *" } else { "" });
    ///     }
    /// }
    /// # Ok::<(), GrcError>(())
    /// # })?;
    /// # Ok::<(), GrcError>(())
    /// ```
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the actor is not known, [`GrcError::NoDefinition`], [`GrcError::Storage`].
    pub async fn forms(&self) -> Result<Vec<Form>, GrcError> {
        let (acting, current) = self.acting().await?;
        let organisation = &current.document.organisation;
        let named = |id: &Word, label: &Label| Named { id: id.clone(), label: label.clone() };
        let answers = organisation.channels.iter().filter(|channel| channel.answer.is_some());
        let answers: Vec<Named> = answers.map(|channel| named(&channel.id, &channel.label)).collect();
        let mut forms = Vec::new();
        for (type_, version) in &current.document.procedures {
            let procedure = self.authority().procedure(type_, *version).await?;
            let family = procedure.family.as_ref();
            if !acting.may(organisation, Action::Submit, type_, family, None) {
                continue;
            }
            let takes = |id: &Word| procedure.channels.as_ref().is_none_or(|only| only.contains(id));
            let channels = organisation.channels.iter();
            let channels = channels.filter(|channel| channel.incoming && takes(&channel.id));
            let family = family.and_then(|id| organisation.families.iter().find(|family| family.id == *id));
            let writes = |field: &&Field| acting.writes(organisation, &procedure, field.id.as_str(), None);
            forms.push(Form {
                type_: type_.clone(),
                label: procedure.label.clone(),
                family: family.cloned(),
                channels: channels.map(|channel| named(&channel.id, &channel.label)).collect(),
                answers: answers.clone(),
                requester: procedure.requester,
                place: procedure.place,
                zones: match procedure.place {
                    PlaceKind::None => Vec::new(),
                    PlaceKind::Public | PlaceKind::Private => organisation.zones.clone(),
                },
                fields: procedure
                    .fields
                    .iter()
                    .filter(writes)
                    .map(|field| FormField::of(field, true))
                    .collect(),
            });
        }
        Ok(forms)
    }
}

/// Which fields of a request's own version of its procedure an actor may read or write: the index of each, and whether
/// it can be written.
pub(super) type FieldsSeen = Vec<(usize, bool)>;

impl Seen {
    /// The form that the request was handed in by, as it was then: the fields that the actor may read or correct, also
    /// those that are not filled.
    pub fn form(&self) -> Vec<FormField> {
        let (procedure, seen) = self.fields_seen();
        let one = |(index, writable): &(usize, bool)| {
            procedure.fields.get(*index).map(|field| FormField::of(field, *writable))
        };
        seen.iter().filter_map(one).collect()
    }
}

/// The fields of a procedure that are read or written, as two functions say.
pub(super) fn fields_seen(
    procedure: &Procedure,
    reads: impl Fn(&str) -> bool,
    writes: impl Fn(&Field) -> bool,
) -> FieldsSeen {
    let fields = procedure.fields.iter().enumerate();
    fields
        .filter_map(|(index, field)| {
            let writable = writes(field);
            (writable || reads(field.id.as_str())).then_some((index, writable))
        })
        .collect()
}
