//! Messages: acknowledged at intake, told at transitions, by the channel that was chosen or the next one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod scripted;

use crate::common::refusal;
use grc_core::{
    Actor, Authority, Budget, Clock, Grc, Instruction, Intake, ManualClock, Party, RequestId, SeededEntropy,
    Seen, Session, Stores, Value, Word,
    definition::Definition,
    engine::{Delivery, MessageView, Outgoing, RecordingTransport, Transport, WorkReport},
    request::{Command, DeliveryReport, Fire},
    storage::{Fact, Load, Parts, StreamKey},
};
use pollster::block_on;
use scripted::{Hangs, Scripted, poll_once};
use std::sync::Arc;

const VILLE: &str = include_str!("../definitions/messages.toml");

struct Ville {
    clock: Arc<ManualClock>,
    authority: Authority,
    stores: Stores,
}

impl Ville {
    async fn open() -> Self {
        let now: chrono::DateTime<chrono::Utc> = "2026-11-24T23:30:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now.into()));
        let stores = Stores::memory();
        let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let grc = Grc::with(stores.clone(), shown, Arc::new(SeededEntropy::new(5))).await.unwrap();
        let authority = grc.authority("ville").unwrap();
        let definition = Definition::from_files([("ville.toml", VILLE)]).unwrap();
        authority.host("essai").publish(&definition).await.unwrap();
        Self { clock, authority, stores }
    }

    fn desk(&self) -> Session {
        self.authority.session(Actor::agent("a-1"))
    }

    async fn seen(&self, id: RequestId) -> Seen {
        self.desk().open(id).await.unwrap()
    }

    async fn work(&self, transport: &dyn Transport) -> WorkReport {
        self.authority.host("facteur").work(Some(transport), Budget::ALL).await.unwrap()
    }

    async fn messages(&self, id: RequestId) -> Vec<MessageView> {
        self.seen(id).await.messages().to_vec()
    }

    fn later(&self, days: i64) {
        self.clock.set(self.clock.now().plus_days(days));
    }

    /// The facts of a request.
    async fn undelivered(&self, id: RequestId) -> Option<i64> {
        let load = Load {
            authority: Word::new("ville").unwrap(),
            streams: vec![StreamKey::new(
                Word::new("ville").unwrap(),
                Word::new("request").unwrap(),
                id.uuid(),
            )],
            parts: Parts::None,
            receipt: None,
        };
        let mut loaded = self.stores.store.load(&load).await.unwrap();
        loaded.streams.pop().flatten().unwrap().row.facts.integer(Fact::Undelivered)
    }
}

fn anne() -> Party {
    Party::named("Anne", "Le Gall")
}

fn hole() -> Intake {
    Intake::new("signalement", "web").set("description", "Un trou\ndevant le 12")
}

fn text(outgoing: &Outgoing) -> String {
    outgoing.text.expose().to_string()
}

fn words(message: &MessageView) -> (String, Option<String>) {
    (message.channel.to_string(), message.status.as_ref().map(Word::to_string))
}

