"""The committed templates are what the declarations say, and can be deployed as they are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tools.templates import differing, files, main

from cityline.cli.commands.serving import serve
from cityline.deploy.deploying import apply, selected
from cityline.deploy.estate import Estate
from cityline.deploy.planning import bills
from cityline.deploy.render import STACKS, render
from cityline.deploy.template import INLINE_LIMIT, Template, minified
from cityline.errors import DeclarationError, UsageError
from cityline.ports.stacks import Deployed
from cityline.wiring import open_estate
from tests.conftest import copy_vancouver
from tests.deploy.conftest import CITY, TEMPLATES, Bodies


def test_the_committed_templates_are_fresh(rendered: dict[str, Template]) -> None:
    assert differing(CITY, files(rendered)) == [], "run: python -m tools.templates"


def test_a_change_of_a_declaration_is_seen(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "vancouver", whole=True)
    environment = city / "environments" / "aws.toml"
    text = environment.read_text(encoding="utf-8")
    environment.write_text(text.replace("glue_workers = 2", "glue_workers = 3"), encoding="utf-8")
    assert differing(city, files(render(open_estate(city)))) == ["catalogue.json"]


def test_a_template_left_over_is_told(tmp_path: Path, rendered: dict[str, Template]) -> None:
    city = copy_vancouver(tmp_path / "vancouver", whole=True)
    (city / "templates" / "aws" / "old.json").write_text("{}")
    assert differing(city, files(rendered)) == ["old.json"]
    assert main([str(city), "--check", "--without-cdk"]) == 1


def test_every_template_leaves_a_tenth_of_the_inline_limit_and_names_no_account(
    bodies: Bodies,
) -> None:
    """A city with more roles, zones or questions than this one still fits."""
    assert [*bodies] == [*STACKS]
    for name, body in bodies.items():
        text = minified(body)
        assert len(text.encode()) <= 0.9 * INLINE_LIMIT, name
        assert not re.search(r"[:/-]\d{12}[:/-]", text), f"{name} names an account"
        assert (TEMPLATES / f"{name}.json").read_text(encoding="utf-8") == text


def test_a_table_is_of_a_kind_that_athena_knows(bodies: Bodies) -> None:
    tables = [
        r["Properties"]["TableInput"]["TableType"]
        for body in bodies.values()
        for r in body["Resources"].values()
        if r["Type"] == "AWS::Glue::Table"
    ]
    assert tables
    assert set(tables) <= {"EXTERNAL_TABLE", "VIRTUAL_VIEW"}


@pytest.mark.parametrize(("site", "stack"), [("server", "publish"), ("static", "static-site")])
def test_either_way_of_publishing_has_its_price(
    estate: Estate, rendered: dict[str, Template], site: str, stack: str
) -> None:
    settings = estate.settings.model_copy(update={"site": site})
    chosen = selected(rendered, settings)
    assert stack in chosen
    lines = bills(chosen, settings)["expected"].lines
    assert "web firewall" in {line.what for line in lines}


def test_nothing_in_a_template_needs_a_bootstrapped_account(bodies: Bodies) -> None:
    for body in bodies.values():
        told = json.dumps(body)
        assert "cdk-bootstrap" not in told
        assert "cdk-hnb659fds" not in told
        assert not [
            r for r in body["Resources"].values() if "Lambda" in r["Type"] or "Custom" in r["Type"]
        ]


def test_a_stack_imports_only_what_an_earlier_one_exports(bodies: Bodies) -> None:
    exported: set[str] = set()
    for name, body in bodies.items():
        used = set(re.findall(r'"Fn::ImportValue":"([^"]+)"', minified(body)))
        assert used <= exported, name
        exported |= {o["Export"]["Name"] for o in body.get("Outputs", {}).values() if "Export" in o}


def test_every_question_is_a_saved_query(estate: Estate, bodies: Bodies) -> None:
    saved = {
        r["Properties"]["Description"]
        for r in bodies["query"]["Resources"].values()
        if r["Type"] == "AWS::Athena::NamedQuery"
    }
    assert saved == {q.title for q in estate.folder.questions.values()}


def test_glue_gets_the_rules_word_for_word(estate: Estate, bodies: Bodies) -> None:
    told = {r["Properties"]["Ruleset"] for r in bodies["quality"]["Resources"].values()}
    assert told == {r.text.strip() for r in estate.folder.rules.values()}


def test_the_server_starts_with_options_the_program_has(bodies: Bodies) -> None:
    launch = bodies["publish"]["Resources"]["Launch"]["Properties"]["LaunchTemplateData"]
    script = launch["UserData"]["Fn::Base64"]["Fn::Sub"]
    command = next(x for x in script.splitlines() if x.startswith("ExecStart=")).split()
    known = {o for p in serve.params for o in p.opts}
    assert command[0] == "ExecStart=/opt/cityline/bin/cityline"
    assert {o for o in command[2:] if o.startswith("--")} <= known
    taken = {p.envvar for p in serve.params if isinstance(p.envvar, str)}
    written = set(re.findall(r"^(CITYLINE_\w+)=", script, re.MULTILINE))
    assert written <= taken
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_environment_that_is_not_on_aws_has_no_templates() -> None:
    with pytest.raises(DeclarationError, match="not on AWS"):
        render(open_estate(CITY, "local"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('prefix = "cityline-vancouver"', 'prefix = "Vancouver!"', "pattern"),
        ('replica_region = "ca-west-1"', 'replica_region = "ca-central-1"', "another region"),
        ('vpc_cidr = "10.31.0.0/20"', 'vpc_cidr = "10.31.0.0/28"', "/24"),
        ("monthly_budget_usd = 300", "monthly_budget_usd = -1", "greater than 0"),
        ('schedule = "cron(30 11 * * ? *)"', 'schedule = "daily"', "not cron"),
        ("[aws]\n", "[amazon]\n", "amazon"),
        ('hosts = ["data.vancouver.example"]', 'hosts = ["x.example"]', "does not name the domain"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    city = copy_vancouver(tmp_path / "vancouver", whole=True)
    environment = city / "environments" / "aws.toml"
    text = environment.read_text(encoding="utf-8")
    assert old in text
    environment.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        open_estate(city)
    assert told in "".join(f"{p.key} {p.what} {p.hint}" for p in caught.value.problems)


def test_newer_declarations_come_with_a_new_server_before_the_old_one_goes(bodies: Bodies) -> None:
    resources = bodies["publish"]["Resources"]
    start = json.dumps(resources["Launch"]["Properties"]["LaunchTemplateData"]["UserData"])
    assert "${CityKey}" in start
    assert "${ServerWheelsKey}" in start
    group = resources["Servers"]
    assert group["Properties"]["LaunchTemplate"]["Version"] == {
        "Fn::GetAtt": ["Launch", "LatestVersionNumber"]
    }
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert 1 <= rolling["MinInstancesInService"] < int(group["Properties"]["MaxSize"])
    assert rolling["WaitOnResourceSignals"] is True
    signal = group["CreationPolicy"]["ResourceSignal"]
    assert (signal["Count"], signal["Timeout"]) == (1, rolling["PauseTime"])
    assert "CloudformationEndpoint" in group["DependsOn"], "what the signal goes through"


@pytest.mark.parametrize("missing", ["", "aws", "curl"])
def test_the_script_tells_the_stack_how_it_ended(
    bodies: Bodies, tmp_path: Path, missing: str
) -> None:
    """It is run here over commands that do nothing, or of which one fails."""
    launch = bodies["publish"]["Resources"]["Launch"]["Properties"]["LaunchTemplateData"]
    script: str = launch["UserData"]["Fn::Base64"]["Fn::Sub"]
    script = re.sub(r"(?<![\w.-])/(opt|etc|tmp)/", rf"{tmp_path}/\1/", script)
    script = script.replace("${AWS::StackName}", "the-stack").replace("${", "x{")
    assert all(p.startswith(str(tmp_path)) for p in re.findall(r"> *(/\S+)", script))
    told = tmp_path / "told"
    agent = "opt/aws/amazon-cloudwatch-agent/etc"
    for folder in ("bin", "etc/systemd/system", "opt/aws/bin", "opt/cityline/bin", agent):
        (tmp_path / folder).mkdir(parents=True)
    for command in ("dnf", "useradd", "aws", "unzip", "python3.11", "systemctl", "curl"):
        code = 7 if command == missing else 0
        (tmp_path / "bin" / command).write_text(f"#!/bin/sh\nexit {code}\n")
    for command in ("pip", "python"):
        (tmp_path / "opt/cityline/bin" / command).write_text("#!/bin/sh\n")
    (tmp_path / "opt/aws/bin/cfn-signal").write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    for made in (*tmp_path.glob("bin/*"), *tmp_path.glob("opt/*/bin/*")):
        made.chmod(0o755)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(["bash"], input=script, text=True, env={"PATH": path}, check=False)
    code = 7 if missing else 0
    assert done.returncode == code
    region = "--region ca-central-1 --stack the-stack --resource Servers"
    assert told.read_text() == f"--exit-code {code} {region}\n"


class _Account:
    """Stacks that stand with these parameters, or none; what is put is kept."""

    def __init__(self, parameters: Mapping[str, str] | None = None) -> None:
        self.parameters = parameters
        self.made: dict[str, Mapping[str, str]] = {}

    def find(self, name: str, region: str) -> Deployed | None:
        if self.parameters is None:
            return None
        return Deployed(name, region, "UPDATE_COMPLETE", {}, parameters=self.parameters)

    def put(
        self, name: str, region: str, template: str, parameters: Mapping[str, str], note: object
    ) -> Deployed:
        self.made[name] = parameters
        return Deployed(name, region, "UPDATE_COMPLETE", {}, parameters=parameters)


@pytest.mark.parametrize("missing", ["WheelsKey", "ServerWheelsKey"])
def test_nothing_is_made_before_there_are_wheels_and_those_that_stand_stay(
    estate: Estate, rendered: dict[str, Template], missing: str
) -> None:
    chosen = selected(rendered, estate.settings)
    given = {
        "CertificateArn": f"arn:aws:acm:{estate.settings.home_region}:1:certificate/x",
        "S3PrefixList": "pl-0", "Domain": "x.example", "AlarmEmail": "x@x.example",
        "WheelsKey": "wheels/jobs.zip", "ServerWheelsKey": "wheels/server.zip",
    }  # fmt: skip
    wheels = given.pop(missing)
    empty: Any = _Account()
    with pytest.raises(UsageError) as caught:
        apply(chosen, estate.settings, given, empty, lambda _: None)
    assert missing in caught.value.what
    assert {"WheelsKey": "--wheels", "ServerWheelsKey": "--server-wheels"}[missing] in str(
        caught.value
    )
    assert empty.made == {}
    standing: Any = _Account({missing: wheels})
    apply(chosen, estate.settings, given, standing, lambda _: None)
    assert wheels in [p.get(missing) for p in standing.made.values()]
