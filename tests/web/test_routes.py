"""Who may do what: every route × method × role, headers on every answer, pages made on request."""

from __future__ import annotations

import json
import re

import pytest

from cityline.flow.reading import Reading
from cityline.web.app import routes
from cityline.web.identity.roles import PUBLIC, Role, allows
from tests.conftest import Ran
from tests.web.conftest import PASSWORD, Served, sign_in

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FILLED = {"{run}": "r-none", "{path:path}": "questions/", "{name}": "ops.css"}


def filled(path: str) -> str:
    for pattern, value in FILLED.items():
        path = path.replace(pattern, value)
    return path


def listed(served: Served) -> dict[tuple[str, str], Role | None]:
    return {(r.path, m): r.role for r in routes(served.here) for m in r.methods}


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_lets_in_whom_it_says_and_nobody_else(
    served: Served, role: Role | None
) -> None:
    known = listed(served)
    client = served.signed_in(role) if role else served.client()
    form = served.form(client) if role else ""
    for path in {p for p, _ in known}:
        for method in METHODS:
            if path == "/sign-out/" and method == "POST":
                continue  # it would end the session; it has a test of its own
            answer = client.request(method, filled(path), data={"form": form})
            where = (path, method, role, answer.status_code)
            if (path, method) not in known:
                assert answer.status_code in (404, 405), where
            elif allows(role, known[path, method]):
                assert answer.status_code not in (401, 405, 500), where
                wanted = "does not suffice" in answer.text or "/sign-in/?next" in str(answer.url)
                assert not wanted, where
            elif role is None and method == "GET":
                assert answer.status_code == 303, where
                assert answer.headers["location"].startswith("/sign-in/?next=%2F"), where
            else:
                assert answer.status_code == (401 if role is None else 403), where


def test_the_ladder_of_roles() -> None:
    assert all(allows(None, PUBLIC) for _ in [0])
    assert not any(allows(None, r) for r in Role)
    assert allows(Role.ADMIN, Role.STEWARD)
    assert allows(Role.STEWARD, Role.ANALYST)
    assert not allows(Role.VIEWER, Role.ANALYST)
    assert not allows(Role.ADMIN, Role.AUDITOR), "who runs the place does not audit it"
    assert not allows(Role.AUDITOR, Role.ANALYST)
    assert allows(Role.AUDITOR, Role.VIEWER)


def test_an_unknown_role_in_the_accounts_lets_nobody_in(served: Served) -> None:
    with served.here.accounts._db() as db:
        db.execute("INSERT OR REPLACE INTO people VALUES ('odd', 'king', '', 0, 0, NULL)")
    session = served.here.accounts.begin("odd")
    answer = served.client(cookies={"cityline": session}).get("/sql/")
    assert answer.status_code in (303, 403, 500)
    assert "SELECT" not in answer.text
    served.here.accounts.remove("odd")


