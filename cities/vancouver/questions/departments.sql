/*---
title = "Which departments receive the most inquiries?"
order = 1
prebuild = ["year"]
reads = ["curated.department_channel_month"]
description = "Inquiries by department in one year."
sentence = "{{ rows[0].department }} received the most inquiries in {{ period }}: {{ rows[0].inquiries | number }}, {{ rows[0].share | percent }} of all."

[period]
kind = "year"
source = "inquiry-volume"

[parameters.year]
kind = "year"
default = "latest"
[parameters.channel]
kind = "value"
values_from = "curated.department_channel_month.channel"

[[columns]]
name = "rank"
label = "Rank"
unit = "rank"
[[columns]]
name = "department"
label = "Department"
[[columns]]
name = "inquiries"
label = "Inquiries"
unit = "inquiries"
[[columns]]
name = "share"
label = "Share"
unit = "share"
description = "Of all inquiries shown."
adds_to = 1.0

[chart]
mark = "bar"
x = "inquiries"
y = "department"
limit = 15
---*/
WITH totals AS (
  SELECT department, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.department_channel_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($channel IS NULL OR channel = $channel)
  GROUP BY department
)
SELECT
  rank() OVER (ORDER BY inquiries DESC) AS rank,
  department,
  inquiries,
  CAST(inquiries AS DOUBLE) / sum(inquiries) OVER () AS share
FROM totals
ORDER BY inquiries DESC, department
