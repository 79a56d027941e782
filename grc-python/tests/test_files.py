"""Files: bytes and file objects in, and out again."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any, cast

import pytest
from towns import MANAGER, Town

import grc
from grc import _grc


def attached(town: Town, name: str, data: Any) -> bytes:
    """Attaches it, and reads it again."""
    session = town.session()
    reported = town.hole(files=[session.store_file(name, data)])
    (file,) = session.open(reported.id).files
    assert file.name == name
    read = session.read_file(reported.id, file)
    assert file.bytes == len(read)
    return read


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_of_all_kinds(memory_town: Town, kind: Any) -> None:
    assert attached(memory_town, "note.txt", kind(b"caf\xc3\xa9 \n")) == b"caf\xc3\xa9 \n"


def test_part_of_a_buffer(memory_town: Town) -> None:
    assert attached(memory_town, "note.txt", memoryview(b"0123456789")[2:8:2]) == b"246"


def test_a_file_on_disk(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_bytes(b"rue des Lilas\n" * 1000)
    with path.open("rb") as opened:
        assert attached(town, "plan.txt", opened) == path.read_bytes()


class Pieces(io.RawIOBase):
    """Says how much was asked for at once, and answers less than that at times."""

    def __init__(self, data: bytes) -> None:
        self.data = io.BytesIO(data)
        self.asked: list[int] = []

    def read(self, size: int = -1, /) -> bytes:
        self.asked.append(size)
        return self.data.read(max(1, size // 3))


def test_a_large_file_is_read_piece_by_piece(town: Town) -> None:
    text = random.Random(1).randbytes(2_000_000).hex().encode()
    pieces = Pieces(text)
    assert attached(town, "long.txt", pieces) == text
    assert len(pieces.asked) > 3 and 0 < max(pieces.asked) < len(text)


class Broken(io.RawIOBase):
    """Ends in the middle."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.first = True

    def read(self, size: int = -1, /) -> bytes:
        if self.first:
            self.first = False
            return b"some text" * 20
        raise self.error


@pytest.mark.parametrize("error", [OSError(5, "the disk is broken"), KeyError("x"), KeyboardInterrupt()])
def test_what_the_file_object_raises_comes_through(town: Town, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        town.session().store_file("note.txt", cast(Any, Broken(error)))
    assert raised.value is error


class Taking:
    """Takes bytes as a file that is not buffered does: not all at once, and no more than so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.data = bytearray()
        self.given: list[int] = []

    def write(self, data: bytes) -> int:
        self.given.append(len(data))
        if len(self.data) >= self.most:
            raise OSError(28, "no space left")
        self.data += data[:10_000]
        return min(len(data), 10_000)


def test_a_large_file_is_written_piece_by_piece(town: Town, tmp_path: Path) -> None:
    text = random.Random(2).randbytes(500_000).hex().encode()
    session = town.session()
    id = town.hole(files=[session.store_file("long.txt", text)]).id
    (file,) = session.open(id).files
    with (tmp_path / "long.txt").open("wb") as out:
        assert session.read_file_to(id, file, out) == len(text)
    assert (tmp_path / "long.txt").read_bytes() == text
    taking: Any = Taking(len(text))
    assert session.read_file_to(id, file.id, taking) == len(text) == len(taking.data)
    assert taking.data == text and 0 < max(taking.given) < len(text)
    full: Any = Taking(100_000)
    with pytest.raises(OSError, match="no space left"):
        session.read_file_to(id, file, full)
    with pytest.raises(grc.NotFound):
        session.read_file_to(id, town.hole().id, taking)
    broken: Any
    for broken in (io.StringIO(), Lying()):
        with pytest.raises((TypeError, ValueError)):
            session.read_file_to(id, file, broken)


class Lying:
    """Says that it took what it was not given."""

    def write(self, data: bytes) -> int:
        return len(data) + 1


class Upload:
    """Its read() is awaited, as that of an upload in Starlette."""

    async def read(self, size: int = -1) -> bytes:
        return b"some text"


def test_what_is_awaited_is_not_a_file(memory_town: Town) -> None:
    upload: Any = Upload()
    with pytest.raises(TypeError, match="give the file beneath it"):
        memory_town.session().store_file("note.txt", upload)


def test_a_file_in_text_mode_is_refused(memory_town: Town, tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_text("rue des Lilas", encoding="utf-8")
    with path.open() as opened, pytest.raises(TypeError, match=r"read\(\) answered str: open the file in binary mode"):
        memory_town.session().store_file("plan.txt", cast(Any, opened))


def test_a_file_object_that_answers_too_much(memory_town: Town) -> None:
    class Much:
        def read(self, size: int) -> bytes:
            return b"x" * (size + 1)

    with pytest.raises(ValueError, match="more than was asked for"):
        memory_town.session().store_file("note.txt", cast(Any, Much()))


@pytest.mark.parametrize("data", ["text", 5, None, 1.5, object(), ["x"]])
def test_what_is_no_data(memory_town: Town, data: Any) -> None:
    with pytest.raises(TypeError, match="data: bytes are wanted"):
        memory_town.session().store_file("note.txt", data)


@pytest.mark.parametrize(
    ("name", "data"),
    [("empty.txt", b""), ("photo.jpg", b"MZ\x90\x00 not a photo"), ("virus.exe", b"MZ\x90\x00")],
)
def test_what_is_refused(memory_town: Town, name: str, data: bytes) -> None:
    with pytest.raises(grc.Refused) as refused:
        memory_town.session().store_file(name, data)
    assert all(code.startswith("file.") for code in refused.value.codes)


def test_a_field_takes_what_it_accepts(memory_town: Town) -> None:
    session = memory_town.session()
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
    photo = session.store_file("photo.png", png, field="photo")
    leak = session.submit(
        "fuite-eau", channel="telephone", fields={"description": "eau", "gravite": "ecoulement"}, files=[photo]
    )
    (file,) = session.open(leak.id).files
    assert (file.field, file.media, file.bytes) == ("photo", "image/png", len(png))
    text = session.store_file("photo.txt", b"a text", field="photo")
    with pytest.raises(grc.Refused):
        session.submit(
            "fuite-eau", channel="telephone", fields={"description": "eau", "gravite": "ecoulement"}, files=[text]
        )


def test_a_file_is_of_its_request(memory_town: Town) -> None:
    session = memory_town.session()
    reported, other = memory_town.hole(files=[session.store_file("a.txt", b"a")]), memory_town.hole()
    (file,) = session.open(reported.id).files
    with pytest.raises(grc.NotFound):
        session.read_file(other.id, file)
    with pytest.raises(ValueError, match="file: this is no UUID"):
        session.read_file(reported.id, "a.txt")


def test_what_was_never_attached_is_swept_away(town: Town) -> None:
    from towns import DAY

    town.session(MANAGER).store_file("a.txt", b"a")
    assert town.host.sweep() == 0, "it may still be attached"
    town.later(8 * DAY)
    assert town.host.sweep() == 1


def test_handles_say_nothing(memory_town: Town) -> None:
    stored = memory_town.session().store_file("secret-name.txt", b"a")
    assert isinstance(stored, _grc.StoredFile) and repr(stored) == "<grc.StoredFile>"
