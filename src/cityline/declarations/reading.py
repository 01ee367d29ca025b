"""Reading declarations: TOML and SQL front matter into checked objects, with every problem named.

A problem names the file, the dotted key, what is wrong and the nearest thing that would be right.
"""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cityline.errors import DeclarationError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

_FRONT = re.compile(r"\A\s*/\*---\r?\n(?P<toml>.*?)\r?\n---\*/\s*(?P<sql>.*)\Z", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")


class Declared(BaseModel):
    """Base of all declarations: unknown keys are refused and objects never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_D = TypeVar("_D", bound=Declared)


def parse(kind: type[_D], data: dict[str, Any], file: str) -> _D:
    """Check plain data against a kind of declaration.

    Raises DeclarationError with one Problem per fault.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = [_problem(kind, fault, file) for fault in error.errors(include_url=False)]
        raise DeclarationError(problems) from error


def read_toml(kind: type[_D], path: Path, file: str, **extra: Any) -> _D:
    """Read one TOML file; `file` is the name used in problems, `extra` keys are added."""
    return parse(kind, _load(path.read_bytes(), file) | extra, file)


def read_sql(kind: type[_D], path: Path, file: str, **extra: Any) -> _D:
    """Read a `.sql` file whose first comment `/*--- … ---*/` holds TOML; the rest becomes `sql`."""
    match = _FRONT.match(_text(path.read_bytes(), file))
    if match is None:
        what = "the file does not begin with a front matter comment"
        hint = "begin with a line /*--- , then TOML, then a line ---*/ , then the SELECT"
        raise DeclarationError([Problem(file, "", what, hint)])
    data = _load(match["toml"].encode(), file)
    return parse(kind, data | extra | {"sql": match["sql"].strip().rstrip(";")}, file)


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(file, "", f"not UTF-8 at byte {error.start}", "save the file as UTF-8")
        raise DeclarationError([problem]) from error


def _load(data: bytes, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(data, file))
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError([Problem(file, "", f"not TOML: {error}")]) from error


def nearest(word: str, known: list[str]) -> str:
    """A hint with the nearest known word, or the list of all of them."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}"


def _problem(kind: type[BaseModel], fault: ErrorDetails, file: str) -> Problem:
    location = fault["loc"]
    key = ".".join(str(part) for part in location)
    if fault["type"] == "extra_forbidden":
        known = _keys_at(kind, location[:-1])
        return Problem(
            file, key, f"unknown key {location[-1]!r}", nearest(str(location[-1]), known)
        )
    if fault["type"] == "missing":
        return Problem(file, key, f"the key {location[-1]!r} is missing")
    message = fault["msg"].removeprefix("Value error, ")
    what = f"{message} (found {fault['input']!r:.80})"
    if fault["type"] in ("enum", "literal_error"):
        known = _QUOTED.findall(str(fault.get("ctx", {}).get("expected", "")))
        return Problem(file, key, what, nearest(str(fault["input"]), known))
    return Problem(file, key, what)


def _keys_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys a declaration knows below a path of its own field names."""
    model: Any = kind
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            continue  # a key of a mapping, or a union's tag: the model stays
        model = _model_in(field.annotation)
    return list(model.model_fields) if model is not None else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
