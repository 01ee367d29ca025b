"""Checking the policy: its words, its own tests, how long and where; every problem with its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from cityline.declarations.access import (
    EVERY,
    FACTS,
    HOLDS,
    Access,
    AccessZone,
    DataClass,
    Denial,
    Grant,
    PolicyTest,
    Verb,
)
from cityline.declarations.reading import nearest
from cityline.declarations.retention import Keep, Residency, Retention
from cityline.errors import Problem
from cityline.guards.protect.access import datasets_of, decide, fits
from cityline.guards.protect.keeping import placeable

ACCESS = "policies/access.toml"
RETENTION = "policies/retention.toml"


def check(access: Access, retention: Retention | None, datasets: Iterable[str]) -> list[Problem]:
    """Every problem of the two policies. `datasets` are the names the city knows: its sources,
    models and questions."""
    results = {r.asks_in for r in access.roles.values() if r.asks_in}
    known = set(datasets) | results | set(FACTS)
    problems = [*_roles(access), *_rules(access, known), *_named(access, known)]
    problems += run_tests(access, known)
    if retention is not None:
        problems += [*_kept(retention), *_holds(retention, known), *_endless(access, retention)]
        problems += _residency(access, retention.residency)
    return problems


def run_tests(access: Access, known: Iterable[str] = ()) -> list[Problem]:
    """Run the policy's own tests. A test that fails, or that names nothing known, is a problem."""
    known = set(known) | set(access.datasets) | set(FACTS)
    problems: list[Problem] = []
    for number, test in enumerate(access.tests):
        key = f"tests.{number}"
        if test.who != EVERY and test.who not in access.roles:
            problems.append(_unknown(f"{key}.who", "role", test.who, access.roles))
        elif test.dataset != EVERY and test.dataset not in known:
            problems.append(_unknown(f"{key}.dataset", "dataset", test.dataset, known))
        else:
            problems += _tested(access, test, key)
    return problems


def _tested(access: Access, test: PolicyTest, key: str) -> Iterator[Problem]:
    who = list(access.roles) if test.who == EVERY else [test.who]
    verbs = list(Verb) if test.verb == EVERY else [Verb(test.verb)]
    zones = list(AccessZone) if test.zone == EVERY else [AccessZone(test.zone)]
    cells = [(w, v, z) for w, v, z in product(who, verbs, zones) if fits(v, z)]
    if not cells:
        what = f"the test can never fail: there is no {test.verb} in {test.zone}"
        yield Problem(ACCESS, key, what, "the site is published; everything else is written")
    for role, verb, zone in cells:
        datasets = datasets_of(access, verb, zone) if test.dataset == EVERY else (test.dataset,)
        for dataset in datasets:
            found = decide(access, role, verb, zone, dataset)
            if found.allowed is not (test.expect == "allowed"):
                said = "allowed" if found.allowed else "denied"
                what = f"{role} {verb} {zone}{f'/{dataset}' if dataset else ''} is {said}"
                what = f"{what} ({found.reason}), but must be {test.expect}: {test.why}"
                yield Problem(ACCESS, key, what, "change the grant, or the test with its reason")
                return


def _roles(access: Access) -> Iterator[Problem]:
    for name, role in access.roles.items():
        if role.through and role.through not in access.roles:
            yield _unknown(f"roles.{name}.through", "role", role.through, access.roles)
        elif role.through and access.roles[role.through].through:
            what = f"{role.through!r} itself comes through another role"
            yield Problem(ACCESS, f"roles.{name}.through", what, "name the role that has a door")
        if role.through and any(g.role == name for g in access.grants):
            what = f"{name} comes through {role.through} and can be granted nothing itself"
            yield Problem(ACCESS, f"roles.{name}", what, f"grant it to {role.through}")


def _rules(access: Access, known: set[str]) -> Iterator[Problem]:
    rules = [(f"grants.{n}", [g.role], g.datasets) for n, g in enumerate(access.grants)]
    rules += [(f"denials.{n}", list(d.roles), d.datasets) for n, d in enumerate(access.denials)]
    for key, roles, datasets in rules:
        for role in roles:
            if role not in access.roles and (role != EVERY or key.startswith("grants")):
                yield _unknown(f"{key}.role", "role", role, access.roles)
        for dataset in datasets:
            if dataset not in known:
                yield _unknown(f"{key}.datasets", "dataset", dataset, known)
    of_parts: list[tuple[str, Grant | Denial]] = [
        *((f"grants.{n}", g) for n, g in enumerate(access.grants)),
        *((f"denials.{n}", d) for n, d in enumerate(access.denials)),
    ]
    for key, rule in of_parts:
        if rule.datasets and Verb.ADMINISTER in rule.verbs:
            what = "a zone is administered as a whole, not dataset by dataset"
            yield Problem(ACCESS, f"{key}.datasets", what, "leave datasets out")
    for number, grant in enumerate(access.grants):
        unfit = [f"{v} in {z}" for v, z in product(grant.verbs, grant.zones) if not fits(v, z)]
        if unfit:
            what = f"there is no {unfit[0]}"
            hint = "the site is published; everything else is written"
            yield Problem(ACCESS, f"grants.{number}.verbs", what, hint)


