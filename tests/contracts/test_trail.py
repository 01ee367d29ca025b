"""One suite for the trail here and on AWS: who did what, when, on what, allowed or denied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cityline.adapters.local.trail import LocalTrail
from cityline.deploy.auditing import AUDITS
from cityline.errors import CloudRefused, CloudSignIn, CloudUnreachable, EngineError, UsageError
from cityline.lake.cost import GENERAL
from cityline.ports.trail import Event, Look, Trail
from tests.aws.scripted import Script
from tests.contracts.small_home import NOW, small_home

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator

HOME = "ca-central-1"
ACCOUNT = "000000000000"
WEEK = datetime.now(UTC) - timedelta(days=7)
SIGNED_IN = Event(NOW + timedelta(hours=1), "ana", "last seen", "account of analyst", "allowed")


def local(home: Path) -> LocalTrail:
    return LocalTrail(small_home(home), lambda: [SIGNED_IN])


def cloud_trail(regions: tuple[str, ...] = (HOME, "us-east-1")) -> Any:
    from cityline.adapters.aws.queries import Queries, Workgroup  # noqa: PLC0415 - an extra
    from cityline.adapters.aws.trail import CloudTrail  # noqa: PLC0415

    asked = {a.name: (a.title, a.saved("trailed.events", "trailed")) for a in AUDITS}
    return CloudTrail(regions, asked, Queries(Workgroup("trailed", HOME, {}, GENERAL)))


@pytest.fixture(params=["local", pytest.param("aws", marks=pytest.mark.aws)])
def trail(request: pytest.FixtureRequest, tmp_path: Path) -> Trail:
    if request.param == "local":
        return local(tmp_path)
    cloud: Emulator = request.getfixturevalue("cloud")
    cloud.client("iam").list_roles()
    cloud.client("glue").get_databases()
    cloud.client("athena").list_work_groups()
    found: Trail = cloud_trail()
    return found


def test_events_are_told_newest_first_and_no_more_than_wanted(trail: Trail) -> None:
    every = trail.events(Look(WEEK))
    assert len(every) >= 3
    assert [e.at for e in every] == sorted((e.at for e in every), reverse=True)
    assert all(e.at.tzinfo is not None and e.what and e.outcome == e.outcome.lower() for e in every)
    assert trail.events(Look(WEEK, most=2)) == every[:2]


def test_events_are_chosen_by_who_what_and_since(trail: Trail) -> None:
    first = trail.events(Look(WEEK))[0]
    assert first in trail.events(Look(WEEK, who=first.who.upper(), what=first.what.upper()))
    assert trail.events(Look(WEEK, who="nobody at all")) == []
    assert trail.events(Look(WEEK, what="nothing like it")) == []
    assert trail.events(Look(datetime.now(UTC) + timedelta(days=1))) == []


def test_a_trail_says_what_it_does_not_hold(trail: Trail) -> None:
    assert trail.gaps
    with pytest.raises(UsageError, match=r"no.* question"):
        trail.ask("who-is-it")


# -- one machine ----------------------------------------------------------------------------------


def test_steps_releases_and_sign_in_are_events(tmp_path: Path) -> None:
    found = {(e.what, e.on): e for e in local(tmp_path).events(Look(WEEK))}
    assert found["prepare", "other"].outcome == "denied"
    assert found["prepare", "other"].why == "a rule failed"
    assert found["structure", "other"].outcome == "failed"
    assert found["structure", "curated/volume"].who == "run r-new"
    assert found["release", "site/b7"].outcome == "allowed"
    assert found["last seen", "account of analyst"].who == "ana"
    assert not [e for e in found.values() if e.who == "run r-old"]


# -- AWS ------------------------------------------------------------------------------------------


@pytest.mark.aws
def test_a_call_is_told_with_who_made_it_and_on_what(cloud: Emulator) -> None:
    """The emulator records no call that it refuses: refusals are in AWS's own form below."""
    cloud.client("s3").create_bucket(
        Bucket="trailed-raw", CreateBucketConfiguration={"LocationConstraint": HOME}
    )
    found = cloud_trail().events(Look(WEEK, what="s3:CreateBucket"))
    (mine,) = [e for e in found if e.on == "trailed-raw"]
    assert (mine.who, mine.outcome, mine.where) == ("test", "allowed", HOME)