#[test]
fn who_can_be_reached_is_acknowledged_at_once() {
    block_on(async {
        let ville = Ville::open().await;
        let citizen = ville.authority.session(Actor::citizen());
        let party = anne().email("anne@example.org").answer_by("courriel");
        let mail = citizen.submit(hole().set("urgent-ou-non", true).party(party)).await.unwrap();
        let party =
            anne().phone("06 39 98 12 34").address("12 rue des Lilas", "35000", "Rennes").answer_by("sms");
        let sms = citizen.submit(hole().party(party)).await.unwrap();
        let nobody = citizen.submit(hole()).await.unwrap();
        let quiet = ville.desk().submit(hole().party(anne().email("a@example.org")).quiet()).await.unwrap();
        let out = RecordingTransport::new();
        assert_eq!(ville.work(&out).await.sent, 2);
        let mut given = out.given();
        given.sort_by_key(|outgoing| outgoing.channel.clone());
        let code = mail.tracking_code().to_string();
        // The day is the authority's: it is past midnight in Paris.
        assert_eq!(
            text(&given[0]),
            format!(
                "Ville-sur-Lac\nBonjour Anne Le Gall,\nVotre demande « Nid-de-poule » du 25 novembre 2026 est enregistrée \
                 sous le code {code}.\nElle sera traitée avant le 5 décembre 2026.\nElle est signalée urgente.\n\
                 Service : Voirie, 02 61 91 00 00"
            )
        );
        let subject = given[0].subject.as_ref().unwrap().expose().to_string();
        // On one line, whatever was typed.
        assert_eq!(subject, format!("Votre demande {code} : Un trou devant le 12"));
        assert_eq!(given[0].recipient.as_ref().unwrap().expose(), &Value::from("Anne Le Gall"));
        assert_eq!((given[0].sender.as_str(), given[0].automatic), ("Ville-sur-Lac", true));
        assert_eq!(given[0].template.as_ref().map(Word::as_str), Some("accuse"));
        let code = sms.tracking_code();
        assert_eq!(text(&given[1]), format!("Ville-sur-Lac : demande enregistrée, code {code}."));
        assert_eq!(given[1].to.expose(), &Value::from("06 39 98 12 34"));
        for (id, count) in [(mail.id(), 1), (sms.id(), 1), (nobody.id(), 0), (quiet.id(), 0)] {
            assert_eq!(ville.messages(id).await.len(), count);
        }
        // What was sent is kept as it was sent, and is known to be no person's.
        let seen = ville.seen(mail.id()).await;
        let message = &seen.messages()[0];
        assert_eq!((message.text.as_str(), message.automatic), (text(&given[0]).as_str(), true));
        assert_eq!(message.subject.as_deref(), Some(subject.as_str()));
        assert_eq!(words(message), ("courriel".to_owned(), Some("sent".to_owned())));
        let measures = ville.stores.store.measures(&Word::new("ville").unwrap(), None, 100).await.unwrap();
        let spans: Vec<String> = measures
            .rows
            .iter()
            .flat_map(|row| grc_core::request::Measure::from_bytes(&row.1).unwrap().spans)
            .filter(|span| span.kind == "exchange")
            .map(|span| span.dimensions.values().map(Word::as_str).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(spans.iter().filter(|span| span.starts_with("yes")).count(), 2, "{spans:?}");
        assert_eq!(spans.len(), 6, "{spans:?}");
    });
}

#[test]
fn a_notice_shows_the_request_as_it_is_after_the_command() {
    block_on(async {
        let ville = Ville::open().await;
        let desk = ville.desk();
        let out = RecordingTransport::new();
        let party = || anne().email("anne@example.org");
        let done = desk.submit(hole().party(party())).await.unwrap();
        desk.act_on(done.id(), None, Fire::new("finir").outcome("fait").message("Merci !")).await.unwrap();
        let late = desk.submit(hole().party(party())).await.unwrap();
        desk.act_on(late.id(), None, Fire::new("suspendre")).await.unwrap();
        // Unreachable: told nothing, and closed all the same; but what somebody wrote is not dropped in silence.
        let nobody = desk.submit(hole()).await.unwrap();
        let refused = refusal(
            desk.act_on(nobody.id(), None, Fire::new("finir").outcome("fait").message("Merci !")).await,
        );
        assert!(refused.has("message.unreachable"), "{refused}");
        desk.act_on(nobody.id(), None, Fire::new("finir").outcome("fait")).await.unwrap();
        // A replay tells nothing of its own accord, and records what was written.
        let old = desk.submit(hole().party(party()).quiet()).await.unwrap();
        let fire = Fire::new("finir").outcome("fait").message("Dit en son temps.");
        desk.act_on(old.id(), None, Instruction::from(fire).quiet()).await.unwrap();
        ville.work(&out).await;
        ville.later(21);
        ville.work(&out).await;
        let told: Vec<String> =
            out.given().iter().map(text).filter(|text| !text.contains("Bonjour")).collect();
        assert_eq!(told, ["Terminée (Réparé, le 25 novembre 2026). Merci !", "Terminée."]);
        let automatic = |messages: Vec<MessageView>| messages.iter().map(|m| m.automatic).collect::<Vec<_>>();
        assert_eq!(automatic(ville.messages(done.id()).await), [true, false]);
        assert_eq!(automatic(ville.messages(late.id()).await), [true, true]);
        assert!(ville.messages(nobody.id()).await.is_empty());
        let old = ville.messages(old.id()).await;
        assert_eq!((old.len(), old[0].text.as_str(), &old[0].status), (1, "Dit en son temps.", &None));
        let subject = out.given().last().unwrap().subject.clone().unwrap();
        assert_eq!(subject.expose(), &Value::from("Votre demande : Terminée"));
    });
}

#[test]
fn a_message_that_fails_goes_on_by_the_next_channel_and_is_given_up_after_the_last() {
    block_on(async {
        let ville = Ville::open().await;
        let party = anne()
            .phone("06 39 98 12 34")
            .email("anne@example.org")
            .address("12 rue des Lilas", "35000", "Rennes")
            .answer_by("sms");
        let id = ville.desk().submit(hole().party(party)).await.unwrap().id();
        let refuses = Scripted::new(&[
            ("sms", Delivery::Refused("no-such-number")),
            ("courriel", Delivery::Refused("mailbox-full")),
            ("courrier", Delivery::Refused("no-such-street")),
        ]);
        let report = ville.work(&refuses).await;
        assert_eq!((report.sent, report.rerouted, report.dead), (0, 2, 1), "{report:?}");
        // Nobody is told by hand what nobody wrote.
        let (seq, key) = (2, |round: &str| format!("{id}/2{round}"));
        assert_eq!(
            refuses.keys(),
            [
                ("sms".to_owned(), key("")),
                ("courriel".to_owned(), key("/1")),
                ("courrier".to_owned(), key("/2"))
            ]
        );
        let message = &ville.messages(id).await[0];
        assert_eq!((message.seq, words(message)), (seq, ("courrier".to_owned(), Some("dead".to_owned()))));
        assert_eq!(message.code.as_ref().map(Word::as_str), Some("no-such-street"));
        assert_eq!(ville.undelivered(id).await, Some(1));
        let history = ville.desk().history(id).await.unwrap();
        let steps: Vec<String> = history
            .iter()
            .filter(|entry| entry.kind == "delivered")
            .map(|entry| {
                let of = |name| entry.details.get(name).cloned().unwrap_or_default();
                format!("{} {} {} {}", of("channel"), of("status"), of("code"), of("next"))
            })
            .collect();
        assert_eq!(
            steps,
            [
                "sms failed no-such-number courriel",
                "courriel failed mailbox-full courrier",
                "courrier dead no-such-street "
            ]
        );
        assert!(history.iter().any(|entry| entry.values.contains_key("subject")));
        // Looked over, and sent again: once, however often it is asked.
        let host = ville.authority.host("guichetier");
        let page = host.dead_letters(None, 100).await.unwrap();
        assert_eq!(page.letters.len(), 1);
        let letter = &page.letters[0];
        assert_eq!((letter.request, letter.message, letter.channel.as_str()), (id, seq, "courrier"));
        assert_eq!(letter.since, ville.clock.now());
        assert_eq!(host.resend(&page.letters).await.unwrap(), 1);
        assert_eq!(host.resend(&page.letters).await.unwrap(), 0);
        assert_eq!(ville.undelivered(id).await, None);
        assert!(host.dead_letters(None, 100).await.unwrap().letters.is_empty());
        let accepts = Scripted::new(&[("sms", Delivery::Refused("no-such-number"))]);
        let report = ville.work(&accepts).await;
        assert_eq!((report.rerouted, report.sent), (1, 1));
        // Another round is another message to who remembers keys.
        assert_eq!(accepts.keys(), [("sms".to_owned(), key("/3")), ("courriel".to_owned(), key("/4"))]);
        assert_eq!(words(&ville.messages(id).await[0]), ("courriel".to_owned(), Some("sent".to_owned())));
        assert_eq!(host.resend(&page.letters).await.unwrap(), 0, "it was sent");
        assert_eq!(host.verify(id).await.unwrap().problems, Vec::<String>::new());
    });
}

#[test]
fn what_a_provider_reports_is_taken_in_once_and_what_names_nothing_is_answered_quietly() {
    block_on(async {
        let ville = Ville::open().await;
        let party = anne().phone("06 39 98 12 34").email("anne@example.org").answer_by("sms");
        let id = ville.desk().submit(hole().party(party)).await.unwrap().id();
        let host = ville.authority.host("passerelle");
        let out = Scripted::default();
        ville.work(&out).await;
        let key = out.keys()[0].1.clone();
        let version = async || ville.seen(id).await.version();
        let bounced = || DeliveryReport::Bounced("expired".to_owned());
        let before = version().await;
        host.report(&key, bounced()).await.unwrap();
        host.report(&key, bounced()).await.unwrap();
        host.report(&key, DeliveryReport::Delivered).await.unwrap();
        assert_eq!(version().await, before + 1, "what is late or twice is nothing");
        assert_eq!(words(&ville.messages(id).await[0]), ("courriel".to_owned(), Some("failed".to_owned())));
        ville.work(&out).await;
        let again = out.keys()[1].1.clone();
        assert_ne!(again, key);
        for report in
            [DeliveryReport::Delivered, DeliveryReport::Read, DeliveryReport::Read, DeliveryReport::Delivered]
        {
            host.report(&again, report).await.unwrap();
        }
        assert_eq!(words(&ville.messages(id).await[0]).1.as_deref(), Some("read"));
        let before = version().await;
        let other = RequestId::from_uuid(uuid::Uuid::from_u128(1));
        for key in
            ["", "x", "x/1", &format!("{id}"), &format!("{id}/99"), &format!("{id}/1"), &format!("{other}/2")]
        {
            host.report(key, bounced()).await.unwrap();
        }
        assert_eq!(version().await, before);
        // One that arrives while it still waits here is not handed over again.
        let party = anne().email("anne@example.org");
        let id = ville.desk().submit(hole().party(party)).await.unwrap().id();
        host.report(&format!("{id}/2"), DeliveryReport::Delivered).await.unwrap();
        assert_eq!(ville.work(&out).await.dropped, 1);
        assert_eq!(out.keys().len(), 2);
        // A provider's own words may name somebody: they are not kept.
        let party = anne().email("anne@example.org");
        let told = ville.desk().submit(hole().party(party)).await.unwrap().id();
        let text = "550 5.1.1 <anne@example.org>: Anne Le Gall unknown".to_owned();
        host.report(&format!("{told}/2"), DeliveryReport::Bounced(text)).await.unwrap();
        let messages = ville.messages(told).await;
        assert_eq!(messages[0].code.as_ref().map(Word::as_str), Some("other"));
        // And of what is forgotten nothing is said.
        ville.desk().act_on(id, None, Fire::new("finir").outcome("fait")).await.unwrap();
        ville.later(31);
        ville.work(&out).await;
        host.report(&format!("{id}/2"), bounced()).await.unwrap();
        assert!(ville.seen(id).await.anonymised_at().is_some());
    });
}

#[test]
fn what_is_told_by_hand_is_recorded_as_said_and_nothing_is_queued() {
    block_on(async {
        let ville = Ville::open().await;
        let desk = ville.desk();
        // Who calls and gives their number is called back; what no person wrote goes by no person.
        let call = Intake::new("signalement", "telephone").party(anne().phone("02 61 91 12 34"));
        let id = desk.submit(call).await.unwrap().id();
        assert!(ville.messages(id).await.is_empty());
        desk.act_on(id, None, Command::tell("On vous rappelle.")).await.unwrap();
        let counter = Command::Tell { text: "Dit au guichet.".into(), channel: Some("guichet".into()) };
        desk.act_on(id, None, counter).await.unwrap();
        desk.act_on(id, None, Fire::new("finir").outcome("fait").message("Merci.")).await.unwrap();
        let said: Vec<_> = ville.messages(id).await.iter().map(words).collect();
        let status = || Some("said".to_owned());
        assert_eq!(
            said,
            [
                ("telephone".to_owned(), status()),
                ("guichet".to_owned(), status()),
                ("telephone".to_owned(), status())
            ]
        );
        let out = RecordingTransport::new();
        assert_eq!(ville.work(&out).await, WorkReport::default());
        assert!(out.given().is_empty());
    });
}

#[test]
fn a_transport_that_waits_hangs_or_is_missing_is_tried_ten_times() {
    block_on(async {
        let ville = Ville::open().await;
        let both = || anne().phone("06 39 98 12 34").email("anne@example.org").answer_by("sms");
        let id = ville.desk().submit(hole().party(both())).await.unwrap().id();
        // Later by its own word, exactly then.
        let busy =
            Scripted::new(&[("sms", Delivery::LaterIn(90, "rate")), ("courriel", Delivery::Later("busy"))]);
        assert_eq!(ville.work(&busy).await.later, 1);
        ville.clock.set(ville.clock.now().plus_millis(89_999));
        assert_eq!(ville.work(&busy).await, WorkReport::default());
        ville.clock.set(ville.clock.now().plus_millis(1));
        assert_eq!(ville.work(&busy).await.later, 1);
        // A worker that hangs is dropped: free after the lease, and it counts.
        for n in 2..10 {
            ville.later(1);
            let work = ville.authority.host("facteur");
            assert!(!poll_once(work.work(Some(&Hangs), Budget::ALL)), "{n}");
            assert_eq!(ville.work(&busy).await, WorkReport::default(), "it is held");
            ville.clock.set(ville.clock.now().plus_millis(5 * 60_000 - 1));
            assert_eq!(ville.work(&busy).await, WorkReport::default(), "it is held");
        }
        ville.later(1);
        // Claimed ten times; the eleventh takes another way, where the count begins again.
        let report = ville.work(&busy).await;
        assert_eq!((report.rerouted, report.later), (1, 1), "{report:?}");
        assert_eq!(ville.messages(id).await[0].code.as_ref().map(Word::as_str), Some("no-answer"));
        // From one minute to about eight hours and a half more.
        let mut waits = Vec::new();
        for _ in 0..9 {
            let before = ville.clock.now();
            let mut report = WorkReport::default();
            while report == WorkReport::default() {
                ville.clock.set(ville.clock.now().plus_millis(10_000));
                report = ville.work(&busy).await;
            }
            waits.push((ville.clock.now().micros() - before.micros()) / 60_000_000);
            assert_eq!(report.later + report.dead, 1);
        }
        for (n, minutes) in waits.iter().enumerate() {
            let least = 1 << n;
            assert!((least..=least * 3 / 2 + 1).contains(minutes), "{waits:?}");
        }
        println!("minutes between attempts: {waits:?}");
        assert_eq!(ville.undelivered(id).await, Some(1), "given up after the tenth");
        assert_eq!(words(&ville.messages(id).await[0]).1.as_deref(), Some("dead"));
    });
}

#[test]
fn what_waits_is_held_or_was_given_up_goes_with_what_is_forgotten() {
    block_on(async {
        let ville = Ville::open().await;
        let desk = ville.desk();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let id = desk.submit(hole().party(anne().email("anne@example.org"))).await.unwrap().id();
            ids.push(id);
        }
        let refuses = Scripted::new(&[("courriel", Delivery::Refused("no"))]);
        let host = ville.authority.host("facteur");
        host.work(Some(&refuses), Budget::tasks(1)).await.unwrap();
        for id in &ids {
            desk.act_on(*id, None, Fire::new("finir").outcome("fait").message("Fini.")).await.unwrap();
        }
        // One is held by a worker that never came back, at the moment when everything is forgotten.
        ville.clock.set(ville.clock.now().plus_days(30).plus_millis(-60_000));
        assert!(!poll_once(host.work(Some(&Hangs), Budget::ALL)));
        ville.clock.set(ville.clock.now().plus_millis(60_000));
        assert_eq!(host.work(None, Budget::ALL).await.unwrap().anonymised, 3);
        ville.later(1);
        let out = Scripted::default();
        let report = ville.work(&out).await;
        println!("{report:?}");
        assert!(out.given.lock().unwrap().is_empty());
        assert!(host.dead_letters(None, 10).await.unwrap().letters.is_empty());
        for id in ids {
            assert!(ville.seen(id).await.anonymised_at().is_some());
            assert!(ville.messages(id).await.is_empty());
            assert_eq!(host.verify(id).await.unwrap().problems, Vec::<String>::new());
        }
    });
}

