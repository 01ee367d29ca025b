"""Every error Cityline raises, one root, drawn as a tree.

CitylineError
├── DeclarationError         what a person wrote cannot be used            exit 2
├── UsageError               a command was asked for something impossible  exit 2
│   └── AnswerRefused        a comparison that would not be like for like  exit 2
├── SourceError              the source, or what it sent                   exit 4
│   ├── SourceUnreachable    no answer in time (passing)                   exit 4
│   ├── SourceQuota          the portal's quota is used up                 exit 4
│   ├── SourceRefused        the portal answered no                        exit 4
│   ├── SourceDamaged        the body is not the table it should be        exit 4
│   └── SourceChanged        fields or counts differ from the contract     exit 4
├── QualityError             a blocking rule failed; nothing was promoted  exit 3
├── StepError                a step of the way failed                      exit 1
│   ├── StoreError           the zones' folder or bucket                   exit 1
│   │   ├── StoreFull        no space left                                 exit 1
│   │   ├── StoreRefused     the bucket's owner says no, or knows us not   exit 6
│   │   └── StoreUnreachable the bucket does not answer (passing)          exit 6
│   ├── CatalogError         the table catalogue                           exit 1
│   ├── EngineError          the SQL engine                                exit 1
│   │   ├── QueryStopped     a typed query took more than it may           exit 1
│   │   └── SessionLost      its session or a worker died (passing)        exit 1
│   └── LockHeld             another run is at work                        exit 1
├── CloudError               AWS could not do what it was asked            exit 6
│   ├── CloudSignIn          no credentials, or they have expired          exit 6
│   ├── CloudRefused         AWS says no: rights, names, quotas, regions   exit 6
│   ├── CloudUnreachable     no answer, or too many requests (passing)     exit 6
│   └── StackFailed          a stack could not be made, changed or deleted exit 6
├── NotPermitted             who asks may not                              exit 5
└── MissingExtra             an optional library is not installed          exit 2

A message has three parts: what happened, where (file and key, address, column), and what to try.
`passing` marks an error that may go away by itself; it is what a retry reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process returns; documented in `docs/reference/exit-codes.md`."""

    OK = 0
    STEP_FAILED = 1
    USAGE = 2
    QUALITY = 3
    SOURCE = 4
    NOT_PERMITTED = 5
    CLOUD = 6
    BUG = 70
    INTERRUPTED = 130


class CitylineError(Exception):
    """Root of all errors raised on purpose: what happened, where, and what to try."""

    exit: ClassVar[ExitCode] = ExitCode.STEP_FAILED
    passing: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    @property
    def code(self) -> str:
        """The error's stable name in output and documents, e.g. `SOURCE_DAMAGED`."""
        name = type(self).__name__
        return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(name)).upper()

    def __str__(self) -> str:
        where = f" [{self.where}]" if self.where else ""
        hint = f"\n  try  {self.hint}" if self.hint else ""
        return f"{self.what}{where}{hint}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one declaration: `file`, dotted `key`, what, and what to try."""

    file: str
    key: str
    what: str
    hint: str = ""


class DeclarationError(CitylineError):
    """What a person wrote cannot be used; carries every problem that was found."""

    exit = ExitCode.USAGE

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        where = f"{first.file}: {first.key}" if first.key else first.file
        super().__init__(f"{first.what}{more}", where=where, hint=first.hint)


class UsageError(CitylineError):
    """A command or parameter that cannot be served as asked."""

    exit = ExitCode.USAGE


class AnswerRefused(UsageError):
    """A comparison that would mix complete and incomplete periods, or has nothing to compare.

    `reason` names the kind of refusal, for pages in other languages.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", reason: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.reason = reason


class SourceError(CitylineError):
    """The source, or what it sent."""

    exit = ExitCode.SOURCE


class SourceUnreachable(SourceError):
    """No usable answer within the deadline; trying later may help."""

    passing = True


class SourceQuota(SourceError):
    """The portal's quota is used up until a time it names."""


class SourceRefused(SourceError):
    """The portal answered, and the answer is no (unknown dataset, bad query, forbidden)."""


class SourceDamaged(SourceError):
    """The body received is not the table the source declares (HTML, truncated, wrong encoding)."""


class SourceChanged(SourceError):
    """The fields or counts differ from the contract; the old state stays."""


class QualityError(CitylineError):
    """A blocking rule failed; nothing was promoted."""

    exit = ExitCode.QUALITY


class StepError(CitylineError):
    """A step of the way failed."""


class StoreError(StepError):
    """The folder or bucket that holds the zones."""


class StoreFull(StoreError):
    """No space is left where the zones are kept."""


class StoreRefused(StoreError):
    """The bucket denies what was asked, is not there, or does not know the credentials."""

    exit = ExitCode.CLOUD


class StoreUnreachable(StoreError):
    """The bucket did not answer within the deadline; nothing was half-written, run again."""

    exit = ExitCode.CLOUD
    passing = True


class CatalogError(StepError):
    """The table catalogue."""


class EngineError(StepError):
    """The SQL engine refused or failed a statement."""


def too_large(where: str) -> EngineError:
    """A number beyond its type's range, on an engine that stops rather than go on with another."""
    hint = "CAST(x AS DOUBLE), or CAST(x AS BIGINT) when it is an INTEGER"
    return EngineError("a number is too large for its type", where=where, hint=hint)


def unportable(told: str, where: str) -> EngineError | None:
    """What our SQL refuses while it runs, out of the words an engine puts around it; nothing when
    `told` is another error."""
    found = re.search(r"not portable: .+?(?= SQLSTATE|[\n\]]|$)", told)
    return found and EngineError(found[0], where=where, hint="cityline check")


class QueryStopped(EngineError):
    """A query a person typed took more time, memory or space than it may."""


class SessionLost(EngineError):
    """The engine's session or one of its workers was lost in the middle; run again."""

    passing = True


class LockHeld(StepError):
    """Another run is at work on the same lake."""


class CloudError(CitylineError):
    """AWS could not do what it was asked."""

    exit = ExitCode.CLOUD


class CloudSignIn(CloudError):
    """There are no credentials for AWS, or they have expired."""


class CloudRefused(CloudError):
    """AWS says no: a right is missing, a name is taken, a quota is used up."""


class CloudUnreachable(CloudError):
    """AWS did not answer in time, or has been asked too often."""

    passing = True


class StackFailed(CloudError):
    """A stack could not be made, changed or deleted; what stood before stands."""


class JobFailed(CloudError):
    """A job on AWS failed, was stopped or took too long; what readers see stands."""


class NotPermitted(CitylineError):
    """Who asks may not."""

    exit = ExitCode.NOT_PERMITTED


class MissingExtra(CitylineError):
    """An optional library is not installed; the hint names the extra."""

    exit = ExitCode.USAGE
