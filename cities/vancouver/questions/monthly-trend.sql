/*---
title = "How do inquiries change by month?"
order = 2
reads = ["curated.department_channel_month"]
description = "Inquiries by month since collection began. Incomplete months are marked provisional."
sentence = "{% set done = rows | rejectattr('provisional') | list %}{% set last = done[-1] %}3-1-1 took {{ last.inquiries | number }} inquiries in {{ last.month | month }}{% if last.change is not none %}, {{ last.change | change }} on the same month a year earlier{% endif %}."

[period]
kind = "trend"
source = "inquiry-volume"

[parameters.department]
kind = "value"
values_from = "curated.department_channel_month.department"
[parameters.channel]
kind = "value"
values_from = "curated.department_channel_month.channel"

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
WITH totals AS (
  SELECT month, CAST(sum(inquiries) AS BIGINT) AS inquiries, bool_and(month_complete) AS month_complete
  FROM curated.department_channel_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($department IS NULL OR department = $department)
    AND ($channel IS NULL OR channel = $channel)
  GROUP BY month
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
