/*---
description = "Inquiries by department and calendar year, with how many of its months are complete."
reads = ["curated.department_month", "curated.calendar"]
grain = ["department", "year"]
order_by = ["year", "department"]

[reconciles]
inquiries = "curated.department_month.inquiries"

[[columns]]
name = "department"
description = "The department's name in use now."
[[columns]]
name = "year"
description = "Calendar year."
[[columns]]
name = "inquiries"
description = "Inquiries counted."
unit = "inquiries"
[[columns]]
name = "months_complete"
description = "Complete months of the year for the city."
unit = "months"
[[columns]]
name = "year_complete"
description = "Whether all twelve are; only such years may be compared whole."

[[tests]]
name = "a year with eleven complete months is not complete"
[tests.given]
"curated.department_month" = [
  { department = "A", year = 2023, inquiries = 5 },
  { department = "A", year = 2023, inquiries = 6 },
  { department = "A", year = 2024, inquiries = 1 },
]
"curated.calendar" = [
  { source = "inquiry-volume", year = 2023, month_complete = true, year_complete = true },
  { source = "inquiry-volume", year = 2024, month_complete = true, year_complete = false },
  { source = "inquiry-volume", year = 2024, month_complete = false, year_complete = false },
]
[[tests.expect]]
department = "A"
year = 2023
inquiries = 11
months_complete = 1
year_complete = true
[[tests.expect]]
department = "A"
year = 2024
inquiries = 1
months_complete = 1
year_complete = false
---*/
WITH years AS (
  SELECT
    year,
    CAST(count(*) FILTER (WHERE month_complete) AS INTEGER) AS months_complete,
    bool_and(year_complete) AS year_complete
  FROM curated.calendar
  WHERE source = 'inquiry-volume'
  GROUP BY year
),
totals AS (
  SELECT department, year, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.department_month
  GROUP BY department, year
)
SELECT t.department, t.year, t.inquiries, y.months_complete, y.year_complete
FROM totals AS t
JOIN years AS y ON y.year = t.year
