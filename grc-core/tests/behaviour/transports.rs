//! Ways out: files that a town's other programs take, and a webhook that a server verifies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use grc_core::{
    Actor, Authority, Budget, Clock, Grc, Intake, ManualClock, Party, RequestId, SeededEntropy, Stores,
    SystemEntropy,
    definition::Definition,
    engine::{Delivery, Outgoing, RecordingTransport, Transport, WorkReport},
    request::Command,
    transport::{Answered, FileDrop, Post, Transports, Webhook, WebhookRequest, WebhookSecret},
};
use pollster::block_on;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

const VILLE: &str = include_str!("../definitions/messages.toml");
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn ville() -> (Authority, Arc<ManualClock>) {
    let now: chrono::DateTime<chrono::Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::at(now.into()));
    let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let grc = Grc::with(Stores::memory(), shown, Arc::new(SeededEntropy::new(5))).await.unwrap();
    let ville = grc.authority("ville").unwrap();
    ville.host("essai").publish(&Definition::from_files([("ville.toml", VILLE)]).unwrap()).await.unwrap();
    (ville, clock)
}

async fn submit(ville: &Authority, party: Party, description: &str) -> RequestId {
    let intake = Intake::new("signalement", "web").set("description", description).party(party);
    ville.session(Actor::citizen()).submit(intake).await.unwrap().id()
}

async fn work(ville: &Authority, transport: &dyn Transport) -> WorkReport {
    ville.host("facteur").work(Some(transport), Budget::ALL).await.unwrap()
}

fn drop_into(path: &Path, clock: &Arc<ManualClock>) -> FileDrop {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    FileDrop::new(path, "mairie@ville.example", clock, Arc::new(SystemEntropy))
        .address(["1 place de la Mairie"])
}

