/*---
description = "Inquiries by department, type, channel and month: the grain of the source, every name beside its current one."
reads = ["landing.inquiry_volume"]
grain = ["department", "inquiry_type", "channel", "month"]

[reconciles]
inquiries = "landing.inquiry_volume.inquiries"

[[columns]]
name = "department"
description = "Department as published."
[[columns]]
name = "department_current"
description = "The department's name in use now."
[[columns]]
name = "department_code"
description = "Code before the first ` - `; NULL where there is none."
[[columns]]
name = "inquiry_type"
description = "Type of inquiry."
[[columns]]
name = "channel"
description = "How the inquiry came in."
[[columns]]
name = "month"
description = "First day of the month."
[[columns]]
name = "inquiries"
description = "Inquiries counted."
unit = "inquiries"

[[tests]]
name = "one row stays one row"
[tests.given]
"landing.inquiry_volume" = [
  { department = "ENG - Solid Waste", department_current = "ENG - Sanitation Services", department_code = "ENG", inquiry_type = "Missed Pickup Inquiry", channel = "Phone", month = 2014-01-01, inquiries = 7 },
]
[[tests.expect]]
department = "ENG - Solid Waste"
department_current = "ENG - Sanitation Services"
department_code = "ENG"
inquiry_type = "Missed Pickup Inquiry"
channel = "Phone"
month = 2014-01-01
inquiries = 7
---*/
SELECT
  department,
  department_current,
  department_code,
  inquiry_type,
  channel,
  month,
  inquiries
FROM landing.inquiry_volume
