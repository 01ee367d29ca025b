"""What is mended in the emulator is still missing in it; when it is not, the mending goes."""

from __future__ import annotations

import subprocess

import pytest

from tests.aws.conftest import installed
from tests.aws.emulator import PYTHON

pytestmark = pytest.mark.aws

_ASK = """
from ministack.core import iam_actions, iam_evaluator
session = "arn:aws:sts::000000000000:assumed-role/reader/x"
asked = iam_evaluator.EvalContext(session, "AssumedRole", "000000000000", "s3:GetObject", "*", "")
print(iam_evaluator._resolve_condition_key("aws:PrincipalArn", asked))
key = "x-amz-server-side-encryption-aws-kms-key-id"
told = iam_actions._s3_object_context("s3:PutObject", {}, "/bucket/key", {key: "mine"})
print("s3:" + key in told)
looks = {"x-amz-target": "AWSGlue.GetDatabase"}
asked = "glue", "POST", "/", looks, b'{"Name": "mine"}', {}, "ca-central-1", "000000000000"
print(iam_actions.extract_resource_arn(*asked))
asked = iam_evaluator.EvalContext(session, "AssumedRole", "000000000000", "kms:DescribeKey", "*", "")
print(iam_evaluator._resolve_condition_key("kms:ResourceAliases", asked))
from ministack.services import athena
athena._workgroups["used"], athena._executions["asked"] = {}, {"WorkGroup": "used"}
athena._delete_workgroup({"WorkGroup": "used", "RecursiveDeleteOption": False})
print("used" in athena._workgroups)
"""


def test_the_emulator_still_needs_its_answers_mended() -> None:
    installed()
    told = subprocess.run([PYTHON, "-c", _ASK], capture_output=True, text=True, check=True)
    session, key, database, aliases, kept = told.stdout.splitlines()[-5:]
    assert session.startswith("arn:aws:sts::"), "aws:PrincipalArn is a role's now: drop its mending"
    assert key == "False", "the header's key is told now: drop its mending"
    assert ":table/" in database, "who looks at a database asks for it now: drop its mending"
    assert aliases == "None", "a key's aliases are told now: drop their mending"
    assert kept == "False", "a workgroup in use is kept now: drop its mending"
