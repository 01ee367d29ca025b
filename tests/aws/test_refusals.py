"""What AWS refuses while a city is deployed: each a typed error with what, where and what to try.

The emulator gives the answers it can; the others come from a small server that speaks AWS's error.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from cityline.adapters.aws.clients import account, session
from cityline.adapters.aws.leftovers import Leftovers
from cityline.adapters.aws.stacks import CloudFormation
from cityline.errors import CloudError, CloudRefused, CloudSignIn, CloudUnreachable
from tests.aws.emulator import ACCOUNT, Emulator
from tests.aws.scripted import answering

pytest.importorskip("boto3", reason="Amazon's Python package is not installed")

REGION = "ca-central-1"
_ANSWER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::1:root</Arn><UserId>1</UserId><Account>1</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Answering:
    """A server that gives the same refusal to every request, or refuses the first few."""

    def __init__(self) -> None:
        self.asked = 0
        self.refusals: Sequence[tuple[int, str, str]] = ()
        self.then = 200, _ANSWER

    def next(self) -> tuple[int, str]:
        self.asked += 1
        if not self.refusals:
            return self.then
        status, code, message = self.refusals[min(self.asked, len(self.refusals)) - 1]
        if not code:
            return self.then
        told = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        return status, f"<ErrorResponse><Error>{told}</Error></ErrorResponse>"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with keys and nothing else of AWS's, in which nobody waits for a retry."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0000000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return monkeypatch


@pytest.fixture
def answers(keys: pytest.MonkeyPatch) -> Iterator[Answering]:
    """The small server, which the product takes for AWS."""
    found = Answering()
    with answering("text/xml", lambda *_: found.next()) as url:
        keys.setenv("AWS_ENDPOINT_URL", url)
        yield found


REFUSALS = [
    (403, "ExpiredToken", CloudSignIn, "have expired", "sign in again"),
    (400, "ExpiredTokenException", CloudSignIn, "have expired", "sign in again"),
    (403, "InvalidClientTokenId", CloudSignIn, "does not know", "enabled in the account"),
    (403, "SignatureDoesNotMatch", CloudSignIn, "does not know", "AWS_PROFILE"),
    (403, "AccessDenied", CloudRefused, "denies DescribeStacks", "needs this right"),
    (403, "OptInRequired", CloudRefused, "denies DescribeStacks", "needs this right"),
    (400, "AlreadyExistsException", CloudRefused, "taken", "another prefix"),
    (400, "LimitExceededException", CloudRefused, "quota", "Service Quotas"),
    (400, "ResourceNumberLimitExceededException", CloudRefused, "quota", "Service Quotas"),
    (400, "OperationTimeoutException", CloudUnreachable, "cannot answer now", "run again"),
    (400, "Throttling", CloudUnreachable, "cannot answer now", "run again"),
    (503, "ServiceUnavailable", CloudUnreachable, "cannot answer now", "run again"),
    (500, "InternalFailure", CloudUnreachable, "cannot answer now", "run again"),
]


@pytest.mark.parametrize(
    ("status", "code", "kind", "what", "hint"), REFUSALS, ids=[r[1] for r in REFUSALS]
)
def test_a_refusal_is_told_with_its_remedy(
    answers: Answering, status: int, code: str, kind: type[CloudError], what: str, hint: str
) -> None:
    answers.refusals = [(status, code, "said AWS")]
    with pytest.raises(CloudError) as told:
        CloudFormation().find("x-storage", REGION)
    assert type(told.value) is kind
    assert what in told.value.what
    assert hint in told.value.hint
    assert "x-storage" in told.value.where
    rate = code == "LimitExceededException"  # it may be a rate's limit
    ours = code == "OperationTimeoutException"  # botocore does not ask again
    again = rate or (kind is CloudUnreachable and not ours)
    assert answers.asked == (6 if again else 1)


def test_a_refusal_that_passes_is_asked_again(answers: Answering) -> None:
    answers.refusals = [(400, "Throttling", "slower"), (503, "SlowDown", ""), (200, "", "")]
    assert CloudFormation().account() == "1"
    assert answers.asked == 3


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_keys_a_person_is_told_to_sign_in(keys: pytest.MonkeyPatch, missing: str) -> None:
    keys.delenv(missing)
    with pytest.raises(CloudSignIn, match="no credentials for AWS") as told:
        CloudFormation().account()
    assert "sign in again" in told.value.hint


def test_a_profile_that_is_not_there_is_no_sign_in(keys: pytest.MonkeyPatch) -> None:
    keys.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CloudSignIn, match="nobody"):
        CloudFormation().account()


def test_a_region_that_does_not_exist_is_asked_about(keys: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    keys.setattr("socket.getaddrinfo", nowhere)
    with pytest.raises(CloudUnreachable) as told:
        CloudFormation().find("x-storage", "ca-centrall-1")
    assert "region" in told.value.hint


def test_a_region_that_is_no_name_is_refused(keys: pytest.MonkeyPatch) -> None:
    with pytest.raises(CloudRefused) as told:
        CloudFormation().find("x-storage", "ca central")
    assert "ca central" in told.value.what
    assert "home_region" in told.value.hint


def test_nobody_listens(keys: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        keys.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(CloudUnreachable, match="does not answer") as told:
            CloudFormation().account()
    assert told.value.hint


def test_a_proxy_that_answers_with_a_page_is_told(answers: Answering) -> None:
    answers.then = 403, "<html><body>No entry<br></html>"
    with pytest.raises(CloudUnreachable, match="does not speak its language") as told:
        CloudFormation().find("x-storage", REGION)
    assert "proxy" in told.value.hint


_ROLE = """
[profile city]
role_arn = arn:aws:iam::111122223333:role/city
source_profile = ann
region = ca-central-1
{more}
[profile ann]
aws_access_key_id = AKIA0000000000000000
aws_secret_access_key = secret
"""
_ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIA0000000000000000</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


def test_a_role_is_taken_on_once_for_a_whole_command(
    keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each time would ask for a code of the second factor, and AWS takes a code once."""
    asked: list[str] = []

    def answer(_: Message, body: bytes) -> tuple[int, str]:
        asked.append(parse_qs(body.decode())["Action"][0])
        return 200, _ASSUMED if asked[-1] == "AssumeRole" else _ANSWER

    (tmp_path / "config").write_text(_ROLE.format(more=""), encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        keys.delenv(name)
    keys.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    keys.setenv("AWS_PROFILE", "city")
    with answering("text/xml", answer) as url:
        keys.setenv("AWS_ENDPOINT_URL", url)
        for _ in range(2):
            assert account(REGION) == "1"
        assert session().get_credentials().get_frozen_credentials().access_key[:4] == "ASIA"
    assert asked == ["AssumeRole", "GetCallerIdentity", "GetCallerIdentity"]


def test_a_code_that_nobody_can_be_asked_for_is_no_bug(
    keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    more = "mfa_serial = arn:aws:iam::111122223333:mfa/ann"
    (tmp_path / "config").write_text(_ROLE.format(more=more), encoding="utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        keys.delenv(name)
    keys.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    keys.setenv("AWS_PROFILE", "city")
    script = """
from cityline.adapters.aws.clients import account
from cityline.errors import CloudSignIn
try:
    account("ca-central-1")
except CloudSignIn as error:
    print(error)
"""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, start_new_session=True, timeout=120,
    )  # fmt: skip
    assert "no terminal to ask at" in ended.stdout, ended.stderr
    assert "export-credentials" in ended.stdout


@pytest.fixture
def emulated(aws: Emulator, keys: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The product asks the emulator."""
    keys.setenv("AWS_ENDPOINT_URL", aws.tls)
    keys.setenv("AWS_CA_BUNDLE", str(aws.certificate))
    return keys


@pytest.mark.aws
def test_unknown_keys_are_refused(emulated: pytest.MonkeyPatch) -> None:
    with pytest.raises(CloudSignIn, match="does not know these credentials"):
        CloudFormation().find("x-storage", REGION)


@pytest.mark.aws
def test_a_wrong_secret_is_refused(aws: Emulator, emulated: pytest.MonkeyPatch) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="forgetful")
    made = iam.create_access_key(UserName="forgetful")["AccessKey"]
    emulated.setenv("AWS_ACCESS_KEY_ID", made["AccessKeyId"])
    emulated.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(CloudSignIn):
        CloudFormation().find("x-storage", REGION)


@pytest.mark.aws
def test_a_role_that_may_not_deploy_is_told_which_right_it_lacks(
    aws: Emulator, emulated: pytest.MonkeyPatch
) -> None:
    iam = aws.client("iam")
    owner = f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}'
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
        f'"Action": "sts:AssumeRole", "Principal": {owner}}}]}}'
    )
    iam.create_role(RoleName="onlooker", AssumeRolePolicyDocument=trust)
    key, secret, token = aws.assume("onlooker")
    emulated.setenv("AWS_ACCESS_KEY_ID", key)
    emulated.setenv("AWS_SECRET_ACCESS_KEY", secret)
    emulated.setenv("AWS_SESSION_TOKEN", token)
    cloud = CloudFormation()
    assert cloud.account() == ACCOUNT
    asked: list[Any] = [
        lambda: cloud.find("x-storage", REGION),
        lambda: cloud.put("x-storage", REGION, '{"Resources": {}}', {}, print),
        lambda: Leftovers().left("x", REGION),
    ]
    for ask in asked:
        with pytest.raises(CloudRefused, match="AWS denies") as told:
            ask()
        assert "needs this right" in told.value.hint
