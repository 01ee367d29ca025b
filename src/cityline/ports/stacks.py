"""Stacks of cloud resources, and what must be done before they can go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""Until when a legal hold locks: until somebody lifts it."""
_PLANNED = "REVIEW_IN_PROGRESS"
"""A stack of which there is a change set and nothing else: it stays so until somebody goes on."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack as it stands: its status in AWS's words, and the template it was made from."""

    name: str
    region: str
    status: str
    template: Mapping[str, Any]
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    protected: bool = False
    """Whether it may not be deleted until somebody says so."""

    @property
    def whole(self) -> bool:
        """True when the last change of it was made to its end."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")

    @property
    def half_made(self) -> bool:
        """True when its creation or its deletion failed, or was never begun: it can only be deleted
        and made again."""
        failed = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
        return self.status in (*failed, _PLANNED)

    @property
    def stuck(self) -> bool:
        """True when even taking an update back failed: it can be changed only once that is done."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def in_motion(self) -> bool:
        """True while somebody is changing it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != _PLANNED


class Stacks(Protocol):
    """Stacks by name and region. Raises CloudError and its children."""

    def account(self) -> str:
        """The number of the account whose credentials are used."""
        ...

    def find(self, name: str, region: str) -> Deployed | None:
        """A stack that stands, or None."""
        ...

    def put(
        self,
        name: str,
        region: str,
        template: str,
        parameters: Mapping[str, str],
        note: Callable[[str], None],
    ) -> Deployed:
        """Create or update a stack and wait until it is done; `note` hears each resource. What
        fails is taken back whole."""
        ...

    def upload(self, bucket: str, key: str, region: str, data: bytes) -> bool:
        """Put an object whose key holds its hash; whether it was not there yet."""
        ...

    def delete(self, name: str, region: str, note: Callable[[str], None]) -> None:
        """Delete a stack and wait, its load balancers too, which are protected against that; one
        that is not there is no error."""
        ...

    def storage_addresses(self, region: str) -> str:
        """The id of the list of S3's addresses in a region, which closed networks let through."""
        ...

    def open_rules(self, group: str, region: str) -> int:
        """How many rules a security group has, for either way."""
        ...

    def close_group(self, group: str, region: str) -> int:
        """Take every rule out of a security group, so that it lets nothing pass; how many there
        were."""
        ...


class Leftovers(Protocol):
    """What stacks leave behind, and what keeps them from going. Raises CloudError and its
    children."""

    def left(self, prefix: str, region: str) -> list[str]:
        """Buckets, keys' aliases and roles whose name begins with the prefix, that still stand."""
        ...

    def locked_until(self, bucket: str, region: str) -> datetime | None:
        """The latest date until which a version in a bucket may not be deleted, if any; FOR_EVER
        for one on legal hold."""
        ...

    def remove_bucket(self, bucket: str, region: str) -> int:
        """Take away a bucket's policy, delete every version in it, and the bucket; how many there
        were. A bucket that is not there has none."""
        ...

    def end_key(self, alias: str, region: str) -> datetime | None:
        """Let the key of an alias be deleted after its waiting time, and say when that is; None
        when there is no such alias."""
        ...
