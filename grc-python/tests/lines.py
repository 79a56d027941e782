"""A line to a server, which can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit


class Line:
    """Hands bytes on, both ways, until it is told to lose something."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self._server = (parts.hostname, parts.port)
        self._ear = socket.create_server(("127.0.0.1", 0))
        self._down = False
        self._loses: bytes | None = None
        self._open: list[socket.socket] = []
        self.lost = 0
        """How many answers were lost."""
        port = self._ear.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answer_to(self, what: bytes) -> None:
        """The next time that this is sent, it arrives, and its answer does not; then nothing goes through."""
        self._loses = what

    def cut(self) -> None:
        """Nothing goes through."""
        self._down = True
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """It is as it was."""
        self._down = False

    def close(self) -> None:
        """Ends it."""
        self.cut()
        self._ear.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._ear.accept()
            except OSError:
                return
            if self._down:
                client.close()
                continue
            server = socket.create_connection(self._server)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [client, server]
            threading.Thread(target=self._asked, args=(client, server), daemon=True).start()
            threading.Thread(target=self._hand_on, args=(server, client), daemon=True).start()

    def _asked(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._hand_in(client, server)

    def _hand_in(self, client: socket.socket, server: socket.socket) -> None:
        for data in _read(client):
            if self._loses is not None and self._loses in data:
                self._loses = None
                self.lost += 1
                # Whoever asks hears no more, on no line; the server does what it was asked.
                self._open.remove(server)
                self.cut()
                server.sendall(data)
                server.recv(1 << 16)
                server.close()
                return
            server.sendall(data)

    def _hand_on(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for data in _read(server):
                client.sendall(data)


def _read(end: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while data := end.recv(1 << 16):
            yield data
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
