"""A line to a server, which can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
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
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lose_answer_to(self, what: bytes) -> None:
        """The next time that this is sent, it arrives, and its answer does not; then nothing goes through."""
        self._loses = what

    def cut(self) -> None:
        """Nothing goes through."""
        self._down = True
        for end in list(self._open):
            _shut(end)

    def mend(self) -> None:
        """It is as it was."""
        self._down = False

    def close(self) -> None:
        """Ends it, and what it had under way."""
        self.cut()
        _shut(self._ear)
        for thread in list(self._threads):
            thread.join(20)
            assert not thread.is_alive()
        self._ear.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._ear.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._carry, args=(client,), daemon=True))
            self._threads[-1].start()

    def _carry(self, client: socket.socket) -> None:
        with client:
            if self._down:
                return
            with socket.create_connection(self._server) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                back = threading.Thread(target=_hand_on, args=(server, client), daemon=True)
                back.start()
                with contextlib.suppress(OSError):
                    self._hand_in(client, server)
                back.join()

    def _hand_in(self, client: socket.socket, server: socket.socket) -> None:
        while data := client.recv(1 << 16):
            if self._loses is not None and self._loses in data:
                self._loses = None
                self.lost += 1
                # Whoever asks hears no more, on no line; the server does what it was asked, and answers nobody.
                self._open.remove(server)
                self.cut()
                server.sendall(data)
                return
            server.sendall(data)
        _shut(server)


def _hand_on(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(1 << 16):
            client.sendall(data)
    _shut(server)
    _shut(client)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
