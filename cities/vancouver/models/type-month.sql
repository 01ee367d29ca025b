/*---
description = "Inquiries by type, department in use now and month."
reads = ["landing.inquiry_volume", "curated.calendar"]
grain = ["inquiry_type", "department", "month"]
order_by = ["month", "department", "inquiry_type"]

[reconciles]
inquiries = "landing.inquiry_volume.inquiries"

[[columns]]
name = "inquiry_type"
description = "Type of inquiry."
[[columns]]
name = "department"
description = "The department's name in use now."
[[columns]]
name = "month"
description = "First day of the month."
[[columns]]
name = "inquiries"
description = "Inquiries counted."
unit = "inquiries"
[[columns]]
name = "month_complete"
description = "Whether the month is complete, see calendar."

[[tests]]
name = "channels are added up, departments are not"
[tests.given]
"landing.inquiry_volume" = [
  { inquiry_type = "Rink Inquiry", department_current = "A", channel = "Phone", month = 2024-01-01, inquiries = 3 },
  { inquiry_type = "Rink Inquiry", department_current = "A", channel = "Chat", month = 2024-01-01, inquiries = 1 },
  { inquiry_type = "Rink Inquiry", department_current = "B", channel = "Chat", month = 2024-01-01, inquiries = 2 },
]
"curated.calendar" = [{ source = "inquiry-volume", month = 2024-01-01, month_complete = true }]
[[tests.expect]]
inquiry_type = "Rink Inquiry"
department = "A"
month = 2024-01-01
inquiries = 4
month_complete = true
[[tests.expect]]
inquiry_type = "Rink Inquiry"
department = "B"
month = 2024-01-01
inquiries = 2
month_complete = true
---*/
WITH totals AS (
  SELECT inquiry_type, department_current AS department, month, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM landing.inquiry_volume
  GROUP BY inquiry_type, department_current, month
)
SELECT t.inquiry_type, t.department, t.month, t.inquiries, c.month_complete
FROM totals AS t
JOIN curated.calendar AS c ON c.source = 'inquiry-volume' AND c.month = t.month
