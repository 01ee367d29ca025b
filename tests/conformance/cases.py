"""The cases: what is asked of every engine, as portable SQL over the table `t`."""

from __future__ import annotations

from cityline.dialect.functions import FUNCTIONS
from tests.conformance.data import FORMATS

_ONE = {
    "texts": "s", "numbers": "x", "choices": "n", "dates": "d", "aggregates": "n",
}  # fmt: skip
_EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "trim": ("trim(s)", "trim(concat(chr(160), s, ' '))"),
    "ltrim": ("ltrim(s)", "ltrim(concat(chr(160), s))"),
    "rtrim": ("rtrim(s)", "rtrim(concat(s, chr(160)))"),
    "left": ("left(s, 3)", "left(s, 0)", "left(s, strpos(s, ' ') - 1)", "left(s, m - 2)"),
    "right": ("right(s, 3)", "right(s, 100)", "right(s, strpos(s, ' ') - 1)", "right(s, -2)"),
    "substr": (
        "substr(s, 2)", "substr(s, 2, 3)", "substr(s, 50, 2)", "substr(s, strpos(s, ' '))",
        "substr(s, strpos(s, 'e'), 2)", "substr(s, 1, strpos(s, 'e'))", "substr(s, 2, m)",
    ),
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
    "mod": ("mod(n, 3)", "mod(-7, m + 1)", "mod(n, nullif(m, 0))"),
    "pi": ("pi()",),
    "abs": ("abs(x)", "abs(n)"),
    "sqrt": ("sqrt(abs(x))",),
    "ln": ("ln(abs(x) + 1)", "ln(x)", "ln(m)"),
    "log": ("log(abs(x) + 1)", "log(x)"),
    "log2": ("log2(abs(x) + 1)", "log2(x)"),
    "log10": ("log10(abs(x) + 1)", "log10(x)"),
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
    "bit_count": ("bit_count(n)", "bit_count(-n - 1)", "bit_count(-m - 1)"),
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
    "make_date": ("make_date(2024, m % 12 + 1, 28)", "make_date(1900 + 100 * (m % 3), 2, 28)"),
    "date_trunc": tuple(f"date_trunc('{u}', {c})" for u in ("day", "week", "month", "quarter", "year") for c in ("d", "ts")),
    "datetrunc": ("datetrunc('month', d)",),
    "date_diff": tuple(f"date_diff('{u}', d, e)" for u in ("day", "month", "quarter", "year")),
    "datediff": ("datediff('month', d, DATE '2024-03-31')",),
    "strftime": ("strftime(d, '%Y-%m-%d')", "strftime(d, '%b %Y')", "strftime(d, '%d/%m/%y')", "strftime(ts, '%H:%M:%S')", "strftime(d, 'Week of %d')", "strftime(d, '%d de %B, %Y')"),
    "to_days": ("d + to_days(5)",),
    "to_months": ("d + to_months(1)",),
    "to_years": ("d + to_years(-1)",),
    "try_strptime": (
        "try_strptime(s, '%Y-%m-%d')", "try_strptime('Jul-23', '%b-%y')",
        "try_strptime('31/04/2024', '%d/%m/%Y')", "try_strptime('September 2023', '%B %Y')",
        "try_strptime('02/29/2024 11:05:00 PM', '%m/%d/%Y %I:%M:%S %p')",
        "try_strptime(' 2024-01-02\t', '%Y-%m-%d')", "try_strptime('5/6/24', '%d/%m/%Y')",
        "try_strptime('Jul-3', '%b-%y')", "try_strptime('MAR   2024', '%b %Y')",
        "try_strptime('2024-1-2  3:4:5', '%Y-%m-%d %H:%M:%S')", "try_strptime('20241', '%Y%m')",
        "try_strptime('2024-13-01', '%Y-%m-%d')", "try_strptime('2024-02-30', '%Y-%m-%d')",
    ),
    "epoch": ("epoch(d)", "epoch(ts)"),
    "timezone": ("timezone('UTC', ts)",),
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
    "remainder": "SELECT id, n % nullif(m, 0) AS v, -7 % 3 AS w, 7 % -3 AS z FROM t ORDER BY id",
    "remainder by zero": "SELECT id, n % m AS v FROM t ORDER BY id",
    "mod by zero": "SELECT id, mod(n, m) AS v FROM t ORDER BY id",
    "a day that is none": "SELECT id, make_date(2023, 2, 28 + m) AS v FROM t ORDER BY id",
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
    "is true": "SELECT id, b IS TRUE AS v, b IS NOT TRUE AS w, b IS FALSE AS x, b IS NOT FALSE AS y FROM t ORDER BY id",
    "a letter beyond 255": "SELECT chr(300) AS v",
    "a position below 0": "SELECT id, substr(s, m - 9) AS v FROM t ORDER BY id",
    "digits below 0": "SELECT id, round(x, -3) AS v FROM t ORDER BY id",
    "an expression of a result": "SELECT -n AS n FROM t ORDER BY n + 1, id",
    "a frame without its row": "SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) AS v FROM t ORDER BY id",
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


