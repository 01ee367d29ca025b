"""The one file of acknowledgements, and how the gates' findings are judged against it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tools.gates.canary import sung
from tools.gates.findings import Acknowledgement, Finding, judge, read
from tools.gates.resolved import ACCOUNT, resolved

TODAY = date(2026, 11, 28)
LOGGED = Finding("checkov", "CKV_AWS_18", "evidence/LogBucket", "no access log")


def entry(**changed: object) -> Acknowledgement:
    parts: dict[str, object] = {
        "id": "sink",
        "rules": ("checkov CKV_AWS_18",),
        "resources": ("*/LogBucket",),
        "reason": "a log of a log would never end",
        "owner": "somebody",
        "expires": date(2027, 6, 1),
    }
    return Acknowledgement(**{**parts, **changed})  # type: ignore[arg-type] # changed by name


def test_the_file_is_whole_and_nothing_in_it_has_expired() -> None:
    found = read()
    assert len(found) <= 10, "each new kind of finding that stays needs a reason"
    assert judge([], found, set(), datetime.now(UTC).date()) == ([], 0)


def test_a_finding_is_a_fault_until_somebody_answers_for_it() -> None:
    faults, _ = judge([LOGGED], [], {"checkov"}, TODAY)
    assert faults == ["checkov CKV_AWS_18 evidence/LogBucket: no access log"]
    assert judge([LOGGED], [entry()], {"checkov"}, TODAY) == ([], 1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"expires": date(2026, 11, 27)}, "expired on 2026-11-27"),
        ({"expires": date(2029, 1, 1)}, "look again sooner"),
        ({"resources": ("storage/*",)}, "covers nothing any more"),
        ({"rules": ("checkov CKV_AWS_18", "checkov CKV_AWS_19")}, "covers nothing any more"),
    ],
)
def test_an_acknowledgement_ends(changed: dict[str, object], told: str) -> None:
    faults, _ = judge([LOGGED], [entry(**changed)], {"checkov"}, TODAY)
    assert [f for f in faults if told in f]


def test_an_acknowledgement_of_a_gate_that_did_not_run_is_left_alone() -> None:
    assert judge([], [entry()], {"cfn-lint"}, TODAY) == ([], 0)


def test_an_entry_without_an_owner_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acknowledgements.toml"
    path.write_text(
        '[[acknowledgements]]\nid = "x"\nrules = []\nresources = []\nreason = "because"\n'
        "expires = 2027-01-01\n"
    )
    with pytest.raises(ValueError, match="has no owner"):
        read(path)


def test_names_are_filled_in_and_references_stay() -> None:
    keys = {
        "Resources": {"RawKey": {"Type": "AWS::KMS::Key", "Properties": {}}},
        "Outputs": {
            "Raw": {"Value": {"Fn::GetAtt": ["RawKey", "Arn"]}, "Export": {"Name": "raw-key"}}
        },
    }
    storage = {
        "Parameters": {"Who": {"Type": "String", "Default": "nobody"}},
        "Resources": {
            "RawBucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": {"Fn::Sub": "raw-${AWS::AccountId}"},
                    "Key": {"Fn::ImportValue": "raw-key"},
                    "Who": {"Ref": "Who"},
                    "Other": {"Ref": "RawPolicy"},
                },
            },
            "RawPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "RawBucket"}},
            },
        },
    }
    found = resolved({"keys": keys, "storage": storage}, {"keys": "r-1", "storage": "r-1"})
    assert found["storage"]["Resources"]["RawBucket"]["Properties"] == {
        "BucketName": f"raw-{ACCOUNT}",
        "Key": f"arn:aws:kms:r-1:{ACCOUNT}:key/RawKey",
        "Who": "nobody",
        "Other": {"Ref": "RawPolicy"},
    }
    policy = found["storage"]["Resources"]["RawPolicy"]["Properties"]
    assert policy == {"Bucket": f"raw-{ACCOUNT}"}


def test_a_gate_that_finds_nothing_in_the_canary_is_not_working() -> None:
    sung_by = Finding("checkov", "CKV_AWS_18", "canary/Bucket", "no access log")
    left, faults = sung([sung_by, LOGGED], {"checkov", "cfn-lint"})
    assert left == [LOGGED]
    assert faults == ["cfn-lint found nothing in the canary: it is not working"]
