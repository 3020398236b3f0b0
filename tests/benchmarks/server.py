"""A server that is far cheaper than any client: it knows where a request ends, and writes bytes that are ready.

    POST /api/v1/chat/completions        the whole answer
    POST /burst/<n>/chat/completions     a stream of n chunks, as fast as the socket takes them
    POST /paced/<n>/chat/completions     the same, one chunk every 5 ms
    POST /never/chat/completions         no answer at all
    POST /cpu/chat/completions           the seconds of CPU that this process has used

It listens on two ports, on the second one with TLS; reads no header but Content-Length, speaks to loopback only, and
ends when its standard input does.
"""

from __future__ import annotations

import os
import resource
import selectors
import socket
import ssl
import sys
import time
from dataclasses import dataclass, field
from functools import partial

from tests.benchmarks.canned import CHUNK, STREAM_END, STREAM_HEAD, WHOLE

SEGMENT = 2**16
"""How much of a stream is written at once, in bytes."""

PACE_SECS = 0.005
"""The time between two chunks of a paced stream."""


@dataclass(slots=True)
class Peer:
    """One connection: what has come and is no whole request yet, and what is still to be written."""

    sock: socket.socket
    got: bytes = b""
    pieces: list[bytes] = field(default_factory=list)
    paced: bool = False


def answer_to(path: bytes) -> list[bytes]:
    """Give what is written for a request, in pieces."""
    _, kind, count, *_ = path.split(b"/")
    match kind:
        case b"burst":
            whole = STREAM_HEAD + CHUNK * int(count) + STREAM_END
            return [whole[at : at + SEGMENT] for at in range(0, len(whole), SEGMENT)]
        case b"paced":
            return [STREAM_HEAD, *[CHUNK] * int(count), STREAM_END]
        case b"never":
            return []
        case b"cpu":
            used = b"%.6f" % cpu()
            return [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(used), used)]
        case _:
            return [WHOLE]


def cpu() -> float:
    """Tell how many seconds of CPU this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Server:
    """Serves any number of connections, on one thread."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.selector = selectors.DefaultSelector()
        self.listeners = [socket.create_server(("127.0.0.1", 0), backlog=4096) for _ in range(2)]
        for listener, context in zip(self.listeners, (None, tls), strict=True):
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, partial(self.accept, listener, context))
        self.selector.register(sys.stdin, selectors.EVENT_READ)
        self.answers: dict[bytes, list[bytes]] = {}
        self.paced: set[int] = set()
        self.peers: dict[int, Peer] = {}
        self.tick = 0.0

    def serve(self) -> None:
        """Serve until standard input ends."""
        while True:
            for key, mask in self.selector.select(max(0.0, self.tick - time.monotonic()) if self.paced else None):
                if key.fileobj is sys.stdin:
                    return
                if not isinstance(key.data, Peer):
                    key.data()
                elif mask & selectors.EVENT_READ:
                    self.read(key.data)
                else:
                    self.write(key.data)
            if self.paced and time.monotonic() >= self.tick:
                self.tick = time.monotonic() + PACE_SECS
                for number in list(self.paced):
                    self.write(self.peers[number])

    def accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Take all connections that wait."""
        while True:
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:  # the handshake is part of the first reads
                sock = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            peer = self.peers[sock.fileno()] = Peer(sock)
            self.selector.register(sock, selectors.EVENT_READ, peer)

    def read(self, peer: Peer) -> None:
        """Read, and answer a request that is whole. Clients do not pipeline."""
        try:
            data = peer.sock.recv(SEGMENT)
        except ssl.SSLWantReadError:
            return
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.drop(peer)
            return
        peer.got += data
        end = peer.got.find(b"\r\n\r\n")
        if end < 0 or len(peer.got) - end - 4 < content_length(peer.got[:end]):
            return
        path, peer.got = peer.got.split(b" ", 2)[1], b""
        pieces = answer_to(path) if path.startswith(b"/cpu/") else self.answers.get(path)
        if pieces is None:
            pieces = self.answers[path] = answer_to(path)
        if len(pieces) == 1:
            peer.sock.send(pieces[0])  # an answer in one piece fits into an empty socket
            return
        peer.pieces = pieces[::-1]
        peer.paced = path.startswith(b"/paced/")
        if peer.paced:
            self.paced.add(peer.sock.fileno())
        self.write(peer)

    def write(self, peer: Peer) -> None:
        """Write the next piece; the others when the selector comes around again, so that streams take turns."""
        try:
            sent = peer.sock.send(peer.pieces[-1]) if peer.pieces else 0
        except BlockingIOError:
            sent = 0
        except ConnectionError:
            self.drop(peer)
            return
        if peer.pieces:
            rest = peer.pieces.pop()[sent:]
            if rest:
                peer.pieces.append(rest)
        if not peer.paced:
            self.selector.modify(peer.sock, selectors.EVENT_WRITE if peer.pieces else selectors.EVENT_READ, peer)
        elif not peer.pieces:
            self.paced.discard(peer.sock.fileno())

    def drop(self, peer: Peer) -> None:
        """Forget a connection."""
        self.paced.discard(peer.sock.fileno())
        del self.peers[peer.sock.fileno()]
        self.selector.unregister(peer.sock)
        peer.sock.close()


def content_length(head: bytes) -> int:
    """Read the length of a request's body."""
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.split(b"\r\n", 1)[0] or 0)


def main() -> None:
    """Serve on two free ports, which are the first line of the output.

    The arguments are a file with the certificate and its key, and the core to run on, if it matters.
    """
    if len(sys.argv) > 2 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[2])})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1])
    server = Server(tls)
    sys.stdout.write(" ".join(f"{listener.getsockname()[1]}" for listener in server.listeners) + "\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
