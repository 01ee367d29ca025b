/*---
title = "Which types of inquiry rise and fall most?"
order = 6
reads = ["curated.type_month"]
description = "The ten types that rose most and the ten that fell most, by count; types below 30 inquiries in both years are left out."
sentence = "{% set up = rows | selectattr('difference', 'gt', 0) | list %}{% set down = rows | selectattr('difference', 'lt', 0) | list %}{% if up %}{{ up[0].inquiry_type }} rose most from {{ comparison }} to {{ period }}: {{ up[0].inquiries_before | number }} to {{ up[0].inquiries | number }}{% endif %}{% if up and down %}; {% endif %}{% if down %}{{ down[-1].inquiry_type }} fell most: {{ down[-1].inquiries_before | number }} to {{ down[-1].inquiries | number }}{% endif %}{% if not up and not down %}No type changed from {{ comparison }} to {{ period }}{% endif %}."

[period]
kind = "compare"
source = "inquiry-volume"

[parameters.year]
kind = "year"
default = "latest"
[parameters.compare]
kind = "compare"
default = "previous"
[parameters.department]
kind = "value"
values_from = "curated.type_month.department"

[[columns]]
name = "inquiry_type"
label = "Type"
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

[chart]
mark = "difference"
x = "difference"
y = "inquiry_type"
limit = 20
---*/
WITH totals AS (
  SELECT
    inquiry_type,
    CAST(coalesce(sum(CASE WHEN month BETWEEN $from_month AND $to_month THEN inquiries END), 0) AS BIGINT) AS inquiries,
    CAST(coalesce(sum(CASE WHEN month BETWEEN $compare_from_month AND $compare_to_month THEN inquiries END), 0) AS BIGINT) AS inquiries_before
  FROM curated.type_month
  WHERE (month BETWEEN $from_month AND $to_month OR month BETWEEN $compare_from_month AND $compare_to_month)
    AND ($department IS NULL OR department = $department)
  GROUP BY inquiry_type
),
ranked AS (
  SELECT
    *,
    inquiries - inquiries_before AS difference,
    row_number() OVER (ORDER BY inquiries - inquiries_before DESC, inquiry_type) AS from_top,
    row_number() OVER (ORDER BY inquiries - inquiries_before, inquiry_type) AS from_bottom
  FROM totals
  WHERE inquiries >= 30 OR inquiries_before >= 30
)
SELECT
  inquiry_type,
  inquiries_before,
  inquiries,
  difference,
  CASE WHEN inquiries_before >= 30 THEN CAST(difference AS DOUBLE) / inquiries_before END AS change
FROM ranked
WHERE (from_top <= 10 AND difference > 0) OR (from_bottom <= 10 AND difference < 0)
ORDER BY difference DESC, inquiry_type
