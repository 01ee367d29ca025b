/*---
title = "Through which channels do inquiries come?"
order = 5
reads = ["curated.department_channel_month"]
description = "Share of each channel in the last ten complete years."
sentence = "{% set last = rows | map(attribute='year') | max %}{% set now = rows | selectattr('year', 'equalto', last) | list %}{{ now[0].channel }} carried {{ now[0].share | percent }} of inquiries in {{ last }}{% if now[0].shift is not none %}, {{ now[0].shift | points }} on {{ last - 1 }}{% endif %}."

[period]
kind = "complete-years"
source = "inquiry-volume"
last_years = 10

[parameters.department]
kind = "value"
values_from = "curated.department_channel_month.department"

[[columns]]
name = "year"
label = "Year"
unit = "year"
[[columns]]
name = "channel"
label = "Channel"
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
[[columns]]
name = "shift"
label = "Shift on a year earlier"
unit = "points"
description = "In percentage points."

[chart]
mark = "stacked-bar"
x = "year"
y = "share"
series = "channel"
---*/
WITH totals AS (
  SELECT year, channel, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.department_channel_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($department IS NULL OR department = $department)
  GROUP BY year, channel
),
shares AS (
  SELECT year, channel, inquiries, CAST(inquiries AS DOUBLE) / sum(inquiries) OVER (PARTITION BY year) AS share
  FROM totals
)
SELECT
  s.year,
  s.channel,
  s.inquiries,
  s.share,
  (s.share - e.share) * 100 AS shift
FROM shares AS s
LEFT JOIN shares AS e ON e.channel = s.channel AND e.year = s.year - 1
ORDER BY s.year, s.inquiries DESC, s.channel
