"""Protect: the decision, the policy's own tests, how long and where; what is wrong is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from cityline.declarations.access import (
    Access,
    AccessZone,
    DataClass,
    EveryVerb,
    EveryZone,
    Verb,
    zone_of,
)
from cityline.declarations.folder import read_folder
from cityline.declarations.retention import Residency
from cityline.errors import DeclarationError, Problem, UsageError
from cityline.flow.checking import check_city
from cityline.guards.protect import (
    check,
    check_regions,
    check_sign_in,
    clearing,
    decide,
    matrix,
    may,
    placeable,
    reach,
    run_tests,
)
from cityline.lake.address import Zone
from cityline.wiring import assemble
from tests.conftest import copy_vancouver
from tests.unit.declarations.test_reading import spoil
from tests.unit.deploy.cities import KEPT, VANCOUVER, access, careful, retention

KNOWN = {"inquiry-volume", "contact-centre-metrics", "service-requests", "payroll"}
WHY = "For the sake of this test."


def small(**more: Any) -> Access:
    roles = {
        "job": {"says": "Works."},
        "reader": {"says": "Reads."},
        "anybody": {"says": "Has no name.", "through": "reader"},
    }
    return Access.model_validate({"roles": roles, **more})


def grant(**more: Any) -> dict[str, Any]:
    return {"role": "job", "verbs": ["read"], "zones": ["raw"], "why": WHY, **more}


def test_what_nothing_grants_is_denied() -> None:
    for cell in matrix(small()):
        assert not cell.decision.allowed
    assert decide(small(), "job", Verb.READ, AccessZone.RAW).reason == "nothing grants it"


def test_a_denial_wins_and_says_which() -> None:
    denial = {"verbs": ["read"], "zones": ["raw"], "why": "Not at all, ever."}
    policy = small(grants=[grant()], denials=[denial])
    found = decide(policy, "job", Verb.READ, AccessZone.RAW)
    assert not found.allowed
    assert found.reason == "denials.0: Not at all, ever."


def test_a_denial_of_one_role_and_one_dataset_leaves_the_others() -> None:
    denial = {"roles": ["job"], "verbs": ["read"], "zones": ["raw"], "datasets": ["a"], "why": WHY}
    policy = small(grants=[grant(), grant(role="reader")], denials=[denial])
    assert not decide(policy, "job", Verb.READ, AccessZone.RAW, "a").allowed
    assert decide(policy, "job", Verb.READ, AccessZone.RAW, "b").allowed
    assert decide(policy, "reader", Verb.READ, AccessZone.RAW, "a").allowed
    assert reach(policy, "job", Verb.READ, AccessZone.RAW).without == ("a",)


def test_personal_data_is_granted_only_by_name() -> None:
    policy = small(datasets={"letters": "personal"}, grants=[grant()])
    assert not decide(policy, "job", Verb.READ, AccessZone.RAW, "letters").allowed
    assert decide(policy, "job", Verb.READ, AccessZone.RAW, "counts").allowed
    wider = small(datasets={"letters": "personal"}, grants=[grant(classes=["personal"])])
    assert decide(wider, "job", Verb.READ, AccessZone.RAW, "letters").allowed
    assert not decide(wider, "job", Verb.READ, AccessZone.RAW, "counts").allowed
    assert reach(wider, "job", Verb.READ, AccessZone.RAW).only == ("letters",)


def test_who_comes_through_a_door_is_told_so() -> None:
    policy = small(grants=[grant(role="reader", zones=["site"])])
    assert may(policy, "reader", Verb.READ, AccessZone.SITE)
    found = decide(policy, "anybody", Verb.READ, AccessZone.SITE)
    assert not found.allowed
    assert "asks reader" in found.reason


def test_an_unknown_role_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        decide(VANCOUVER, "audit", Verb.READ, AccessZone.RAW)
    assert caught.value.hint == "did you mean 'auditor'?"


def test_a_test_may_name_every_verb_and_zone() -> None:
    assert get_args(EveryVerb) == ("*", *Verb)
    assert get_args(EveryZone) == ("*", *AccessZone)


def test_every_zone_of_the_lake_lies_in_one_of_the_policy() -> None:
    assert {zone_of(z) for z in Zone} == {
        AccessZone.RAW, AccessZone.LANDING, AccessZone.CURATED, AccessZone.SITE,
    }  # fmt: skip
    assert zone_of(Zone.QUARANTINE) is AccessZone.LANDING


def test_vancouver_has_nothing_wrong() -> None:
    assert check(VANCOUVER, KEPT, KNOWN) == []
    assert len(VANCOUVER.tests) >= 15


@pytest.mark.parametrize("policy", [VANCOUVER, careful()])
def test_nobody_deletes_the_trail_nor_what_was_received(policy: Access) -> None:
    for role in policy.roles:
        assert not may(policy, role, Verb.DELETE, AccessZone.TRAIL)
        assert not may(policy, role, Verb.DELETE, AccessZone.RAW)


def case(who: str = "job", expect: str = "denied", **more: Any) -> dict[str, Any]:
    return {"who": who, "verb": "read", "zone": "raw", "expect": expect, "why": WHY, **more}


def only(problems: list[Problem]) -> Problem:
    (problem,) = problems
    return problem


def test_a_policy_test_that_fails_names_the_cell_and_the_line_that_decides() -> None:
    problem = only(run_tests(small(grants=[grant()], tests=[case("reader"), case()])))
    assert (problem.file, problem.key) == ("policies/access.toml", "tests.1")
    assert problem.what == (f"job read raw is allowed (grants.0: {WHY}), but must be denied: {WHY}")


@pytest.mark.parametrize(
    ("test", "key", "what", "hint"),
    [
        (case("reeder"), "tests.0.who", "no role 'reeder'", "did you mean 'reader'?"),
        (case(dataset="lettres"), "tests.0.dataset", "no dataset 'lettres'", "letters"),
        (case(verb="publish"), "tests.0", "can never fail", "the site is published"),
        (case("*", "allowed"), "tests.0", "job read raw/letters is denied", "change the grant"),
        (case(verb="*", zone="*", expect="allowed"), "tests.0", "must be allowed", ""),
    ],
)
def test_a_policy_test_that_cannot_be_run_says_why(
    test: dict[str, Any], key: str, what: str, hint: str
) -> None:
    problem = only(run_tests(small(datasets={"letters": "personal"}, tests=[test])))
    assert problem.key == key
    assert what in problem.what
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        ({"grants": [grant(role="jb")]}, "grants.0.role", "no role 'jb'"),
        ({"grants": [grant(role="*")]}, "grants.0.role", "no role '*'"),
        ({"grants": [grant(datasets=["nought"])]}, "grants.0.datasets", "no dataset 'nought'"),
        ({"grants": [grant(verbs=["publish"])]}, "grants.0.verbs", "no publish in raw"),
        ({"grants": [grant(verbs=["write"], zones=["site"])]}, "grants.0.verbs",
         "no write in site"),
        ({"grants": [grant(verbs=["administer"], datasets=["counts"])]}, "grants.0.datasets",
         "administered as a whole"),
        ({"grants": [grant(role="anybody")]}, "roles.anybody", "comes through reader"),
        ({"denials": [{"roles": ["x"], "verbs": ["read"], "zones": ["raw"], "why": WHY}]},
         "denials.0.role", "no role 'x'"),
        ({"datasets": {"contts": "public"}}, "datasets.contts", "no dataset 'contts'"),
    ],
)  # fmt: skip
def test_words_that_fit_nothing_are_told(changes: dict[str, Any], key: str, what: str) -> None:
    problem = only(check(small(**changes), None, {"counts"}))
    assert problem.key == key
    assert what in problem.what


def test_a_door_behind_a_door() -> None:
    policy = small()
    roles = {n: r.model_dump() for n, r in policy.roles.items()}
    roles["guest"] = {"says": "Comes by.", "through": "anybody"}
    roles["lost"] = {"says": "Comes by.", "through": "redaer"}
    told = {p.key: p for p in check(Access.model_validate({"roles": roles}), None, set())}
    assert "itself comes through another" in told["roles.guest.through"].what
    assert told["roles.lost.through"].hint == "did you mean 'reader'?"


def keep(**more: Any) -> dict[str, Any]:
    return {"zone": "raw", "minimum_days": 30, "why": WHY, **more}


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (keep(maximum_days=30), "maximum_days 30 must be more than minimum_days 30"),
        (keep(maximum_days=10), "maximum_days 10 must be more than minimum_days 30"),
        (keep(maximum_days=90, cold_after_days=60), "before things expire on day 60"),
        (keep(zone="curated", maximum_days=90), "holds live tables"),
        (keep(zone="landing", lock="governance"), "cannot be locked"),
        (keep(zone="rwa"), "did you mean 'raw'?"),
        (keep(lock="complience"), "did you mean 'compliance'?"),
        (keep(minimum_day=3), "unknown key 'minimum_day'"),
        (keep(minimum_days=0), "greater than or equal to 1"),
        (keep(cold_after_days=3), "greater than or equal to 30"),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(rule: dict[str, Any], what: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        retention(keep=[rule])
    problem = caught.value.problems[0]
    assert problem.key.startswith("keep.0")
    assert what in f"{problem.what} {problem.hint}"


def _rules(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    plain = KEPT.model_dump(mode="json", by_alias=True)["keep"]
    zones = {(c["zone"], c.get("class")) for c in changed}
    return [*(k for k in plain if (k["zone"], k["class"]) not in zones), *changed]


@pytest.mark.parametrize(
    ("rules", "key", "what"),
    [
        ([k for k in _rules() if k["zone"] != "log"], "keep", "how long log is kept"),
        ([*_rules(), keep(zone="log")], "keep.9", "log has a rule already"),
        ([*_rules(), keep(zone="log", **{"class": "personal"})], "keep.9.class", "no datasets"),
        (_rules(keep(**{"class": "personal"}, maximum_days=400, lock="governance")),
         "keep.8.lock", "whole zone's"),
        (_rules(keep(**{"class": "personal"}, maximum_days=9000)), "keep.8.maximum_days",
         "after the zone's 2557 days"),
        (_rules(keep(**{"class": "personal"}, minimum_days=500, maximum_days=900)),
         "keep.8.minimum_days", "after the zone's 366 days"),
        (_rules(keep(**{"class": "personal"}, maximum_days=90)), "keep.8.maximum_days",
         "lock stands 366 days"),
    ],
)  # fmt: skip
def test_rules_that_contradict_each_other(rules: list[Any], key: str, what: str) -> None:
    problem = only(check(VANCOUVER, retention(keep=rules), KNOWN))
    assert (problem.file, problem.key) == ("policies/retention.toml", key)
    assert what in problem.what


def test_personal_data_has_an_end() -> None:
    endless = [k for k in _rules() if k["class"] is None and k["zone"] != "raw"]
    problem = only(check(careful(), retention(keep=[*endless, keep()]), KNOWN))
    assert "service-requests is personal" in problem.what
    assert check(careful(), KEPT, KNOWN) == []


def test_clearing_keeps_the_minimum_and_ends_at_the_maximum() -> None:
    (raw, personal) = clearing(careful(), KEPT, AccessZone.RAW)
    assert (raw.dataset, raw.expire, raw.erase, raw.cold) == ("", 2191, 366, 90)
    assert (personal.dataset, personal.expire, personal.erase) == ("service-requests", 365, 366)
    (landing,) = clearing(careful(), KEPT, AccessZone.LANDING)
    assert (landing.expire, landing.erase) == (None, 30)


def test_a_hold_stops_the_clock_of_its_zone_only() -> None:
    hold = {"id": "H-1", "zone": "raw", "datasets": ["inquiry-volume"], "since": "2026-08-01",
            "ordered_by": "the City Solicitor", "why": "A claim is before the court."}  # fmt: skip
    held = retention(holds=[hold])
    for line in clearing(careful(), held, AccessZone.RAW):
        assert (line.expire, line.erase) == (None, None)
    assert clearing(careful(), held, AccessZone.TRAIL) == clearing(
        careful(), KEPT, AccessZone.TRAIL
    )
    wrong = retention(holds=[hold | {"datasets": ["inquiry"]}])
    problem = only(check(VANCOUVER, wrong, KNOWN))
    assert problem.key == "holds.0.datasets"
    assert problem.hint == "did you mean 'inquiry-volume'?"


def residency(*allowed: str, assessed: str = "") -> Residency:
    noted = {"id": "PIA-2026-014", "region": assessed, "classes": ["personal"],
             "approved_by": "Privacy office", "approved_on": "2026-08-01"}  # fmt: skip
    return Residency.model_validate(
        {"allowed": allowed, "assessments": [noted] if assessed else []}
    )


def test_personal_data_leaves_canada_only_with_an_assessment() -> None:
    abroad = residency("ca-central-1", "us-west-2")
    assert placeable(abroad, "ca-central-1", DataClass.PERSONAL) == ""
    assert placeable(abroad, "us-west-2", DataClass.PUBLIC) == ""
    assert "without a recorded assessment" in placeable(abroad, "us-west-2", DataClass.PERSONAL)
    noted = residency("us-west-2", assessed="us-west-2")
    assert placeable(noted, "us-west-2", DataClass.PERSONAL) == ""
    other = residency("us-west-2", "us-east-2", assessed="us-east-2")
    assert "us-west-2, outside Canada" in placeable(other, "us-west-2", DataClass.PERSONAL)
    assert "not among" in placeable(residency("ca-central-1"), "eu-west-1", DataClass.PUBLIC)


def test_regions_of_the_policy_and_of_an_environment_are_checked() -> None:
    abroad = {"allowed": ["ca-central-1", "us-west-2"]}
    problem = only(check(careful(), retention(residency=abroad), KNOWN))
    assert (problem.file, problem.key) == ("policies/retention.toml", "residency.allowed.1")
    assert "service-requests: personal data would lie in us-west-2" in problem.what
    assert check(VANCOUVER, retention(residency=abroad), KNOWN) == []
    where = {"region": "ca-central-1", "replica_region": "us-west-2"}
    file = "environments/aws.toml"
    assert only(check_regions(careful(), residency(*abroad["allowed"]), where, file)) == Problem(
        file,
        "replica_region",
        "service-requests: personal data would lie in us-west-2, outside Canada, without a "
        "recorded assessment",
        "allowed: ca-central-1, us-west-2; policies/retention.toml says so",
    )
    assert "not among" in only(check_regions(VANCOUVER, KEPT.residency, where, file)).what
    noted = residency("ca-central-1", "us-west-2", assessed="us-west-2")
    assert check_regions(careful(), noted, where, file) == []
    unsure = access(default_class="personal")
    told = only(check_regions(unsure, residency(*abroad["allowed"]), where, file))
    assert told.what.startswith("any other dataset: personal data would lie in us-west-2")


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "told"),
    [
        ("access.toml", 'who = "auditor"', 'who = "auditr"', "tests.6.who", "auditor"),
        ("access.toml", 'zone = "trail"\nexpect', 'zone = "trial"\nexpect', "tests.4.zone",
         "trail"),
        ("access.toml", "default_class", "default_clas", "default_clas", "default_class"),
        ("access.toml", 'inquiry-volume = "public"', 'inquiries = "public"', "datasets.inquiries",
         "inquiry-volume"),
        ("retention.toml", "maximum_days = 2557", "maximum_days = 300", "keep.0", "must be more"),
        ("retention.toml", '"ca-west-1"]', '"Canada"]', "residency.allowed.1", "pattern"),
    ],
)  # fmt: skip
def test_check_tells_file_and_key(
    tmp_path: Path, file: str, old: str, new: str, key: str, told: str
) -> None:
    city = copy_vancouver(tmp_path / "city")
    spoil(city, f"policies/{file}", old, new)
    with pytest.raises(DeclarationError) as caught:
        check_city(assemble(read_folder(city)))
    problem = next(p for p in caught.value.problems if p.file == f"policies/{file}")
    assert problem.key == key
    assert told in f"{problem.what} {problem.hint}"


def test_a_grant_that_breaks_a_promise_is_found_by_check(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    old = 'role = "server"\nverbs = ["read"]\nzones = ["site", "curated"]'
    spoil(city, "policies/access.toml", old, old.replace('"site", "curated"', '"site", "raw"'))
    with pytest.raises(DeclarationError) as caught:
        check_city(assemble(read_folder(city)))
    problem = only(list(caught.value.problems))
    assert (problem.file, problem.key) == ("policies/access.toml", "tests.3")
    assert "server read raw/contact-centre-metrics is allowed (grants.8" in problem.what


def test_a_city_without_policies_is_still_a_city(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    for name in ("access", "retention"):
        (city / "policies" / f"{name}.toml").unlink()
    folder = read_folder(city)
    assert folder.access is None
    assert check_city(assemble(folder)).policy_tests == 0


def test_people_sign_in_as_roles_that_people_take_on() -> None:
    assert check_sign_in(VANCOUVER, ["analyst", "administrator"], "environments/aws.toml") == []
    told = only(check_sign_in(VANCOUVER, ["analyst", "server"], "environments/aws.toml"))
    assert (told.file, told.key) == ("environments/aws.toml", "aws.sign_in.server")
    assert told.what == "no role that people take on 'server'"
