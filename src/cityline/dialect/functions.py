"""The profile's functions: what each returns, and how Spark and Trino say it.

A template's `{0}`, `{1}` are the arguments as the engine's SQL; `{*}` is all with commas. An empty
template is the function's own name. `REFUSED` says that an engine has nothing that is surely
the same. `tests/conformance` runs every one of them on the real engines.
"""

from __future__ import annotations

from dataclasses import dataclass

REFUSED = "!"
"""A template for an engine that cannot say it alike."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the profile. `returns` is a type, `same` for its argument's, or nothing when
    unknown. `most` < 0 is any number of arguments. `exact` is false where engines round the last
    digits differently, within a relative 1e-9."""

    name: str
    family: str
    least: int
    most: int
    returns: str
    spark: str = ""
    trino: str = ""
    exact: bool = True

    def said(self, target: str) -> str:
        """The template of `spark` or `trino`. Spark counts in INT, which overflows sooner."""
        if target == "trino":
            return self.trino
        short = self.returns == "BIGINT" and self.family in ("texts", "dates")
        plain = self.spark or f"{self.name}({{*}})"
        return f"CAST({plain} AS BIGINT)" if short and plain != REFUSED else self.spark


FUNCTIONS: dict[str, Function] = {}


def _add(
    family: str, *rows: tuple[str, int, int, str] | tuple[str, int, int, str, str, str]
) -> None:
    for names, least, most, returns, *said in rows:
        spark, trino = said or ("", "")
        for name in names.split():
            FUNCTIONS[name] = Function(name, family, least, most, returns, spark, trino)


_BYTES_S = "decode(encode({%d}, 'UTF-8'), 'ISO-8859-1')"
_BYTES_T = (
    "array_join(transform(regexp_extract_all(to_hex(to_utf8({%d})), '..'), "
    "h -> chr(from_base(h, 16))), '')"
)
"""A text whose letters are the bytes of another: DuckDB counts edits of bytes."""

_add(
    "texts",
    ("length len char_length character_length", 1, 1, "BIGINT", "length({0})", "length({0})"),
    ("strlen", 1, 1, "BIGINT", "octet_length({0})", "length(to_utf8({0}))"),
    ("trim ltrim rtrim", 1, 1, "VARCHAR"),
    ("left right", 2, 2, "VARCHAR"),
    ("substr substring", 2, 3, "VARCHAR"),
    ("strpos instr", 2, 2, "BIGINT", "instr({0}, {1})", "strpos({0}, {1})"),
    ("contains", 2, 2, "BOOLEAN", "contains({0}, {1})", "(strpos({0}, {1}) > 0)"),
    ("starts_with prefix", 2, 2, "BOOLEAN", "startswith({0}, {1})", "starts_with({0}, {1})"),
    ("ends_with suffix", 2, 2, "BOOLEAN", "endswith({0}, {1})",
     "starts_with(reverse({0}), reverse({1}))"),
    ("replace", 3, 3, "VARCHAR", "CASE WHEN {1} = '' THEN {0} ELSE replace({0}, {1}, {2}) END",
     "CASE WHEN {1} = '' THEN {0} ELSE replace({0}, {1}, {2}) END"),
    ("repeat", 2, 2, "VARCHAR", "repeat({0}, CAST({1} AS INT))",
     "CASE WHEN {0} IS NOT NULL THEN array_join(repeat({0}, CAST({1} AS INTEGER)), '') END"),
    ("lpad", 3, 3, "VARCHAR"),
    ("rpad", 3, 3, "VARCHAR"),
    ("translate", 3, 3, "VARCHAR"),
    ("concat_ws", 2, -1, "VARCHAR"),
    ("split_part", 3, 3, "VARCHAR", "split_part({*})",
     "CASE WHEN {0} IS NOT NULL THEN coalesce(split_part({*}), '') END"),
    ("chr", 1, 1, "VARCHAR"),
    ("md5", 1, 1, "VARCHAR", "md5({0})", "lower(to_hex(md5(to_utf8({0}))))"),
    ("sha1", 1, 1, "VARCHAR", "sha1({0})", "lower(to_hex(sha1(to_utf8({0}))))"),
    ("sha256", 1, 1, "VARCHAR", "sha2({0}, 256)", "lower(to_hex(sha256(to_utf8({0}))))"),
    ("levenshtein editdist3", 2, 2, "BIGINT", f"levenshtein({_BYTES_S % 0}, {_BYTES_S % 1})",
     f"levenshtein_distance({_BYTES_T % 0}, {_BYTES_T % 1})"),
    ("nfc_normalize", 1, 1, "VARCHAR", "nfc_normalize({0})", "normalize({0}, NFC)"),
    ("regexp_matches", 2, 2, "BOOLEAN", "({0} RLIKE {1})", "regexp_like({0}, {1})"),
    ("regexp_full_match", 2, 2, "BOOLEAN", "({0} RLIKE {1})", "regexp_like({0}, {1})"),
    ("regexp_replace", 3, 4, "VARCHAR", "regexp_replace({0}, {1}, {2})",
     "regexp_replace({0}, {1}, {2})"),
    ("regexp_extract", 2, 3, "VARCHAR", "regexp_extract({0}, {1}, {2})",
     "CASE WHEN {0} IS NOT NULL THEN coalesce(regexp_extract({0}, {1}, {2}), '') END"),
    ("json_valid", 1, 1, "BOOLEAN", "(get_json_object({0}, '$') IS NOT NULL)", REFUSED),
    ("hash", 1, -1, "BIGINT", "xxhash64({*})", REFUSED),
    ("json_extract_string", 2, 2, "VARCHAR", "get_json_object({0}, {1})", REFUSED),
)  # fmt: skip

