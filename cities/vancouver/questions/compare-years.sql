/*---
title = "How do two years compare by department?"
order = 4
prebuild = ["year", "compare"]
reads = ["curated.department_channel_month"]
description = "Two years side by side; only the months that are complete in both."
sentence = "{% set now = rows | sum(attribute='inquiries') %}{% set was = rows | sum(attribute='inquiries_before') %}{% set up = rows | sort(attribute='difference') | last %}{% set down = rows | sort(attribute='difference') | first %}{{ period }} had {{ now | number }} inquiries, {{ (now - was) | difference }}{% if was %} ({{ ((now - was) / was) | change }}){% endif %} on {{ comparison }}{% if up.difference > 0 %}; {{ up.department }} rose most ({{ up.difference | difference }}){% endif %}{% if down.difference < 0 %}, {{ down.department }} fell most ({{ down.difference | difference }}){% endif %}."

[period]
kind = "compare"
source = "inquiry-volume"

[parameters.year]
kind = "year"
default = 2024
[parameters.compare]
kind = "compare"
default = 2023
[parameters.channel]
kind = "value"
values_from = "curated.department_channel_month.channel"

[[columns]]
name = "department"
label = "Department"
[[columns]]
name = "inquiries_before"
label = "Before"
unit = "inquiries"
label_from = "comparison"
[[columns]]
name = "inquiries"
label = "Now"
unit = "inquiries"
label_from = "period"
[[columns]]
name = "difference"
label = "Change"
unit = "difference"
[[columns]]
name = "change"
label = "Change in %"
unit = "change"
description = "Not shown where the earlier count is below 30."
[[columns]]
name = "contribution"
label = "Part of the city's change"
unit = "share"
description = "The department's change as a share of the city's; the parts add up to 100 %."
adds_to = 1.0

[chart]
mark = "paired-bar"
x = "inquiries"
y = "department"
compare = "inquiries_before"
limit = 12
---*/
WITH totals AS (
  SELECT
    department,
    CAST(coalesce(sum(CASE WHEN month BETWEEN $from_month AND $to_month THEN inquiries END), 0) AS BIGINT) AS inquiries,
    CAST(coalesce(sum(CASE WHEN month BETWEEN $compare_from_month AND $compare_to_month THEN inquiries END), 0) AS BIGINT) AS inquiries_before
  FROM curated.department_channel_month
  WHERE (month BETWEEN $from_month AND $to_month OR month BETWEEN $compare_from_month AND $compare_to_month)
    AND ($channel IS NULL OR channel = $channel)
  GROUP BY department
)
SELECT
  department,
  inquiries_before,
  inquiries,
  inquiries - inquiries_before AS difference,
  CASE WHEN inquiries_before >= 30 THEN CAST(inquiries - inquiries_before AS DOUBLE) / inquiries_before END AS change,
  CAST(inquiries - inquiries_before AS DOUBLE) / nullif(sum(inquiries - inquiries_before) OVER (), 0) AS contribution
FROM totals
ORDER BY inquiries DESC, department
