"""A city's folder: every declaration in it, read once, and every problem found on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cityline.declarations import dqdl
from cityline.declarations.access import Access
from cityline.declarations.city import City
from cityline.declarations.corrections import Corrections
from cityline.declarations.environment import Environment
from cityline.declarations.facet import Facet
from cityline.declarations.language import Language
from cityline.declarations.model import Model
from cityline.declarations.question import Question
from cityline.declarations.reading import Declared, read_sql, read_toml
from cityline.declarations.recipe import Recipe
from cityline.declarations.retention import Retention
from cityline.declarations.source import Source
from cityline.errors import DeclarationError, Problem

_D = TypeVar("_D", bound=Declared)


@dataclass(frozen=True, slots=True)
class Folder:
    """Declarations by kind and name. `rules` maps an address such as `landing/inquiry-volume` to
    its rule set. `access` and `retention` are None in a city that has no such policy. `digests`
    maps each file, relative to `root`, to the SHA-256 of its bytes."""

    root: Path
    city: City
    environment: Environment
    sources: Mapping[str, Source]
    recipes: Mapping[str, Recipe]
    corrections: Mapping[str, Corrections]
    models: Mapping[str, Model]
    questions: Mapping[str, Question]
    facets: Mapping[str, Facet]
    languages: Mapping[str, Language]
    rules: Mapping[str, dqdl.Ruleset]
    access: Access | None
    retention: Retention | None
    digests: Mapping[str, str]

    def digest(self, *prefixes: str) -> str:
        """One hash over the files whose names begin with any of the prefixes."""
        chosen = [f"{f}:{d}" for f, d in sorted(self.digests.items()) if f.startswith(prefixes)]
        return hashlib.sha256("\n".join(chosen).encode()).hexdigest()


def read_folder(root: Path, environment: str = "local") -> Folder:
    """Read a city's folder.

    Raises DeclarationError that carries the problems of all files, not only the first.
    """
    reader = _Reader(root)
    folder = Folder(
        root=root,
        city=reader.city(),
        environment=reader.environment(environment),
        sources=reader.many("sources", "*.toml", lambda p, f: read_toml(Source, p, f, name=p.stem)),
        recipes=reader.many("recipes", "*.toml", lambda p, f: read_toml(Recipe, p, f, name=p.stem)),
        corrections=reader.many(
            "corrections", "*.toml", lambda p, f: read_toml(Corrections, p, f, name=p.stem)
        ),
        models=reader.many("models", "*.sql", lambda p, f: read_sql(Model, p, f, name=p.stem)),
        questions=reader.many(
            "questions", "*.sql", lambda p, f: read_sql(Question, p, f, name=p.stem)
        ),
        facets=reader.many("facets", "*.toml", lambda p, f: read_toml(Facet, p, f, name=p.stem)),
        languages=reader.many(
            "languages", "*.toml", lambda p, f: read_toml(Language, p, f, name=p.stem)
        ),
        rules=reader.rules(),
        access=reader.policy(Access, "access"),
        retention=reader.policy(Retention, "retention"),
        digests=reader.digests(),
    )
    if reader.problems:
        raise DeclarationError(reader.problems)
    return folder


class _Reader:
    """Collects problems, so that one faulty file does not hide another's faults."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        if not (root / "city.toml").is_file():
            what = f"{root} is not a city's folder: it has no city.toml"
            hint = "cityline init DIR makes one; --city DIR names it"
            raise DeclarationError([Problem(str(root), "", what, hint)])

    def city(self) -> City:
        blank = City(name="-", title="-", time_zone="UTC")
        return self._one("city.toml", lambda p, f: read_toml(City, p, f)) or blank

    def environment(self, name: str) -> Environment:
        path = f"environments/{name}.toml"
        if not (self.root / path).is_file():
            known = ", ".join(sorted(p.stem for p in (self.root / "environments").glob("*.toml")))
            self.problems.append(Problem(path, "", "no such environment", f"known: {known}"))
            return Environment(name=name, kind="local")
        read = self._one(path, lambda p, f: read_toml(Environment, p, f, name=name))
        return read or Environment(name=name, kind="local")

    def many(self, folder: str, pattern: str, read: Callable[[Path, str], _D]) -> dict[str, _D]:
        found: dict[str, _D] = {}
        for path in sorted((self.root / folder).glob(pattern)):
            declaration = self._one(f"{folder}/{path.name}", read)
            if declaration is not None:
                found[path.stem] = declaration
        return found

    def policy(self, kind: type[_D], name: str) -> _D | None:
        path = f"policies/{name}.toml"
        if not (self.root / path).is_file():
            return None
        return self._one(path, lambda p, f: read_toml(kind, p, f))

    def rules(self) -> dict[str, dqdl.Ruleset]:
        base = self.root / "policies" / "quality"
        found: dict[str, dqdl.Ruleset] = {}
        for path in sorted(base.glob("*/*.dqdl")):
            file = path.relative_to(self.root).as_posix()
            try:
                ruleset = dqdl.parse(path.read_text(encoding="utf-8"), file)
            except DeclarationError as error:
                self.problems.extend(error.problems)
            else:
                found[f"{path.parent.name}/{path.stem}"] = ruleset
        return found

    def digests(self) -> dict[str, str]:
        kinds = (".toml", ".sql", ".dqdl")
        files = sorted(p for p in self.root.rglob("*") if p.suffix in kinds and p.is_file())
        named = {p.relative_to(self.root).as_posix(): p for p in files}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in named.items()
            if not name.startswith(".")
        }

    def _one(self, file: str, read: Callable[[Path, str], _D]) -> _D | None:
        try:
            return read(self.root / file, file)
        except DeclarationError as error:
            self.problems.extend(error.problems)
        except OSError as error:
            self.problems.append(Problem(file, "", f"cannot be read: {error.strerror}"))
        return None
