"""Jobs in AWS Glue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import client
from cityline.errors import CloudRefused
from cityline.ports.jobs import JobRun


class GlueJobs:
    """Implements `ports.jobs.Jobs` in a region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._opened: Any = None

    def start(self, job: str, arguments: Mapping[str, str]) -> str:
        """Start a job. Raises CloudRefused when it is not there or already runs."""
        told = self._ask(job, "start_job_run", JobName=job, Arguments=dict(arguments))
        run: str = told["JobRunId"]
        return run

    def look(self, job: str, run: str) -> JobRun:
        """A run as it stands."""
        return _run(self._ask(job, "get_job_run", JobName=job, RunId=run)["JobRun"])

    def at_work(self, job: str) -> JobRun | None:
        """The run of a job that is not over; a job runs once at a time."""
        told = self._ask(job, "get_job_runs", JobName=job)["JobRuns"]
        return next((r for r in map(_run, told) if not r.over), None)

    def _ask(self, job: str, what: str, **asked: Any) -> Any:
        if self._opened is None:
            self._opened = client("glue", self._region)
        where = f"job {job} in {self._region}"
        exceptions = self._opened.exceptions
        with cloud_errors(where):
            try:
                return getattr(self._opened, what)(**asked)
            except exceptions.EntityNotFoundException as error:
                told = "there is no such run" if what == "get_job_run" else "there is no such job"
                hint = "is home_region right? cityline deploy aws apply makes the jobs"
                raise CloudRefused(told, where=where, hint=hint) from error
            except exceptions.ConcurrentRunsExceededException as error:
                hint = "ask again: a run at work is followed"
                raise CloudRefused("it runs already", where=where, hint=hint) from error


def _run(told: Mapping[str, Any]) -> JobRun:
    return JobRun(
        told["Id"], told.get("Arguments", {}), told["JobRunState"], told.get("ErrorMessage") or ""
    )
