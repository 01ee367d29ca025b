"""The access policy: who may do what, where. What nothing grants is denied.

One policy for every place the city runs. On AWS it is rendered into bucket, key and role policies;
the website has roles of its own (`web/identity/roles.py`), because it only ever reads a release.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cityline.declarations.reading import Declared
from cityline.lake.address import Zone

EVERY = "*"
"""In a denial or a test: every role, verb, zone or dataset."""


class AccessZone(StrEnum):
    """Where things are kept, each with its own rules: on AWS a bucket and a key each."""

    RAW = "raw"
    LANDING = "landing"
    CURATED = "curated"
    SITE = "site"
    RESULTS = "results"
    CODE = "code"
    LOG = "log"
    TRAIL = "trail"


class Verb(StrEnum):
    """`write` adds or replaces; `delete` hides or removes; `publish` is the site's way to write, so
    that nobody changes by accident what readers see; `administer` changes a zone's own rules."""

    READ = "read"
    WRITE = "write"
    PUBLISH = "publish"
    DELETE = "delete"
    ADMINISTER = "administer"


EveryVerb = Literal["*", "read", "write", "publish", "delete", "administer"]
EveryZone = Literal["*", "raw", "landing", "curated", "site", "results", "code", "log", "trail"]


class DataClass(StrEnum):
    """How careful to be with a dataset."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"


HOLDS: dict[AccessZone, tuple[Zone, ...]] = {
    AccessZone.RAW: (Zone.RAW,),
    AccessZone.LANDING: (Zone.LANDING, Zone.QUARANTINE),
    AccessZone.CURATED: (Zone.CURATED, Zone.LAKE),
    AccessZone.SITE: (Zone.SITE, Zone.ANSWERS),
}
"""Which zones of the lake lie in which zone of the policy; the others hold no dataset."""


FACTS = ("ledger", "declarations")
"""What the lake's own zone holds: no tables, but every run's receipts, and what was declared when a
release was made."""


def zone_of(zone: Zone) -> AccessZone:
    """The zone of the policy that holds a zone of the lake."""
    return next(place for place, held in HOLDS.items() if zone in held)


class Role(Declared):
    """Somebody or something that acts. `through` names the role whose door it comes by: it touches
    no zone itself. `asks_in` names the workgroup it asks in, and so its part of `results`."""

    says: str
    assumed_by: Annotated[
        tuple[
            Literal[
                "people", "emergency", "glue", "databrew", "ec2", "s3", "cloudtrail", "log-delivery"
            ],
            ...,
        ],
        Field(),
    ] = ()
    through: str = ""
    asks_in: str = ""
    duties: tuple[Literal["run", "watch"], ...] = ()
    """`run` starts the jobs and follows them; `watch` reads metrics, alarms and charges."""


class Grant(Declared):
    """What one role may do. Personal data is granted only where `classes` names it. `datasets` are
    all of them when empty; in `results` a dataset is a workgroup."""

    role: str
    verbs: Annotated[tuple[Verb, ...], Field(min_length=1)]
    zones: Annotated[tuple[AccessZone, ...], Field(min_length=1)]
    datasets: tuple[str, ...] = ()
    classes: Annotated[tuple[DataClass, ...], Field(min_length=1)] = (
        DataClass.PUBLIC,
        DataClass.INTERNAL,
    )
    why: Annotated[str, Field(min_length=8)]


class Denial(Declared):
    """What nobody, or none of `roles`, may do whatever is granted. `roles` may be `["*"]`."""

    roles: Annotated[tuple[str, ...], Field(min_length=1)] = (EVERY,)
    verbs: Annotated[tuple[Verb, ...], Field(min_length=1)]
    zones: Annotated[tuple[AccessZone, ...], Field(min_length=1)]
    datasets: tuple[str, ...] = ()
    why: Annotated[str, Field(min_length=8)]


class PolicyTest(Declared):
    """What must come out of the policy. `*` stands for every one, and all must come out so."""

    who: str
    verb: EveryVerb
    zone: EveryZone
    dataset: str = EVERY
    expect: Literal["allowed", "denied"]
    why: Annotated[str, Field(min_length=8)]


class Access(Declared):
    """`policies/access.toml`. `datasets` gives a dataset its class; others have `default_class`."""

    default_class: DataClass = DataClass.INTERNAL
    datasets: dict[str, DataClass] = Field(default_factory=dict)
    roles: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")], Role]
    grants: tuple[Grant, ...] = ()
    denials: tuple[Denial, ...] = ()
    tests: tuple[PolicyTest, ...] = ()

    def class_of(self, dataset: str) -> DataClass:
        """A dataset's class; the default for one that is not named."""
        return self.datasets.get(dataset, self.default_class)

    def named(self, zone: AccessZone) -> tuple[str, ...]:
        """The datasets the policy tells apart in a zone; any other is treated like the rest."""
        if zone is AccessZone.RESULTS:
            return tuple(sorted({r.asks_in for r in self.roles.values() if r.asks_in}))
        if zone not in HOLDS:
            return ()
        rules: tuple[Grant | Denial, ...] = (*self.grants, *self.denials)
        told = {d for rule in rules if zone in rule.zones for d in rule.datasets}
        return tuple(sorted(told | set(self.datasets)))