_CASES = "array_join(transform(split({0}, ''), c -> if(length(%s(c)) = 1, %s(c), c)), '')"
_LOWER = f"replace({_CASES.replace('%s', 'lower')}, 'İ', 'i')"
_UPPER = f"replace({_CASES.replace('%s', 'upper')}, 'ß', 'ẞ')"
"""Letter by letter, where one letter stays one: `ß` and `İ` would become two in Java."""
_add(
    "texts",
    ("lower lcase", 1, 1, "VARCHAR", _LOWER, "lower({0})"),
    ("upper ucase", 1, 1, "VARCHAR", _UPPER, "replace(upper({0}), 'ß', 'ẞ')"),
    ("concat", 1, -1, "VARCHAR", "concat_ws('', {*})", "concat_ws('', {*})"),
    ("ascii unicode ord", 1, 1, "INTEGER", REFUSED, REFUSED),
    ("reverse", 1, 1, "VARCHAR", REFUSED, REFUSED),
)  # fmt: skip

_WHOLE = (
    "(CASE WHEN abs(CAST({0} AS DOUBLE)) < 4503599627370496 THEN CAST(%s AS DOUBLE) "
    "ELSE CAST({0} AS DOUBLE) END)"
)
"""From 2^52 on a double is whole; Spark would answer with a limited integer, and 0 for NaN."""

_add(
    "numbers",
    ("abs", 1, 1, "same"),
    ("ceil ceiling", 1, 1, "DOUBLE", _WHOLE % "ceil({0})", "ceil(CAST({0} AS DOUBLE))"),
    ("floor", 1, 1, "DOUBLE", _WHOLE % "floor({0})", "floor(CAST({0} AS DOUBLE))"),
    ("trunc", 1, 1, "DOUBLE",
     _WHOLE % "if({0} < 0, ceil({0}), floor({0}))", "truncate(CAST({0} AS DOUBLE))"),
    ("round", 1, 2, "DOUBLE", "", ""),
    ("sign", 1, 1, "TINYINT",
     "CAST(CASE WHEN isnan(CAST({0} AS DOUBLE)) THEN 0 ELSE sign({0}) END AS INT)",
     "CAST(CASE WHEN is_nan(CAST({0} AS DOUBLE)) THEN 0 ELSE sign({0}) END AS INTEGER)"),
    ("sqrt", 1, 1, "DOUBLE", "sqrt({0})", "sqrt({0})"),
    ("mod", 2, 2, "same", "({0} % {1})", "({0} % {1})"),
    ("pi", 0, 0, "DOUBLE"),
    ("isnan", 1, 1, "BOOLEAN", "CASE WHEN {0} IS NOT NULL THEN isnan({0}) END", "is_nan({0})"),
    ("isfinite", 1, 1, "BOOLEAN", "({0} - {0} = 0)", "is_finite({0})"),
    ("isinf", 1, 1, "BOOLEAN", "(abs({0}) = CAST('Infinity' AS DOUBLE))", "is_infinite({0})"),
    ("bit_count", 1, 1, "TINYINT"),
    ("xor", 2, 2, "same", "({0} ^ {1})", "bitwise_xor({0}, {1})"),
    ("greatest", 2, -1, "same", "greatest({*})", ""),
    ("least", 2, -1, "same", "least({*})", ""),
    ("factorial", 1, 1, "BIGINT", "factorial(CAST({0} AS INT))", REFUSED),
)  # fmt: skip

