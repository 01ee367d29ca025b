"""The cases: what is asked of every engine, as portable SQL over the table `t`."""

from __future__ import annotations

from cityline.dialect.functions import FUNCTIONS

_ONE = {
    "texts": "s", "numbers": "x", "choices": "n", "dates": "d", "aggregates": "n",
}  # fmt: skip
_EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "left": ("left(s, 3)", "left(s, 0)"),
    "right": ("right(s, 3)", "right(s, 100)"),
    "substr": ("substr(s, 2)", "substr(s, 2, 3)", "substr(s, 50, 2)"),
    "substring": ("substring(s, 1, 4)",),
    "strpos": ("strpos(s, 'e')", "strpos(s, '')"),
    "instr": ("instr(s, 'éco')",),
    "contains": ("contains(s, 'a')", "contains(s, '')"),
    "starts_with": ("starts_with(s, 'E')",),
    "prefix": ("prefix(s, '')",),
    "ends_with": ("ends_with(s, 't')",),
    "suffix": ("suffix(s, 'Ops')",),
    "replace": ("replace(s, 'a', '$1')", "replace(s, '', 'z')"),
    "repeat": ("repeat(s, 3)", "repeat(s, 0)"),
    "lpad": ("lpad(s, 5, '*')",),
    "rpad": ("rpad(s, 5, '*')",),
    "translate": ("translate(s, 'abc', 'xy')",),
    "concat_ws": ("concat_ws('-', s, g, 'z')",),
    "concat": ("concat(s, g)",),
    "split_part": ("split_part(s, ' ', 1)", "split_part(s, ',', 3)", "split_part(s, '-', 9)"),
    "chr": ("chr(65 + m)",),
    "levenshtein": ("levenshtein(left(g, 1), 'abc')",),
    "editdist3": ("editdist3(g, 'b')",),
    "regexp_matches": (
        r"regexp_matches(s, '^[A-Z]{2,6} - ')", r"regexp_matches(s, '\s')",
        r"regexp_matches(s, '\d$')", r"regexp_matches(s, '(?i)é')", r"regexp_matches(s, 'l.*k')",
    ),
    "regexp_full_match": (r"regexp_full_match(s, '\d+')", r"regexp_full_match(s, '[\w ]*')"),
    "regexp_replace": (
        r"regexp_replace(s, '[aeiou]', '<\0>', 'g')", r"regexp_replace(s, '(\w)(\w)', '\2\1', 'g')",
        r"regexp_replace(s, '\s', '$', 'g')",
    ),
    "regexp_extract": (r"regexp_extract(s, '[A-Z]+')", r"regexp_extract(s, '(\w+) (\w+)', 2)"),
    "json_extract_string": ("""json_extract_string('{"a":"x","b":{"c":2}}', '$.b.c')""",),
    "json_valid": ("""json_valid('{"a":1}')""",),
    "hash": ("hash(s) = hash(s)",),
    "round": ("round(x)", "round(x, 2)", "round(n)"),
    "mod": ("mod(n, 3)", "mod(n, m)"),
    "pi": ("pi()",),
    "abs": ("abs(x)", "abs(n)"),
    "sqrt": ("sqrt(abs(x))",),
    "ln": ("ln(abs(x) + 1)",),
    "log": ("log(abs(x) + 1)",),
    "log2": ("log2(abs(x) + 1)",),
    "log10": ("log10(abs(x) + 1)",),
    "exp": ("exp(m)",),
    "sinh": ("sinh(m)",),
    "cosh": ("cosh(m)",),
    "tan": ("tan(m)",),
    "sin": ("sin(m)",),
    "cos": ("cos(m)",),
    "asin": ("asin(1.0 / (m + 1))",),
    "acos": ("acos(1.0 / (m + 1))",),
    "cot": ("cot(m + 1)",),
    "atan2": ("atan2(m, 3)",),
    "pow": ("pow(m, 3)", "pow(2, x / 1000000000000000)"),
    "power": ("power(m, 0.5)",),
    "bit_count": ("bit_count(n)",),
    "xor": ("xor(n, 5)",),
    "greatest": ("greatest(x, y)", "greatest(n, 3, id)"),
    "least": ("least(x, y)", "least(s, r)"),
    "factorial": ("factorial(m)",),
    "isnan": ("isnan(x)",),
    "coalesce": ("coalesce(n, m, -1)", "coalesce(s, '∅')"),
    "ifnull": ("ifnull(n, 0)",),
    "nullif": ("nullif(n, 2)", "nullif(s, '')"),
    "if": ("if(n > 2, 'more', 'less')",),
    "hour": ("hour(ts)",),
    "minute": ("minute(ts)",),
    "second": ("second(ts)",),
    "year": ("year(d)", "year(ts)"),
    "make_date": ("make_date(2024, m + 1, 28)",),
    "date_trunc": tuple(f"date_trunc('{u}', {c})" for u in ("day", "week", "month", "quarter", "year") for c in ("d", "ts")),
    "datetrunc": ("datetrunc('month', d)",),
    "date_diff": tuple(f"date_diff('{u}', d, e)" for u in ("day", "month", "quarter", "year")),
    "datediff": ("datediff('month', d, DATE '2024-03-31')",),
    "strftime": ("strftime(d, '%Y-%m-%d')", "strftime(d, '%b %Y')", "strftime(d, '%d/%m/%y')", "strftime(ts, '%H:%M:%S')"),
    "to_days": ("d + to_days(5)",),
    "to_months": ("d + to_months(1)",),
    "to_years": ("d + to_years(-1)",),
    "try_strptime": (
        "try_strptime(s, '%Y-%m-%d')", "try_strptime('Jul-23', '%b-%y')",
        "try_strptime('31/04/2024', '%d/%m/%Y')", "try_strptime('September 2023', '%B %Y')",
        "try_strptime('02/29/2024 11:05:00 PM', '%m/%d/%Y %I:%M:%S %p')",
    ),
    "epoch": ("epoch(d)", "epoch(ts)"),
}  # fmt: skip
_WINDOW = {
    "row_number": "row_number()", "rank": "rank()", "dense_rank": "dense_rank()",
    "percent_rank": "percent_rank()", "cume_dist": "cume_dist()", "ntile": "ntile(3)",
    "lag": "lag(n, 2, 0)", "lead": "lead(s)", "first_value": "first_value(n)",
    "last_value": "last_value(n)", "nth_value": "nth_value(n, 2)",
}  # fmt: skip
_PAIRED = {"corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept"}