ADDRESSES = ["/", "/questions/", "/files/departments.csv", "/files/departments.svg", "/nothing/",
             "/static/nothing.css", "/ops/", "/sign-in/", "/feed.atom", "/embed/departments/",
             "/questions/departments/?year=1066", "/questions/departments/?year=2023",
             "/files/departments.png?year=2023", "/ops/static/htmx.js", "/%2e%2e/x"]  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_every_answer_has_its_headers(served: Served, method: str, path: str) -> None:
    answer = served.client().request(method, path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"]
    assert "server" not in answer.headers
    assert not [h for h in answer.headers if h.startswith("access-control")]
    if "text/" in answer.headers.get("content-type", ""):
        assert "charset=utf-8" in answer.headers["content-type"]
    if "embed" not in path:
        assert answer.headers["x-frame-options"] == "DENY"
        sandboxed = "sandbox" in policy
        assert sandboxed or "frame-ancestors 'none'" in policy


def test_the_same_figure_on_page_in_json_and_from_duckdb(served: Served, ran: Ran) -> None:
    client = served.client()
    data = client.get("/files/departments.json", params={"year": 2019, "channel": "Chat"}).json()
    answer = Reading(ran.parts, ran.done).answer("departments", {"year": "2019", "channel": "Chat"})
    assert data["rows"] == answer.records()
    page = client.get("/questions/departments/", params={"year": 2019, "channel": "Chat"})
    assert f"{answer.rows[0][2]:,}" in page.text
    assert 'value="2019" selected' in page.text
    assert 'value="Chat" selected' in page.text
    assert "Chat: " in page.text, "the sentence says what it is about"
    french = client.get("/fr/questions/departments/", params={"year": 2019, "channel": "Chat"})
    assert "Clavardage" in french.text


def test_the_form_works_without_a_script_and_explains_refusals(served: Served) -> None:
    client = served.client()
    text = client.get("/questions/compare-years/?year=2026&compare=2025").text
    assert "January–July 2026 compared with January–July 2025" in text
    assert "only months complete in both" in text
    refused = client.get("/questions/compare-years/?year=2024&compare=2024").text
    assert "cannot be compared with itself" in refused
    assert "never mixes a complete period with an incomplete one" in refused
    french = client.get("/fr/questions/compare-years/?year=2024&compare=2024").text
    assert "ne peut être comparée à elle-même" in french
    unknown = client.get("/questions/departments/?year=1066")
    assert unknown.status_code == 404
    assert "there are no data for 1066" in unknown.text
    assert client.get("/questions/departments/?colour=red").status_code == 404


def test_a_page_is_not_sent_twice_and_sent_small(served: Served) -> None:
    client = served.client()
    for path in ("/", "/questions/departments/?year=2021", "/files/departments.json"):
        first = client.get(path)
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert first.headers["content-encoding"] == "gzip"
    static = re.search(r'href="(?:\.\./)*(static/site\.[0-9a-f]{8}\.css)"', client.get("/").text)
    assert static
    assert "immutable" in client.get(f"/{static[1]}").headers["cache-control"]


def test_addresses_find_their_page_with_and_without_the_slash(served: Served) -> None:
    client = served.client(follow_redirects=True)
    assert client.get("/method").url.path == "/method/"
    assert client.get("/method/index.html").status_code == 200
    assert client.get("/departments/fsc-property-tax/").status_code == 200
    assert client.get("/?lang=fr").url.path == "/fr/"
    assert client.get("/compare/2012-2014/").status_code == 200
    assert client.get("/?utm_source=x").status_code == 200


def test_an_earlier_snapshot_is_said_and_kept_in_every_link(served: Served) -> None:
    client = served.client()
    listing = client.get("/data/snapshots/").text
    [snapshot] = set(re.findall(r"snapshot=([0-9a-f]{16})", listing))
    page = client.get(f"/questions/departments/?snapshot={snapshot}").text
    assert f"As of an earlier snapshot, {snapshot[:7]}" in page
    assert f"departments.csv?snapshot={snapshot}" in page
    assert client.get(f"/files/departments.csv?snapshot={snapshot}").status_code == 200
    assert client.get(f"/?snapshot={snapshot}").status_code == 200
    assert client.get("/questions/departments/?snapshot=0000000").status_code == 404
    assert client.get("/questions/departments/?snapshot=a").status_code == 404


def test_typed_sql_for_people_and_programs(served: Served) -> None:
    client = served.signed_in(Role.ANALYST)
    form = served.form(client)
    asked = {"form": form, "sql": "SELECT sum(inquiries) AS n FROM curated.department_month"}
    page = client.post("/sql/", data=asked)
    assert "would cost US$ 0.0000477 on Athena" in page.text
    data = client.post("/sql/", data=asked, headers={"accept": "application/json"}).json()
    assert data["ok"]
    assert str(data["rows"][0]["n"]) in page.text.replace(",", "")
    assert data["statistics"]["bytes_scanned"] > 0
    bad = client.post("/sql/", data={"form": form, "sql": "SELECT * FROM read_csv('/etc/passwd')"})
    assert bad.status_code == 400
    assert "root:" not in bad.text
    wrong = client.post("/sql/", data={"form": form, "sql": "SELECT 1; DROP TABLE x"})
    assert "one SELECT is expected" in wrong.text
    hostile = {"form": form, "sql": "SELECT '<script>alert(1)</script>' AS \"<img src=x>\""}
    text = client.post("/sql/", data=hostile).text
    assert "<script>alert" not in text
    assert "<img" not in text
    token = served.here.accounts.grant("the-analyst", Role.ANALYST, 1)[1]
    program = served.client(headers={"authorization": f"Bearer {token}"})
    found = program.post(
        "/sql/", data={"sql": "SELECT 1 AS a"}, headers={"accept": "application/json"}
    )
    assert found.json()["rows"] == [{"a": 1}]


def test_the_console_tells_what_happened(served: Served, ran: Ran) -> None:
    client = served.signed_in(Role.STEWARD)
    runs = client.get("/ops/").text
    assert ran.finished.run in runs
    run = client.get(f"/ops/runs/{ran.finished.run}/").text
    assert "prepare/inquiry-volume" in run
    assert "65,175" in run
    assert "readers see release" in run
    assert client.get("/ops/runs/r-none/").status_code == 404
    lineage = client.get("/ops/lineage/?thing=curated/department-month").text
    version = ran.done.version("curated/department-month").id
    assert version in lineage
    assert "answers/by-year" not in lineage.partition("Made from")[2].partition("This, by")[0]
    quality = client.get("/ops/quality/").text
    assert quality.count("● passed</td>") == 35
    profile = client.get("/ops/profile/?source=inquiry-volume").text
    assert "65,175 rows received" in profile
    recipe = client.get("/ops/recipe/?source=inquiry-volume").text
    assert "STANDARDIZE_TEXT" in recipe
    settings = client.get("/ops/settings/").text
    assert "environments/local.toml" in settings
    assert client.get("/ops/profile/?source=none").status_code == 404
    assert "duckdb answers" in client.get("/ops/doctor/").text


def test_people_look_after_their_own_account(served: Served) -> None:
    served.here.accounts.add("somebody", Role.ANALYST, PASSWORD)
    client = served.client()
    sign_in(client, "somebody")
    form = served.form(client)
    made = client.post(
        "/account/", data={"form": form, "do": "token", "role": "viewer", "days": "5"}
    )
    secret = re.search(r"cl_[\w-]+", made.text)
    assert secret
    person = served.here.accounts.bearer(secret[0])
    assert person
    assert person.role is Role.VIEWER
    more = client.post("/account/", data={"form": form, "do": "token", "role": "admin"})
    assert more.status_code == 400
    other = served.here.accounts.grant("the-viewer", Role.VIEWER, 1)[0]
    client.post("/account/", data={"form": form, "do": "revoke", "id": other})
    assert not next(t for t in served.here.accounts.tokens() if t["id"] == other)["revoked"]
    changed = client.post(
        "/account/",
        data={"form": form, "do": "password", "old": PASSWORD, "new": "another long one"},
    )
    assert changed.status_code == 303
    assert client.get("/account/").status_code == 200, "a new session in place of the old"
    assert sign_in(served.client(), "somebody").status_code == 401
    served.here.accounts.remove("somebody")


def test_events_are_kept_without_secrets(served: Served) -> None:
    client = served.client()
    sign_in(client, "the-viewer", "planted-secret-9")
    sign_in(client, "no\r\nbody\x1b[31m", "planted-secret-9")
    served.client().get("/ops/")
    reader = served.signed_in(Role.VIEWER)
    reader.get("/files/departments.csv")
    text = served.here.events._path.read_text(encoding="ascii")
    events = [json.loads(line) for line in text.splitlines()]
    kinds = {(e["kind"], e["result"]) for e in events}
    assert {("sign-in", "refused"), ("sign-in", "done"), ("refusal", "refused"),
            ("download", "given")} <= kinds  # fmt: skip
    assert "planted-secret-9" not in text
    assert "\x1b" not in text
    assert PASSWORD not in text