def _named(access: Access, known: set[str]) -> Iterator[Problem]:
    for dataset in access.datasets:
        if dataset not in known:
            yield _unknown(f"datasets.{dataset}", "dataset", dataset, known)


def _kept(retention: Retention) -> Iterator[Problem]:
    seen: set[tuple[AccessZone, DataClass | None]] = set()
    for number, keep in enumerate(retention.keep):
        key = f"keep.{number}"
        if (keep.zone, keep.data_class) in seen:
            what = f"{keep.zone} has a rule already"
            yield Problem(RETENTION, key, what, "one rule a zone and class")
        seen.add((keep.zone, keep.data_class))
        if keep.data_class and keep.zone not in HOLDS:
            what = f"{keep.zone} holds no datasets, so no class of them"
            yield Problem(RETENTION, f"{key}.class", what, "leave class out")
        if keep.data_class and keep.lock:
            what = "a lock is the whole zone's"
            yield Problem(RETENTION, f"{key}.lock", what, "set lock in the zone's own rule")
        whole = retention.of(keep.zone)
        if keep.data_class and whole is not None and keep.zone in HOLDS:
            yield from _shorter(key, keep, whole)
    for zone in AccessZone:
        if (zone, None) not in seen:
            yield Problem(RETENTION, "keep", f"nothing says how long {zone} is kept", "add a rule")


def _endless(access: Access, retention: Retention) -> Iterator[Problem]:
    """Personal data must go some day: raw, which tables are rebuilt from, needs a maximum."""
    personal = [d for d, c in access.datasets.items() if c is DataClass.PERSONAL]
    keep = retention.of(AccessZone.RAW, DataClass.PERSONAL)
    if personal and (keep is None or keep.maximum_days is None):
        what = f"{personal[0]} is personal, and nothing says when it must be gone from raw"
        yield Problem(RETENTION, "keep", what, 'add a rule with class = "personal"')


def _shorter(key: str, keep: Keep, whole: Keep) -> Iterator[Problem]:
    """A class may go sooner than the rest of its zone, never later: where two rules meet, the
    sooner one acts. And it cannot go while the zone's lock stands."""
    most = keep.maximum_days
    if whole.maximum_days is not None and (most is None or most > whole.maximum_days):
        what = f"{keep.data_class} would be gone after the zone's {whole.maximum_days} days"
        yield Problem(RETENTION, f"{key}.maximum_days", what, "lengthen the zone's own rule")
    if keep.minimum_days > whole.minimum_days:
        what = f"{keep.data_class} would be gone after the zone's {whole.minimum_days} days"
        yield Problem(RETENTION, f"{key}.minimum_days", what, "lengthen the zone's own rule")
    if whole.lock and most is not None and most < whole.minimum_days:
        what = f"the zone's lock stands {whole.minimum_days} days, longer than {most}"
        yield Problem(RETENTION, f"{key}.maximum_days", what, "shorten the zone's minimum_days")


def _holds(retention: Retention, known: set[str]) -> Iterator[Problem]:
    for number, hold in enumerate(retention.holds):
        for dataset in hold.datasets:
            if dataset not in known:
                yield _unknown(f"holds.{number}.datasets", "dataset", dataset, known, RETENTION)


def _residency(access: Access, residency: Residency) -> Iterator[Problem]:
    for number, region in enumerate(residency.allowed):
        for dataset, why in _misplaced(access, residency, region):
            what = f"{dataset}: {why}"
            hint = "take the region out, or record the assessment in residency.assessments"
            yield Problem(RETENTION, f"residency.allowed.{number}", what, hint)


def _misplaced(access: Access, residency: Residency, region: str) -> Iterator[tuple[str, str]]:
    classes = {**access.datasets, "any other dataset": access.default_class}
    for dataset, data_class in classes.items():
        why = placeable(residency, region, data_class)
        if why:
            yield dataset, why


def check_regions(
    access: Access, residency: Residency, regions: Mapping[str, str], file: str
) -> list[Problem]:
    """Whether the city's data may lie where an environment puts it. `regions` maps the key that
    says so in `file` (for example `region`, `replica_region`) to a region."""
    problems: list[Problem] = []
    for key, region in regions.items():
        found = list(_misplaced(access, residency, region))
        if found:
            dataset, why = found[0]
            what = why if region not in residency.allowed else f"{dataset}: {why}"
            hint = f"allowed: {', '.join(residency.allowed)}; {RETENTION} says so"
            problems.append(Problem(file, key, what, hint))
    return problems


def check_sign_in(access: Access, named: Iterable[str], file: str) -> list[Problem]:
    """Whether people take on the roles for which an environment names who may sign in."""
    people = [n for n, r in access.roles.items() if {"people", "emergency"} & set(r.assumed_by)]
    told = "role that people take on"
    return [_unknown(f"aws.sign_in.{n}", told, n, people, file) for n in named if n not in people]


def _unknown(key: str, kind: str, found: str, known: Iterable[str], file: str = ACCESS) -> Problem:
    return Problem(file, key, f"no {kind} {found!r}", nearest(found, list(known)))
