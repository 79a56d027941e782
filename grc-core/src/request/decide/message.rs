//! Deciding messages: by which channel, what they say, and what becomes of them.

use super::{
    Draft, Plan, Values,
    variables::{After, variables},
};
use crate::{
    Moment, RequestId, Typed, Value, Word, contact,
    definition::{Channel, Contact, Organisation, Template},
    refusal::Problem,
    request::{DeliveryReport, Event, Request, RequestEvent, validate},
    template::{self, TemplateError},
};
use uuid::Uuid;

/// The longest subject, in characters: longer ones are cut.
const MAX_SUBJECT: usize = 150;

/// What is written, and how it came about.
struct Words {
    text: Typed,
    subject: Option<Typed>,
    template: Option<Word>,
    automatic: bool,
}

/// A notice that a template makes.
pub(super) struct Notice<'n> {
    /// The template.
    pub(super) template: &'n Word,
    /// What the actor wrote besides.
    pub(super) own: Option<&'n Typed>,
    /// Whether no person stands behind it.
    pub(super) automatic: bool,
    /// When it happened.
    pub(super) at: Moment,
}

/// Whether the requester can be reached by a channel. A value that is not at hand is not held against them.
fn reaches(organisation: &Organisation, channel: &Channel, request: &Request, values: &Values) -> bool {
    let Some(contact) = channel.answer else { return channel.by_hand };
    let slot = request.requester().and_then(|party| party.details.get(contact.detail()));
    slot.is_some_and(|slot| match values.get(slot) {
        Some(Value::Text(text)) => suits(organisation, contact, text),
        _ => true,
    })
}

/// Whether a text is the contact that a channel needs.
pub(super) fn suits(organisation: &Organisation, contact: Contact, text: &str) -> bool {
    contact != Contact::Mobile || contact::mobile(text, organisation.phone_code).is_some()
}

/// The channels by which the requester can be reached, the first the one to take: the one that they chose, the one by
/// which the request came in, then the others as the organisation lists them.
fn route<'o>(
    organisation: &'o Organisation,
    request: &Request,
    values: &Values,
    by_hand: bool,
) -> Vec<&'o Channel> {
    let chosen = request.requester().and_then(|party| party.answer.as_ref());
    let chosen = chosen.and_then(|id| organisation.channel(id.as_str()));
    // Where nothing is needed to tell somebody, they must have asked for it.
    let others = || organisation.channels.iter().filter(|channel| channel.answer.is_some());
    let came_by = others().filter(|channel| channel.id == request.channel);
    let mut out: Vec<&Channel> = Vec::new();
    for channel in chosen.into_iter().chain(came_by).chain(others()) {
        let open = channel.answers() && (by_hand || !channel.by_hand);
        if open && reaches(organisation, channel, request, values) && !out.iter().any(|c| c.id == channel.id)
        {
            out.push(channel);
        }
    }
    out
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn fits(channel: &Channel, text: &str) -> bool {
    length(text) <= channel.most() as usize
}

fn unreachable() -> Problem {
    Problem::new("message.unreachable", "message", "the requester cannot be reached by any channel")
        .hint("leave the message out, or correct the requester's contact")
}

fn too_long(channel: &Channel) -> Problem {
    Problem::new("message.too-long", "message", "this message is too long for its channel").hint(format!(
        "give at most {} characters by `{}`, or write by another channel",
        channel.most(),
        channel.id
    ))
}

fn no_address(path: &str) -> Problem {
    Problem::new("channel.address", path, "what this channel needs to reach the requester is not known")
        .hint("choose another channel, or correct the requester's contact")
}

