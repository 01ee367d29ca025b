"""Functions of numbers. A cell that is not a number stays empty in the result."""

from __future__ import annotations

from cityline.ports.recipe_sql import column
from cityline.stages.prepare.operations.registry import (
    COLUMN,
    COLUMNS,
    TARGET,
    TARGET_OR_SAME,
    Call,
    Kind,
    Parameter,
    operation,
)

_FAMILY = "numbers"
_SIMPLE = {
    "ABSOLUTE": ("The value without its sign.", "abs({n})"),
    "CEILING": ("The next whole number above.", "ceil({n})"),
    "FLOOR": ("The next whole number below.", "floor({n})"),
    "NEGATE": ("The value with the other sign.", "-({n})"),
    "SIGN": ("−1, 0 or 1.", "CAST(sign({n}) AS INTEGER)"),
    "SQUARE_ROOT": (
        "The square root; none for a negative.",
        "CASE WHEN {n} >= 0 THEN sqrt({n}) END",
    ),
    "LN": ("The natural logarithm; none at 0 and below.", "CASE WHEN {n} > 0 THEN ln({n}) END"),
    "IS_EVEN": ("Whether a whole number is even.", "{n} % 2 = 0"),
    "IS_ODD": ("Whether a whole number is odd.", "abs({n} % 2) = 1"),
}
_PAIRS = {
    "ADD": ("The sum of two columns.", "{a} + {b}"),
    "SUBTRACT": ("The first column less the second.", "{a} - {b}"),
    "MULTIPLY": ("The product of two columns.", "{a} * {b}"),
    "DIVIDE": ("The first by the second; none by 0.", "{a} / nullif({b}, 0)"),
    "MOD": ("The remainder; none by 0.", "{a} % nullif({b}, 0)"),
}


def _number(name: str) -> str:
    return f"TRY_CAST({column(name)} AS DOUBLE)"


def _simple(name: str, says: str, sql: str) -> None:
    @operation(name, _FAMILY, says, sourceColumn=COLUMN, targetColumn=TARGET_OR_SAME)
    def build(call: Call) -> None:
        call.rewrite(sql.format(n=_number(call.source)))


def _pair(name: str, says: str, sql: str) -> None:
    @operation(name, _FAMILY, says, sourceColumns=COLUMNS, targetColumn=TARGET)
    def build(call: Call) -> None:
        names = call.many("sourceColumns")
        if len(names) != 2:  # noqa: PLR2004 - a pair
            raise call.refuse("sourceColumns", f"{name} takes two columns, not {len(names)}")
        a, b = (_number(n) for n in names)
        call.assign(call.given["targetColumn"], sql.format(a=a, b=b), *names)


for _name, (_says, _sql) in _SIMPLE.items():
    _simple(_name, _says, _sql)
for _name, (_says, _sql) in _PAIRS.items():
    _pair(_name, _says, _sql)


@operation(
    "ROUND",
    _FAMILY,
    "Rounded to so many decimals; halves away from zero.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    decimals=Parameter(Kind.INTEGER, required=False),
)
def _round(call: Call) -> None:
    call.rewrite(f"round({_number(call.source)}, {int(call.given.get('decimals', 0))})")
