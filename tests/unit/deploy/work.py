"""Who may take a role on, and what each may do besides the zones: a table, held both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from cityline.declarations.access import AccessZone
from cityline.deploy.policies import roles_of
from cityline.deploy.policies.keys import CATALOGUE, KEEPING
from cityline.deploy.policies.services import catalogue_policy, catalogue_trust
from tests.unit.deploy.evaluation import ACCOUNT, OTHER, Caller, Request, resolve
from tests.unit.deploy.platform import (
    ANYTHING,
    NAMES,
    Ask,
    Case,
    Doc,
    Platform,
    key_arn,
    person,
    told,
)

JOBS = {"ingest", "prepare", "structure", "publisher"}
_HOME = f"ca-central-1:{ACCOUNT}"
_GLUE = f"arn:aws:glue:{_HOME}"
_LOGS = f"arn:aws:logs:{_HOME}:log-group"
_ENTRIES = "kms:EncryptionContext:glue_catalog_id"
CATALOGUE_POLICY: Doc = resolve(catalogue_policy(key_arn(AccessZone.LOG)), {})
CATALOGUE_TRUST: Doc = resolve(catalogue_trust(), {})

Row = tuple[str, str, set[str], dict[str, str]]


def table(also: Mapping[AccessZone, set[str]]) -> Iterator[Row]:
    """Action, resource, the roles that may, and what is sent along; `also` read tables of a zone."""
    watch, run = {"operator"}, {"operator"}
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield action, f"{_LOGS}:/aws-glue/jobs/x:log-stream:y", JOBS, {}
        yield action, f"{_LOGS}:/aws-glue-databrew/x:log-stream:y", {"prepare"}, {}
        yield action, f"{_LOGS}:/cityline-vancouver/serve:log-stream:y", {"server"}, {}
        yield action, f"{_LOGS}:/cityline-vancouver/trail:log-stream:y", {"recorder"}, {}
        yield action, f"{_LOGS}:/other:log-stream:y", set(), {}
    yield "logs:CreateLogGroup", f"{_LOGS}:/aws-glue/jobs/x", JOBS, {}
    yield "logs:CreateLogGroup", f"{_LOGS}:/aws-glue-databrew/x", {"prepare"}, {}
    yield "logs:AssociateKmsKey", f"{_LOGS}:/aws-glue/jobs/x", JOBS, {}
    yield "logs:DeleteLogGroup", f"{_LOGS}:/aws-glue/jobs/x", set(), {}
    for group in ("/aws-glue/x", "/aws-glue-databrew/x", "/cityline-vancouver/trail"):
        for action in ("logs:FilterLogEvents", "logs:GetLogEvents"):
            yield action, f"{_LOGS}:{group}", watch, {}
    yield "logs:GetLogEvents", f"{_LOGS}:/other", set(), {}
    for space, who in (("Glue", JOBS), ("Cityline", JOBS), ("AWS/S3", set())):
        yield "cloudwatch:PutMetricData", "*", who, {"cloudwatch:namespace": space}
    for action in ("ce:GetCostAndUsage", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData",
                   "cloudwatch:ListMetrics"):  # fmt: skip
        yield action, "*", watch, {}
    for sent in ({}, {"cloudwatch:namespace": "Glue"}):
        yield "cloudwatch:DeleteAlarms", "*", set(), sent
    for group in ("cityline-vancouver/serve", "cityline-vancouver/trail", "aws-glue/jobs/x"):
        yield "logs:DeleteLogStream", f"{_LOGS}:/{group}:log-stream:y", set(), {}
    yield "logs:PutRetentionPolicy", f"{_LOGS}:/aws-glue-databrew/x:log-stream:y", set(), {}
    yield "kms:ReEncryptFrom", key_arn(AccessZone.LOG), set(), {}
    yield from _jobs(run)
    yield from _catalog(also)
    yield from _queries()
    for action in ("ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
                   "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
                   "ssmmessages:OpenDataChannel"):  # fmt: skip
        yield action, "*", {"server"}, {}
    yield "ssm:SendCommand", "*", set(), {}
    trail = told(NAMES.trail_arn())
    for action, on in (("cloudtrail:LookupEvents", "*"), ("cloudtrail:DescribeTrails", "*"),
                       ("cloudtrail:GetTrailStatus", trail),
                       ("cloudtrail:GetEventSelectors", trail)):  # fmt: skip
        yield action, on, {"auditor"}, {}
    yield "cloudtrail:GetTrailStatus", trail + "-x", set(), {}
    yield "cloudtrail:StopLogging", trail, set(), {}
    yield from _keys()
    for action in ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail",
                   "iam:PassRole", "iam:PutRolePolicy", "sts:AssumeRole", "s3:DeleteBucket",
                   "s3:PutObjectRetention", "s3:DeleteBucketPolicy"):  # fmt: skip
        yield action, "*", set(), {}


def _keys() -> Iterator[Row]:
    for zone in AccessZone:
        alias = told(NAMES.key_alias_arn(zone))
        for action in ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"):
            yield action, alias, {"administrator"}, {}
            yield action, alias + "x", set(), {}
            yield action, key_arn(zone), {"administrator"}, {}
        for action in ("kms:DescribeKey", "kms:PutKeyPolicy", "kms:EnableKeyRotation"):
            yield action, key_arn(zone), {"administrator"}, {}
            yield action, key_arn(zone) + "x", set(), {}
        yield "kms:Decrypt", alias, set(), {}
        for action in ("kms:DescribeKey", "kms:GetKeyRotationStatus"):
            ours, other = ({"kms:ResourceAliases": a} for a in (NAMES.key_alias(zone), "alias/x"))
            yield action, key_arn(zone), {"administrator", "operator"}, ours
            yield action, key_arn(zone, replica=True), {"operator"}, ours
            yield action, key_arn(zone), {"administrator"}, other
            yield action, key_arn(zone, replica=True), set(), other
            yield action, key_arn(zone).replace("ca-central-1", "us-east-1"), set(), ours
            yield "kms:ReEncryptFrom", key_arn(zone), set(), ours


def _jobs(run: set[str]) -> Iterator[Row]:
    job = f"{_GLUE}:job/cityline-vancouver-structure"
    for action in ("glue:StartJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"):
        yield action, job, run, {}
    for action in ("glue:GetJob", "glue:GetJobRun"):
        yield action, job, run | JOBS, {}
    yield "glue:StartJobRun", f"{_GLUE}:job/other", set(), {}
    yield "glue:GetJob", f"{_GLUE}:job/other", set(), {}
    for action in ("glue:UpdateJob", "glue:DeleteJob", "glue:CreateJob"):
        yield action, job, set(), {}
    recipe = f"arn:aws:databrew:{_HOME}:job/cityline-vancouver-prepare"
    for action in ("databrew:StartJobRun", "databrew:DescribeJob", "databrew:DescribeJobRun",
                   "databrew:ListJobRuns", "databrew:StopJobRun"):  # fmt: skip
        yield action, recipe, run, {}
    yield "databrew:StartJobRun", f"arn:aws:databrew:{_HOME}:job/other", set(), {}
    yield "databrew:UpdateRecipe", recipe, set(), {}


def _catalog(also: Mapping[AccessZone, set[str]]) -> Iterator[Row]:
    readers = {
        AccessZone.LANDING: {"prepare", "structure", "privacy-officer"},
        AccessZone.CURATED: {"structure", "publisher", "server", "analyst", "privacy-officer"},
        AccessZone.TRAIL: {"auditor"},
    }
    readers = {z: who | also.get(z, set()) for z, who in readers.items()}
    writers = {AccessZone.LANDING: {"prepare"}, AccessZone.CURATED: {"structure"}}
    for zone, who in readers.items():
        on = f"{_GLUE}:table/cityline_vancouver_{zone}/x"
        for action in ("glue:GetTable", "glue:GetTables", "glue:GetTableVersions",
                       "glue:GetPartition", "glue:GetPartitions"):  # fmt: skip
            yield action, on, who, {}
        yield "glue:GetDatabase", f"{_GLUE}:database/cityline_vancouver_{zone}", who, {}
        base = f"{_GLUE}:database/cityline_vancouver_{zone}"
        for action, of in product(("glue:CreateTable", "glue:UpdateTable"), (on, base)):
            yield action, of, writers.get(zone, set()), {}
        yield "glue:DeleteTable", on, set(), {}
    yield "glue:GetTable", f"{_GLUE}:catalog", set().union(*readers.values()), {}
    yield "glue:UpdateTable", f"{_GLUE}:catalog", set().union(*writers.values()), {}
    yield "glue:GetTable", f"{_GLUE}:table/other/x", set(), {}
    yield "glue:UpdateTable", f"{_GLUE}:table/other/x", set(), {}


def _queries() -> Iterator[Row]:
    groups = {"publishing": "publisher", "analysis": "analyst", "audit": "auditor"}
    for group, role in groups.items():
        on = f"arn:aws:athena:{_HOME}:workgroup/cityline-vancouver-{group}"
        for action in ("StartQueryExecution", "StopQueryExecution", "GetQueryExecution",
                       "GetQueryResults", "GetWorkGroup", "GetNamedQuery", "ListNamedQueries",
                       "BatchGetNamedQuery"):  # fmt: skip
            yield f"athena:{action}", on, {role}, {}
        yield "athena:UpdateWorkGroup", on, set(), {}
    yield "athena:StartQueryExecution", f"arn:aws:athena:{_HOME}:workgroup/primary", set(), {}


def work(p: Platform, only: str = "") -> Iterator[Case]:
    """Each action of the table is allowed to the roles it names, and to no other."""
    for action, on, who, sent in table(p.readers):
        for role in [only] if only else roles_of(p.access):
            caller, said = person(role)
            request = Request(caller, action, on, said | sent)
            ask = Ask(f"{role} {action} {on} {sent}", request, role in who)
            yield ask.held(p.identity(role), None)


def platform_key(p: Platform) -> Iterator[Case]:
    """The key of `log`: bookmarks, catalogue, log groups, topics; nobody and nothing else."""
    here = f"arn:aws:logs:ca-central-1:{ACCOUNT}:log-group"
    for replica, policy in ((False, p.keys), (True, p.copies_keys)):
        arn, region = key_arn(AccessZone.LOG, replica=replica), NAMES.region(replica=replica)
        group = here.replace("ca-central-1", region)
        calls: list[tuple[Caller, str, dict[str, str], bool]] = []
        service = Caller(service=f"logs.{region}.amazonaws.com")
        context = "kms:EncryptionContext:aws:logs:arn"
        for name, good in (("/cityline-vancouver/trail", True), ("/aws-glue/x", True),
                           ("/aws-glue-databrew/x", True), ("/other/x", False),
                           ("aws-waf-logs-cityline-vancouver", True),
                           ("aws-waf-logs-cityline-x", False)):  # fmt: skip
            for action in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo",
                           "GenerateDataKey"):  # fmt: skip
                calls.append((service, f"kms:{action}", {context: f"{group}:{name}"}, good))
        calls.append((service, "kms:CreateGrant", {context: f"{group}:/aws-glue/x"}, False))
        elsewhere = Caller(service="logs.us-west-2.amazonaws.com")
        calls.append((elsewhere, "kms:Decrypt", {context: f"{group}:/aws-glue/x"}, False))
        for name in ("cloudwatch", "events", "budgets", "lambda"):
            sender = Caller(service=f"{name}.amazonaws.com")
            for account in (ACCOUNT, OTHER):
                good = name == "events" or (account == ACCOUNT and name != "lambda")
                for action in ("kms:Decrypt", "kms:GenerateDataKey"):
                    calls.append((sender, action, {"aws:SourceAccount": account}, good))
                calls.append((sender, "kms:Encrypt", {"aws:SourceAccount": account}, False))
        for caller, action, sent, good in calls:
            request = Request(caller, action, arn, sent)
            ask = Ask(f"{caller.service} {action} {sent}", request, good)
            yield ask.held([], policy[AccessZone.LOG], key=True)
    yield from _bookmarks(p)
    yield from catalogue(p)


def catalogue(p: Platform) -> Iterator[Case]:
    """Glue's own role opens and seals the catalogue of this account, and nothing else."""
    caller, said = person(CATALOGUE)
    good = said | {"kms:CallerAccount": ACCOUNT, _ENTRIES: ACCOUNT}
    for how, sent, right in (
        ("the catalogue", good, True),
        ("another's catalogue", good | {_ENTRIES: OTHER}, False),
        ("something else", {k: v for k, v in good.items() if k != _ENTRIES}, False),
        ("for another account", good | {"kms:CallerAccount": OTHER}, False),
    ):
        for action in (*KEEPING, "kms:ReEncryptFrom"):
            request = Request(caller, action, key_arn(AccessZone.LOG), sent)
            may = right and action in KEEPING
            ask = Ask(f"Glue {action} {how}", request, may)
            for identity in ([CATALOGUE_POLICY], [ANYTHING]):
                yield ask.held(identity, p.keys[AccessZone.LOG], key=True)
            none = Ask(f"Glue with nothing {action} {how}", request, allowed=False)
            yield none.held([], p.keys[AccessZone.LOG], key=True)
            entries = action in KEEPING and sent.get(_ENTRIES) == ACCOUNT
            own = Ask(f"Glue's role itself {action} {how}", request, entries)
            yield own.held([CATALOGUE_POLICY], None)
            other = Request(caller, action, key_arn(AccessZone.RAW), sent)
            ask = Ask(f"Glue's role {action} {how} with another key", other, allowed=False)
            yield ask.held([CATALOGUE_POLICY], None)
    for role in ("analyst", "auditor", "a-stray-role"):
        stranger, told_of = person(role)
        for action in KEEPING:
            request = Request(stranger, action, key_arn(AccessZone.LOG), good | told_of)
            ask = Ask(f"{role} {action} the catalogue by itself", request, allowed=False)
            yield ask.held([ANYTHING], p.keys[AccessZone.LOG], key=True)