for _name, _arguments in {
    "cbrt": 1, "exp": 1, "sin": 1, "cos": 1, "tan": 1, "asin": 1,
    "acos": 1, "atan": 1, "atan2": 2, "sinh": 1, "cosh": 1, "tanh": 1, "degrees": 1, "radians": 1,
    "pow": 2, "power": 2, "cot": 1,
}.items():  # fmt: skip
    _spark = "cot({0})" if _name == "cot" else ""
    _trino = "(1 / tan({0}))" if _name == "cot" else ""
    FUNCTIONS[_name] = Function(
        _name, "numbers", _arguments, _arguments, "DOUBLE", _spark, _trino, exact=False
    )
_LOG = (
    "CASE WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) "
    "ELSE %s({0}) END"
)
"""Of 0 and below Spark would answer NULL."""
for _name, _said in {"ln": "ln", "log2": "log2", "log10": "log10", "log": "log10"}.items():
    FUNCTIONS[_name] = Function(
        _name, "numbers", 1, 1, "DOUBLE", _LOG % _said, f"{_said}({{0}})", exact=False
    )

_add(
    "choices",
    ("coalesce", 1, -1, "same"),
    ("ifnull", 2, 2, "same", "coalesce({*})", "coalesce({*})"),
    ("nullif", 2, 2, "same"),
    ("if", 3, 3, "same", "if({*})", "if({*})"),
)

_add(
    "dates",
    ("year", 1, 1, "BIGINT"),
    ("month", 1, 1, "BIGINT"),
    ("day dayofmonth", 1, 1, "BIGINT", "day({0})", "day({0})"),
    ("quarter", 1, 1, "BIGINT"),
    ("week weekofyear", 1, 1, "BIGINT", "weekofyear({0})", "week({0})"),
    ("yearweek", 1, 1, "BIGINT",
     "(extract(YEAROFWEEK FROM {0}) * 100 + weekofyear({0}))",
     "(year_of_week({0}) * 100 + week({0}))"),
    ("isoyear", 1, 1, "BIGINT", "extract(YEAROFWEEK FROM {0})", "year_of_week({0})"),
    ("isodow", 1, 1, "BIGINT", "(weekday({0}) + 1)", "day_of_week({0})"),
    ("dayofweek weekday", 1, 1, "BIGINT", "(dayofweek({0}) - 1)", "(day_of_week({0}) % 7)"),
    ("dayofyear", 1, 1, "BIGINT", "dayofyear({0})", "day_of_year({0})"),
    ("hour", 1, 1, "BIGINT"),
    ("minute", 1, 1, "BIGINT"),
    ("second", 1, 1, "BIGINT", "CAST(floor(second({0})) AS BIGINT)", "second({0})"),
    ("last_day", 1, 1, "DATE", "last_day({0})", "last_day_of_month({0})"),
    ("monthname", 1, 1, "VARCHAR", "date_format({0}, 'MMMM')",
     "format_datetime(CAST(CAST({0} AS DATE) AS TIMESTAMP), 'MMMM')"),
    ("dayname", 1, 1, "VARCHAR", "date_format({0}, 'EEEE')",
     "format_datetime(CAST(CAST({0} AS DATE) AS TIMESTAMP), 'EEEE')"),
    ("make_date", 3, 3, "DATE", "make_date({*})",
     "CASE WHEN {0} + {1} + {2} IS NOT NULL THEN CAST(format('%04d-%02d-%02d', {*}) AS DATE) END"),
    ("date_trunc", 2, 2, "TIMESTAMP"),
    ("datetrunc", 2, 2, "TIMESTAMP"),
    ("date_diff datediff", 3, 3, "BIGINT"),
    ("strftime", 2, 2, "VARCHAR"),
    ("epoch", 1, 1, "DOUBLE", "CAST(unix_micros(CAST({0} AS TIMESTAMP)) AS DOUBLE) / 1000000",
     "to_unixtime(CAST({0} AS TIMESTAMP(6)))"),
    ("epoch_ms", 1, 1, "", REFUSED, REFUSED),
    ("to_days", 1, 1, "INTERVAL", "make_interval(0, 0, 0, CAST({0} AS INT))",
     "({0} * INTERVAL '1' DAY)"),
    ("to_months", 1, 1, "INTERVAL", "make_interval(0, CAST({0} AS INT))",
     "({0} * INTERVAL '1' MONTH)"),
    ("to_years", 1, 1, "INTERVAL", "make_interval(CAST({0} AS INT))",
     "({0} * INTERVAL '1' YEAR)"),
    ("try_strptime", 2, 2, "TIMESTAMP"),
    ("timezone", 2, 2, "", REFUSED, REFUSED),
)  # fmt: skip

