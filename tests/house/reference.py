"""Reference pages that are made from the code. `make docs` writes them; a test keeps them fresh."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from cityline import errors
from cityline.cli.commands.project import kinds
from cityline.cli.program import _COMMANDS, program
from cityline.declarations.dqdl import RULE_TYPES
from cityline.deploy.controls import CONTROLS
from cityline.dialect.functions import FUNCTIONS, INSTEAD, REFUSED
from cityline.guards.govern.measures import MEASURES
from cityline.stages.prepare.operations import OPERATIONS
from tests.deploy.conftest import committed
from tests.deploy.weakenings import mutants

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
_MADE = "This page is made from the code by `make docs`; do not edit it."


def error_codes() -> str:
    """Every error a person can meet."""
    lines = [
        "# Errors",
        "",
        _MADE,
        "",
        "| code | exit | passing | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for kind in _errors(errors.CitylineError):
        code = kind("").code if kind is not errors.DeclarationError else "DECLARATION_ERROR"
        meaning = (inspect.getdoc(kind) or "").split("\n")[0]
        lines.append(
            f"| `{code}` | {int(kind.exit)} | {'yes' if kind.passing else 'no'} | {meaning} |"
        )
    return "\n".join(lines) + "\n"


def _errors(root: type[errors.CitylineError]) -> Iterator[type[errors.CitylineError]]:
    for kind in root.__subclasses__():
        if kind.__module__ == "cityline.errors":
            yield kind
            yield from _errors(kind)


def portable_sql() -> str:
    """What SQL a person may write, and what to write instead of the rest."""
    lines = [
        "# Portable SQL",
        "",
        _MADE,
        "",
        "SQL is written in DuckDB's dialect. What stands here is answered alike by DuckDB, Spark and Trino;",
        "`cityline check` refuses the rest, with the rewrite. [The matrix](conformance.md) shows each case.",
        "It runs recipes, models and questions on empty tables, so it knows every column's type, and says",
        "models and questions in Spark's and Trino's SQL: what only a type or the other engine tells is",
        "refused before there are any data.",
        "",
        "SELECT, FROM, JOIN … ON, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT with ORDER BY, WITH, UNION,",
        "INTERSECT, EXCEPT, subqueries, windows, FILTER, CASE, CAST, TRY_CAST, BETWEEN, IN, LIKE, EXISTS,",
        "IS DISTINCT FROM, INTERVAL, EXTRACT, and `unnest(generate_series(first, last, INTERVAL 1 MONTH))`.",
        "",
        "| function | family | arguments | Spark | Trino |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, known in sorted(FUNCTIONS.items()):
        most = "…" if known.most < 0 else str(known.most)
        count = str(known.least) if most == str(known.least) else f"{known.least}–{most}"
        told = ["refused" if known.said(t) == REFUSED else "yes" for t in ("spark", "trino")]
        lines.append(f"| `{name}` | {known.family} | {count} | {told[0]} | {told[1]} |")
    lines += ["", "## Instead", "", "| not | but |", "| --- | --- |"]
    lines += [f"| `{name}` | {hint} |" for name, hint in sorted(INSTEAD.items())]
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    """What the process returns."""
    words = {
        0: "everything was done", 1: "a step failed; what readers see is unchanged",
        2: "the command or a declaration cannot be used as it is",
        3: "a blocking quality rule failed; nothing was promoted",
        4: "the source is unreachable, or what it sent is not what the contract says",
        5: "not permitted", 6: "a cloud call failed", 70: "a bug in cityline; a report was written",
        130: "interrupted; safe to run again",
    }  # fmt: skip
    lines = ["# Exit codes", "", _MADE, "", "| code | name | meaning |", "| --- | --- | --- |"]
    lines += [f"| {int(c)} | `{c.name}` | {words[int(c)]} |" for c in errors.ExitCode]
    return "\n".join(lines) + "\n"


def operations() -> str:
    """Every operation a recipe may name."""
    own = sum(o.own for o in OPERATIONS.values())
    lines = [
        "# Recipe operations", "", _MADE, "",
        f"{len(OPERATIONS)} operations; {len(OPERATIONS) - own} have DataBrew's names and parameters, "
        f"{own} are Cityline's own because DataBrew has none for the duty.",
    ]  # fmt: skip
    for family in dict.fromkeys(o.family for o in OPERATIONS.values()):
        lines += ["", f"## {family.capitalize()}", "", "| operation | parameters | what it does |",
                  "| --- | --- | --- |"]  # fmt: skip
        for o in OPERATIONS.values():
            if o.family == family:
                named = ", ".join(
                    f"`{n}`{'' if p.required else '?'}" for n, p in o.parameters.items()
                )
                mark = " (Cityline's own)" if o.own else ""
                lines.append(f"| `{o.name}`{mark} | {named} | {o.says} |")
    return "\n".join(lines) + "\n"


def rules() -> str:
    """Which DQDL rule types are run."""
    lines = [
        "# Quality rules (DQDL)", "", _MADE, "",
        "Rules lie in `policies/quality/<zone>/<table>.dqdl`. A rule blocks promotion unless its label",
        'says otherwise: `labels = ["severity"="warn"]`. A missing value meets no condition but',
        "`= NULL`. `between` leaves out both ends. A threshold may use the past:",
        "`RowCount >= 0.9 * avg(last(10))`; without a past yet, such a rule passes and says so.", "",
        "| rule type | run here |", "| --- | --- |",
    ]  # fmt: skip
    lines += [
        f"| `{r}` | {'yes' if r in MEASURES else 'no: refused by name'} |" for r in RULE_TYPES
    ]
    return "\n".join(lines) + "\n"


def declarations() -> str:
    """The keys of every kind of declaration."""
    lines = ["# Declarations", "", _MADE, "", "`cityline schema` writes the same as JSON Schemas."]
    for name, kind in kinds().items():
        schema = kind.model_json_schema()
        lines += ["", f"## {name.capitalize()}", "", " ".join((inspect.getdoc(kind) or "").split())]
        lines += _keys(schema)
        for part, described in schema.get("$defs", {}).items():
            lines += ["", f"### {part}", "", " ".join(described.get("description", "").split())]
            lines += _keys(described)
    return "\n".join(lines) + "\n"


def _keys(schema: dict[str, Any]) -> list[str]:
    lines = ["", "| key | type | required |", "| --- | --- | --- |"]
    required = schema.get("required", ())
    for key, described in schema.get("properties", {}).items():
        lines.append(f"| `{key}` | {_type(described)} | {'yes' if key in required else ''} |")
    return lines


def _type(described: dict[str, Any]) -> str:
    if "enum" in described:
        return ", ".join(f"`{v}`" for v in described["enum"]).replace("|", "\\|")
    if "$ref" in described:
        return str(described["$ref"]).rpartition("/")[2]
    if "anyOf" in described:
        return " or ".join(dict.fromkeys(_type(d) for d in described["anyOf"]))
    if described.get("type") == "array":
        items = described.get("items") or {}
        return f"list of {_type(items)}" if items else "list"
    return str(described.get("type", "any"))


def aws_controls() -> str:
    """The controls a template can show, and what holds each."""
    held = sum(c.held for c in CONTROLS)
    weakened = Counter(mutant.control for mutant in mutants(committed()))
    lines = [
        "# Controls of the AWS templates", "", _MADE, "",
        f"{len(CONTROLS)} controls can be shown in a template; {held} are held: weaken one, and a check or a tool "
        f"fails. Each is weakened at every place that has it, {sum(weakened.values()):,} in all "
        "(`tests/deploy/weakenings.py`), and a check of ours must see it. Three of them are of services that are not used, and a check refuses those. One of them, C49, is held by a command and by no template: the check sees only that the command is told which group to close. A check of ours is in `cityline.deploy.checks`, has a mistake it is known to find in "
        "`tests/deploy/mutants.py`, and runs in `make test`; a tool runs in `make check-aws`. Controls of the account "
        "(root, sign-in, detection services) and of what runs are not in this table.", "",
        "| control | AWS's name | demands | our checks | weakened | tools | note |",
        "| --- | --- | --- | --- | ---: | --- | --- |",
    ]  # fmt: skip
    for c in CONTROLS:
        ours = ", ".join(f"`{n}`" for n in c.checks)
        tools = ", ".join(f"`{n}`" for n in c.tools)
        state = c.note if c.held else f"**not held**: {c.note}"
        places = weakened[c.id] or ""
        lines.append(f"| {c.id} | {c.name} | {c.demands} | {ours} | {places} | {tools} | {state} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every command with its options."""
    lines = ["# Commands", "", _MADE]
    context = click.Context(program)
    for name in _COMMANDS:
        command = program.get_command(context, name)
        if command is None:
            raise RuntimeError(name)
        lines += ["", f"## cityline {name}", "", " ".join((command.help or "").split()), ""]
        for p in command.params:
            if isinstance(p, click.Option):
                told = f": {p.help}" if p.help else ""
                lines.append(f"- `{', '.join(p.opts)}`{told}")
            else:
                lines.append(f"- argument `{p.human_readable_name}`")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": error_codes,
    "exit-codes.md": exit_codes,
    "operations.md": operations,
    "dqdl.md": rules,
    "portable-sql.md": portable_sql,
    "declarations.md": declarations,
    "aws-controls.md": aws_controls,
    "cli.md": commands,
}


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
