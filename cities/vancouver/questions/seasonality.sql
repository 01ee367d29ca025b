/*---
title = "Which months are busiest?"
order = 7
reads = ["curated.department_channel_month"]
description = "Each month against the mean month of its year, averaged over all complete years: 1.00 is an average month."
sentence = "{% set high = rows | sort(attribute='seasonal_index') | last %}{% set low = rows | sort(attribute='seasonal_index') | first %}{{ high.month_name }} is the busiest month, {{ high.seasonal_index | decimal(2) }} times an average one, and {{ low.month_name }} the quietest ({{ low.seasonal_index | decimal(2) }}), over {{ high.years }} complete years."

[period]
kind = "complete-years"
source = "inquiry-volume"

[parameters.department]
kind = "value"
values_from = "curated.department_channel_month.department"
[parameters.channel]
kind = "value"
values_from = "curated.department_channel_month.channel"

[[columns]]
name = "month_of_year"
label = "No."
unit = "rank"
[[columns]]
name = "month_name"
label = "Month"
[[columns]]
name = "seasonal_index"
label = "Index"
unit = "index"
[[columns]]
name = "lowest"
label = "Lowest year"
unit = "index"
[[columns]]
name = "highest"
label = "Highest year"
unit = "index"
[[columns]]
name = "years"
label = "Years"
unit = "rank"

[chart]
mark = "bar"
x = "seasonal_index"
y = "month_name"
limit = 12
---*/
WITH totals AS (
  SELECT year, month_of_year, sum(inquiries) AS inquiries
  FROM curated.department_channel_month
  WHERE month BETWEEN $from_month AND $to_month
    AND ($department IS NULL OR department = $department)
    AND ($channel IS NULL OR channel = $channel)
  GROUP BY year, month_of_year
),
ratios AS (
  SELECT year, month_of_year, CAST(inquiries AS DOUBLE) / nullif(sum(inquiries) OVER (PARTITION BY year) / 12.0, 0) AS ratio
  FROM totals
)
SELECT
  month_of_year,
  CASE month_of_year
    WHEN 1 THEN 'January' WHEN 2 THEN 'February' WHEN 3 THEN 'March' WHEN 4 THEN 'April'
    WHEN 5 THEN 'May' WHEN 6 THEN 'June' WHEN 7 THEN 'July' WHEN 8 THEN 'August'
    WHEN 9 THEN 'September' WHEN 10 THEN 'October' WHEN 11 THEN 'November' WHEN 12 THEN 'December'
  END AS month_name,
  avg(ratio) AS seasonal_index,
  min(ratio) AS lowest,
  max(ratio) AS highest,
  count(*) AS years
FROM ratios
GROUP BY month_of_year
ORDER BY month_of_year