def function_cases() -> dict[str, list[str]]:
    """Queries by function: each is ordered by a unique key."""
    return {name: _queries(name) for name in FUNCTIONS}


def _queries(name: str) -> list[str]:
    known = FUNCTIONS[name]
    if known.family == "aggregates":
        call = _aggregate(name)
        grouped = f"SELECT g, {call} AS v FROM t GROUP BY g ORDER BY g"
        return [
            grouped,
            f"SELECT {call} AS v FROM nothing",
            f"SELECT {call} AS v FROM t WHERE n IS NULL",
        ]
    if known.family == "windows":
        keys = "s, id" if name in ("rank", "dense_rank", "percent_rank", "cume_dist") else "id"
        over = f"OVER (PARTITION BY g ORDER BY {keys.replace('s, id', 'm DESC')})"
        return [f"SELECT id, {_WINDOW[name]} {over} AS v FROM t ORDER BY id"]
    given = _EXPRESSIONS.get(name) or (f"{name}({_ONE[known.family]})",)
    return [f"SELECT id, {e} AS v FROM t ORDER BY id" for e in given]


def _aggregate(name: str) -> str:
    if name in _PAIRED:
        return f"{name}(x, m)"
    if name in ("arg_max", "max_by", "arg_min", "min_by"):
        return f"{name}(s, n)"
    if name == "quantile_cont":
        return "quantile_cont(x, 0.25)"
    if name in ("bool_and", "bool_or"):
        return f"{name}(b)"
    if name in ("count_if", "countif"):
        return f"{name}(n > 2)"
    if name in ("median", "avg", "mean") or name.startswith(("std", "var")):
        return f"{name}(m)"
    return f"{name}(n)"


