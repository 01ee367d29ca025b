/*---
title = "How few types make most of the work?"
order = 8
reads = ["curated.type_month"]
description = "The smallest number of types that together make 80 % of the inquiries of a year."
sentence = "In {{ period }}, {{ rows | length }} of {{ rows[0].of_types }} types made {{ rows[-1].cumulative_share | percent }} of all inquiries; the largest is {{ rows[0].inquiry_type }} ({{ rows[0].share | percent }})."

[period]
kind = "year"
source = "inquiry-volume"

[parameters.year]
kind = "year"
default = "latest"
[parameters.department]
kind = "value"
values_from = "curated.type_month.department"

[[columns]]
name = "place"
label = "Rank"
unit = "rank"
[[columns]]
name = "inquiry_type"
label = "Type"
[[columns]]
name = "inquiries"
label = "Inquiries"
unit = "inquiries"
[[columns]]
name = "share"
label = "Share"
unit = "share"
[[columns]]
name = "cumulative_share"
label = "Together"
unit = "share"
[[columns]]
name = "of_types"
label = "Types in all"
unit = "rank"

[chart]
mark = "bar"
x = "inquiries"
y = "inquiry_type"
limit = 15
---*/
WITH totals AS (
  SELECT inquiry_type, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.type_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($department IS NULL OR department = $department)
  GROUP BY inquiry_type
),
ranked AS (
  SELECT
    row_number() OVER (ORDER BY inquiries DESC, inquiry_type) AS place,
    inquiry_type,
    inquiries,
    CAST(inquiries AS DOUBLE) / sum(inquiries) OVER () AS share,
    CAST(sum(inquiries) OVER (ORDER BY inquiries DESC, inquiry_type) AS DOUBLE) / sum(inquiries) OVER () AS cumulative_share,
    count(*) OVER () AS of_types
  FROM totals
)
SELECT *
FROM ranked
WHERE cumulative_share - share < 0.8
ORDER BY place
