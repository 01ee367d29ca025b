"""The trail of a city on AWS: CloudTrail's own look-up, and the named questions over its table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import Clients
from cityline.adapters.aws.queries import Queries
from cityline.errors import UsageError
from cityline.ports.trail import Event, Look

_KEPT_DAYS = 90
_DENIED = ("AccessDenied", "UnauthorizedOperation", "Client.UnauthorizedOperation", "Forbidden")
_MOST_PAGES = 200
"""Pages of fifty that one look reads in a region: CloudTrail may be asked twice a second."""
_NAMES = ("bucketName", "key", "roleName", "policyName", "policyArn", "userName", "keyId", "name",
          "workGroup", "stackName", "tableName", "databaseName", "jobName", "functionName",
          "trailName", "logGroupName", "alarmName")  # fmt: skip
"""Where a request says what it is about, when the event names no resource."""


class CloudTrail:
    """Implements `ports.trail.Trail`. `regions` are those the city uses; `asked` are the named
    questions as (title, SQL) and `queries` the workgroup they are asked in."""

    gaps = (
        "CloudTrail's look-up holds calls that manage something, of 90 days, minutes late.",
        "Reads and writes of objects are in the trail's table: ask a named question.",
    )

    def __init__(
        self,
        regions: Sequence[str],
        asked: Mapping[str, tuple[str, str]],
        queries: Queries,
        clients: Clients | None = None,
    ) -> None:
        self._regions = regions
        self._asked = asked
        self._queries = queries
        self._client = clients or Clients()

    @property
    def questions(self) -> Mapping[str, str]:
        """The named questions and their titles."""
        return {name: title for name, (title, _) in self._asked.items()}

    def events(self, look: Look) -> list[Event]:
        """Calls that manage something, of every region of the city, newest first. Calls for the
        whole account are told in us-east-1."""
        found = {e.id: e for region in self._regions for e in self._in(region, look)}
        return sorted(found.values(), key=lambda e: (e.at, e.id), reverse=True)[: look.most]

    def ask(self, question: str) -> pa.Table:
        """A named question over the trail's table, asked anew: its data grow all the time."""
        if question not in self._asked:
            known = ", ".join(self._asked)
            raise UsageError(f"no audit question {question!r}", hint=f"known: {known}")
        table, _ = self._queries.run(self._asked[question][1], reuse=False)
        return table

    def _in(self, region: str, look: Look) -> Iterator[Event]:
        """What a region tells, until enough was found that is wanted."""
        oldest = datetime.now(UTC) - timedelta(days=_KEPT_DAYS)
        found = 0
        with cloud_errors(f"CloudTrail in {region}"):
            pages = self._client("cloudtrail", region).get_paginator("lookup_events")
            told = pages.paginate(
                StartTime=max(look.since, oldest),
                EndTime=datetime.now(UTC),
                PaginationConfig={"PageSize": 50, "MaxItems": 50 * _MOST_PAGES},
            )
            for page in told:
                for one in page["Events"]:
                    event = _event(one, region)
                    if look.wants(event):
                        yield event
                        found += 1
                if found >= look.most:
                    return


def _event(told: Mapping[str, Any], region: str) -> Event:
    body = json.loads(told.get("CloudTrailEvent") or "{}")
    service = str(told.get("EventSource", "")).partition(".")[0]
    code = str(body.get("errorCode") or "")
    message = str(body.get("errorMessage") or "")
    return Event(
        at=told["EventTime"].astimezone(UTC),
        who=_who(body.get("userIdentity") or {}, str(told.get("Username", ""))),
        what=f"{service}:{told['EventName']}",
        on=_on(told, body.get("requestParameters") or {}),
        outcome=_outcome(code),
        why=": ".join(filter(None, (code, message))),
        where=str(body.get("awsRegion") or region),
        id=str(told["EventId"]),
    )


def _who(identity: Mapping[str, Any], name: str) -> str:
    """A role's session as `role/session`, a service by its address, anybody else by name."""
    arn = str(identity.get("arn", ""))
    if identity.get("type") == "Root":
        return "root"
    if ":assumed-role/" in arn:
        return arn.partition(":assumed-role/")[2]
    return name or arn.rpartition("/")[2] or str(identity.get("invokedBy", ""))


def _on(told: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    named = [str(r.get("ResourceName", "")) for r in told.get("Resources", ())]
    given = {k[:1].lower() + k[1:]: v for k, v in asked.items()}
    named = named or [str(given[n]) for n in _NAMES if given.get(n)]
    return ", ".join(dict.fromkeys(filter(None, named)))


def _outcome(code: str) -> str:
    if not code:
        return "allowed"
    return "denied" if code.startswith(_DENIED) or code.endswith(_DENIED) else "failed"