def _hard(expression: str, where: str = "TRUE") -> str:
    return f"SELECT id, {expression} AS v FROM hard WHERE {where} ORDER BY id"


def _written() -> str:
    read = (f"try_strptime(s, '{code}') AS v{at}" for at, code in enumerate(FORMATS))
    return f"SELECT id, {', '.join(read)} FROM written ORDER BY id"


HARD = {
    "decimals add and compare": "SELECT id, c + p AS v, c - 0.5 AS w, c = 12.5 AS x, c > 2.675 AS y, c IN (2.67, 0.1) AS z FROM hard ORDER BY id",
    "decimals round": "SELECT id, round(p, 2) AS v, round(c, 1) AS w, round(2.675, 2) AS x, round(0.285, 2) AS y FROM hard ORDER BY id",
    "decimals made whole": "SELECT id, ceil(c) AS v, floor(p) AS w, trunc(p) AS x, CAST(ceil(p) AS VARCHAR) AS y FROM hard ORDER BY id",
    "decimals divide": "SELECT id, c / p AS v, p / 0 AS w, c % 3 AS x, mod(p, 2) AS y FROM hard WHERE id NOT IN (7, 8, 19, 20) ORDER BY id",
    "decimals in aggregates": "SELECT g, sum(c) AS v, avg(p) AS w, min(c) AS x, max(p) AS y, count(DISTINCT c) AS z FROM hard GROUP BY g ORDER BY g",
    "decimals as texts and others": "SELECT id, CAST(c AS VARCHAR) AS v, CAST(p AS DECIMAL(9, 2)) AS w, CAST(c AS DOUBLE) AS x, CAST(round(p) AS BIGINT) AS y FROM hard ORDER BY id",
    "a product of decimals": _hard("c * p"),
    "decimal overflow": _hard("CAST(c AS DECIMAL(5, 2))"),
    "a literal times a decimal": _hard("c * 1.5"),
    "not a number compared": _hard(
        "CASE WHEN z > 1 THEN 'more' WHEN z = w THEN 'same' ELSE 'less' END"
    ),
    "not a number chosen": "SELECT id, nullif(z, w) AS v, greatest(z, w) AS x, least(z, w, 1.5) AS y, z IN (w, 1.5) AS a, z BETWEEN w AND 9 AS b, CASE z WHEN w THEN 1 ELSE 2 END AS c FROM hard ORDER BY id",
    "not a number in groups": "SELECT z AS v, count(*) AS w FROM hard GROUP BY z ORDER BY z",
    "not a number in aggregates": "SELECT g, min(z) AS v, max(z) AS w, sum(z) AS x, count(DISTINCT z) AS y FROM hard GROUP BY g ORDER BY g",
    "not a number downwards": "SELECT id, z AS v FROM hard ORDER BY z DESC, id",
    "not a number in a window": "SELECT id, max(w) OVER (ORDER BY z DESC, id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS v FROM hard ORDER BY id",
    "not a number joined": "SELECT a.id AS v, b.id AS w FROM hard AS a JOIN hard AS b ON a.z = b.w AND a.id < 13 ORDER BY v, w",
    "not a number in a query": "SELECT id FROM hard WHERE z IN (SELECT w FROM hard) ORDER BY id",
    "not a number, distinct, downwards": "SELECT DISTINCT z AS v FROM hard ORDER BY v DESC",
    "infinities and zeros divide": "SELECT id, z / w AS v, q / z AS w, -z AS x FROM hard ORDER BY id",
    "infinities rounded": "SELECT id, floor(z) AS v, ceil(z) AS w, round(z, 1) AS x, trunc(z) AS y, sign(z) AS s FROM hard WHERE NOT isnan(z) ORDER BY id",
    "not a number rounded": "SELECT id, floor(z) AS v, ceil(z) AS w, round(z) AS x, trunc(z) AS y, sign(z) AS w2 FROM hard ORDER BY id",
    "a double as a text": _hard("CAST(z AS VARCHAR)"),
    "a double as a decimal": _hard("CAST(z AS DECIMAL(9, 1))"),
    "double overflow": _hard("CAST(k AS DOUBLE) * 1e300"),
    "integer limits": "SELECT id, k AS v, k - 1 AS w FROM hard WHERE id IN (1, 3, 4, 5, 7) ORDER BY id",
    "integer overflow in a sum": "SELECT sum(k) AS v FROM hard",
    "integer overflow in a product": _hard("k * 2"),
    "integer overflow in an addition": _hard("k + 1", "id = 1"),
    "integer overflow in a negation": _hard("-k", "id = 2"),
    "integer overflow in abs": _hard("abs(k)", "id = 2"),
    "integer overflow in a cast": _hard("CAST(k AS INTEGER)"),
    "integers that do not fit": _hard("TRY_CAST(k AS INTEGER)"),
    "an integer of two bytes": _hard("CAST(q AS SMALLINT) * 30000"),
    "a sign multiplied": _hard("sign(q) * 100 * 2"),
    "very long texts": "SELECT id, length(s) AS v, md5(s) AS w, right(s, 2) AS x, length(replace(s, 'Ü', 'ü')) AS y FROM long ORDER BY id",
    "very long texts compared": "SELECT a.id AS v, b.id AS w, a.s = b.s AS x, a.s < b.s AS y FROM long AS a CROSS JOIN long AS b ORDER BY v, w",
    "special letters": "SELECT id, upper(s) AS v, lower(s) AS w, length(s) AS x, strlen(s) AS y, left(s, 2) AS z FROM hard ORDER BY id",
    "special letters sorted": "SELECT s AS v FROM hard ORDER BY s, id",
    "special letters compared": "SELECT a.id AS v, b.id AS w FROM hard AS a JOIN hard AS b ON lower(a.s) = lower(b.s) AND a.id <> b.id ORDER BY v, w",
    "edits of letters": _hard("levenshtein(left(s, 3), 'é')"),
    "moments as texts": _hard("CAST(ts AS VARCHAR)"),
    "moments to the microsecond": "SELECT id, strftime(ts, '%H:%M:%S') AS v, dayname(ts) AS w, date_trunc('day', ts) AS x, second(ts) AS y FROM hard ORDER BY id",
    "moments as people write them": _written(),
    "moments less moments": _hard("ts - ts"),
    "a clock of Vancouver": _hard("ts AT TIME ZONE 'UTC' AT TIME ZONE 'America/Vancouver'"),
    "a clock of Vancouver by offsets": "SELECT h.id, CASE WHEN o.summer THEN h.ts - INTERVAL 7 HOUR ELSE h.ts - INTERVAL 8 HOUR END AS v FROM hard AS h LEFT JOIN (VALUES (TIMESTAMP '2024-03-10 10:00:00', TIMESTAMP '2024-11-03 09:00:00', TRUE)) AS o(a, z, summer) ON h.ts >= o.a AND h.ts < o.z ORDER BY h.id",
    "a clock's time as a moment": _hard("ts AT TIME ZONE 'America/Vancouver'"),
    "rows that stand twice": "SELECT g, q, c, z, count(*) AS v FROM hard GROUP BY g, q, c, z ORDER BY g, q, c, z",
    "rows that stand twice, once": "SELECT DISTINCT g, q, c, s FROM hard ORDER BY g, q, c, s",
    "ties at the top": "SELECT id, rank() OVER (ORDER BY q DESC) AS v, dense_rank() OVER (ORDER BY q DESC) AS w, row_number() OVER (ORDER BY q DESC, id) AS x FROM hard ORDER BY id",
    "filters that leave none": "SELECT g, sum(q) FILTER (WHERE q > 99) AS v, count(*) FILTER (WHERE q > 99) AS w, avg(c) FILTER (WHERE q > 99) AS x FROM hard GROUP BY g ORDER BY g",
    "lines through a point": "SELECT g, corr(q, 1) AS v, regr_slope(1, q) AS w, corr(c, p) AS x FROM hard GROUP BY g ORDER BY g",
    "a text joined with a number": _hard("s || q"),
    "the length of a number": _hard("length(q)"),
}
"""Over `hard` and `long`: what is at the edge of a type."""
ERRORS = frozenset({
    "remainder by zero", "mod by zero", "a day that is none", "overflow", "text against number",
    "a product of decimals", "decimal overflow", "a double as a decimal", "an integer of two bytes",
    "integer overflow in a product", "integer overflow in an addition", "integer overflow in abs",
    "integer overflow in a negation", "integer overflow in a cast", "a sign multiplied",
    "the length of a number",
})  # fmt: skip
"""Cases that DuckDB answers with an error, so that no engine may answer them; it answers all others."""
