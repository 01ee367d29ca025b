"""What each status of CloudFormation means for whoever deploys: made, to be made anew, or failed.

The statuses are those of CloudFormation's own description, so that a new one is not missed; they
come from a small server that speaks its protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from urllib.parse import parse_qs

import pytest

from cityline.adapters.aws.stacks import CloudFormation
from cityline.errors import StackFailed
from cityline.ports.stacks import Deployed
from tests.aws.scripted import answering

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

    def answer(_: Message, body: bytes) -> tuple[int, str]:
        return made.answer(parse_qs(body.decode())["Action"][0])

    with answering("text/xml", answer) as url, pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in {
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        yield made


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