def catalogue_trusts() -> Iterator[Case]:
    """Glue alone takes it on; not, if it says so, for another account."""
    for name, sent, good in (
        ("glue", {}, True),
        ("glue", {"aws:SourceAccount": ACCOUNT}, True),
        ("glue", {"aws:SourceAccount": OTHER}, False),
        ("lambda", {"aws:SourceAccount": ACCOUNT}, False),
    ):
        caller = Caller(service=f"{name}.amazonaws.com")
        yield from _taken_on(CATALOGUE, CATALOGUE_TRUST, caller, sent, good)
    caller, said = person("somebody")
    yield from _taken_on(CATALOGUE, CATALOGUE_TRUST, caller, said, good=False)


def _bookmarks(p: Platform) -> Iterator[Case]:
    for role in (*roles_of(p.access), "a-stray-role"):
        caller, said = person(role)
        for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"):
            for account in (ACCOUNT, OTHER):
                sent = said | {"kms:CallerAccount": account}
                request = Request(caller, action, key_arn(AccessZone.LOG), sent)
                good = role in JOBS and account == ACCOUNT and "ReEncrypt" not in action
                ask = Ask(f"{role} {action} the platform's key", request, good)
                for identity in (p.identity(role), [ANYTHING]):
                    yield ask.held(identity, p.keys[AccessZone.LOG], key=True)
                none = Ask(f"{role} with nothing {action} it", request, allowed=False)
                yield none.held([], p.keys[AccessZone.LOG], key=True)


