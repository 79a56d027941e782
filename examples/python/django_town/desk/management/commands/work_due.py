"""Does what is due: sends messages, fires timers, applies retention. For cron, or any number of workers at once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from desk.catalogue import Catalogue
from desk.mail import MailTransport
from desk.store import host

COUNTS = {
    "sent": "messages envoyés",
    "later": "messages remis à plus tard",
    "rerouted": "messages passés à un autre canal",
    "dead": "messages abandonnés",
    "fired": "échéances passées",
    "anonymised": "demandes anonymisées",
    "destroyed": "clés détruites",
}


class Command(BaseCommand):
    help = "Envoie les messages, déclenche les échéances, applique les durées de conservation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        # grc takes one of them; without either it goes on until nothing is due.
        limits = parser.add_mutually_exclusive_group()
        limits.add_argument("--tasks", type=int, help="au plus tant de tâches")
        limits.add_argument("--minutes", type=int, help="pendant au plus tant de minutes")

    def handle(self, *args: Any, tasks: int | None = None, minutes: int | None = None, **options: Any) -> None:
        worker = host("work-due")
        channels = frozenset(one.id for one in Catalogue.published().answering("email"))
        report = worker.work(MailTransport(channels), tasks=tasks, minutes=minutes)
        for name, label in COUNTS.items():
            if count := getattr(report, name):
                self.stdout.write(f"{count} {label}")
        if swept := worker.sweep():
            self.stdout.write(f"{swept} fichiers sans demande supprimés")