fn files(path: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Decodes the encoded words of a header.
fn decoded(header: &str) -> String {
    let mut out = String::new();
    for word in header.split_whitespace() {
        match word.strip_prefix("=?UTF-8?B?").and_then(|word| word.strip_suffix("?=")) {
            Some(word) => out.push_str(std::str::from_utf8(&STANDARD.decode(word).unwrap()).unwrap()),
            None => out.push_str(&format!(" {word} ")),
        }
    }
    out.trim().to_owned()
}

#[test]
fn a_directory_gets_mails_letters_and_the_rest_each_once() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let (ville, clock) = ville().await;
        let anne =
            || Party::named("Anne-Gaëlle", "L'Hôpital <x@y.z>\r\nBcc: z@y.x").email("anne@example.org");
        let mail = submit(&ville, anne(), "Un trou\r\nBcc: x@y.z — à côté du n° 12, très profond").await;
        let letter = Party::named("Anne", "<b>Le Gall</b>").address("12, rue des Lilas", "35000", "Rennes");
        let letter = submit(&ville, letter, "x").await;
        let sms = submit(&ville, Party::requester().phone("06 39 98 12 34").answer_by("sms"), "x").await;
        let long = Party::named("Anne", "Le Gall").address(&"x".repeat(39), "35000", "Rennes");
        let long = submit(&ville, long, "x").await;
        // What a crash left is swept away; what is being written is not.
        for (name, age) in [(".vieux.eml.0.tmp", 7_200), (".neuf.eml.1.tmp", 0), (".autre", 7_200)] {
            let file = std::fs::File::create(directory.path().join(name)).unwrap();
            let at = clock.now().to_utc() - chrono::Duration::seconds(age);
            file.set_modified(at.into()).unwrap();
        }
        let drop = drop_into(directory.path(), &clock);
        let report = work(&ville, &drop).await;
        assert_eq!((report.sent, report.dead), (3, 1), "{report:?}");
        let written = files(directory.path());
        let names: Vec<&str> = written.keys().map(String::as_str).collect();
        let [mail, letter, sms] =
            [format!("{mail}-2.eml"), format!("{letter}-2.html"), format!("{sms}-2.json")];
        let mut expected = vec![".autre", ".neuf.eml.1.tmp", &mail, &letter, &sms];
        expected.sort_unstable();
        assert_eq!(names, expected);
        let seen = ville.session(Actor::agent("a-1")).open(long).await.unwrap();
        assert_eq!(seen.messages().first().unwrap().code.as_ref().unwrap(), "address");

        let text = &written[&mail];
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.split("\r\n").all(|line| line.len() <= 76 && !line.contains(['\r', '\n'])), "{text}");
        assert!(text.is_ascii());
        let unfolded = head.replace("\r\n ", " ");
        let headers: BTreeMap<&str, &str> =
            unfolded.split("\r\n").map(|line| line.split_once(": ").unwrap()).collect();
        assert_eq!(headers.len(), 9, "no other header: {headers:?}");
        assert_eq!(headers["Auto-Submitted"], "auto-generated");
        assert_eq!(headers["Date"], "Tue, 24 Nov 2026 10:00:00 +0000");
        assert!(headers["Message-ID"].ends_with(".2@ville.example>"), "{headers:?}");
        assert_eq!(headers["To"].rsplit_once(' ').unwrap().1, "<anne@example.org>");
        assert!(decoded(headers["To"]).contains("Anne-Gaëlle L'Hôpital <x@y.z>"));
        assert!(headers["From"].ends_with(" <mairie@ville.example>"));
        let subject = decoded(headers["Subject"]);
        assert!(subject.ends_with("Un trou Bcc: x@y.z — à côté du n° 12, très profond"), "{subject}");
        let body = String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap();
        assert!(
            body.starts_with("Ville-sur-Lac\r\nBonjour Anne-Gaëlle") && body.contains("« Nid-de-poule »")
        );

        let page = &written[&letter];
        assert!(page.contains("Anne &lt;b&gt;Le Gall&lt;/b&gt;\n12 rue des Lilas\n35000 RENNES"), "{page}");
        assert!(page.contains("Ville-sur-Lac\n1 place de la Mairie") && !page.contains("<b>"));
        assert!(!page.contains("http") && page.contains("<meta charset=\"utf-8\">"));

        let json: serde_json::Value = serde_json::from_str(&written[&sms]).unwrap();
        assert_eq!(json["to"], "06 39 98 12 34");
        assert_eq!(json["key"], sms.replace("-2.json", "/2"));
        // The same again is the same file, and nothing is being written any more.
        let before = files(directory.path());
        let again = Party::named("Anne", "Le Gall").email("anne@example.org");
        let again = submit(&ville, again, "y").await;
        struct Twice(FileDrop);
        impl std::fmt::Debug for Twice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("Twice")
            }
        }
        #[async_trait]
        impl Transport for Twice {
            fn carries(&self, channel: &grc_core::Word) -> bool {
                self.0.carries(channel)
            }
            async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
                self.0.deliver(outgoing).await;
                self.0.deliver(outgoing).await
            }
        }
        assert_eq!(work(&ville, &Twice(drop)).await.sent, 1);
        let after = files(directory.path());
        assert_eq!(after.len(), before.len() + 1);
        assert!(after.contains_key(&format!("{again}-2.eml")));
        // A directory that is not there is a matter of time.
        let gone = drop_into(&directory.path().join("nulle-part"), &clock);
        ville.session(Actor::agent("a-1")).act_on(again, None, Command::tell("Bonjour")).await.unwrap();
        assert_eq!(work(&ville, &gone).await.later, 1);
    });
}

/// What a person wrote is not marked as a machine's.
#[test]
fn a_persons_words_are_theirs() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let (ville, clock) = ville().await;
        let id = submit(&ville, Party::requester().email("élodie@exemple.fr"), "x").await;
        ville.session(Actor::agent("a-1")).act_on(id, None, Command::tell("Bonjour")).await.unwrap();
        work(&ville, &drop_into(directory.path(), &clock)).await;
        let written = files(directory.path());
        assert!(written[&format!("{id}-2.eml")].contains("auto-generated"));
        let own = &written[&format!("{id}-3.eml")];
        assert!(!own.contains("Auto-Submitted") && own.contains("To: <élodie@exemple.fr>\r\n"), "{own}");
    });
}

/// A client of thirty lines over the standard library.
#[derive(Debug)]
struct Client;

#[async_trait]
impl Post for Client {
    async fn post(&self, request: &WebhookRequest) -> Option<Answered> {
        // A host may log what it posts: nothing typed is in that, in letters or in bytes, nor the address.
        let shown = format!("{request:?}");
        assert!(!shown.contains("http") && !shown.contains("123, 34"), "{shown}");
        let (host, path) = request.url.strip_prefix("http://")?.split_once('/')?;
        let mut stream = TcpStream::connect(host).ok()?;
        let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&request.body).ok()?;
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next()?.ok()?.split(' ').nth(1)?.parse().ok()?;
        let retry_after = lines
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("retry-after: ").and_then(|seconds| seconds.parse().ok()));
        Some(Answered { status, retry_after })
    }
}

