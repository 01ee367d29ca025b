/*---
description = "Inquiries by department in use now, channel and month: the cube most questions read."
reads = ["landing.inquiry_volume", "curated.calendar"]
grain = ["department", "channel", "month"]
order_by = ["month", "department", "channel"]

[reconciles]
inquiries = "landing.inquiry_volume.inquiries"

[[columns]]
name = "department"
description = "The department's name in use now."
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
name = "month_of_year"
description = "1 for January."
[[columns]]
name = "inquiries"
description = "Inquiries counted."
unit = "inquiries"
[[columns]]
name = "month_complete"
description = "Whether the month is complete, see calendar."

[[tests]]
name = "types and old names are added up"
[tests.given]
"landing.inquiry_volume" = [
  { department_current = "ENG - Sanitation Services", channel = "Phone", month = 2014-01-01, inquiries = 7 },
  { department_current = "ENG - Sanitation Services", channel = "Phone", month = 2014-01-01, inquiries = 5 },
  { department_current = "ENG - Sanitation Services", channel = "Chat", month = 2014-01-01, inquiries = 1 },
]
"curated.calendar" = [
  { source = "inquiry-volume", month = 2014-01-01, year = 2014, month_of_year = 1, month_complete = true },
  { source = "contact-centre-metrics", month = 2014-01-01, year = 2014, month_of_year = 1, month_complete = true },
]
[[tests.expect]]
department = "ENG - Sanitation Services"
channel = "Phone"
month = 2014-01-01
year = 2014
month_of_year = 1
inquiries = 12
month_complete = true
[[tests.expect]]
department = "ENG - Sanitation Services"
channel = "Chat"
month = 2014-01-01
year = 2014
month_of_year = 1
inquiries = 1
month_complete = true
---*/
WITH totals AS (
  SELECT department_current AS department, channel, month, CAST(sum(inquiries) AS BIGINT) AS inquiries
  FROM landing.inquiry_volume
  GROUP BY department_current, channel, month
)
SELECT t.department, t.channel, t.month, c.year, c.month_of_year, t.inquiries, c.month_complete
FROM totals AS t
JOIN curated.calendar AS c ON c.source = 'inquiry-volume' AND c.month = t.month
