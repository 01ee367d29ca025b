"""What each status of CloudFormation means for whoever deploys: made, to be made anew, or failed.

The statuses are those of CloudFormation's own description, so that a new one is not missed; they
come from a small server that speaks its protocol.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from cityline.adapters.aws.stacks import CloudFormation
from cityline.errors import StackFailed
from cityline.ports.stacks import Deployed

pytest.importorskip("boto3", reason="Amazon's Python package is not installed")
import botocore.session

REGION = "ca-central-1"
_WORDS = "https://cloudformation.amazonaws.com/doc/2010-05-15/"


def _ended() -> list[str]:
    """Every status in which CloudFormation does nothing more."""
    described = botocore.session.get_session().get_service_model("cloudformation")
    known: list[str] = described.shape_for("StackStatus").enum
    return [s for s in known if not s.endswith("_IN_PROGRESS")]


class Told:
    """A CloudFormation with one stack: it says these statuses in turn, the last for ever."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body = outer.answer(form["Action"][0])
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, action: str) -> tuple[int, str]:
        self.asked.append(action)
        if action == "DescribeStacks":
            now = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            if now == "none":
                said = "Stack with id s does not exist"
                return 400, (
                    f'<ErrorResponse xmlns="{_WORDS}"><Error><Type>Sender</Type>'
                    f"<Code>ValidationError</Code><Message>{said}</Message></Error></ErrorResponse>"
                )
            told = (
                "<Stacks><member><StackName>s</StackName><StackId>arn:s</StackId>"
                "<CreationTime>2026-01-01T00:00:00Z</CreationTime>"
                f"<StackStatus>{now}</StackStatus></member></Stacks>"
            )
        else:
            told = {
                "GetTemplate": "<TemplateBody>{}</TemplateBody>",
                "DescribeStackEvents": "<StackEvents/>",
                "ListStackResources": "<StackResourceSummaries/>",
            }.get(action, "<StackId>arn:s</StackId>")
        inside = f"<{action}Result>{told}</{action}Result>"
        return 200, f'<{action}Response xmlns="{_WORDS}">{inside}</{action}Response>'


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """One for all: making a client takes longer than everything that is asked of it."""
    made = Told()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL": made.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        threading.Thread(target=made.server.serve_forever, daemon=True).start()
        yield made
        made.server.shutdown()
        made.server.server_close()


@pytest.fixture(scope="module")
def stacks(told: Told) -> CloudFormation:
    return CloudFormation(30.0, 0.0)


def put(stacks: CloudFormation, told: Told, *statuses: str) -> Deployed:
    told.statuses, told.asked = [*statuses], []
    return stacks.put("s", REGION, "{}", {}, lambda _: None)


@pytest.mark.parametrize("ended", _ended())
def test_an_update_succeeded_only_when_it_was_made_to_its_end(
    told: Told, stacks: CloudFormation, ended: str
) -> None:
    way = ("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", ended)
    if ended in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        assert put(stacks, told, *way).status == ended
        return
    with pytest.raises(StackFailed) as caught:
        put(stacks, told, *way)
    stuck = f"continue-update-rollback --region {REGION} --stack-name s" in caught.value.hint
    assert stuck == (ended == "UPDATE_ROLLBACK_FAILED")
    assert "run again" in caught.value.hint


@pytest.mark.parametrize("left", _ended())
def test_what_an_earlier_try_left_is_changed_or_made_anew_or_told(
    told: Told, stacks: CloudFormation, left: str
) -> None:
    if left == "UPDATE_ROLLBACK_FAILED":
        with pytest.raises(StackFailed) as caught:
            put(stacks, told, left)
        assert "continue-update-rollback" in caught.value.hint
        assert "UpdateStack" not in told.asked
        return
    anew = left in ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
    # found, found and asked for its id before it is deleted, gone; then made
    gone = (left, left, "none") if anew else ()
    assert put(stacks, told, left, *gone, "UPDATE_COMPLETE").whole
    assert ("DeleteStack" in told.asked) == anew
    assert ("CreateStack" in told.asked) == (anew or left == "DELETE_COMPLETE")