def trail_key(p: Platform) -> Iterator[Case]:
    """The trail's own service seals, for this trail alone; no other key of ours does."""
    caller = Caller(service="cloudtrail.amazonaws.com")
    context = "kms:EncryptionContext:aws:cloudtrail:arn"
    mine = told(NAMES.trail_arn())
    for zone in AccessZone:
        home = zone is AccessZone.TRAIL
        good = {"aws:SourceArn": mine, context: mine}
        for action, sent, right in (
            ("kms:GenerateDataKey", good, home),
            ("kms:GenerateDataKey", good | {"aws:SourceArn": mine + "-x"}, False),
            ("kms:GenerateDataKey", good | {context: mine.replace(ACCOUNT, OTHER)}, False),
            ("kms:DescribeKey", {"aws:SourceArn": mine}, home),
            ("kms:DescribeKey", {"aws:SourceArn": mine + "-x"}, False),
            ("kms:Decrypt", good, False),
        ):
            other = Caller(service="glue.amazonaws.com")
            ask = Ask(f"glue {action}", Request(other, action, key_arn(zone), sent), allowed=False)
            yield ask.held([], p.keys[zone], key=True)
            request = Request(caller, action, key_arn(zone), sent)
            ask = Ask(f"cloudtrail {action} {zone} {sent}", request, right)
            yield ask.held([], p.keys[zone], key=True)


