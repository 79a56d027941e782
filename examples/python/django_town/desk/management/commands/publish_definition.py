"""Publishes the definition of the town: its organisation and its request types."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import grc
from django.core.management.base import BaseCommand, CommandError

from desk.store import host


class Command(BaseCommand):
    help = "Publie la définition d'un dossier (organisation et démarches)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", help="le dossier des fichiers TOML")
        parser.add_argument("--check", action="store_true", help="vérifier seulement")

    def handle(self, *args: Any, folder: str, check: bool = False, **options: Any) -> None:
        try:
            definition = grc.Definition.from_dir(folder)
            definition.check()
            if check:
                self.stdout.write(f"{len(definition.types)} démarches, sans erreur")
                return
            published = host("publish-definition").publish(definition)
        except grc.DefinitionError as error:
            lines = [
                f"{one.file or ''}:{one.line or ''} {one.path}: {one.message}" + (f" ({one.hint})" if one.hint else "")
                for one in error.findings
            ]
            raise CommandError("\n".join(lines or [error.message])) from None
        self.stdout.write(f"organisation : version {published.organisation}")
        for type, version in published.procedures.items():
            self.stdout.write(f"{type} : version {version}")
        for type in published.withdrawn:
            self.stdout.write(f"{type} : retirée")
