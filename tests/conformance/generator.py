"""Random portable SQL: expressions of a typed grammar in queries that are totally ordered.

A grammar's rule is a text whose holes `{int}` are filled by rules of that kind. `loose` is a number
whose last digits engines may round differently, so it is never compared, rounded or turned to text.
One seed makes one query. Every function of the profile stands in a rule or in `LEFT_OUT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

_HOLE = re.compile(r"\{(\w+)\}")
_MARK = re.compile(r"\{\{|\}\}|\{\w+\}")
KINDS = ("int", "real", "dec", "text", "day", "moment", "bool")

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "t": {"int": ("id", "n", "m"), "real": ("x", "y"), "text": ("s", "r", "g"),
          "day": ("d", "e"), "moment": ("ts",), "bool": ("b",)},
    "hard": {"int": ("id", "q"), "real": ("z", "w"), "dec": ("c", "p"), "text": ("s", "g"),
             "day": ("d",), "moment": ("ts",), "bool": ("b",)},
}  # fmt: skip
"""Columns of the adversarial tables by kind; `id` is unique."""

_ANY = (
    "coalesce({k}, {k})", "ifnull({k}, {k})", "nullif({k}, {k})", "if({bool}, {k}, {k})",
    "CASE WHEN {bool} THEN {k} ELSE {k} END", "CASE WHEN {bool} THEN {k} END",
    "greatest({k}, {k})", "least({k}, {k})",
)  # fmt: skip
GRAMMAR: dict[str, tuple[str, ...]] = {
    "int": (
        "({int} + {int})", "({int} - {int})", "({int} * {few})", "({int} % {few})",
        "mod({int}, {few})", "abs({int})", "(-{int})", "sign({int})", "xor({int}, {count})",
        "bit_count({int})", "length({text})", "strlen({text})", "len({text})",
        "char_length({text})", "character_length({text})", "strpos({text}, {bit})",
        "instr({text}, {bit})", "levenshtein(left({text}, 4), {bit})",
        "editdist3(left({text}, 3), {bit})", "year({day})", "month({day})", "day({day})",
        "dayofmonth({moment})", "quarter({day})", "week({day})", "weekofyear({moment})",
        "yearweek({day})", "isoyear({day})", "isodow({day})", "dayofweek({day})", "weekday({day})",
        "dayofyear({day})", "hour({moment})", "minute({moment})", "second({moment})",
        "date_diff('day', {day}, {day})", "date_diff('month', {day}, {day})",
        "date_diff('quarter', {moment}, {day})", "datediff('year', {day}, {moment})",
        "CAST({bool} AS INTEGER)", "CAST(floor({small}) AS BIGINT)",
        "CASE WHEN regexp_full_match({text}, '[0-9]{{1,9}}') THEN 1 ELSE 2 END",
        "extract(month FROM {day})", "CASE {int} WHEN {few} THEN {int} ELSE {few} END",
    ),
    "small": ("({int} / 7)", "({real} * 0)", "least(greatest({real}, -1000.0), 1000.0)"),
    "real": (
        "({real} + {real})", "({real} - {real})", "({real} * {few})", "({int} / {int})",
        "({real} / {real})", "({dec} / {few})", "abs({real})", "(-{real})", "round({real})",
        "round({real}, 2)", "round({int}, 1)", "floor({real})", "ceil({real})", "ceiling({dec})",
        "trunc({real})", "sqrt(abs({int}))", "CAST({int} AS DOUBLE)", "TRY_CAST({text} AS DOUBLE)",
        "mod({real}, {few})", "pi()", "CAST({dec} AS DOUBLE)", "epoch({day})", "({real} * {dec})",
    ),
    "loose": (
        "sin({int})", "cos({int})", "tan({count})", "atan({real})", "exp({count})",
        "ln(abs({int}) + 1)", "log10(abs({int}) + 1)", "log2(abs({int}) + 1)",
        "log(abs({int}) + 1)", "cbrt({int})", "degrees({int})", "radians({int})",
        "pow({count}, {count})", "power({int}, 2)", "atan2({int}, {few})", "sinh({count})",
        "cosh({count})", "tanh({count})", "asin({count} / 9)", "acos({count} / 9)",
        "cot({few})", "factorial({count}) / 3", "epoch({moment})",
    ),
    "dec": (
        "({dec} + {dec})", "({dec} - {dec})", "({dec} * {few})", "abs({dec})", "(-{dec})",
        "CAST({count} AS DECIMAL(12, 2))", "({dec} + {few})",
    ),
    "text": (
        "lower({text})", "upper({text})", "lcase({text})", "ucase({text})", "trim({text})",
        "ltrim({text})", "rtrim({text})", "left({text}, {count})", "right({text}, {count})",
        "substr({text}, {few})", "substring({text}, {few}, {count})", "({text} || {text})",
        "concat({text}, {bit}, {text})", "concat_ws('-', {text}, {text})",
        "replace({text}, {bit}, {bit})", "repeat({text}, {count})", "lpad({text}, 7, '*')",
        "rpad({text}, {few}, 'é')", "translate({text}, 'aeé', 'xy')",
        "split_part({text}, {mark}, {few})", "regexp_replace({text}, {pattern}, '<\\0>', 'g')",
        "regexp_extract({text}, {pattern})", "md5({text})", "sha1({text})", "sha256({text})",
        "nfc_normalize({text})", "chr(64 + {few})", "CAST({int} AS VARCHAR)",
        "CAST({day} AS VARCHAR)", "CAST({bool} AS VARCHAR)", "strftime({day}, {format})",
        "strftime({moment}, '%Y-%m-%d %H:%M:%S')", "monthname({day})", "dayname({moment})",
        "CASE WHEN {bool} THEN {bit} ELSE {text} END", "CAST({dec} AS VARCHAR)",
        "json_extract_string('{{\"a\": {{\"b\": \"é\"}}}}', '$.a.b')",
    ),
    "day": (
        "last_day({day})", "last_day({moment})", "CAST(date_trunc('month', {day}) AS DATE)",
        "CAST(date_trunc('week', {day}) AS DATE)", "date_trunc('quarter', {day})",
        "CAST({moment} AS DATE)", "CAST({day} + INTERVAL 1 DAY AS DATE)",
        "CAST({day} + INTERVAL 13 MONTH AS DATE)", "CAST({day} - INTERVAL 1 YEAR AS DATE)",
        "make_date(2024, {few}, 28)", "CAST({day} + to_days({few}) AS DATE)",
        "CAST({day} + to_months({few}) AS DATE)", "CAST({day} + to_years({few}) AS DATE)",
        "CAST(try_strptime({text}, '%Y-%m-%d') AS DATE)", "make_date(year({day}), {few}, {few})",
    ),
    "moment": (
        "date_trunc('day', {moment})", "datetrunc('month', {moment})",
        "date_trunc('year', {moment})", "({moment} + INTERVAL 1 DAY)", "({day} + INTERVAL 1 MONTH)",
        "({moment} - INTERVAL 2 WEEK)", "try_strptime({text}, '%Y-%m-%d')",
        "CAST({day} AS TIMESTAMP)",
    ),
    "bool": (
        "({int} = {int})", "({int} < {few})", "({int} >= {int})", "({int} <> {count})",
        "({real} > {real})", "({real} <= {real})", "({real} = {real})", "({real} <> {real})",
        "({dec} < {dec})", "({dec} = {few})", "({text} = {text})", "({text} < {text})",
        "({text} >= {bit})", "({day} < {day})", "({moment} >= {moment})", "({day} = {day})",
        "({bool} AND {bool})", "({bool} OR {bool})", "(NOT {bool})", "({int} IN (1, 2, {few}))",
        "({text} NOT IN ('a', {bit}))", "({int} BETWEEN {count} AND {few})", "({text} IS NULL)",
        "({real} IS NOT NULL)", "({text} LIKE '%a_%')", "({text} LIKE {bit})",
        "contains({text}, {bit})", "starts_with({text}, {bit})", "prefix({text}, {bit})",
        "ends_with({text}, {bit})", "suffix({text}, {bit})", "regexp_matches({text}, {pattern})",
        "regexp_full_match({text}, {pattern})", "({int} IS DISTINCT FROM {int})",
        "({real} IS NOT DISTINCT FROM {real})", "({text} IS DISTINCT FROM {text})",
        "isnan({real})", "isinf({real})", "isfinite({real})", "({real} BETWEEN {real} AND {real})",
        "({real} IN (1.5, 2.5, 0.0))", "({bool} = {bool})", "({day} BETWEEN {day} AND {day})",
    ),
}  # fmt: skip
LITERALS: dict[str, tuple[str, ...]] = {
    "few": ("1", "2", "3", "5", "7", "12"),
    "count": ("0", "1", "2", "4"),
    "bit": ("'a'", "'é'", "''", "' '", "'Street'", "'İ'", "'ß'", "'-'", "'%'", "'🚲'"),
    "mark": ("','", "' '", "'-'", "'a'"),
    "pattern": (r"'[aeiou]+'", r"'\d+'", r"'^\w+'", r"'\s'", r"'(?i)É'", r"'a|b$'", "'.'"),
    "format": ("'%Y-%m-%d'", "'%d/%m/%y'", "'%b %Y'", "'%B %d'", "'%j'", "'%a'", "'%A'"),
    "int": ("0", "1", "7", "100"), "real": ("CAST(0.5 AS DOUBLE)", "CAST(1e9 AS DOUBLE)"),
    "dec": ("0.5", "12.25", "100.00"), "text": ("'x'", "'Éa'", "''"),
    "day": ("DATE '2024-02-29'", "DATE '2023-12-31'"),
    "moment": ("TIMESTAMP '2024-03-10 02:30:00'", "TIMESTAMP '2024-11-03 01:30:00'"),
    "bool": ("TRUE", "FALSE"),
}  # fmt: skip
AGGREGATES = (
    "count(*)", "count({text})", "count({real})", "count(DISTINCT {int})", "count(DISTINCT {text})",
    "count(DISTINCT {real})", "sum({int})", "sum(DISTINCT {int})", "sum({dec})", "min({int})",
    "max({int})", "min({real})", "max({real})", "min({dec})", "max({text})", "min({text})",
    "min({day})", "max({moment})", "bool_and({bool})", "bool_or({bool})", "bit_and({int})",
    "bit_or({int})", "avg({int})", "mean({count} + {int})", "avg({dec})", "sum({real})",
    "avg({real})", "stddev({few} * {int})", "var_pop({int})", "stddev_samp({int})",
    "stddev_pop({int})", "variance({int})", "var_samp({int})", "covar_pop({int}, {few})",
    "covar_samp({int}, {int})", "corr({int}, {int})", "regr_slope({int}, {int})",
    "regr_intercept({int}, {int})", "max({bool} AND {bool})", "min({bool})",
)  # fmt: skip
"""Their arguments are plain columns: a sum of squares of what is huge has no last digits."""
WINDOWS = (
    "row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile({few})",
    "lag({int}, {few}, 0)", "lead({text})", "lag({real}, 2)", "first_value({text})",
    "last_value({int})", "nth_value({day}, 2)", "sum({int})", "count({text})", "max({real})",
    "min({text})", "avg({int})", "sum({dec})", "count(*)", "lead({dec}, 1)", "max({moment})",
)  # fmt: skip
_FRAMES = (
    "", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
)  # fmt: skip
_UNFRAMED = (
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression: a text with holes and what fills them. `kind` says what may stand there."""

    kind: str
    text: str
    parts: tuple[Piece, ...] = ()

    def sql(self) -> str:
        """The expression as SQL."""
        said = iter(self.parts)
        doubled = ("{{", "}}")
        return _MARK.sub(lambda m: m[0][0] if m[0] in doubled else next(said).sql(), self.text)

    def smaller(self) -> Iterator[Piece]:
        """Simpler pieces of the same kind, the simplest first."""
        yield from sorted((p for p in self._below() if p.kind == self.kind), key=Piece.size)
        for at, part in enumerate(self.parts):
            for less in part.smaller():
                yield replace(self, parts=(*self.parts[:at], less, *self.parts[at + 1 :]))

    def size(self) -> int:
        """How many pieces it is made of."""
        return 1 + sum(p.size() for p in self.parts)

    def _below(self) -> Iterator[Piece]:
        for part in self.parts:
            yield part
            yield from part._below()