def trusts(p: Platform) -> Iterator[Case]:
    """Only its own service for its own account, a person with a second factor, or a session of a
    permission set that is named for the role, takes it on."""
    services = ("glue", "databrew", "ec2", "s3", "cloudtrail", "lambda")
    for role, trust in p.trusts.items():
        by = p.access.roles[role].assumed_by
        for name in services:
            right = name in by
            mine = told(NAMES.trail_arn()) if name == "cloudtrail" else f"arn:aws:{name}:{_HOME}:x"
            said = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": mine}
            silent: dict[str, str] = {}
            other = said | {"aws:SourceAccount": OTHER}
            foreign = said | {"aws:SourceArn": mine.replace(ACCOUNT, OTHER)}
            tells = name in ("glue", "databrew", "cloudtrail")
            other_service = Caller(service="lambda.amazonaws.com")
            yield from _taken_on(role, trust, other_service, said, good=False)
            for sent, good in ((said, right), (other, False), (silent, right and not tells),
                               (foreign, right and not tells)):  # fmt: skip
                caller = Caller(service=f"{name}.amazonaws.com")
                yield from _taken_on(role, trust, caller, sent, good)
        person_may = bool({"people", "emergency"} & set(by))
        caller, said = person("somebody")
        for factor, age in (("true", "60"), ("true", "5000"), ("false", "60"), ("", "")):
            sent = said | ({"aws:MultiFactorAuthPresent": factor} if factor else {})
            sent |= {"aws:MultiFactorAuthAge": age} if age else {}
            good = person_may and factor == "true" and ("people" in by or age == "60")
            yield from _taken_on(role, trust, caller, sent, good)
        yield from _signed_in(p, role, trust)
        stranger, said = person("somebody", OTHER)
        sent = said | {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "60"}
        yield from _taken_on(role, trust, stranger, sent, good=False)


