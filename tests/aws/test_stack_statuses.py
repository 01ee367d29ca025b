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
    return [s for s in known if s == "REVIEW_IN_PROGRESS" or not s.endswith("_IN_PROGRESS")]


class Told:
    """A CloudFormation with one stack: it says these statuses in turn, the last for ever."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.body = "{}"
        self.more = ""

    def answer(self, action: str, token: str = "") -> tuple[int, str]:
        self.asked.append(action)
        self.tokens += [token] if action in ("CreateStack", "UpdateStack") else []
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
                f"<StackStatus>{now}</StackStatus>{self.more}</member></Stacks>"
            )
        else:
            told = {
                "GetTemplate": f"<TemplateBody>{self.body}</TemplateBody>",
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
        asked = parse_qs(body.decode())
        return made.answer(asked["Action"][0], *asked.get("ClientRequestToken", ()))

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
    anew = left in (
        "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED",
        "REVIEW_IN_PROGRESS",
    )  # fmt: skip
    # found, found and asked for its id before it is deleted, gone; then made
    gone = (left, left, "none") if anew else ()
    assert put(stacks, told, left, *gone, "UPDATE_COMPLETE").whole
    assert ("DeleteStack" in told.asked) == anew
    assert ("CreateStack" in told.asked) == (anew or left == "DELETE_COMPLETE")


def test_what_is_asked_again_is_the_same_request(told: Told, stacks: CloudFormation) -> None:
    """After an answer that was lost AWS would else say that the stack's name is taken, by itself."""
    told.tokens = []
    put(stacks, told, "none", "CREATE_COMPLETE")
    put(stacks, told, "CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert len(set(told.tokens)) == len(told.tokens) == 2
    assert all(told.tokens)


def test_a_stack_that_a_person_changed_is_read(
    told: Told, stacks: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand a template may become YAML, and a stack protected."""
    monkeypatch.setattr(told, "body", "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n")
    told.statuses = ["UPDATE_COMPLETE"]
    found = stacks.find("s", REGION)
    assert found is not None
    assert (found.template, found.protected) == ({}, False)
    protected = "<EnableTerminationProtection>true</EnableTerminationProtection>"
    monkeypatch.setattr(told, "more", protected)
    found = stacks.find("s", REGION)
    assert found is not None
    assert found.protected