_add(
    "aggregates",
    ("count", 0, -1, "BIGINT"),
    ("count_if countif", 1, 1, "BIGINT", REFUSED, REFUSED),
    ("sum", 1, 1, "same"),
    ("min", 1, 1, "same"),
    ("max", 1, 1, "same"),
    ("bool_and", 1, 1, "BOOLEAN"),
    ("bool_or", 1, 1, "BOOLEAN"),
    ("bit_and", 1, 1, "same", "bit_and({0})", "bitwise_and_agg({0})"),
    ("bit_or", 1, 1, "same", "bit_or({0})", "bitwise_or_agg({0})"),
    ("bit_xor", 1, 1, "same", "bit_xor({0})", REFUSED),
    ("median", 1, 1, "DOUBLE", "percentile({0}, 0.5)", REFUSED),
    ("quantile_cont", 2, 2, "DOUBLE", "percentile({0}, {1})", REFUSED),
    ("any_value first last arbitrary", 1, 1, "same", REFUSED, REFUSED),
    ("mode", 1, 1, "same", REFUSED, REFUSED),
    ("arg_max max_by", 2, 2, "same", "max_by({*})", "max_by({*})"),
    ("arg_min min_by", 2, 2, "same", "min_by({*})", "min_by({*})"),
)
for _name, _arguments in {
    "avg": 1, "mean": 1, "stddev": 1, "stddev_samp": 1, "stddev_pop": 1, "variance": 1,
    "var_samp": 1, "var_pop": 1, "corr": 2, "covar_pop": 2, "covar_samp": 2, "regr_slope": 2,
    "regr_intercept": 2,
}.items():  # fmt: skip
    _given = ", ".join(f"CAST({{{i}}} AS DOUBLE)" for i in range(_arguments))
    FUNCTIONS[_name] = Function(
        _name, "aggregates", _arguments, _arguments, "DOUBLE", "", f"{_name}({_given})", exact=False
    )
for _name in ("arg_max", "max_by", "arg_min", "min_by"):  # ties have no one answer
    FUNCTIONS[_name] = Function(_name, "aggregates", 2, 2, "same", REFUSED, REFUSED)

_add(
    "windows",
    ("row_number", 0, 0, "BIGINT"),
    ("rank", 0, 0, "BIGINT"),
    ("dense_rank", 0, 0, "BIGINT"),
    ("percent_rank", 0, 0, "DOUBLE"),
    ("cume_dist", 0, 0, "DOUBLE"),
    ("ntile", 1, 1, "BIGINT"),
    ("lag", 1, 3, "same"),
    ("lead", 1, 3, "same"),
    ("first_value", 1, 1, "same"),
    ("last_value", 1, 1, "same"),
    ("nth_value", 2, 2, "same"),
)

INSTEAD = {
    "timezone": "a JOIN with a table of offsets by period",
    "now": "the day of the extract, from lake.extract: a query must answer the same tomorrow",
    "today": "the day of the extract, from lake.extract: a query must answer the same tomorrow",
    "current_date": "the day of the extract, from lake.extract",
    "random": "nothing random is portable",
    "list": "count(DISTINCT x) for a number of values",
    "approx_count_distinct": "count(DISTINCT x)",
    "count_if": "count(*) FILTER (WHERE …)",
    "countif": "count(*) FILTER (WHERE …)",
    "any_value": "min(x) or max(x)",
    "first": "min(x), or first_value(x) OVER (… ORDER BY …)",
    "last": "max(x), or last_value(x) OVER (… ORDER BY …)",
    "mode": "row_number() OVER (ORDER BY count(*) DESC, value) = 1",
    "arg_max": "row_number() OVER (… ORDER BY … DESC, tie-breaker) = 1",
    "arg_min": "row_number() OVER (… ORDER BY …, tie-breaker) = 1",
    "max_by": "row_number() OVER (… ORDER BY … DESC, tie-breaker) = 1",
    "min_by": "row_number() OVER (… ORDER BY …, tie-breaker) = 1",
    "median": "a row_number() over the ordered values, and the mean of the middle two",
    "quantile_cont": "a row_number() over the ordered values",
    "date_sub": "date_diff, which counts the boundaries crossed",
    "age": "date_diff, which counts the boundaries crossed",
    "string_agg": "one row per value",
    "listagg": "one row per value",
    "unnest": "unnest(generate_series(first, last, INTERVAL 1 MONTH)) alone in a SELECT",
}
"""What to write instead of what is refused."""
