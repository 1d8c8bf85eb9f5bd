"""Servers on this machine that answer byte for byte what a test says, and a SOCKS proxy."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket], None]  # is called with the connection after the request's head was read


@contextmanager
def listening(serve: Answer) -> Iterator[int]:
    """Run a server that calls *serve* with every connection, each in a thread, and yield its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answered, args=(connection,), daemon=True).start()

    def answered(connection: socket.socket) -> None:
        try:
            with connection:
                serve(connection)
        except OSError:  # the other side has closed the connection
            pass

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def after_request(answer: Answer) -> Answer:
    """Return a server that reads the request's head, then calls *answer*."""

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        answer(connection)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    return serve


def saying(data: bytes, forever: bytes = b"") -> Answer:
    """Return a server that sends *data*, then *forever* again and again."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        while forever:
            connection.sendall(forever)

    return after_request(answer)


def socks(asked: list[tuple[str, int]], port: int) -> Answer:
    """Return a SOCKS5 proxy that leads every connection to *port* of this machine and adds its target to *asked*."""

    def exactly(connection: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = connection.recv(count - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def serve(connection: socket.socket) -> None:
        _, methods = exactly(connection, 2)
        exactly(connection, methods)
        connection.sendall(b"\x05\x00")
        kind = exactly(connection, 4)[3]
        if kind == 1:
            host = socket.inet_ntoa(exactly(connection, 4))
        else:
            host = exactly(connection, exactly(connection, 1)[0]).decode()
        asked.append((host, struct.unpack(">H", exactly(connection, 2))[0]))
        with socket.create_connection(("127.0.0.1", port)) as target:
            connection.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            back = threading.Thread(target=_copy, args=(target, connection), daemon=True)
            back.start()
            _copy(connection, target)
            back.join(5)

    return serve


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