#[test]
fn a_citizen_sees_no_note_no_code_and_no_template() {
    block_on(async {
        let ville = Ville::open().await;
        let desk = ville.desk();
        let submitted =
            desk.submit(hole().set("cout", "12,50").party(anne().email("anne@example.org"))).await.unwrap();
        let id = submitted.id();
        desk.act_on(id, None, Command::note("Quartier difficile.")).await.unwrap();
        desk.act_on(id, None, Command::tell("On vient.")).await.unwrap();
        ville.work(&Scripted::new(&[("courriel", Delivery::Refused("spam-score-9"))])).await;
        let anne = ville.authority.session(Actor::holder(submitted.tracking_code().clone()));
        let seen = anne.follow().await.unwrap();
        let everything = format!("{seen:?} {:?}", anne.history(id).await.unwrap());
        for hidden in ["difficile", "spam-score", "1250", "12,50", "accuse"] {
            assert!(!everything.contains(hidden), "`{hidden}` in {everything}");
        }
        assert!(everything.contains("On vient.") && everything.contains("dead"));
        let all = format!("{:?}", ville.seen(id).await);
        assert!(all.contains("difficile") && all.contains("spam-score"), "{all}");
        // Only who may write to the requester sends again.
        let resend = || Command::Resend { message: 2, channel: None };
        for session in [ville.authority.session(Actor::agent("a-2")), anne] {
            assert!(refusal(session.act_on(id, None, resend()).await).is_denied());
        }
        assert!(
            refusal(
                ville
                    .desk()
                    .act_on(
                        id,
                        None,
                        Command::Delivered { message: 2, round: 0, report: DeliveryReport::Sent }
                    )
                    .await
            )
            .is_denied()
        );
        ville.desk().act_on(id, None, resend()).await.unwrap();
    });
}

