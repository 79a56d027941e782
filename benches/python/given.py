"""What the nth request says: the same as `intake` of benches/src/town.rs."""

from __future__ import annotations

from dataclasses import dataclass

AGENT = "a-08"
"""Who deals with all of them."""
DESK = "a-17"
"""Who hands them in."""
HEAD = "a-03"
"""Who assigns them."""

_TEXTS = (
    "De l'eau coule devant le numéro 12 depuis ce matin, le trottoir est glissant.",
    "Fuite importante au pied de la bouche d'incendie.",
    "Un filet d'eau sort de la chaussée, cela gèle la nuit.",
    "Regard qui déborde après l'orage, l'eau entre dans la cour.",
)
_NAMES = (("Anne", "Le Gall"), ("Yacine", "Benali"), ("Maëlys", "Dupont-Nguyen"), ("Théo", "Guivarc'h"))
_CHANNELS = ("telephone", "guichet", "site", "appli")
_SEVERITIES = ("suintement", "ecoulement", "jaillissement")


@dataclass(frozen=True, slots=True)
class Given:
    channel: str
    description: str
    severity: str
    given: str
    family: str
    phone: str
    street: str
    postcode: str
    town: str
    key: str
    """The same request again under this key is one."""


def given(n: int) -> Given:
    name = _NAMES[n % 4]
    return Given(
        channel=_CHANNELS[n % 4],
        description=_TEXTS[n // 4 % 4],
        severity=_SEVERITIES[n % 3],
        given=name[0],
        family=name[1],
        phone=f"06 {n // 1_000_000 % 100:02} {n // 10_000 % 100:02} {n // 100 % 100:02} {n % 100:02}",
        street=f"{n % 300 + 1} rue des Lilas",
        postcode="35000",
        town="Saint-Aubin-des-Prés",
        key=f"intake-{n}",
    )