@dataclass(frozen=True, slots=True)
class Query:
    """A query around its pieces: `frame` says where each `{0}` stands."""

    shape: str
    frame: str
    items: tuple[Piece, ...]
    fixed: tuple[Piece, ...] = ()

    def sql(self) -> str:
        """The query as SQL: items as columns `v0`, `v1`, …"""
        columns = ", ".join(f"{p.sql()} AS v{i}" for i, p in enumerate(self.items))
        made = self.frame.replace("<items>", columns)
        for at, piece in enumerate(self.fixed):
            made = made.replace(f"<{at}>", piece.sql())
        places = ", ".join(str(i + 1) for i in range(len(self.items)))
        return made.replace("<places>", places)

    def alone(self) -> Iterator[Query]:
        """The query with one of its items."""
        for item in self.items:
            yield replace(self, items=(item,))

    def smaller(self) -> Iterator[Query]:
        """The query with a simpler piece."""
        for at, piece in enumerate(self.fixed):
            if piece.kind == "bool" and piece.text != "TRUE":
                yield self._with_fixed(at, Piece("bool", "TRUE"))
            for less in piece.smaller():
                yield self._with_fixed(at, less)
        for at, item in enumerate(self.items):
            for less in item.smaller():
                yield replace(self, items=(*self.items[:at], less, *self.items[at + 1 :]))

    def _with_fixed(self, at: int, piece: Piece) -> Query:
        return replace(self, fixed=(*self.fixed[:at], piece, *self.fixed[at + 1 :]))


