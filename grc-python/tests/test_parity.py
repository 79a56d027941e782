"""All of the engine is there in Python: each public method of it, as `docs/api` lists them, has its counterpart, or a reason
why it has none."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import grc
from grc import commands, errors, results, site, transports

API = Path(__file__).parent / "../../docs/api/grc-core.txt"
COMPILED = Path(__file__).parent.parent / "src"
METHOD = re.compile(r"^grc_core::(?:engine|transport)\S*: (\w+): pub (?:const )?(?:async )?fn (\w+) ")
VARIANTS = re.compile(r"^grc_core::(?:request|intervention|engine|definition)\S*: .*pub enum (\w+) \{ (.*) \}$")

CLASSES: dict[str, type] = {
    "Grc": grc.Store,
    "Authority": grc.Authority,
    "Session": grc.Session,
    "Host": grc.Host,
    "Submitted": results.Submitted,
    "Acted": results.Acted,
    "Intervened": results.Intervened,
    "Seen": results.Seen,
    "FileView": results.File,
    "InterventionView": results.InterventionSeen,
    "List": grc.Filter,
}

# By another name.
RENAMED = {
    ("Seen", "type_"): "type",
    ("Seen", "field"): "fields",
    ("List", "is"): "facts",
    ("List", "filter"): "where",
    ("InterventionView", "window"): "begins",
    ("InterventionView", "cents"): "amount",
}

EXEMPT = {
    ("Grc", "open"): "grc.open",
    ("List", "new"): "Filter()",
    ("Grc", "with"): "grc.open takes the clock and the seed",
    ("Grc", "stores"): "what an engine stands on is named by its address; adapters are written in Rust",
}

# Builders whose parts are those of dataclasses, and what only Rust needs.
ELSEWHERE = {
    "Stores": "grc.open",
    "Instruction": "the keywords of `act`",
    "SiteInstruction": "the keywords of `work_on`",
    "Command": "the classes of grc.commands",
    "Budget": "the keywords of `work`",
    "DeadLetter": "its parts are fields, and it is pickled",
    "RecordingTransport": "a list of one's own in a transport of one's own",
    "GrcError": "grc.errors",
    "Transports": "`work` takes a mapping of channels",
    "FileDrop": "a transport of files for Rust programs; in Python an e-mail package writes them",
    "Webhook": "a transport for Rust programs; in Python an HTTP package posts",
    "WebhookSecret": "as Webhook",
}


def _listed() -> list[tuple[str, str]]:
    lines = API.read_text(encoding="utf-8").splitlines()
    return [(match[1], match[2]) for match in map(METHOD.match, lines) if match]


def _has(cls: type, name: str) -> bool:
    fields = {field.name for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    return name in fields or hasattr(cls, name)


def test_every_method_of_the_engine_has_its_counterpart() -> None:
    listed = _listed()
    assert len(listed) > 120, "the list of the public interface is read"
    missing = []
    for owner, method in listed:
        if owner in ELSEWHERE or (owner, method) in EXEMPT:
            continue
        cls = CLASSES.get(owner)
        if cls is None or not _has(cls, RENAMED.get((owner, method), method)):
            missing.append(f"{owner}.{method}")
    assert not missing


def test_no_exemption_outlives_its_method() -> None:
    listed = set(_listed())
    assert set(EXEMPT) <= listed and set(RENAMED) <= listed
    assert set(ELSEWHERE) <= {owner for owner, _ in listed} | {"Budget", "Stores"}


def _variants(enum: str) -> set[str]:
    for line in API.read_text(encoding="utf-8").splitlines():
        match = VARIANTS.match(line)
        if match and match[1] == enum:
            flat = match[2]
            # What stands in brackets are the parts of a variant.
            while (bare := re.sub(r"[({<\[][^(){}<>\[\]]*[)}>\]]", "", flat)) != flat:
                flat = bare
            return set(re.findall(r"[A-Z]\w*", flat))
    raise AssertionError(f"{enum} is not listed")


def test_every_command_has_its_class() -> None:
    # What is done when it is due is not for callers to say.
    due = {"Anonymise", "Elapsed"}
    assert _variants("Command") - due == set(commands.__all__) - {"Command"}


def test_every_work_on_site_has_its_class() -> None:
    renamed = {"Plan": "Planning", "Erase": "EraseOnSite"}
    assert {renamed.get(name, name) for name in _variants("Work")} == set(site.__all__) - {"SiteWork"}


def test_every_word_is_said() -> None:
    def words(enum: str) -> set[str]:
        return {re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower() for name in _variants(enum)}

    assert words("Phase") == {phase.value for phase in grc.Phase}
    assert words("FieldKind") == {kind.value for kind in grc.FieldKind}
    answers = (COMPILED / "answers.rs").read_text(encoding="utf-8")
    for enum in ("Action", "Ask"):
        assert {f"{enum}::{name}" for name in _variants(enum)} <= set(re.findall(rf"\b{enum}::\w+(?= =>)", answers))


def test_every_error_has_its_class() -> None:
    failure = (COMPILED / "failure.rs").read_text(encoding="utf-8")
    # That of the system's source of randomness says all in its message.
    named = set(re.findall(r"\bGrcError::(\w+)", failure)) | {"Entropy"}
    assert _variants("GrcError") <= named
    assert len(named) > 15 and set(re.findall(r'=> "([A-Z]\w+)"', failure)) <= set(errors.__all__)


def test_every_report_and_delivery_has_its_class() -> None:
    reports = {"Delivered": "Arrived"}
    assert {reports.get(name, name) for name in _variants("DeliveryReport")} <= set(transports.__all__)
    deliveries = {"LaterIn": "Later", "Refused": "Rejected"}
    assert {deliveries.get(name, name) for name in _variants("Delivery")} <= set(transports.__all__)