#[test]
fn what_cannot_be_sent_is_refused_with_code_path_and_hint() {
    block_on(async {
        let ville = Ville::open().await;
        let desk = ville.desk();
        let land = || anne().phone("02 61 91 12 34");
        for (party, code, path) in [
            (anne().answer_by("sms"), "party.answer", "requester.answer"),
            (land().answer_by("sms"), "party.answer", "requester.answer"),
            (land().answer_by("courriel"), "party.answer", "requester.answer"),
            (land().answer_by("courrier"), "party.answer", "requester.answer"),
            (land().answer_by("web"), "channel.unknown", "requester.answer"),
            (anne().phone("douze").answer_by("sms"), "field.phone", "requester.phone"),
        ] {
            let refused = refusal(desk.submit(hole().party(party)).await);
            let problems: Vec<_> =
                refused.problems().iter().map(|p| (p.code, p.path.as_str(), p.hint.is_some())).collect();
            assert_eq!(problems, [(code, path, true)], "{refused}");
            assert!(!refused.to_string().contains("91"), "{refused}");
        }
        for party in [
            land().answer_by("telephone"),
            anne().answer_by("guichet"),
            anne().phone("+32 470 12 34 56").answer_by("sms"),
        ] {
            desk.submit(hole().party(party)).await.unwrap();
        }
        // A replay keeps what was chosen, and falls back in silence.
        let old = hole().party(land().email("a@example.org").answer_by("sms")).quiet();
        let old = desk.submit(old).await.unwrap().id();
        desk.act_on(old, None, Command::tell("Bonjour")).await.unwrap();
        assert_eq!(ville.messages(old).await[0].channel, "telephone");
        let id = desk.submit(hole().party(land().email("a@example.org"))).await.unwrap().id();
        let mobile = anne().phone("06 39 98 12 34").answer_by("sms");
        let mobile = desk.submit(hole().party(mobile)).await.unwrap().id();
        let nobody = desk.submit(hole()).await.unwrap().id();
        let tell = |text: &str, channel: Option<&str>| Command::Tell {
            text: text.into(),
            channel: channel.map(str::to_owned),
        };
        let long = "x".repeat(161);
        for (id, command, code, path) in [
            (nobody, tell("a", None), "message.unreachable", "message"),
            (nobody, tell("a", Some("courriel")), "channel.address", "channel"),
            (id, tell("a", Some("courrier")), "channel.address", "channel"),
            (id, tell("a", Some("sms")), "channel.address", "channel"),
            (id, tell("a", Some("web")), "channel.unknown", "channel"),
            (mobile, tell(&long, None), "message.too-long", "message"),
            (mobile, tell(&long, Some("sms")), "message.too-long", "message"),
            (mobile, Command::Resend { message: 2, channel: None }, "message.not-dead", "message"),
            (mobile, Command::Resend { message: 1, channel: None }, "message.unknown", "message"),
            (mobile, Command::Resend { message: 77, channel: None }, "message.unknown", "message"),
        ] {
            let before = ville.seen(id).await.version();
            let refused = refusal(desk.act_on(id, None, command.clone()).await);
            let problem = &refused.problems()[0];
            assert_eq!((problem.code, problem.path.as_str()), (code, path), "{command:?}: {refused}");
            assert!(problem.hint.is_some() || code == "message.unknown", "{refused}");
            assert_eq!(ville.seen(id).await.version(), before);
        }
        desk.act_on(mobile, None, tell(&"x".repeat(160), None)).await.unwrap();
        // A notice that is too long for its channel goes by the next one; with what somebody wrote it is refused.
        let longer = "x".repeat(1_000);
        let fire = || Fire::new("finir").outcome("fait").message(longer.clone());
        let refused = refusal(desk.act_on(mobile, None, fire()).await);
        assert!(refused.has("message.too-long"), "{refused}");
        desk.act_on(id, None, fire()).await.unwrap();
        assert_eq!(ville.messages(id).await.last().unwrap().channel, "courriel");
    });
}