/// What a server takes in: headers in lower case, and the body.
type Taken = (BTreeMap<String, String>, Vec<u8>);

fn read_request(stream: &TcpStream) -> Taken {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "POST /messages HTTP/1.1\r\n");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_owned(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (headers, body)
}

#[test]
fn a_server_verifies_what_is_posted_and_its_answer_decides() {
    // 1 is taken, and its answer is lost; 2 says when; 3 refuses; 4 takes.
    let answers = ["", "503 Busy\r\nretry-after: 600", "410 Gone", "204 No Content", "200 OK"];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/messages", listener.local_addr().unwrap());
    let taken: Arc<Mutex<Vec<Taken>>> = Arc::default();
    let server = std::thread::spawn({
        let taken = Arc::clone(&taken);
        move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&stream);
                taken.lock().unwrap().push(request);
                if !answer.is_empty() {
                    stream
                        .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes())
                        .unwrap();
                }
            }
        }
    });
    block_on(async {
        let (ville, clock) = ville().await;
        let shown = || -> Arc<dyn Clock> { Arc::<ManualClock>::clone(&clock) };
        let secret = WebhookSecret::parse(SECRET).unwrap();
        let hook = Arc::new(Webhook::new(url, secret.clone(), shown(), Arc::new(Client)));
        assert!(!format!("{hook:?}").contains("http"), "{hook:?}");
        let others = Arc::new(RecordingTransport::new());
        let all = Transports::new()
            .route(["sms", "courriel"], hook)
            .unwrap()
            .route(["courrier"], Arc::<RecordingTransport>::clone(&others))
            .unwrap();
        let party = Party::named("Anne", "Le Gall")
            .phone("06 39 98 12 34")
            .email("anne@example.org")
            .answer_by("sms");
        let id = submit(&ville, party, "x").await;
        let letter = submit(&ville, Party::requester().address("1 rue A", "35000", "Rennes"), "x").await;
        let report = work(&ville, &all).await;
        assert_eq!((report.sent, report.later), (1, 1), "the letter left, the answer was lost");
        assert_eq!(others.given().iter().map(|o| o.key.clone()).collect::<Vec<_>>(), [format!("{letter}/2")]);
        clock.set(clock.now().plus_millis(90_000));
        assert_eq!(work(&ville, &all).await.later, 1);
        clock.set(clock.now().plus_millis(599_000));
        assert_eq!(work(&ville, &all).await, WorkReport::default(), "it said ten minutes");
        clock.set(clock.now().plus_millis(1_000));
        let report = work(&ville, &all).await;
        assert_eq!((report.rerouted, report.sent), (1, 1));
        ville.session(Actor::agent("a-1")).act_on(id, None, Command::tell("Bonjour")).await.unwrap();
        assert_eq!(work(&ville, &all).await.sent, 1);
        server.join().unwrap();
        let taken = taken.lock().unwrap();
        let ids: Vec<&str> = taken.iter().map(|(headers, _)| headers["webhook-id"].as_str()).collect();
        let (first, second, third) = (format!("{id}/2"), format!("{id}/2/1"), format!("{id}/5"));
        assert_eq!(ids, [&first, &first, &first, &second, &third], "the same message under the same id");
        for (headers, body) in taken.iter() {
            let [key, at, signature] =
                ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| headers[name].as_str());
            assert_eq!(secret.verify(key, at, signature, body, clock.now(), 3_600), Ok(()));
            assert!(secret.verify(key, at, signature, b"{}", clock.now(), 3_600).is_err());
            let json: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert_eq!(json["key"], key);
        }
    });
}

#[test]
fn what_no_transport_carries_waits() {
    block_on(async {
        let (ville, _) = ville().await;
        submit(&ville, Party::requester().email("a@example.org"), "x").await;
        let none = Transports::new().route(["sms"], Arc::new(RecordingTransport::new())).unwrap();
        assert_eq!(work(&ville, &none).await.later, 1);
        assert!(Transports::new().route(["Pas un mot"], Arc::new(RecordingTransport::new())).is_err());
    });
}