@pytest.mark.aws
def test_a_named_question_is_asked_in_athena(cloud: Emulator) -> None:
    """The emulator reads tables, but not the words only Trino knows: its refusal is the query's."""
    groups = [w["Name"] for w in cloud.client("athena").list_work_groups()["WorkGroups"]]
    if "trailed" not in groups:
        cloud.client("s3").create_bucket(
            Bucket="trailed-results", CreateBucketConfiguration={"LocationConstraint": HOME}
        )
        results = {"ResultConfiguration": {"OutputLocation": "s3://trailed-results/audit/"}}
        cloud.client("athena").create_work_group(Name="trailed", Configuration=results)
    trail = cloud_trail()
    assert set(trail.questions) == {a.name for a in AUDITS}
    with pytest.raises(EngineError, match="cannot be run"):
        trail.ask("refused-calls")


def told(name: str, body: dict[str, Any], resources: list[str] | None = None) -> dict[str, Any]:
    import json  # noqa: PLC0415

    return {
        "EventId": name, "EventName": name, "EventSource": "s3.amazonaws.com",
        "EventTime": NOW.timestamp(), "Username": "ana",
        "Resources": [{"ResourceName": r} for r in resources or ()],
        "CloudTrailEvent": json.dumps(body),
    }  # fmt: skip


SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/cityline-analyst/ana@example.org"
EVENTS = {
    "a role's session": (
        told("GetBucketPolicy", {"userIdentity": {"type": "AssumedRole", "arn": SESSION},
                                 "errorCode": "AccessDenied", "errorMessage": "not authorized"},
             ["cityline-raw"]),
        ("cityline-analyst/ana@example.org", "s3:GetBucketPolicy", "cityline-raw", "denied"),
    ),
    "root": (
        told("DeleteTrail", {"userIdentity": {"type": "Root", "arn": "arn:aws:iam::1:root"},
                             "requestParameters": {"name": "cityline-trail"}}),
        ("root", "s3:DeleteTrail", "cityline-trail", "allowed"),
    ),
    "EC2's own word for denied": (
        told("RunInstances", {"errorCode": "Client.UnauthorizedOperation"}),
        ("ana", "s3:RunInstances", "", "denied"),
    ),
    "a call that failed": (
        told("HeadBucket", {"errorCode": "NoSuchBucket", "requestParameters": {"bucketName": "x"}}),
        ("ana", "s3:HeadBucket", "x", "failed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_of_cloudtrail_in_our_words(script: Script, name: str) -> None:
    event, expected = EVENTS[name]
    script.says("LookupEvents", {"Events": [event]})
    (found,) = cloud_trail((HOME,)).events(Look(WEEK))
    assert (found.who, found.what, found.on, found.outcome) == expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ExpiredTokenException", CloudSignIn), ("AccessDeniedException", CloudRefused),
     ("ThrottlingException", CloudUnreachable)],
)  # fmt: skip
def test_a_look_that_is_refused(script: Script, code: str, kind: type[Exception]) -> None:
    script.refuses("LookupEvents", code)
    with pytest.raises(kind):
        cloud_trail().events(Look(WEEK))


def test_a_named_question_is_asked_anew_each_time(script: Script) -> None:
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    ended = {"QueryExecutionId": "q1", "Status": {"State": "SUCCEEDED"}, "Statistics": {}}
    script.says("GetQueryExecution", {"QueryExecution": ended})
    columns = [{"Name": "who", "Type": "varchar"}]
    rows = [{"Data": [{"VarCharValue": "who"}]}, {"Data": [{"VarCharValue": "ana"}]}]
    script.says(
        "GetQueryResults",
        {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}}},
    )
    assert cloud_trail().ask("keys-used").to_pylist() == [{"who": "ana"}]
    (asked,) = script.to("StartQueryExecution")
    assert "ResultReuseConfiguration" not in asked
    assert "trailed.events" in asked["QueryString"]