def _signed_in(p: Platform, role: str, trust: Doc) -> Iterator[Case]:
    """Sessions of permission sets, with and without a region in their path, which never tell of a
    second factor; of sets that are like them, of roles that are named like theirs, of others."""
    sets = p.sign_in.get(role, ())
    for one in (*(s for found in p.sign_in.values() for s in found), "CityOther"):
        name, mine = f"AWSReservedSSO_{one}_0123456789abcdef", one in sets
        path = "aws-reserved/sso.amazonaws.com"
        for at, good in (
            (f"{path}/ca-central-1/{name}", mine),
            (f"{path}/{name}", mine),
            (f"{path}/{name.replace(one, one + '_Senior')}", False),
            (f"{path}/{name.replace(one, 'x' + one)}", False),
            (f"{path}/{name.replace('.', 'x')}", mine and "." not in one),
            (name, False),
            (f"people/{name}", False),
        ):
            for account in (ACCOUNT, OTHER):
                arn = f"arn:aws:iam::{account}:role/{at}"
                said = {"aws:PrincipalArn": arn, "aws:PrincipalAccount": account}
                caller = Caller(arn=arn, account=account)
                yield from _taken_on(role, trust, caller, said, good and account == ACCOUNT)
                none = Request(caller, "sts:AssumeRole", role, said)
                says = f"{arn} with nothing takes on {role}"
                yield Ask(says, none, allowed=False).held([], trust, key=True)


def _taken_on(
    role: str, trust: Doc, caller: Caller, sent: dict[str, str], good: bool
) -> Iterator[Case]:
    request = Request(caller, "sts:AssumeRole", role, sent)
    ask = Ask(f"{caller.service or caller.arn} takes on {role} with {sent}", request, good)
    yield ask.held([ANYTHING], trust, key=True)