impl Draft<'_> {
    /// Writes a message out: queued, or said.
    fn send(&mut self, request: &Request, channel: &Channel, words: Words, quiet: bool) {
        let part = self.own_part();
        let text = self.slot("message", part, words.text);
        let subject = words.subject.map(|subject| self.slot("message", part, subject));
        let message = self.sequence();
        self.event(RequestEvent::Messaged {
            direction: Word::of("out"),
            channel: channel.id.clone(),
            text,
            subject,
            template: words.template,
            automatic: words.automatic,
            party: requester_index(request),
        });
        if channel.by_hand {
            self.event(RequestEvent::Delivered {
                message,
                status: Word::of("said"),
                code: None,
                channel: Some(channel.id.clone()),
                next: None,
            });
        } else if !quiet {
            self.decision.plans.push(Plan::Deliver { message, channel: channel.id.clone(), round: 0 });
        }
    }

    /// An answering channel by its name.
    fn answering(&mut self, name: &str) -> Option<Channel> {
        let organisation = self.context.organisation;
        let answers = organisation.channels.iter().filter(|channel| channel.answers());
        let known = answers.map(|channel| &channel.id);
        let id =
            self.check(validate::known("channel", "channel.unknown", "answering channel", name, known))?;
        organisation.channel(id.as_str()).cloned()
    }

    /// A message from the requester.
    pub(super) fn message_in(&mut self, request: &Request, text: &Typed, channel: Word) {
        if self.may_write("message", Some(request))
            && self.check(validate::free_text("message", text)).is_some()
        {
            let part = self.own_part();
            let text = self.slot("message", part, text.clone());
            let party = requester_index(request);
            self.event(RequestEvent::Messaged {
                direction: Word::of("in"),
                channel,
                text,
                subject: None,
                template: None,
                automatic: false,
                party,
            });
        }
    }

    /// Whether a person's own text can be a message at all.
    fn writes(&mut self, request: &Request, text: &Typed) -> bool {
        self.may_write("message", Some(request)) && self.check(validate::free_text("message", text)).is_some()
    }

    /// A message to the requester in a person's own words: by the channel that is named, or the first of the route. A
    /// replay records what was said, whatever can be reached now.
    pub(super) fn message_out(
        &mut self,
        request: &Request,
        values: &Values,
        text: &Typed,
        channel: Option<&str>,
        quiet: bool,
    ) {
        let organisation = self.context.organisation;
        if !self.writes(request, text) {
            return;
        }
        let channel = match channel {
            Some(name) => {
                let Some(channel) = self.answering(name) else { return };
                if !quiet && !reaches(organisation, &channel, request, values) {
                    self.problems.push(no_address("channel"));
                    return;
                }
                channel
            }
            None => match route(organisation, request, values, true).first() {
                Some(channel) => (*channel).clone(),
                None => {
                    self.problems.push(unreachable());
                    return;
                }
            },
        };
        if !quiet && !fits(&channel, text.expose_text().unwrap_or_default()) {
            self.problems.push(too_long(&channel));
            return;
        }
        let words = Words { text: text.clone(), subject: None, template: None, automatic: false };
        self.send(request, &channel, words, quiet);
    }

    /// The request as it is after what is decided so far.
    fn after(&self, before: Option<&Request>, values: &Values, at: Moment) -> Option<After> {
        let version = before.map_or(0, |request| request.version);
        let events = Event::sequence(&self.decision, version, at, self.context.now, self.context);
        let request = match before {
            Some(request) => {
                let mut request = request.clone();
                events.iter().try_for_each(|event| request.apply(event)).ok()?;
                request
            }
            // Its id is in no template.
            None => Request::fold(RequestId::from_uuid(Uuid::nil()), &events).ok()??,
        };
        let mut values = values.clone();
        let typed = self.decision.slots.iter().map(|(_, slot)| (slot.slot, slot.value.expose().clone()));
        values.extend(typed);
        Some(After { request, values })
    }

    /// A notice to the requester, if they can be reached: by the first channel of the route in which it fits. Where it
    /// fits nowhere, nothing is sent; but what a person wrote is not dropped in silence.
    pub(super) fn notice(&mut self, notice: &Notice<'_>, before: Option<&Request>, values: &Values) {
        let context = self.context;
        let Some(template) = context.organisation.template(notice.template.as_str()) else { return };
        let Some(after) = self.after(before, values, notice.at) else { return };
        if let Some(own) = notice.own
            && !self.writes(&after.request, own)
        {
            return;
        }
        let own = notice.own.and_then(Typed::expose_text);
        let mut problem = unreachable();
        for channel in route(context.organisation, &after.request, &after.values, !notice.automatic) {
            match self.rendered(template, channel, &after, own) {
                Ok((subject, text)) if fits(channel, &text) && !text.trim().is_empty() => {
                    // What the template does not say of it goes in a message of its own.
                    let besides = notice.own.filter(|_| {
                        let names = template::uses(template.in_channel(&channel.id).1);
                        !names.is_ok_and(|names| names.contains("message"))
                    });
                    let words = Words {
                        text: Typed::new(text),
                        subject: subject.map(Typed::new),
                        template: Some(template.id.clone()),
                        automatic: notice.automatic,
                    };
                    self.send(&after.request, channel, words, false);
                    if let Some(own) = besides {
                        self.message_out(&after.request, &after.values, own, None, false);
                    }
                    return;
                }
                Ok(_) => problem = too_long(channel),
                Err(TemplateError::Unavailable) => {
                    let problem = Problem::new(
                        "template.unavailable",
                        "message",
                        "this build renders no templates, and the definition wants one",
                    );
                    self.problems.push(problem.hint("build it with the feature `templates`"));
                    return;
                }
                Err(_) => {
                    problem = Problem::new(
                        "template.failed",
                        "message",
                        "the template of this notice cannot be rendered for this request",
                    )
                    .hint("send the message apart, and have the template looked at");
                }
            }
        }
        if notice.own.is_some() {
            self.problems.push(problem);
        }
    }

    /// Subject and text of a template in a channel.
    fn rendered(
        &self,
        template: &Template,
        channel: &Channel,
        after: &After,
        own: Option<&str>,
    ) -> Result<(Option<String>, String), TemplateError> {
        let variables = variables(after, self.context, channel, own);
        let (subject, text) = template.in_channel(&channel.id);
        let text = template::render(text, &variables, template::Use::Decision)?;
        let subject = match subject {
            Some(subject) => {
                let subject = template::render(subject, &variables, template::Use::Decision)?;
                // One line, whatever was typed into it.
                let words: Vec<&str> = subject
                    .split(|c: char| c.is_whitespace() || c.is_control())
                    .filter(|w| !w.is_empty())
                    .collect();
                let subject: String = words.join(" ").chars().take(MAX_SUBJECT).collect();
                Some(subject).filter(|subject| !subject.is_empty())
            }
            None => None,
        };
        Ok((subject, text.trim_end().to_owned()))
    }

    /// Tries again what was given up.
    pub(super) fn resend(&mut self, request: &Request, values: &Values, message: u64, channel: Option<&str>) {
        let context = self.context;
        let organisation = context.organisation;
        let reads = context.acting.is_internal()
            || context.acting.reads(organisation, context.procedure, "message", Some(request));
        let known = request.messages.iter().find(|known| known.seq == message && known.is_outgoing());
        let Some(known) = known.filter(|_| reads) else {
            self.problems.push(unknown());
            return;
        };
        if !known.is_dead() {
            let problem = Problem::new(
                "message.not-dead",
                "message",
                "this message was not given up, so it is not sent again",
            );
            self.problems.push(problem.hint("write another one"));
            return;
        }
        let text = match values.get(&known.text) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let channel = match channel {
            Some(name) => {
                let Some(channel) = self.answering(name) else { return };
                if channel.by_hand || !reaches(organisation, &channel, request, values) {
                    self.problems.push(no_address("channel"));
                    return;
                }
                channel
            }
            None => {
                let mut all = route(organisation, request, values, false).into_iter();
                match all.find(|channel| fits(channel, text)) {
                    Some(channel) => channel.clone(),
                    None => {
                        self.problems.push(unreachable());
                        return;
                    }
                }
            }
        };
        if !fits(&channel, text) {
            self.problems.push(too_long(&channel));
            return;
        }
        self.event(RequestEvent::Delivered {
            message,
            status: Word::of("waiting"),
            code: None,
            channel: None,
            next: Some(channel.id.clone()),
        });
        self.decision.plans.push(Plan::Deliver { message, channel: channel.id, round: known.round + 1 });
    }

    /// Takes in what became of a message: one that failed goes on by the next channel that was not tried yet and that
    /// it fits in, and is given up when there is none.
    pub(super) fn delivered(
        &mut self,
        request: &Request,
        values: &Values,
        message: u64,
        round: u32,
        report: &DeliveryReport,
    ) {
        let known = request.messages.iter().find(|known| known.seq == message && known.is_outgoing());
        let Some(known) = known else {
            self.problems.push(unknown());
            return;
        };
        if !known.is_news(round, report) {
            self.problems.push(Problem::new("message.settled", "message", "what became of it is known"));
            return;
        }
        let channel = Some(known.channel.clone());
        let (status, code, next) = match report {
            DeliveryReport::Sent => ("sent", None, None),
            DeliveryReport::Delivered => ("delivered", None, None),
            DeliveryReport::Read => ("read", None, None),
            DeliveryReport::Failed(code) | DeliveryReport::Bounced(code) => {
                let text = match values.get(&known.text) {
                    Some(Value::Text(text)) => text.as_str(),
                    _ => "",
                };
                let next =
                    route(self.context.organisation, request, values, false).into_iter().find(|other| {
                        other.id != known.channel && !known.tried.contains(&other.id) && fits(other, text)
                    });
                let status = if next.is_some() { "failed" } else { "dead" };
                // What is no word may be the provider's own text, with an address in it: that is not kept.
                let code = Word::new(code).unwrap_or_else(|_| Word::of("other"));
                (status, Some(code), next.map(|channel| channel.id.clone()))
            }
        };
        let status = Word::of(status);
        self.event(RequestEvent::Delivered { message, status, code, channel, next: next.clone() });
        if let Some(channel) = next {
            self.decision.plans.push(Plan::Deliver { message, channel, round: round + 1 });
        }
    }
}

fn unknown() -> Problem {
    Problem::new("message.unknown", "message", "there is no such message to the requester")
}

/// Which of the parties is the requester.
fn requester_index(request: &Request) -> Option<u32> {
    let index = request.parties.iter().position(|party| party.role == "requester").unwrap_or(0);
    u32::try_from(index).ok().filter(|_| !request.parties.is_empty())
}
