"""Jobs on a platform: the parts of the way, each run on machines that exist only for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job: its id, the arguments it was started with, the platform's word for its
    state, and its message when it failed."""

    id: str
    arguments: Mapping[str, str]
    state: str
    message: str = ""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state not in ("STARTING", "RUNNING", "STOPPING", "WAITING", "QUEUED")

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.state == "SUCCEEDED"


class Jobs(Protocol):
    """Jobs by name. Raises CloudError and its children."""

    def start(self, job: str, arguments: Mapping[str, str]) -> str:
        """Start a job; returns the id of its run."""
        ...

    def look(self, job: str, run: str) -> JobRun:
        """A run as it stands."""
        ...

    def at_work(self, job: str) -> JobRun | None:
        """The run of a job that is not over, if there is one."""
        ...
