/*---
description = "Inquiries by channel and month."
reads = ["curated.department_channel_month"]
grain = ["channel", "month"]
order_by = ["month", "channel"]

[reconciles]
inquiries = "curated.department_channel_month.inquiries"

[[columns]]
name = "channel"
description = "How the inquiry came in."
[[columns]]
name = "month"
description = "First day of the month."
[[columns]]
name = "year"
description = "Calendar year."
[[columns]]
name = "inquiries"
description = "Inquiries counted."
unit = "inquiries"
[[columns]]
name = "month_complete"
description = "Whether the month is complete, see calendar."

[[tests]]
name = "departments are added up"
[tests.given]
"curated.department_channel_month" = [
  { department = "A", channel = "Phone", month = 2024-01-01, year = 2024, inquiries = 3, month_complete = true },
  { department = "B", channel = "Phone", month = 2024-01-01, year = 2024, inquiries = 4, month_complete = true },
]
[[tests.expect]]
channel = "Phone"
month = 2024-01-01
year = 2024
inquiries = 7
month_complete = true
---*/
SELECT
  channel,
  month,
  year,
  CAST(sum(inquiries) AS BIGINT) AS inquiries,
  bool_and(month_complete) AS month_complete
FROM curated.department_channel_month
GROUP BY channel, month, year
