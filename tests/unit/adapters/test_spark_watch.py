"""Whether a Spark session is still there, told without what its kind of client does not need."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from cityline.adapters.spark.watch import stopped


def test_a_connect_session_is_asked_nothing_of_py4j(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py4j", None)
    monkeypatch.setitem(sys.modules, "py4j.protocol", None)
    assert not stopped(SimpleNamespace(client="a session of Connect"))
