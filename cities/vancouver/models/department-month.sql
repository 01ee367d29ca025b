/*---
description = "Inquiries by department and month, with months in which a department had none filled with 0 between its first and last. A month the whole city lacks stays absent."
reads = ["curated.department_channel_month", "curated.calendar"]
grain = ["department", "month"]
order_by = ["department", "month"]

[reconciles]
inquiries = "curated.department_channel_month.inquiries"

[[columns]]
name = "department"
description = "The department's name in use now."
[[columns]]
name = "month"
description = "First day of the month."
[[columns]]
name = "year"
description = "Calendar year."
[[columns]]
name = "month_of_year"
description = "1 for January."
[[columns]]
name = "inquiries"
description = "Inquiries counted; 0 where the department had none in a month that has rows."
unit = "inquiries"
[[columns]]
name = "filled"
description = "Whether the 0 was filled in, because the source has no row."
[[columns]]
name = "month_complete"
description = "Whether the month is complete, see calendar."

[[tests]]
name = "a gap is filled, but not where the city has no rows at all"
[tests.given]
"curated.department_channel_month" = [
  { department = "A", channel = "Phone", month = 2024-01-01, inquiries = 3 },
  { department = "A", channel = "Chat", month = 2024-01-01, inquiries = 1 },
  { department = "A", channel = "Phone", month = 2024-04-01, inquiries = 2 },
  { department = "B", channel = "Phone", month = 2024-02-01, inquiries = 9 },
]
"curated.calendar" = [
  { source = "inquiry-volume", month = 2024-01-01, year = 2024, month_of_year = 1, has_rows = true, month_complete = true },
  { source = "inquiry-volume", month = 2024-02-01, year = 2024, month_of_year = 2, has_rows = true, month_complete = true },
  { source = "inquiry-volume", month = 2024-03-01, year = 2024, month_of_year = 3, has_rows = false, month_complete = false },
  { source = "inquiry-volume", month = 2024-04-01, year = 2024, month_of_year = 4, has_rows = true, month_complete = false },
]
[[tests.expect]]
department = "A"
month = 2024-01-01
year = 2024
month_of_year = 1
inquiries = 4
filled = false
month_complete = true
[[tests.expect]]
department = "A"
month = 2024-02-01
year = 2024
month_of_year = 2
inquiries = 0
filled = true
month_complete = true
[[tests.expect]]
department = "A"
month = 2024-04-01
year = 2024
month_of_year = 4
inquiries = 2
filled = false
month_complete = false
[[tests.expect]]
department = "B"
month = 2024-02-01
year = 2024
month_of_year = 2
inquiries = 9
filled = false
month_complete = true
---*/
WITH totals AS (
  SELECT department, month, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM curated.department_channel_month
  GROUP BY department, month
),
active AS (
  SELECT department, min(month) AS first_month, max(month) AS last_month
  FROM totals
  GROUP BY department
)
SELECT
  a.department,
  c.month,
  c.year,
  c.month_of_year,
  coalesce(t.inquiries, 0) AS inquiries,
  t.inquiries IS NULL AS filled,
  c.month_complete
FROM active AS a
JOIN curated.calendar AS c
  ON c.source = 'inquiry-volume' AND c.has_rows AND c.month BETWEEN a.first_month AND a.last_month
LEFT JOIN totals AS t ON t.department = a.department AND t.month = c.month
