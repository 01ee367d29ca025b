/*---
title = "How does one type of inquiry change by month?"
order = 10
page = "facets"
reads = ["curated.type_month"]
description = "Inquiries of one type by month since collection began. Incomplete months are marked provisional; a month without a row counts as none only between the first and the last month of the type."
sentence = "{% set done = rows | rejectattr('provisional') | list %}{% if done %}{% set last = done[-1] %}{{ parameters.inquiry_type | default('All types', true) }}: {{ last.inquiries | number }} inquiries in {{ last.month | month }}{% if last.change is not none %}, {{ last.change | change }} on the same month a year earlier{% endif %}{% else %}{{ parameters.inquiry_type | default('All types', true) }} has no complete month yet{% endif %}."

[period]
kind = "trend"
source = "inquiry-volume"

[parameters.inquiry_type]
kind = "value"
values_from = "curated.type_month.inquiry_type"
[parameters.department]
kind = "value"
values_from = "curated.type_month.department"

[[columns]]
name = "month"
label = "Month"
unit = "month"
[[columns]]
name = "inquiries"
label = "Inquiries"
unit = "inquiries"
[[columns]]
name = "change"
label = "On a year earlier"
unit = "change"
description = "Against the same month of the year before; only between complete months, and not below 30 inquiries."
[[columns]]
name = "provisional"
label = "Provisional"
description = "The month is incomplete."

[chart]
mark = "line"
x = "month"
y = "inquiries"
provisional = "provisional"
---*/
WITH city AS (
  SELECT month, bool_and(month_complete) AS month_complete
  FROM curated.type_month
  WHERE month BETWEEN $from_month AND $to_month
  GROUP BY month
),
counted AS (
  SELECT month, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.type_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($inquiry_type IS NULL OR inquiry_type = $inquiry_type)
    AND ($department IS NULL OR department = $department)
  GROUP BY month
),
totals AS (
  SELECT c.month, coalesce(n.inquiries, 0) AS inquiries, c.month_complete
  FROM city AS c
  LEFT JOIN counted AS n ON n.month = c.month
  WHERE c.month BETWEEN (SELECT min(month) FROM counted) AND (SELECT max(month) FROM counted)
)
SELECT
  t.month,
  t.inquiries,
  CASE
    WHEN t.month_complete AND e.month_complete AND e.inquiries >= 30
    THEN CAST(t.inquiries - e.inquiries AS DOUBLE) / e.inquiries
  END AS change,
  NOT t.month_complete AS provisional
FROM totals AS t
LEFT JOIN totals AS e
  ON year(e.month) = year(t.month) - 1 AND month(e.month) = month(t.month)
ORDER BY t.month