CONSTRUCTS = {
    "division": "SELECT id, n / m AS v, 7 / 2 AS w, x / 0 AS z FROM t ORDER BY id",
    "remainder": "SELECT id, n % m AS v, -7 % 3 AS w FROM t ORDER BY id",
    "nulls are last": "SELECT s AS v FROM t ORDER BY s, id",
    "nulls are last downwards": "SELECT n AS v, id FROM t ORDER BY n DESC, id",
    "text order": "SELECT DISTINCT s AS v FROM t ORDER BY v",
    "concatenation": "SELECT id, s || '-' || g AS v FROM t ORDER BY id",
    "escapes": r"SELECT 'a\b''c%$1' AS v",
    "like": r"SELECT id, s LIKE '%a_%' AS v, s LIKE 'a\%' AS w FROM t ORDER BY id",
    "in": "SELECT id, n IN (1, 2) AS v, n NOT IN (1, 2) AS w FROM t ORDER BY id",
    "null in a list": "SELECT id FROM t WHERE n IN (1, NULL)",
    "weeks between": "SELECT date_diff('week', d, e) AS v FROM t",
    "between": "SELECT id, d BETWEEN DATE '2024-01-01' AND DATE '2024-06-30' AS v FROM t ORDER BY id",
    "is distinct from": "SELECT id, n IS DISTINCT FROM m AS v FROM t ORDER BY id",
    "case without else": "SELECT id, CASE WHEN n > 2 THEN 'x' END AS v FROM t ORDER BY id",
    "filter": "SELECT g, count(*) FILTER (WHERE n > 2) AS v FROM t GROUP BY g ORDER BY g",
    "filter in a window": "SELECT id, count(*) FILTER (WHERE n > 2) OVER (PARTITION BY g) AS v FROM t ORDER BY id",
    "distinct aggregate": "SELECT count(DISTINCT n) AS v, sum(DISTINCT n) AS w FROM t",
    "month ends": "SELECT id, d + INTERVAL 1 MONTH AS v, d - INTERVAL 1 YEAR AS w FROM t ORDER BY id",
    "moments": "SELECT id, ts + INTERVAL 1 DAY AS v FROM t ORDER BY id",
    "extract": "SELECT id, extract(isodow FROM d) AS v, extract(week FROM d) AS w FROM t ORDER BY id",
    "series": "SELECT id, CAST(unnest(generate_series(DATE '2024-01-31', DATE '2024-05-31', INTERVAL 1 MONTH)) AS DATE) AS v FROM t WHERE id = 1 ORDER BY v",
    "running total": "SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS v FROM t ORDER BY id",
    "moving average": "SELECT id, avg(m) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS v FROM t ORDER BY id",
    "default frame with ties": "SELECT id, sum(n) OVER (ORDER BY m) AS v FROM t ORDER BY id",
    "union": "SELECT g AS v FROM t UNION SELECT s FROM t ORDER BY v",
    "intersect": "SELECT n AS v FROM t INTERSECT SELECT m FROM t ORDER BY v",
    "except": "SELECT n AS v FROM t EXCEPT SELECT m FROM t ORDER BY v",
    "correlated": "SELECT id, (SELECT max(u.n) FROM t AS u WHERE u.g = t.g) AS v FROM t ORDER BY id",
    "exists": "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.n = t.m) ORDER BY id",
    "not in with null": "SELECT id FROM t WHERE n NOT IN (SELECT m FROM t) ORDER BY id",
    "full join": "SELECT a.id AS v, b.id AS w FROM t AS a FULL JOIN t AS b ON a.n = b.m AND a.id < 9 ORDER BY v, w",
    "empty group": "SELECT sum(n) AS v, count(*) AS w, max(s) AS z FROM nothing",
    "casts of texts": "SELECT id, TRY_CAST(s AS BIGINT) AS v, TRY_CAST(s AS DATE) AS w FROM t ORDER BY id",
    "texts as whole numbers": "SELECT id, TRY_CAST(s AS BIGINT) AS v FROM (VALUES (1, '1'), (2, ' 5 '), (3, '1.5'), (4, '1e3'), (5, '+7'), (6, '-0'), (7, ''), (8, '9223372036854775808'), (9, '1,000'), (10, 'NaN'), (11, 'inf'), (12, '0x1F'), (13, '1_0'), (14, 't'), (15, '2024-2-9'), (16, '1d'), (17, '.5'), (18, '5.'), (19, '1_0'), (20, '-Infinity'), (21, '1e400'), (22, '1e')) AS v(id, s) ORDER BY id",
    "guarded whole numbers": "SELECT id, CASE WHEN regexp_full_match(s, '[0-9]+') THEN TRY_CAST(s AS BIGINT) END AS v FROM (VALUES (1, '1'), (2, ' 5 '), (3, '1.5'), (4, '1e3'), (5, '+7'), (6, '-0'), (7, ''), (8, '9223372036854775808'), (9, '1,000'), (10, 'NaN'), (11, 'inf'), (12, '0x1F'), (13, '1_0'), (14, 't'), (15, '2024-2-9'), (16, '1d'), (17, '.5'), (18, '5.'), (19, '1_0'), (20, '-Infinity'), (21, '1e400'), (22, '1e')) AS v(id, s) ORDER BY id",
    "texts as numbers": "SELECT id, TRY_CAST(s AS DOUBLE) AS v FROM (VALUES (1, '1'), (2, ' 5 '), (3, '1.5'), (4, '1e3'), (5, '+7'), (6, '-0'), (7, ''), (8, '9223372036854775808'), (9, '1,000'), (10, 'NaN'), (11, 'inf'), (12, '0x1F'), (13, '1_0'), (14, 't'), (15, '2024-2-9'), (16, '1d'), (17, '.5'), (18, '5.'), (19, '1_0'), (20, '-Infinity'), (21, '1e400'), (22, '1e')) AS v(id, s) ORDER BY id",
    "texts as truth": "SELECT id, TRY_CAST(s AS BOOLEAN) AS v FROM (VALUES (1, '1'), (2, ' 5 '), (3, '1.5'), (4, '1e3'), (5, '+7'), (6, '-0'), (7, ''), (8, '9223372036854775808'), (9, '1,000'), (10, 'NaN'), (11, 'inf'), (12, '0x1F'), (13, '1_0'), (14, 't'), (15, '2024-2-9'), (16, '1d'), (17, '.5'), (18, '5.'), (19, '1_0'), (20, '-Infinity'), (21, '1e400'), (22, '1e')) AS v(id, s) ORDER BY id",
    "texts as dates": "SELECT id, TRY_CAST(s AS DATE) AS v FROM (VALUES (1, '1'), (2, ' 5 '), (3, '1.5'), (4, '1e3'), (5, '+7'), (6, '-0'), (7, ''), (8, '9223372036854775808'), (9, '1,000'), (10, 'NaN'), (11, 'inf'), (12, '0x1F'), (13, '1_0'), (14, 't'), (15, '2024-2-9'), (16, '1d'), (17, '.5'), (18, '5.'), (19, '1_0'), (20, '-Infinity'), (21, '1e400'), (22, '1e')) AS v(id, s) ORDER BY id",
    "casts to texts": "SELECT id, CAST(n AS VARCHAR) AS v, CAST(d AS VARCHAR) AS w FROM t ORDER BY id",
    "limit and offset": "SELECT id FROM t ORDER BY id LIMIT 3 OFFSET 2",
    "overflow": "SELECT n * 4611686018427387904 AS v FROM t WHERE id = 6",
    "pivot": "SELECT * FROM t PIVOT (count(*) FOR g IN ('a'))",
    "qualify": "SELECT id FROM t QUALIFY row_number() OVER (ORDER BY id) = 1",
    "group by all": "SELECT g, count(*) AS v FROM t GROUP BY ALL ORDER BY g",
    "exclude": "SELECT * EXCLUDE (s) FROM t ORDER BY id",
    "date less date": "SELECT d - e AS v FROM t",
    "cast of a decimal": "SELECT CAST(x AS BIGINT) AS v FROM t",
    "text against number": "SELECT id FROM t WHERE s = 7",
}