#[test]
fn a_template_cannot_show_what_is_hidden() {
    let hidden = |text: &str| {
        let town = VILLE.replace("text = \"{{ stage }}", &format!("text = \"{text}{{{{ stage }}}}"));
        Definition::from_files([("ville.toml", town.as_str())]).map(|_| ()).map_err(|error| {
            let finding = error.findings()[0].clone();
            (finding.code, finding.path.clone(), finding.line.is_some(), finding.hint.is_some())
        })
    };
    let found = |code| Err((code, "organisation.template[1].text".to_owned(), true, true));
    assert_eq!(hidden(""), Ok(()));
    assert_eq!(hidden("{{ fields.cout }}"), found("template-shows-hidden"));
    assert_eq!(hidden("{% if false %}{{ fields.cout }}{% endif %}"), found("template-shows-hidden"));
    assert_eq!(
        hidden("{% set f = fields %}{{ f['co' ~ 'ut'] }}"),
        Ok(()),
        "not seen at load, and shows nothing"
    );
    assert_eq!(hidden("{{ note }}"), found("template-variable-unknown"));
    assert_eq!(hidden("{{ fields.urgent-ou-non }}"), found("template-variable-unknown"));
    block_on(async {
        let ville = Ville::open().await;
        let town = VILLE.replace(
            "text = \"{{ stage }}",
            "text = \"{% set f = fields %}{% for name in f %}{{ name }} {% endfor %}{% if message == 'x' %}{{ f['co' ~ 'ut'] }}{% endif %}{{ stage }}",
        );
        let definition = Definition::from_files([("ville.toml", town.as_str())]).unwrap();
        ville.authority.host("essai").publish(&definition).await.unwrap();
        let desk = ville.desk();
        let intake = || hole().set("cout", "12,50").party(anne().email("anne@example.org"));
        let id = desk.submit(intake()).await.unwrap().id();
        let refused = refusal(desk.act_on(id, None, Fire::new("finir").outcome("fait").message("x")).await);
        assert!(refused.has("template.failed"), "{refused}");
        desk.act_on(id, None, Fire::new("finir").outcome("fait")).await.unwrap();
        let text = ville.messages(id).await.last().unwrap().text.clone();
        assert_eq!(text, "description urgent_ou_non Terminée (Réparé, le 25 novembre 2026).");
    });
}
