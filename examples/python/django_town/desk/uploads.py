"""Files that came with a form."""

from __future__ import annotations

import grc
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest


def has_upload(request: HttpRequest) -> bool:
    """Whether a file was chosen."""
    return isinstance(request.FILES.get("file"), UploadedFile)


def stored(session: grc.Session, request: HttpRequest) -> grc.StoredFile:
    """Stores the file of a form; grc reads it piece by piece.

    Raises:
        grc.Refused: a program, a file in disguise, empty, or too large.
    """
    file = request.FILES["file"]
    assert isinstance(file, UploadedFile)
    return session.store_file(file.name or "fichier", file.file or b"")
