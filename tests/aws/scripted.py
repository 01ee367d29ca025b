"""A server on loopback that speaks AWS's JSON protocol and says what a test wrote down.

For what no emulator does: a query that is cut off, an expired token, a throttled caller. It answers
by the operation's name, each answer once and the last one for ever, and keeps what it was asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any]


class Script:
    """Answers by operation; what was asked of each lies in `asked`."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Answer]]] = {}
        self.asked: list[tuple[str, Answer]] = []
        self.endpoint = ""

    def says(self, operation: str, *answers: Answer) -> None:
        """What it answers to an operation."""
        self.answers[operation] = [(200, a) for a in answers]

    def refuses(self, operation: str, code: str, message: str = "no", **more: Any) -> None:
        """An error in AWS's own form."""
        self.answers[operation] = [(400, {"__type": code, "message": message, **more})]

    def to(self, operation: str) -> list[Answer]:
        """Everything that was asked of an operation."""
        return [body for name, body in self.asked if name == operation]

    def answer(self, operation: str, body: Answer) -> tuple[int, Answer]:
        """The next answer."""
        self.asked.append((operation, body))
        told = self.answers.get(operation)
        if told is None:
            return 400, {"__type": "UnknownOperationException", "message": operation}
        return told.pop(0) if len(told) > 1 else told[0]


@contextmanager
def answering(kind: str, answer: Callable[[Message, bytes], tuple[int, str]]) -> Iterator[str]:
    """A server that gives to each request what `answer` makes of its headers and body, as content of
    a `kind`; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, told = answer(self.headers, body)
            sent = told.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def scripted() -> Iterator[Script]:
    """A server with nothing to say yet."""
    script = Script()

    def answer(headers: Message, body: bytes) -> tuple[int, str]:
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        status, told = script.answer(operation, json.loads(body or b"{}"))
        return status, json.dumps(told)

    with answering("application/x-amz-json-1.1", answer) as script.endpoint:
        yield script
