"""Spark Connect: a session on a server, over gRPC, with no Java in this process.

Everything is bounded: a server that is not there is told in seconds, one that goes away in the
middle of a query within half a minute.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cityline.errors import EngineError, MissingExtra, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEME = "sc://"
_PORT = 15002
_ANSWERS_WITHIN = 5.0
_ATTEMPTS = 5
"""After the first; the client waits 0.05, 0.2, 0.8, 3.2 and 12.8 seconds between them. Its own
default is ten minutes."""
_MARK = "cityline.session"


def connected(address: str) -> SparkSession:
    """A session of its own on the server at `sc://host:port`.

    Raises UsageError for an address that is none, EngineError when nothing answers there and
    MissingExtra without the client's parts.
    """
    _knock(address)
    _fork_as_others_do()
    try:
        from pyspark.sql.connect.session import SparkSession as Remote  # noqa: PLC0415 - an extra
    except ImportError as error:
        told = "Spark Connect's Python client is not installed"
        raise MissingExtra(told, hint="pip install 'cityline[spark-connect]'") from error
    opened: Any = Remote(address)  # not the builder: it would hide errors as warnings
    _lose_patience(opened.client)
    _close_by_hand(opened.client)
    opened.conf.set(_MARK, "opened")
    session: SparkSession = opened  # both kinds of session answer alike
    return session


def forgotten(session: Any) -> bool:
    """Whether a server that answers no longer knows this session: it was started again, or the
    session was idle for too long. Its tables and functions are gone then."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra

    try:
        return bool(session.conf.get(_MARK, "") != "opened")
    except PySparkException:
        return True


def left(session: Any) -> None:
    """Close our end alone: the server may not be there to be told."""
    client = session.client
    type(client).close(client)


def _fork_as_others_do() -> None:
    """gRPC starts its threads anew in every process that is forked, and aborts it when it closes
    its files before it becomes another program, as the one that starts Spark's Java does
    (grpc/grpc#43055). No such process of ours speaks gRPC. It is read when gRPC is first loaded."""
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")


def _close_by_hand(client: Any) -> None:
    """A session closes its client when it is collected, by whichever thread collects, and waits for
    threads that all sessions share: in one of these it waits for itself, without an end, and holds
    a lock that every query needs (PySpark 3.5). A channel that is collected is freed anyway."""
    client.close = lambda: None


def _knock(address: str) -> None:
    try:
        where = urlsplit(address.split(";", maxsplit=1)[0])
        host, port = where.hostname, where.port or _PORT
    except ValueError:
        host, port = None, 0
    if not host:
        told = f"{address!r} is no address of a Spark Connect server"
        raise UsageError(told, where="spark.address", hint=f"sc://host:{_PORT}")
    try:
        socket.create_connection((host, port), timeout=_ANSWERS_WITHIN).close()
    except OSError as error:
        told = f"no Spark Connect server answers: {error.strerror or error}"
        hint = "is it running, and its port open from here? cityline doctor looks"
        raise EngineError(told, where=address, hint=hint) from error


def _lose_patience(client: Any) -> None:
    try:
        from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415 - from 4.0
    except ImportError:
        client._retry_policy["max_retries"] = _ATTEMPTS  # 3.5 has no other way
    else:
        client.set_retry_policies([DefaultPolicy(max_retries=_ATTEMPTS)])
