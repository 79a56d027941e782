//! The pure core at work, for the micro-benches: a definition, a request and its next command, without a store.

use crate::{Res, town};
use grc_core::{
    Actor, Assignee, Condition, Intake, Moment, RequestId, SeededEntropy, TrackingCode, Value, Word,
    definition::{Organisation, Procedure},
    request::{Acting, Command, Context, Decision, Event, Fire, Given, Request, decide, decide_intake},
    vault::{DataKey, SealedSlot, Slot, SlotKey, StreamContext, VaultRow, seal},
};
use uuid::Uuid;

/// What the pure functions take.
#[derive(Debug)]
pub struct Pure {
    organisation: Organisation,
    procedure: Procedure,
    type_: Word,
    takes: Acting,
    deals: Acting,
    now: Moment,
    intake: Intake,
    assign: Command,
    hand_on: Command,
    /// A request that was handed in.
    pub request: Request,
    /// Its events.
    pub events: Vec<Event>,
    /// A rule over it, as definitions have them.
    pub condition: Condition,
    /// The stream's context.
    pub context: StreamContext,
    /// A key of one slot.
    pub key: SlotKey,
    /// What a person typed.
    pub value: Value,
    /// That, sealed.
    pub sealed: SealedSlot,
    /// A part of a vault with ten such slots.
    pub row: VaultRow,
}

/// The slot that is sealed.
pub const SLOT: Slot = 3;

impl Pure {
    /// Makes it all.
    ///
    /// # Errors
    /// If the definition does not fit.
    pub fn new() -> Res<Self> {
        let definition = town::definition()?.resolved();
        let type_ = Word::new("fuite-eau")?;
        let procedure = definition.procedures.get(&type_).ok_or("there is no such procedure")?.clone();
        let entropy = SeededEntropy::new(1);
        let id = RequestId::from_uuid(Uuid::from_u128(1));
        let context = StreamContext::new(&Word::new("town")?, &Word::new("request")?, id.uuid());
        let key = DataKey::fresh(&entropy)?.slot(&context, SLOT);
        let value =
            Value::from("De l'eau coule devant le numéro 12 depuis ce matin, le trottoir est glissant.");
        let data = grc_core::KeyId::from_uuid(Uuid::from_u128(2));
        let sealed = seal(&context, SLOT, data, &key, &value, &entropy)?;
        let row = VaultRow((0..10).map(|n| SealedSlot { slot: n, ..sealed.clone() }).collect());
        let condition = Condition::from_json(&serde_json::json!({ "and": [
            { "==": [{ "var": "phase" }, "received"] },
            { "or": [
                { "==": [{ "var": "service" }, "voirie"] },
                { "in": [{ "var": "channel" }, ["telephone", "guichet"]] },
            ] },
            { "!": { "==": [{ "var": "acceptability" }, "non-traitable"] } },
        ] }))?;
        let acting = |agent: &str| {
            Acting::resolve(&definition.organisation, &Actor::agent(agent))
                .map_err(|refusal| refusal.to_string())
        };
        let (takes, deals) = (acting("a-17")?, acting("a-03")?);
        let intake = town::intake(0).code(TrackingCode::fresh(&entropy)?);
        let assign = Command::Fire(Fire::new("confier").to(Assignee::agent(town::AGENT)));
        let hand_on = Command::Assign { to: Assignee::agent(town::AGENT), reason: None };
        let now = Moment::from_micros(1_795_514_400_000_000);
        let events = {
            let about = Context {
                organisation: &definition.organisation,
                organisation_version: 1,
                procedure: &procedure,
                procedure_version: 1,
                acting: &takes,
                now,
            };
            let decision = decide_intake(&intake, &type_, &about).map_err(|refusal| refusal.to_string())?;
            Event::sequence(&decision, 0, now, now, &about)
        };
        let request = Request::fold(id, &events)?.ok_or("there is no request")?;
        Ok(Self {
            organisation: definition.organisation.clone(),
            procedure,
            type_,
            takes,
            deals,
            now,
            intake,
            assign,
            hand_on,
            request,
            events,
            condition,
            context,
            key,
            value,
            sealed,
            row,
        })
    }

    fn about<'a>(&'a self, acting: &'a Acting) -> Context<'a> {
        Context {
            organisation: &self.organisation,
            organisation_version: 1,
            procedure: &self.procedure,
            procedure_version: 1,
            acting,
            now: self.now,
        }
    }

    /// Decides the intake.
    ///
    /// # Errors
    /// If it is refused.
    pub fn decide_intake(&self) -> Res<Decision> {
        let decided = decide_intake(&self.intake, &self.type_, &self.about(&self.takes));
        decided.map_err(|refusal| refusal.to_string().into())
    }

    fn decided(&self, command: &Command) -> Res<Decision> {
        let about = self.about(&self.deals);
        let decided = decide(&self.request, &Default::default(), command, Given::NOW, &about);
        decided.map_err(|refusal| refusal.to_string().into())
    }

    fn applied(&self, decision: &Decision) -> Res<Request> {
        let about = self.about(&self.deals);
        let mut request = self.request.clone();
        for event in Event::sequence(decision, request.version, self.now, self.now, &about) {
            request.apply(&event)?;
        }
        Ok(request)
    }

    /// Decides a transition that tells the requester, in a text that a template makes.
    ///
    /// # Errors
    /// If it is refused.
    pub fn decide(&self) -> Res<Decision> {
        self.decided(&self.assign)
    }

    /// Decides that transition and applies its events.
    ///
    /// # Errors
    /// If it is refused.
    pub fn decide_and_apply(&self) -> Res<Request> {
        self.applied(&self.decide()?)
    }

    /// Decides a command that tells nobody, an assignment, and applies its events.
    ///
    /// # Errors
    /// If it is refused.
    pub fn decide_and_apply_quietly(&self) -> Res<Request> {
        self.applied(&self.decided(&self.hand_on)?)
    }

    /// How many of a request's values an agent may read.
    pub fn redact(&self) -> usize {
        let fields = self.procedure.fields.iter().map(|field| field.id.as_str());
        let others =
            ["requester.name", "requester.phone", "place.address", "place.point", "message", "note", "code"];
        let reads =
            |path: &&str| self.deals.reads(&self.organisation, &self.procedure, path, Some(&self.request));
        fields.chain(others).filter(reads).count()
    }
}
