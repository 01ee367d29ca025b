-- What analysts ask of the curated tables, as portable SQL. A line `--# name` begins a mission.

--# top ten departments, ties told
WITH totals AS (
  SELECT department, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_month GROUP BY department
), placed AS (
  SELECT department, n, rank() OVER (ORDER BY n DESC) AS place FROM totals
)
SELECT place, department, n FROM placed WHERE place <= 10 ORDER BY place, department

--# top three types of each department
WITH totals AS (
  SELECT department, inquiry_type, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.type_month GROUP BY department, inquiry_type
), placed AS (
  SELECT *, row_number() OVER (PARTITION BY department ORDER BY n DESC, inquiry_type) AS place FROM totals
)
SELECT department, place, inquiry_type, n FROM placed WHERE place <= 3 ORDER BY department, place

--# bottom five types with more than ten inquiries
SELECT inquiry_type, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.type_month
GROUP BY inquiry_type HAVING sum(inquiries) > 10 ORDER BY n, inquiry_type LIMIT 5

--# the second page of the top ten
SELECT inquiry_type, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.type_month
GROUP BY inquiry_type ORDER BY n DESC, inquiry_type LIMIT 10 OFFSET 10

--# dense ranks where departments tie in months active
WITH active AS (SELECT department, count(*) AS months FROM curated.department_month WHERE NOT filled GROUP BY department)
SELECT department, months, dense_rank() OVER (ORDER BY months DESC) AS place FROM active ORDER BY place, department

--# year over year
WITH years AS (
  SELECT year, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_year WHERE year_complete GROUP BY year
)
SELECT year, n, lag(n) OVER (ORDER BY year) AS before, n - lag(n) OVER (ORDER BY year) AS change,
  CAST(n AS DOUBLE) / nullif(lag(n) OVER (ORDER BY year), 0) - 1 AS growth
FROM years ORDER BY year

--# the same month a year before
WITH months AS (
  SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month WHERE month_complete GROUP BY month
)
SELECT a.month, a.n, b.n AS before, round(100.0 * (a.n - b.n) / nullif(b.n, 0), 1) AS percent
FROM months AS a LEFT JOIN months AS b ON b.month = a.month - INTERVAL 1 YEAR ORDER BY a.month

--# month over month
WITH months AS (SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY month)
SELECT month, n, n - lag(n, 1, 0) OVER (ORDER BY month) AS change FROM months ORDER BY month

--# growth by department, none from nothing
SELECT a.department, b.inquiries AS before, a.inquiries AS after,
  CASE WHEN b.inquiries = 0 THEN NULL ELSE CAST(a.inquiries - b.inquiries AS DOUBLE) / b.inquiries END AS growth
FROM curated.department_year AS a JOIN curated.department_year AS b ON b.department = a.department AND b.year = a.year - 1
WHERE a.year_complete AND b.year_complete ORDER BY a.department, a.year

--# the largest rise and the largest fall
WITH changes AS (
  SELECT a.department, a.year, a.inquiries - b.inquiries AS change
  FROM curated.department_year AS a JOIN curated.department_year AS b ON b.department = a.department AND b.year = a.year - 1
)
SELECT 'rise' AS kind, department, year, change FROM changes WHERE change = (SELECT max(change) FROM changes)
UNION ALL
SELECT 'fall' AS kind, department, year, change FROM changes WHERE change = (SELECT min(change) FROM changes)
ORDER BY kind, department, year

--# shares of channels that sum to one
WITH totals AS (SELECT channel, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY channel),
shares AS (SELECT channel, CAST(n AS DOUBLE) / sum(n) OVER () AS share FROM totals)
SELECT channel, share, round(sum(share) OVER (), 9) AS whole FROM shares ORDER BY channel

--# shares of channels within each department
WITH totals AS (
  SELECT department, channel, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_channel_month GROUP BY department, channel
)
SELECT department, channel, n, CAST(n AS DOUBLE) / nullif(sum(n) OVER (PARTITION BY department), 0) AS share
FROM totals ORDER BY department, channel

