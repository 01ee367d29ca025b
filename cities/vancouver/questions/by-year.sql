/*---
title = "How does the distribution among departments differ by year?"
order = 3
reads = ["curated.department_channel_month"]
description = "Share of each of the ten largest departments in the last ten complete years; the others together."
sentence = "{% set last = rows | map(attribute='year') | max %}{% set first = rows | map(attribute='year') | min %}{% set now = rows | selectattr('year', 'equalto', last) | rejectattr('department', 'equalto', 'All other departments') | list %}{% set was = rows | selectattr('year', 'equalto', first) | selectattr('department', 'equalto', now[0].department) | list %}{{ now[0].department }} made up {{ now[0].share | percent }} of all inquiries in {{ last }}{% if was and first != last %}, against {{ was[0].share | percent }} in {{ first }}{% endif %}."

[period]
kind = "complete-years"
source = "inquiry-volume"
last_years = 10

[parameters.channel]
kind = "value"
values_from = "curated.department_channel_month.channel"

[[columns]]
name = "year"
label = "Year"
unit = "year"
[[columns]]
name = "department"
label = "Department"
[[columns]]
name = "inquiries"
label = "Inquiries"
unit = "inquiries"
[[columns]]
name = "share"
label = "Share of the year"
unit = "share"
adds_to = 1.0
adds_per = "year"

[chart]
mark = "heatmap"
x = "year"
y = "department"
value = "share"
---*/
WITH chosen AS (
  SELECT year, department, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.department_channel_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($channel IS NULL OR channel = $channel)
  GROUP BY year, department
),
largest AS (
  SELECT department, row_number() OVER (ORDER BY sum(inquiries) DESC, department) AS place
  FROM chosen
  GROUP BY department
),
named AS (
  SELECT
    c.year,
    CASE WHEN l.place <= 10 THEN c.department ELSE 'All other departments' END AS department,
    CAST(sum(c.inquiries) AS BIGINT) AS inquiries,
    min(CASE WHEN l.place <= 10 THEN l.place ELSE 11 END) AS place
  FROM chosen AS c
  JOIN largest AS l ON l.department = c.department
  GROUP BY c.year, CASE WHEN l.place <= 10 THEN c.department ELSE 'All other departments' END
)
SELECT
  year,
  department,
  inquiries,
  CAST(inquiries AS DOUBLE) / sum(inquiries) OVER (PARTITION BY year) AS share
FROM named
ORDER BY year, place