class Maker:
    """Makes queries from one seed."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - tests, not secrets

    def query(self) -> Query:
        """The next query."""
        shapes = (self._rows, self._rows, self._grouped, self._grouped, self._windowed,
                  self._joined, self._together, self._named, self._inside, self._first)  # fmt: skip
        return self._random.choice(shapes)()

    def piece(self, kind: str, columns: Mapping[str, Sequence[str]], depth: int) -> Piece:
        """An expression of a kind over some columns."""
        rules = [*GRAMMAR.get(kind, ()), *self._everywhere(kind)]
        rules = [r for r in rules if "dec" in columns or "{dec}" not in r]
        leaf = not rules or (depth <= 0 and kind in KINDS) or self._random.random() < 0.1
        if leaf and kind not in ("loose", "small"):
            return self._leaf(kind, columns)
        return self._filled(kind, self._random.choice(rules), columns, depth - 1)

    def _everywhere(self, kind: str) -> list[str]:
        return [r.replace("{k}", f"{{{kind}}}") for r in _ANY] if kind in KINDS else []

    def _leaf(self, kind: str, columns: Mapping[str, Sequence[str]]) -> Piece:
        named = columns.get(kind, ())
        if named and (kind not in LITERALS or self._random.random() < 0.9):
            return Piece(kind, self._random.choice(named))
        return Piece(kind, self._random.choice(LITERALS[kind]).replace("{", "{{"))

    def _filled(
        self, kind: str, rule: str, columns: Mapping[str, Sequence[str]], depth: int
    ) -> Piece:
        bare = rule.replace("{{", "").replace("}}", "")
        parts = tuple(self.piece(m[1], columns, depth) for m in _HOLE.finditer(bare))
        return Piece(kind, rule, parts)

    def _table(self) -> tuple[str, Mapping[str, Sequence[str]]]:
        name = self._random.choice(tuple(COLUMNS))
        return name, COLUMNS[name]

    def _some(
        self, columns: Mapping[str, Sequence[str]], count: int, depth: int, *, loose: bool = False
    ) -> tuple[Piece, ...]:
        kinds = [k for k in (*KINDS, "loose") if (k != "dec" or k in columns)]
        kinds = kinds if loose else [k for k in kinds if k != "loose"]
        return tuple(self.piece(self._random.choice(kinds), columns, depth) for _ in range(count))

    def _rows(self) -> Query:
        table, columns = self._table()
        items = self._some(columns, 8, 3, loose=True)
        frame = f"SELECT id, <items> FROM {table} WHERE <0> ORDER BY id"
        return Query("rows", frame, items, (self.piece("bool", columns, 2),))

    def _grouped(self) -> Query:
        table, columns = self._table()
        keys = self._some(columns, self._random.randint(1, 2), 1)
        items = tuple(self._aggregate(columns) for _ in range(6))
        named = ", ".join(f"<{i}> AS k{i}" for i in range(len(keys)))
        order = ", ".join(f"k{i}" for i in range(len(keys)))
        frame = (
            f"SELECT {order}, <items> FROM (SELECT *, {named} FROM {table}) AS u "
            f"GROUP BY {order} ORDER BY {order}"
        )
        return Query("grouped", frame, items, keys)

    def _aggregate(self, columns: Mapping[str, Sequence[str]]) -> Piece:
        rules = [r for r in AGGREGATES if "dec" in columns or "{dec}" not in r]
        piece = self._filled("loose", self._random.choice(rules), columns, 0)
        if self._random.random() < 0.3:
            chosen = self.piece("bool", columns, 2)
            piece = Piece("loose", f"{piece.text} FILTER (WHERE {{bool}})", (*piece.parts, chosen))
        return piece

    def _windowed(self) -> Query:
        table, columns = self._table()
        items = tuple(self._window(columns) for _ in range(6))
        frame = f"SELECT id, <items> FROM {table} WHERE <0> ORDER BY id"
        return Query("windows", frame, items, (self.piece("bool", columns, 1),))

    def _window(self, columns: Mapping[str, Sequence[str]]) -> Piece:
        rules = [r for r in WINDOWS if "dec" in columns or "{dec}" not in r]
        call = self._random.choice(rules)
        ranked = call.startswith(("rank", "dense_rank", "percent_rank", "cume_dist"))
        kind = self._random.choice([k for k in KINDS if k in columns])
        key = f"{{{kind}}}{self._random.choice(('', ' DESC', ' NULLS FIRST'))}"
        key = key if ranked and self._random.random() < 0.7 else f"{key}, id"
        frame = "" if call.split("(")[0] in _UNFRAMED else self._random.choice(_FRAMES)
        part = self._random.choice(("", "PARTITION BY g ", "PARTITION BY {bool} "))
        rule = f"{call} OVER ({part}ORDER BY {key} {frame})"
        return self._filled("loose", rule, columns, 1)

    def _joined(self) -> Query:
        (left, one), (right, other) = self._table(), self._table()
        both = {
            k: tuple(f"{a}.{c}" for a, cs in (("a", one), ("b", other)) for c in cs.get(k, ()))
            for k in {*one, *other}
        }
        how = self._random.choice(("JOIN", "LEFT JOIN", "FULL JOIN"))
        on = self._random.choice(
            ("a.id = b.id", "a.g = b.g AND a.id < b.id", "a.s = b.s", "a.d = b.d AND a.b")
        )
        items = self._some(both, 5, 2)
        frame = f"SELECT a.id AS i, b.id AS j, <items> FROM {left} AS a {how} {right} AS b ON {on} ORDER BY i, j"
        return Query("join", frame, items)

    def _together(self) -> Query:
        (left, one), (right, other) = self._table(), self._table()
        kinds = [k for k in KINDS if k in one and k in other]
        chosen = [self._random.choice(kinds) for _ in range(2)]
        lefts, rights = (tuple(self.piece(k, c, 1) for k in chosen) for c in (one, other))
        how = self._random.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
        frame = f"SELECT <items> FROM {left} {how} SELECT <0>, <1> FROM {right} ORDER BY v0, v1"
        return Query("set", frame, lefts, rights)

    def _named(self) -> Query:
        table, columns = self._table()
        inner = self._some(columns, 3, 2)
        named = ", ".join(f"<{i}> AS c{i}" for i in range(3))
        seen: dict[str, tuple[str, ...]] = {"int": ("id",), "text": ("g",)}
        for at, piece in enumerate(inner):
            seen[piece.kind] = (*seen.get(piece.kind, ()), f"c{at}")
        items = self._some(seen, 4, 2)
        frame = (
            f"WITH q AS (SELECT id, g, {named} FROM {table} WHERE <3>) "
            "SELECT id, <items> FROM q ORDER BY id"
        )
        return Query("with", frame, items, (*inner, self.piece("bool", columns, 1)))

    def _inside(self) -> Query:
        (left, one), (right, _) = self._table(), self._table()
        where = self._random.choice(
            (
                f"EXISTS (SELECT 1 FROM {right} AS u WHERE u.g = v.g AND u.id > v.id AND u.b)",
                f"v.s IN (SELECT u.s FROM {right} AS u WHERE u.b)",
                f"v.id NOT IN (SELECT u.id FROM {right} AS u WHERE u.b)",
                f"v.id < (SELECT max(u.id) FROM {right} AS u WHERE u.g = v.g)",
            )
        )
        items = self._some(one, 4, 2)
        frame = f"SELECT id, <items> FROM {left} AS v WHERE {where} AND <0> ORDER BY id"
        return Query("subquery", frame, items, (self.piece("bool", one, 1),))

    def _first(self) -> Query:
        table, columns = self._table()
        keys = self._some(columns, 1, 2)
        way = self._random.choice(("", " DESC", " NULLS FIRST", " DESC NULLS LAST"))
        frame = (
            f"SELECT id, <0> AS k, <items> FROM {table} ORDER BY k{way}, id "
            f"LIMIT {self._random.randint(1, 9)} OFFSET {self._random.randint(0, 5)}"
        )
        return Query("top", frame, self._some(columns, 4, 2), keys)


LEFT_OUT = {
    "hash": "its number is not promised, only that equal values have equal ones",
    "json_valid": "one engine has none",
    "median": "one engine has none",
    "quantile_cont": "one engine has none",
    "bit_xor": "one engine has none",
}
"""Functions of the profile no random query asks, with the reason."""