--# percent rounded to one place
WITH totals AS (SELECT channel, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY channel)
SELECT channel, round(100.0 * n / nullif((SELECT sum(n) FROM totals), 0), 1) AS percent FROM totals ORDER BY channel

--# how much the three largest departments make
WITH totals AS (SELECT department, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_month GROUP BY department),
placed AS (SELECT n, row_number() OVER (ORDER BY n DESC, department) AS place FROM totals)
SELECT sum(CASE WHEN place <= 3 THEN n ELSE 0 END) / CAST(sum(n) AS DOUBLE) AS share FROM placed

--# concentration by the sum of squared shares
WITH totals AS (SELECT department, CAST(sum(inquiries) AS DOUBLE) AS n FROM curated.department_month GROUP BY department),
shares AS (SELECT n / sum(n) OVER () AS share FROM totals)
SELECT sum(share * share) AS herfindahl, 1 / sum(share * share) AS effective FROM shares

--# types that make eighty percent
WITH totals AS (SELECT inquiry_type, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.type_month GROUP BY inquiry_type),
running AS (
  SELECT inquiry_type, n,
    CAST(sum(n) OVER (ORDER BY n DESC, inquiry_type ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DOUBLE) / sum(n) OVER () AS together
  FROM totals
)
SELECT count(*) FILTER (WHERE together <= 0.8) AS types, count(*) AS of_types FROM running

--# three-month moving average
WITH months AS (SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY month)
SELECT month, n, round(avg(n) OVER (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), 3) AS smooth
FROM months ORDER BY month

--# centred twelve-month average, only where whole
WITH months AS (SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY month),
around AS (
  SELECT month, avg(n) OVER w AS smooth, count(*) OVER w AS months FROM months
  WINDOW w AS (ORDER BY month ROWS BETWEEN 6 PRECEDING AND 5 FOLLOWING)
)
SELECT month, CASE WHEN months = 12 THEN smooth END AS smooth FROM around ORDER BY month

--# cumulative within the year
WITH months AS (SELECT year, month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY year, month)
SELECT year, month, n, CAST(sum(n) OVER (PARTITION BY year ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS so_far
FROM months ORDER BY month

--# year to date against the year before
WITH months AS (
  SELECT c.year, c.month_of_year, CAST(sum(v.inquiries) AS BIGINT) AS n
  FROM curated.channel_month AS v JOIN curated.calendar AS c ON c.source = 'inquiry-volume' AND c.month = v.month
  WHERE v.month_complete GROUP BY c.year, c.month_of_year
), last_year AS (SELECT max(year) AS year FROM months),
upto AS (SELECT max(m.month_of_year) AS month FROM months AS m JOIN last_year AS l ON l.year = m.year)
SELECT m.year, CAST(sum(m.n) AS BIGINT) AS n FROM months AS m CROSS JOIN upto AS u CROSS JOIN last_year AS l
WHERE m.month_of_year <= u.month AND m.year >= l.year - 1 GROUP BY m.year ORDER BY m.year

--# median of months by department
WITH placed AS (
  SELECT department, inquiries, row_number() OVER (PARTITION BY department ORDER BY inquiries, month) AS place,
    count(*) OVER (PARTITION BY department) AS months
  FROM curated.department_month
)
SELECT department, avg(inquiries) AS median FROM placed
WHERE place BETWEEN months / 2.0 AND months / 2.0 + 1 GROUP BY department ORDER BY department

--# median by month of the year
WITH placed AS (
  SELECT month_of_year, inquiries, row_number() OVER (PARTITION BY month_of_year ORDER BY inquiries, department, month) AS place,
    count(*) OVER (PARTITION BY month_of_year) AS n
  FROM curated.department_month
)
SELECT month_of_year, avg(inquiries) AS median FROM placed
WHERE place BETWEEN n / 2.0 AND n / 2.0 + 1 GROUP BY month_of_year ORDER BY month_of_year

--# ninetieth percentile by nearest rank
WITH placed AS (
  SELECT department, inquiries, row_number() OVER (PARTITION BY department ORDER BY inquiries, month) AS place,
    count(*) OVER (PARTITION BY department) AS n
  FROM curated.department_month
)
SELECT department, min(inquiries) AS p90 FROM placed WHERE place >= ceil(0.9 * n) GROUP BY department ORDER BY department

--# quartiles by ntile
WITH totals AS (SELECT inquiry_type, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.type_month GROUP BY inquiry_type),
quarters AS (SELECT inquiry_type, n, ntile(4) OVER (ORDER BY n, inquiry_type) AS q FROM totals)
SELECT q, count(*) AS types, min(n) AS least, max(n) AS most, CAST(sum(n) AS BIGINT) AS n FROM quarters GROUP BY q ORDER BY q

--# percent rank and cumulative distribution
WITH totals AS (SELECT department, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_month GROUP BY department)
SELECT department, percent_rank() OVER (ORDER BY n) AS below, cume_dist() OVER (ORDER BY n) AS upto FROM totals ORDER BY department

--# channels side by side (a pivot, rewritten)
SELECT year,
  CAST(sum(CASE WHEN channel = 'Phone' THEN inquiries ELSE 0 END) AS BIGINT) AS phone,
  CAST(sum(CASE WHEN channel <> 'Phone' THEN inquiries ELSE 0 END) AS BIGINT) AS other,
  CAST(sum(inquiries) FILTER (WHERE channel LIKE '%Web%') AS BIGINT) AS web
FROM curated.channel_month GROUP BY year ORDER BY year

--# quarters side by side
SELECT department,
  CAST(coalesce(sum(inquiries) FILTER (WHERE quarter(month) = 1), 0) AS BIGINT) AS q1,
  CAST(coalesce(sum(inquiries) FILTER (WHERE quarter(month) = 2), 0) AS BIGINT) AS q2,
  CAST(coalesce(sum(inquiries) FILTER (WHERE quarter(month) = 3), 0) AS BIGINT) AS q3,
  CAST(coalesce(sum(inquiries) FILTER (WHERE quarter(month) = 4), 0) AS BIGINT) AS q4
FROM curated.department_month GROUP BY department ORDER BY department

--# columns to rows (an unpivot, rewritten)
SELECT month, 'offered' AS what, offered AS n FROM curated.centre_month
UNION ALL SELECT month, 'handled', handled FROM curated.centre_month
UNION ALL SELECT month, 'abandoned', abandoned FROM curated.centre_month
ORDER BY month, what

--# gaps of months without inquiries
WITH runs AS (
  SELECT department, month, filled,
    row_number() OVER (PARTITION BY department ORDER BY month) - row_number() OVER (PARTITION BY department, filled ORDER BY month) AS island
  FROM curated.department_month
)
SELECT department, min(month) AS first_month, max(month) AS last_month, count(*) AS months
FROM runs WHERE filled GROUP BY department, island ORDER BY department, first_month

--# islands of rising months
WITH months AS (SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY month),
told AS (SELECT month, CASE WHEN n > lag(n) OVER (ORDER BY month) THEN 1 ELSE 0 END AS rose FROM months),
runs AS (
  SELECT month, rose, row_number() OVER (ORDER BY month) - row_number() OVER (PARTITION BY rose ORDER BY month) AS island FROM told
)
SELECT min(month) AS first_month, count(*) AS months FROM runs WHERE rose = 1 GROUP BY island ORDER BY months DESC, first_month

--# the longest run of complete months
WITH runs AS (
  SELECT source, month, row_number() OVER (PARTITION BY source ORDER BY month) - row_number() OVER (PARTITION BY source, month_complete ORDER BY month) AS island, month_complete
  FROM curated.calendar
)
SELECT source, min(month) AS first_month, count(*) AS months FROM runs WHERE month_complete
GROUP BY source, island ORDER BY months DESC, source, first_month LIMIT 3

--# first and last month of each type
SELECT inquiry_type, min(month) AS first_month, max(month) AS last_month, date_diff('month', min(month), max(month)) + 1 AS span,
  count(DISTINCT month) AS months
FROM curated.type_month GROUP BY inquiry_type ORDER BY inquiry_type

--# types that came and types that went
WITH bounds AS (SELECT min(month) AS a, max(month) AS z FROM curated.type_month),
seen AS (SELECT inquiry_type, min(month) AS a, max(month) AS z FROM curated.type_month GROUP BY inquiry_type)
SELECT s.inquiry_type, s.a > b.a AS came, s.z < b.z AS went FROM seen AS s CROSS JOIN bounds AS b ORDER BY s.inquiry_type

--# types new in their last year
WITH firsts AS (SELECT inquiry_type, year(min(month)) AS first_year FROM curated.type_month GROUP BY inquiry_type)
SELECT first_year, count(*) AS types FROM firsts GROUP BY first_year ORDER BY first_year

--# rank changes between years
WITH placed AS (
  SELECT department, year, rank() OVER (PARTITION BY year ORDER BY inquiries DESC) AS place FROM curated.department_year
)
SELECT department, year, place, lag(place) OVER (PARTITION BY department ORDER BY year) - place AS climbed
FROM placed ORDER BY department, year

--# who led each month, ties together
WITH placed AS (
  SELECT month, department, inquiries, rank() OVER (PARTITION BY month ORDER BY inquiries DESC) AS place FROM curated.department_month
)
SELECT month, department, inquiries FROM placed WHERE place = 1 ORDER BY month, department

--# how often each department led
WITH placed AS (
  SELECT month, department, rank() OVER (PARTITION BY month ORDER BY inquiries DESC) AS place FROM curated.department_month
)
SELECT department, count(*) AS months FROM placed WHERE place = 1 GROUP BY department ORDER BY months DESC, department

--# best and worst month of each department
WITH placed AS (
  SELECT department, month, inquiries,
    row_number() OVER (PARTITION BY department ORDER BY inquiries DESC, month) AS high,
    row_number() OVER (PARTITION BY department ORDER BY inquiries, month) AS low
  FROM curated.department_month WHERE NOT filled
)
SELECT department, max(CASE WHEN high = 1 THEN month END) AS best, max(CASE WHEN low = 1 THEN month END) AS worst
FROM placed GROUP BY department ORDER BY department

--# monthly completeness by source
SELECT source, year, count(*) AS months, count(*) FILTER (WHERE month_complete) AS complete, bool_and(month_complete) AS whole,
  CAST(count(*) FILTER (WHERE month_complete) AS DOUBLE) / count(*) AS share
FROM curated.calendar GROUP BY source, year ORDER BY source, year

--# months that are missing
SELECT source, month FROM curated.calendar WHERE NOT has_rows ORDER BY source, month

--# years that may be compared
SELECT year FROM curated.calendar WHERE source = 'inquiry-volume' GROUP BY year HAVING bool_and(year_complete) ORDER BY year

--# per hundred thousand people
WITH people AS (SELECT * FROM (VALUES (2024, 756008), (2025, 762000), (2026, 770000)) AS v(year, people)),
years AS (SELECT year, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_year GROUP BY year)
SELECT y.year, y.n, p.people, round(100000.0 * y.n / p.people, 2) AS rate
FROM years AS y LEFT JOIN people AS p ON p.year = y.year ORDER BY y.year

--# inquiries per day of the month
SELECT c.month, CAST(sum(v.inquiries) AS DOUBLE) / min(c.days) AS per_day
FROM curated.channel_month AS v JOIN curated.calendar AS c ON c.source = 'inquiry-volume' AND c.month = v.month
GROUP BY c.month ORDER BY c.month

--# leap years have a day more
SELECT year, CAST(sum(days) AS BIGINT) AS days FROM curated.calendar WHERE source = 'inquiry-volume' GROUP BY year HAVING count(*) = 12 ORDER BY year

--# seasonality as an index around one
WITH months AS (SELECT year, month_of_year, CAST(sum(inquiries) AS DOUBLE) AS n FROM curated.department_month GROUP BY year, month_of_year),
against AS (SELECT month_of_year, n / avg(n) OVER (PARTITION BY year) AS relative FROM months)
SELECT month_of_year, avg(relative) AS season FROM against GROUP BY month_of_year ORDER BY month_of_year

--# months far from their season
WITH told AS (
  SELECT month, month_of_year, CAST(sum(inquiries) AS DOUBLE) AS n FROM curated.department_month GROUP BY month, month_of_year
), around AS (
  SELECT month, n, avg(n) OVER (PARTITION BY month_of_year) AS usual, stddev_pop(n) OVER (PARTITION BY month_of_year) AS spread FROM told
)
SELECT month, round((n - usual) / nullif(spread, 0), 6) AS score FROM around ORDER BY month

--# the trend as a line
WITH months AS (SELECT month, CAST(sum(inquiries) AS DOUBLE) AS n FROM curated.channel_month GROUP BY month),
counted AS (SELECT n, row_number() OVER (ORDER BY month) AS i FROM months)
SELECT regr_slope(n, i) AS slope, regr_intercept(n, i) AS start, corr(n, i) AS fit FROM counted

--# how channels move together
WITH wide AS (
  SELECT month, CAST(sum(CASE WHEN channel = 'Phone' THEN inquiries ELSE 0 END) AS DOUBLE) AS a,
    CAST(sum(CASE WHEN channel <> 'Phone' THEN inquiries ELSE 0 END) AS DOUBLE) AS b
  FROM curated.channel_month GROUP BY month
)
SELECT corr(a, b) AS together, covar_samp(a, b) AS covariance FROM wide

--# weighted service level of a year
SELECT year, sum(service_level * offered) / nullif(sum(offered), 0) AS service_level, avg(service_level) AS unweighted,
  CAST(sum(abandoned) AS DOUBLE) / nullif(sum(offered), 0) AS abandonment
FROM curated.centre_month GROUP BY year ORDER BY year

--# months that missed the service target
SELECT month, service_level, CASE WHEN service_level >= 0.8 THEN 'met' WHEN service_level IS NULL THEN 'unknown' ELSE 'missed' END AS target
FROM curated.centre_month ORDER BY month

--# calls that do not add up
SELECT month, offered - handled - abandoned AS other FROM curated.centre_month WHERE offered <> handled + abandoned ORDER BY month

--# bands of departments by size
WITH totals AS (SELECT department, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.department_month GROUP BY department)
SELECT CASE WHEN n >= 10000 THEN 'large' WHEN n >= 1000 THEN 'middle' ELSE 'small' END AS band, count(*) AS departments, CAST(sum(n) AS BIGINT) AS n
FROM totals GROUP BY CASE WHEN n >= 10000 THEN 'large' WHEN n >= 1000 THEN 'middle' ELSE 'small' END ORDER BY band

--# a histogram in steps of a hundred
SELECT floor(inquiries / 100) * 100 AS step, count(*) AS months FROM curated.department_month
GROUP BY floor(inquiries / 100) * 100 ORDER BY step

--# departments without a channel
SELECT d.department, c.channel FROM (SELECT DISTINCT department FROM curated.department_channel_month) AS d
CROSS JOIN (SELECT DISTINCT channel FROM curated.channel_month) AS c
LEFT JOIN (SELECT DISTINCT department, channel FROM curated.department_channel_month) AS k ON k.department = d.department AND k.channel = c.channel
WHERE k.channel IS NULL ORDER BY d.department, c.channel

--# types shared by departments
SELECT inquiry_type, count(DISTINCT department) AS departments FROM curated.type_month
GROUP BY inquiry_type HAVING count(DISTINCT department) > 1 ORDER BY departments DESC, inquiry_type

--# types of this year that were not of the last
WITH latest AS (SELECT max(year(month)) AS year FROM curated.type_month)
SELECT DISTINCT inquiry_type FROM curated.type_month AS t JOIN latest AS l ON year(t.month) = l.year
EXCEPT
SELECT DISTINCT inquiry_type FROM curated.type_month AS t JOIN latest AS l ON year(t.month) = l.year - 1
ORDER BY inquiry_type

--# types of both years
WITH latest AS (SELECT max(year(month)) AS year FROM curated.type_month)
SELECT inquiry_type FROM curated.type_month AS t JOIN latest AS l ON year(t.month) = l.year
INTERSECT
SELECT inquiry_type FROM curated.type_month AS t JOIN latest AS l ON year(t.month) = l.year - 1
ORDER BY inquiry_type

--# words in the names of types
SELECT split_part(inquiry_type, ' ', 1) AS word, count(DISTINCT inquiry_type) AS types FROM curated.type_month
GROUP BY split_part(inquiry_type, ' ', 1) ORDER BY types DESC, word

--# types found by a word
SELECT DISTINCT inquiry_type FROM curated.type_month WHERE contains(lower(inquiry_type), 'request') ORDER BY inquiry_type

--# names with a code before the dash
SELECT DISTINCT department, regexp_extract(department, '^([A-Z]+) - ', 1) AS code, length(department) AS letters
FROM curated.department_month ORDER BY department

--# renamed departments
SELECT department, department_current, count(*) AS lines, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.volume
WHERE department <> department_current GROUP BY department, department_current ORDER BY department, department_current

--# lines that stand twice
SELECT department, inquiry_type, channel, month, count(*) AS lines FROM curated.volume
GROUP BY department, inquiry_type, channel, month HAVING count(*) > 1 ORDER BY department, inquiry_type, channel, month

--# totals reconcile between tables
SELECT 'volume' AS of, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.volume
UNION ALL SELECT 'channels', CAST(sum(inquiries) AS BIGINT) FROM curated.channel_month
UNION ALL SELECT 'departments', CAST(sum(inquiries) AS BIGINT) FROM curated.department_month
UNION ALL SELECT 'types', CAST(sum(inquiries) AS BIGINT) FROM curated.type_month
ORDER BY of

--# weekdays on which months begin
SELECT dayname(month) AS day, count(*) AS months FROM curated.calendar WHERE source = 'inquiry-volume'
GROUP BY dayname(month) ORDER BY months DESC, day

--# months written for a reader
SELECT strftime(month, '%B %Y') AS told, strftime(month, '%b-%y') AS short, last_day(month) AS ends, isoyear(month) AS iso, week(month) AS week
FROM curated.calendar WHERE source = 'inquiry-volume' ORDER BY month

--# fiscal years
SELECT fiscal_year, min(month) AS begins, max(last_day(month)) AS ends, bool_and(fiscal_year_complete) AS whole
FROM curated.calendar WHERE source = 'inquiry-volume' GROUP BY fiscal_year ORDER BY fiscal_year

--# departments above the average of all
SELECT department, year, inquiries FROM curated.department_year AS d
WHERE inquiries > (SELECT avg(u.inquiries) FROM curated.department_year AS u WHERE u.year = d.year) ORDER BY year, department

--# departments that never had a month without
SELECT DISTINCT department FROM curated.department_month AS d
WHERE NOT EXISTS (SELECT 1 FROM curated.department_month AS u WHERE u.department = d.department AND u.filled) ORDER BY department

--# departments in every year
SELECT department FROM curated.department_year GROUP BY department
HAVING count(DISTINCT year) = (SELECT count(DISTINCT year) FROM curated.department_year) ORDER BY department

--# first value against the last
WITH ends AS (
  SELECT department, month, first_value(inquiries) OVER w AS first, last_value(inquiries) OVER w AS last
  FROM curated.department_month
  WINDOW w AS (PARTITION BY department ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT DISTINCT department, first, last FROM ends ORDER BY department

--# halves of a tie split by name
WITH totals AS (SELECT department, count(*) AS months FROM curated.department_month GROUP BY department)
SELECT department, months, row_number() OVER (PARTITION BY months ORDER BY department) AS place, count(*) OVER (PARTITION BY months) AS tied
FROM totals ORDER BY months DESC, place

--# an index with the first month as a hundred
WITH months AS (SELECT month, CAST(sum(inquiries) AS BIGINT) AS n FROM curated.channel_month GROUP BY month)
SELECT month, round(100.0 * n / first_value(n) OVER (ORDER BY month), 2) AS index FROM months ORDER BY month
