//! The whole public interface is met: what `docs/api` lists and a caller can fill is named by these tests, or stands below
//! with the reason why not.

use crate::town::Watchdog;
use std::collections::BTreeSet;

/// What a session and a host do is all to be called; of the rest, what takes something.
const ALL_OF: [&str; 2] = ["Session", "Host"];

/// How these tests call what they hold, where several have methods of one name.
const HELD: [(&str, &str); 4] =
    [("Session", "desk."), ("Host", "host."), ("Grc", "grc."), ("Authority", "authority.")];

/// Modules that are not for callers.
const BENEATH: [(&str, &str); 4] = [
    ("grc_core::conformance", "what tests are made of"),
    ("grc_core::entropy", "takes nothing from anybody"),
    (
        "grc_core::storage",
        "what adapters implement: the conformance kit, and `fuzz_corpus` for what they hand back",
    ),
    ("grc_core::vault", "the same"),
];

/// Functions, and a type of which all are meant.
const EXEMPT: [(&str, &str); 25] = [
    ("Acting", "what an actor may: the engine asks it at every call of these tests"),
    ("Action::covers", "kinds only"),
    ("Event::from_bytes", "a stored body: `fuzz_corpus`"),
    ("Event::sequence", "what was decided"),
    ("Field::default_max", "kinds only"),
    ("Grc::open", "`with`, of the system's clock and randomness"),
    ("Intervention::apply", "what was decided, or a stored body: `fuzz_corpus`"),
    ("Intervention::fold", "as `apply`"),
    ("Measure::from_bytes", "a stored body: `fuzz_corpus`"),
    ("Measure::of", "what was folded"),
    ("Procedure::exits", "words only"),
    ("Procedure::sector", "words only"),
    ("Request::apply", "what was decided, or a stored body: `fuzz_corpus`"),
    ("Request::begin", "as `apply`"),
    ("Request::facts", "what was folded"),
    ("Request::fold", "as `apply`"),
    ("Seen::may", "kinds only"),
    ("Span::dimension", "a look into a map of what was folded"),
    ("Template::in_channel", "words only"),
    ("TrackingCode::fresh", "takes nothing from anybody"),
    ("decide", "each command of these tests goes through it"),
    ("decide_intake", "the same of intakes"),
    ("decide_plan", "the same of plans"),
    ("decide_work", "the same of work on site"),
    ("head", "a hash of bytes"),
];

/// A function of the list.
#[derive(Debug)]
struct Listed<'a> {
    module: &'a str,
    owner: &'a str,
    name: &'a str,
    /// Whether it is called of something.
    method: bool,
    takes: bool,
}

impl<'a> Listed<'a> {
    /// `grc_core::engine::session: Session: pub async fn open (& self , id : RequestId) -> …`
    fn read(line: &'a str) -> Option<Self> {
        let (module, rest) = line.split_once(": ")?;
        let (before, function) = rest.split_once("fn ").filter(|(before, _)| before.contains("pub "))?;
        let owner = before.split_once(": ").map_or("", |(owner, _)| owner);
        let (name, _) = function.split_once(' ')?;
        let given = function.get(function.find('(')? + 1..)?;
        let mut open = 1;
        let end = given.find(|c| {
            open += i32::from(c == '(') - i32::from(c == ')');
            open == 0
        })?;
        let parts = given.get(..end)?.split(" , ").filter(|part| !part.trim_matches([' ', ',']).is_empty());
        let (method, given): (Vec<&str>, Vec<&str>) =
            parts.partition(|part| part.trim_end().ends_with("self"));
        let owner = owner.split_once(' ').map_or(owner, |(owner, _)| owner);
        Some(Self { module, owner, name, method: !method.is_empty(), takes: !given.is_empty() })
    }

    fn full(&self) -> String {
        [self.owner, self.name].join(if self.owner.is_empty() { "" } else { "::" })
    }

    fn is_wanted(&self) -> bool {
        let beneath = BENEATH.iter().any(|(module, _)| self.module.starts_with(module));
        !beneath && (self.takes || ALL_OF.contains(&self.owner))
    }

    /// Whether the tests, without their white space, call it.
    fn is_named(&self, tests: &str) -> bool {
        let Self { owner, name, .. } = self;
        let held = HELD.iter().find(|(held, _)| held == owner);
        let called = match held {
            Some((_, by)) if self.method => format!("{by}{name}("),
            None if self.method => format!(".{name}("),
            _ => format!("{}(", self.full()),
        };
        // A method may be named as a value too.
        tests.contains(&called) || (held.is_none() && self.method && tests.contains(&self.full()))
    }
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn all_that_a_caller_can_fill_is_named_here() {
    let _watchdog = Watchdog::new("named");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut tests = without_space(include_str!("../hostile.rs"));
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("named.rs") {
            tests.push_str(&without_space(&std::fs::read_to_string(path).unwrap()));
        }
    }
    let api = include_str!("../../../docs/api/grc-core.txt");
    // What macros make takes a UUID, 32 bytes, or nothing.
    let lines = || api.lines().filter(|line| !line.contains("macro_rules!"));
    let functions = lines().filter(|line| line.contains("pub ") && line.contains(" fn ")).count();
    let listed: Vec<Listed<'_>> = lines().filter_map(Listed::read).collect();
    assert!(listed.len() == functions && functions > 400, "{} of {functions} are read", listed.len());
    let wanted: Vec<&Listed<'_>> = listed.iter().filter(|listed| listed.is_wanted()).collect();
    let missing: BTreeSet<String> =
        wanted.iter().filter(|listed| !listed.is_named(&tests)).map(|listed| listed.full()).collect();
    let exempt: BTreeSet<String> = EXEMPT.iter().map(|(name, _)| (*name).to_owned()).collect();
    println!("{} of {} are wanted, {} exempt", wanted.len(), listed.len(), exempt.len());
    assert!(wanted.len() > 200);
    let is_of = |listed: &str, of: &str| {
        listed.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let unmet: Vec<&String> =
        missing.iter().filter(|listed| !exempt.iter().any(|of| is_of(listed, of))).collect();
    assert!(unmet.is_empty(), "no hostile input comes to {unmet:?}");
    let stale: Vec<&String> =
        exempt.iter().filter(|of| !missing.iter().any(|listed| is_of(listed, of))).collect();
    assert!(stale.is_empty(), "named by tests, or not there any more: {stale:?}");
    for (module, _) in BENEATH {
        assert!(
            listed.iter().any(|listed| listed.module.starts_with(module)),
            "{module} is not there any more"
        );
    }
    // What is read of a text through a trait.
    for line in lines() {
        if let Some((_, of)) = line.split_once("impl FromStr for ") {
            assert!(tests.contains(&format!("parse::<{of}>")), "no text is read as {of}");
        }
    }
}
