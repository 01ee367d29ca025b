"""Thirty-six mistakes of which public tools, all run together, found twenty-one, none of which gets
by: thirty are found by our own checks, fast; six are matters of spelling, and cfn-lint finds all of
them in one run.
"""

from __future__ import annotations

import copy
import os

import pytest
from tools.gates.__main__ import given
from tools.gates.tools import Given, NotThere, cfn_lint

from cityline.deploy.checks import CHECKS, Stacks
from tests.deploy.conftest import CITY, Bodies
from tests.deploy.mutants import MUTANTS, Change, cut, put, stated, without

_TLS = {"Bool": {"aws:SecureTransprot": "false"}}
_OPEN = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
_NAMED = {mistake: (check, change) for check, mistake, change in MUTANTS}


def named(mistake: str) -> tuple[str, Change]:
    """A mistake that is among the checks' own mutants."""
    return _NAMED[mistake]


FOUND_BY_CHECKS: dict[str, tuple[str, Change]] = {
    "versioning removed from a replicated bucket":
        ("replication", cut("storage", "RawBucket", "VersioningConfiguration")),
    "public access block removed":
        ("buckets", cut("storage", "RawBucket", "PublicAccessBlockConfiguration")),
    "TLS-deny statement removed": named("plain HTTP"),
    "default encryption KMS to AES256": named("S3's key instead of ours"),
    "condition-key typo in TLS deny":
        ("bucket-policies", stated("storage", "RawPolicy", "PolicyDocument", "TlsOnly",
                                   Condition=_TLS)),
    "Action * Resource *":
        ("wide-statements", put("machines", "IngestWorkPolicy", "PolicyDocument.Statement.0", _OPEN)),
    "KMS rotation off": named("a key that does not rotate"),
    "KMS policy lacks the CloudTrail grant":
        ("trail-delivery", without("keys", "TrailKey", "KeyPolicy", "TrailEncrypts")),
    "trail not multi-region": named("one region only"),
    "digest validation off": named("no digests"),
    "Athena results unencrypted": named("results in the clear"),
    "alarm period 61 s": named("a period of 61 seconds"),
    "HTTPS listener to HTTP":
        ("listeners", put("publish", "HttpsListener", "Protocol", "HTTP")),
    "SslPolicy allows TLS 1.0": named("TLS 1.0"),
    "SSH open to world": ("open-ports", put("publish", "HttpsIngress", "FromPort", 22)),
    "replication role trusts wrong service": named("the replication role trusts another service"),
    "replication destination name typo": named("a replication destination is misspelt"),
    "SourceSelectionCriteria missing": named("encrypted objects are not chosen for copying"),
    "trail bucket policy lacks CloudTrail PutObject":
        named("the trail's bucket does not let CloudTrail write"),
    "GlueVersion 9.9": named("a version of Glue that does not exist"),
    "Glue argument without leading --": named("a job's argument without dashes"),
    "malformed Glue cron": named("a cron expression of five fields"),
    "DQDL syntax error": named("a rule that is not DQDL"),
    "DataBrew unknown recipe operation": named("an operation DataBrew does not have"),
    "DataBrew nonsense check expression": named("a check that says nothing"),
    "broken SQL in a named query": named("a saved query that is not SQL"),
    "EstimatedCharges metric name typo": named("a misspelt metric"),
    "dashboard body not JSON": named("a dashboard that is not JSON"),
    "lifecycle expires before transition": named("things expire before they move"),
    "negative budget": named("a budget of less than nothing"),
}  # fmt: skip

FOUND_BY_CFN_LINT: dict[str, tuple[str, Change]] = {
    "misspelled property":
        ("storage/CodeBucket", put("storage", "CodeBucket", "VersionningConfiguration", {})),
    "IAM action typo":
        ("machines/ServerWorkPolicy",
         put("machines", "ServerWorkPolicy", "PolicyDocument.Statement.0.Action", ["s3:GetObjekt"])),
    "Glue worker type invalid":
        ("catalogue/PrepareJob", put("catalogue", "PrepareJob", "WorkerType", "G.3X.Y")),
    "DataBrew job without Type":
        ("databrew/InquiryVolumePrepareJob", cut("databrew", "InquiryVolumePrepareJob", "Type")),
    "Ref to nothing":
        ("publish/HttpListener", put("publish", "HttpListener", "LoadBalancerArn", {"Ref": "No"})),
    "dependency cycle":
        ("audit/Alarms", put("audit", "Alarms", "DisplayName", {"Ref": "AlarmsPolicy"})),
}  # fmt: skip
"""Where cfn-lint must tell of it."""


def test_there_are_thirty_six() -> None:
    assert len(FOUND_BY_CHECKS) + len(FOUND_BY_CFN_LINT) == 36


@pytest.mark.parametrize("mistake", FOUND_BY_CHECKS)
def test_a_mistake_is_found_by_our_own_check(mistake: str, bodies: Bodies) -> None:
    check, change = FOUND_BY_CHECKS[mistake]
    change(bodies)
    assert list(CHECKS[check](Stacks(bodies)))


@pytest.mark.aws
def test_mistakes_of_spelling_are_found_by_cfn_lint() -> None:
    clean = given(CITY)
    spoilt = copy.deepcopy(clean.committed)
    for _, change in FOUND_BY_CFN_LINT.values():
        change(spoilt)  # type: ignore[arg-type] # read-only to its readers
    try:
        found = {f.where for f in cfn_lint(Given(spoilt, clean.resolved, clean.regions))}
    except NotThere as error:
        if "all" in (os.environ.get("CITYLINE_AWS"), os.environ.get("CITYLINE_ENGINES")):
            raise
        pytest.skip(f"{error}")
    before = {f.where for f in cfn_lint(clean)}
    for mistake, (where, _) in FOUND_BY_CFN_LINT.items():
        assert where in found - before, mistake
