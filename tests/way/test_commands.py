"""The command line as people use it: output, exit codes, JSON, and errors in three parts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.cli import program
from cityline.cli.program import _COMMANDS
from cityline.errors import ExitCode
from cityline.lake.receipt import Outcome, Receipt
from cityline.wiring import open_city
from tests.conftest import Ran, copy_vancouver, lean


def cityline(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "cityline.cli", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)


def told(*arguments: str, cwd: Path | None = None) -> dict[str, Any]:
    done = cityline(*arguments, "--json", cwd=cwd)
    data: dict[str, Any] = json.loads(done.stdout)
    assert set(data) == {"ok", "command", "data", "warnings", "error"}
    return data


def test_init_check_run_answer(tmp_path: Path, portal: SamplePortal) -> None:
    city = tmp_path / "my-city"
    assert cityline("init", str(city)).returncode == 0
    assert (city / "schemas" / "question.schema.json").is_file()
    assert "no problems" in cityline("check", cwd=city).stdout
    lean(city)
    ran = cityline("run", "--portal", portal.base_url, cwd=city)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1. FSC - Property Tax received the most inquiries in 2025")
    assert "Sample data, generated; not the City's figures" in ran.stderr
    assert "Open it:  file://" in ran.stdout
    again = cityline("run", "--portal", portal.base_url, cwd=city)
    assert again.stdout.startswith("Nothing changed: ")
    answered = cityline("answer", "compare-years", "--year", "2026", "--compare", "2025", cwd=city)
    assert "January–July 2026" in answered.stdout
    assert "Contains information licensed under the Open Government Licence" in answered.stdout
    shown = cityline("answer", "departments", "--show-sql", cwd=city)
    assert "FROM curated.department_channel_month" in shown.stdout


def test_access_says_who_may_do_what_and_why(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    shown = cityline("access", cwd=city)
    assert shown.returncode == 0, shown.stderr
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines() if line}
    assert rows["role"] == ["raw", "landing", "curated", "site", "results", "code", "log", "trail"]
    assert rows["auditor"] == ["·", "·", "·", "·", "(r)(w)", "·", "·", "r"]
    assert rows["public"] == ["·"] * 8
    assert rows["administrator"] == ["a"] * 8
    assert "trail    *                   366           2557  compliance" in shown.stdout
    one = cityline("access", "auditor", cwd=city).stdout
    assert "grants.13: Who did what is read by somebody who does nothing." in one
    data = told("access", cwd=city)["data"]
    cells = {(c["role"], c["zone"], c["verb"], c["dataset"]): c for c in data["cells"]}
    assert cells["auditor", "trail", "read", "*"]["allowed"] is True
    assert cells["administrator", "trail", "delete", "*"]["reason"].startswith("denials.0")
    assert {k["zone"] for k in data["kept"]} >= {"raw", "trail"}
    wrong = cityline("access", "auditr", cwd=city)
    assert wrong.returncode == ExitCode.USAGE
    assert "did you mean 'auditor'?" in wrong.stderr
    (city / "policies" / "access.toml").unlink()
    none = cityline("access", cwd=city)
    assert none.returncode == ExitCode.USAGE
    assert "no access policy" in none.stderr


@pytest.fixture(scope="module")
def city(ran: Ran) -> Path:
    return ran.folder


def test_reading_commands_answer_in_words_and_in_json(city: Path, ran: Ran) -> None:
    for arguments in (
        ["status"], ["runs"], ["lineage", "departments"], ["snapshots"], ["profile"], ["quality"],
        ["verify", "departments"], ["check"], ["answer"], ["answer", "rising"],
        ["prepare", "--explain", "--source", "inquiry-volume"],
    ):  # fmt: skip
        done = cityline(*arguments, cwd=city)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.strip(), arguments
        assert told(*arguments, cwd=city)["ok"], arguments
    fresh = told("status", cwd=city)["data"]["freshness"]
    assert fresh["data_to"] == "2026-07-31"
    assert fresh["last_complete_month"] == "July 2026"
    lineage = [d["address"] for d in told("lineage", "departments", cwd=city)["data"]]
    assert lineage[0] == "answers/departments"
    assert "raw/inquiry-volume" in lineage


def test_seconds_of_runs_stand_below_each_other(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    ledger = open_city(city).ledger
    for run, seconds in (("r-1", 128.3), ("r-2", 9.306)):
        ledger.record(Receipt(run, "ingest/x", Outcome.DONE, "f", "2026-08-17T00:00:00Z", seconds))
    rows = cityline("runs", cwd=city).stdout.splitlines()[1:]
    assert [row.split()[-2] for row in rows] == ["9.31", "128.30"]
    assert len({row.index(" done") for row in rows}) == 1
    assert [t["seconds"] for t in told("runs", cwd=city)["data"]] == [9.31, 128.3]


def test_the_terminal_names_the_snapshot_that_the_page_names(city: Path, ran: Ran) -> None:
    shown = (ran.site / "index.html").read_text("utf-8")
    data = told("status", cwd=city)["data"]
    assert f"Snapshot {data['snapshot'][:7]}" in shown
    assert f"snapshot {data['snapshot'][:7]} of" in cityline("status", cwd=city).stdout


def test_queries_can_only_read_tables(city: Path) -> None:
    good = told("query", "SELECT count(*) AS n FROM curated.volume", cwd=city)
    assert good["data"]["rows"] == [{"n": 65175}]
    cut = told("query", "SELECT * FROM landing.inquiry_volume", "--limit", "5", cwd=city)
    assert len(cut["data"]["rows"]) == 5
    assert cut["data"]["truncated"]
    newest = told("snapshots", "curated.volume", cwd=city)["data"]["curated/volume"][0]["id"]
    past = told("query", "SELECT count(*) AS n FROM curated.volume", "--at",
                f"curated.volume@{newest}", cwd=city)  # fmt: skip
    assert past["data"]["rows"] == good["data"]["rows"]
    assert (
        "no snapshot"
        in told("query", "SELECT 1", "--at", "curated.volume@7", cwd=city)["error"]["what"]
    )
    for attack in (  # one of a kind: the SQL page's tests try 102 on the same sandbox
        "SELECT * FROM read_text('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x'",
        "DROP VIEW curated.volume", "SELECT 1; SELECT 2", "SET memory_limit = '1GB'",
    ):  # fmt: skip
        refused = told("query", attack, cwd=city)
        assert not refused["ok"], attack
        assert "root:" not in json.dumps(refused)


def test_every_kind_of_mistake_has_its_exit_code(tmp_path: Path, city: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert cityline("run", cwd=empty).returncode == ExitCode.USAGE
    assert cityline("answr", cwd=city).returncode == ExitCode.USAGE
    assert "did you mean 'answer'" in cityline("answr", cwd=city).stderr
    assert cityline("answer", "--nope", cwd=city).returncode == ExitCode.USAGE
    assert told("answer", "--nope", cwd=city)["error"]["exit"] == ExitCode.USAGE
    unknown = cityline("answer", "depatments", cwd=city)
    assert unknown.returncode == ExitCode.USAGE
    assert "did you mean 'departments'?" in unknown.stderr
    down = cityline("ingest", "--portal", "http://127.0.0.1:9/api", "--home", str(tmp_path / "h"),
                    cwd=patient(tmp_path))  # fmt: skip
    assert down.returncode == ExitCode.SOURCE
    for part in ("error:", "where", "try", "code   SOURCE_UNREACHABLE · exit 4"):
        assert part in down.stderr
    assert down.stdout == ""
    nothing = cityline("status", "--home", str(tmp_path / "new"), cwd=city)
    assert nothing.returncode == ExitCode.USAGE
    assert "cityline run" in nothing.stderr


def patient(tmp_path: Path) -> Path:
    """A city that gives up on its portal after a second."""
    folder = copy_vancouver(tmp_path / "impatient")
    settings = folder / "environments" / "local.toml"
    settings.write_text(settings.read_text().replace("deadline = 120.0", "deadline = 1.0"))
    return folder


def test_copies_are_read_on_aws_alone(tmp_path: Path) -> None:
    done = cityline("status", "--copies", cwd=copy_vancouver(tmp_path / "city"))
    assert done.returncode == ExitCode.USAGE
    assert "only a city on AWS has copies" in done.stderr


def test_problems_are_listed_with_file_and_key(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    (folder / "city.toml").write_text('nam = "x"\n')
    done = cityline("check", cwd=folder)
    assert done.returncode == ExitCode.USAGE
    assert "city.toml: nam: unknown key 'nam' (did you mean 'name'?)" in done.stderr
    assert {p["file"] for p in told("check", cwd=folder)["error"]["problems"]} == {"city.toml"}


def test_files_and_pictures(city: Path, tmp_path: Path) -> None:
    for kind, start in (("csv", b"rank,department"), ("json", b"{"), ("parquet", b"PAR1")):
        out = tmp_path / f"a.{kind}"
        assert (
            cityline(
                "export", "departments", "--format", kind, "--out", str(out), cwd=city
            ).returncode
            == 0
        )
        assert out.read_bytes().startswith(start)
    for kind, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        out = tmp_path / f"a.{kind}"
        assert cityline("visualise", "rising", "--out", str(out), cwd=city).returncode == 0
        assert out.read_bytes().startswith(start)
    copied = tmp_path / "site"
    portal_free = cityline(
        "publish", "--out", str(copied), "--portal", "http://127.0.0.1:9", cwd=city
    )
    assert portal_free.returncode == ExitCode.SOURCE, "publishing runs what is due, so it asks"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    listed = cityline("--help").stdout
    for name in _COMMANDS:
        assert name in listed
        assert program.run([name, "--help"]) == ExitCode.OK
        assert f"cityline {name}" in capsys.readouterr().out


def test_discover_finds_and_drafts(tmp_path: Path, portal: SamplePortal) -> None:
    folder = copy_vancouver(tmp_path / "city")
    (folder / "sources" / "inquiry-volume.toml").unlink()
    found = told("discover", "inquiry", "--portal", portal.base_url, cwd=folder)["data"]
    assert found["datasets"][0]["id"] == "3-1-1-inquiry-volume"
    drafted = cityline("discover", "--draft", "3-1-1-inquiry-volume", "--portal", portal.base_url,
                       cwd=folder)  # fmt: skip
    assert drafted.returncode == 0, drafted.stderr
    refused = cityline("ingest", "--portal", portal.base_url, cwd=folder)
    assert refused.returncode == ExitCode.USAGE
    assert "nobody has signed it" in refused.stderr


def test_a_bug_is_reported_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(program._COMMANDS, "status", "no_such_module")
    assert program.run(["status"]) == ExitCode.BUG
    assert "this is a bug in cityline" in capsys.readouterr().err
