"""How long it takes to close requests, by month and service: from a store to pandas to a picture.

Without a store it makes one, in a folder that is thrown away, with some months of a town's life, the same each time.

    python delays.py --out delays.png
    python delays.py --store sqlite:///town.db --authority saint-aubin
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import grc
import matplotlib
import pandas as pd

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 (the backend is chosen before)

TOWN = Path(__file__).resolve().parent.parent / "quickstart" / "town"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))

# What is asked for, by whom it is closed and by which team it is done, and how many days that takes on the average.
KINDS = (
    ("nid-de-poule", "a-12", "chaussee", 9.0),
    ("lampadaire", "a-12", "electriciens", 5.0),
    ("depot-sauvage", "a-14", "collecte", 2.0),
    ("avaloir", "a-03", "fontainiers", 3.5),
    ("arbre", "a-16", "jardiniers", 6.0),
)


@contextmanager
def made_up(seed: int, months: int, a_day: int) -> Iterator[grc.Store]:
    """A store in which a town has worked for some months."""
    dice = random.Random(seed)
    clock = grc.ManualClock(START)
    with (
        TemporaryDirectory() as folder,
        # What is thrown away anyway need not be safe from a power failure.
        grc.open(f"sqlite:///{folder}/town.db", clock=clock, seed=seed, test=True, relaxed=True) as store,
    ):
        town = store.authority("saint-aubin")
        town.host("set-up").publish(grc.Definition.from_dir(TOWN))
        desk = town.session("a-17")
        answers = {form.type: _answers(form) for form in desk.forms()}
        end = START.replace(year=START.year + months // 12, month=1 + months % 12)
        # Time only goes on: everything that will happen waits in the order of when.
        due: list[tuple[datetime, int, int, grc.results.Submitted | None]] = []
        for number in range((end - START).days * a_day):
            at = START + dice.random() * (end - START)
            heapq.heappush(due, (at, number, dice.randrange(len(KINDS)), None))
        while due:
            at, number, which, submitted = heapq.heappop(due)
            if at >= end:
                break
            clock.set(at)
            kind, manager, team, days = KINDS[which]
            if submitted is None:
                submitted = desk.submit(
                    kind,
                    channel="telephone",
                    fields=answers[kind],
                    requester=grc.Party(email=f"habitant-{number}@example.org"),
                    place=grc.Place(zone=dice.choice(["centre", "plateau", "hameaux"])),
                )
                # Long delays are rare, and there are some: not a bell.
                done = at + timedelta(days=dice.gammavariate(2.0, days / 2.0))
                heapq.heappush(due, (done, number, which, submitted))
                continue
            closer = town.session(manager)
            for fire in (
                grc.Fire("confier", to=grc.Assignee(team=team)),
                grc.Fire("traiter"),
                grc.Fire("cloturer", outcome="repare", message="C'est fait."),
            ):
                closer.act_on(submitted.id, fire)
        clock.set(end)
        yield store


def _answers(form: grc.Form) -> dict[str, grc.FieldValue]:
    """The answers that a form must have."""
    return {
        field.id: field.options[0][0] if field.options else "signalé par téléphone"
        for field in form.fields
        if field.required
    }


def delays(host: grc.Host) -> pd.DataFrame:
    """A row a month and service: how many were closed, and after how many days, half and nine in ten of them."""
    table = host.measure(["closure-count", "closure-median", "closure-p90"], by=["month", "service"], by_closing=True)
    # Through Arrow: pandas takes the table's columns as they are, no row becomes a Python object.
    frame: pd.DataFrame = pd.DataFrame.from_arrow(table)  # type: ignore[attr-defined] # newer than its stubs
    frame["median_days"] = frame["closure_median"] / 24
    frame["p90_days"] = frame["closure_p90"] / 24
    return frame


def draw(frame: pd.DataFrame, out: Path) -> None:
    """Two pictures on one scale, one line a service: how long half of the requests took, and nine in ten."""
    figure, both = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    months = sorted(frame["month"].unique())
    shown = (("median_days", "Une demande sur deux close en moins de"), ("p90_days", "Neuf sur dix closes en moins de"))
    for axes, (figure_name, title) in zip(both, shown, strict=True):
        for service, rows in frame.groupby("service_label", observed=True):
            # A month in which a service closed nothing is a gap, not a zero.
            by_month = rows.set_index("month")[figure_name].reindex(months)
            axes.plot(months, by_month, marker="o", label=str(service))
        axes.set_title(title)
        axes.set_xlabel("Mois de la clôture")
        axes.grid(axis="y", alpha=0.3)
    both[0].set_ylabel("Jours")
    both[0].set_ylim(bottom=0)
    figure.legend(*both[0].get_legend_handles_labels(), title="Service", loc="outside right upper")
    figure.suptitle("Délais de clôture par service")
    figure.savefig(out, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Closure delays by month and service.")
    parser.add_argument("--store", help="the address of a store; without, one is made up")
    parser.add_argument("--authority", default="saint-aubin")
    parser.add_argument("--out", type=Path, default=Path("delays.png"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--a-day", type=int, default=3, help="how many requests come in a day in the one made up")
    given = parser.parse_args(arguments)
    with (
        grc.open(given.store, create=False) if given.store else made_up(given.seed, given.months, given.a_day) as store
    ):
        frame = delays(store.authority(given.authority).host("delays"))
    if frame.empty:
        print("Aucune demande close.")
        return 1
    columns = ["month", "service_label", "closure_count", "median_days", "p90_days"]
    print(frame[columns].to_string(index=False, float_format="%.1f"))
    draw(frame, given.out)
    print(f"-> {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
