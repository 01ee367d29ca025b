/*---
description = "Contact centre calls by month. Daily ratios are never averaged as they are: each is weighted by the calls behind it."
reads = ["landing.contact_centre_metrics", "curated.calendar"]
grain = ["month"]
order_by = ["month"]

[reconciles]
offered = "landing.contact_centre_metrics.offered"
handled = "landing.contact_centre_metrics.handled"
abandoned = "landing.contact_centre_metrics.abandoned"

[[columns]]
name = "month"
description = "First day of the month."
[[columns]]
name = "year"
description = "Calendar year."
[[columns]]
name = "offered"
description = "Calls that reached the queue."
unit = "calls"
[[columns]]
name = "handled"
description = "Calls answered by an agent."
unit = "calls"
[[columns]]
name = "abandoned"
description = "Calls given up by the caller."
unit = "calls"
[[columns]]
name = "service_level"
description = "Share of calls answered within the target time: the published daily share, weighted by the day's calls offered (the published ratio is a share of nearly all of them)."
unit = "share"
[[columns]]
name = "average_speed_of_answer_seconds"
description = "Seconds until an answer, weighted by the day's calls handled (only answered calls have a speed)."
unit = "seconds"
[[columns]]
name = "abandonment"
description = "Calls abandoned as a share of calls offered."
unit = "share"
[[columns]]
name = "days_present"
description = "Days the source has."
unit = "days"
[[columns]]
name = "days"
description = "Days of the month."
unit = "days"
[[columns]]
name = "month_complete"
description = "Whether the month is complete, see calendar."

[[tests]]
name = "a busy day weighs more than a quiet one"
[tests.given]
"landing.contact_centre_metrics" = [
  { date = 2024-01-01, offered = 100, handled = 90, abandoned = 10, service_level = 0.5, average_speed_of_answer_seconds = 60.0 },
  { date = 2024-01-02, offered = 300, handled = 270, abandoned = 20, service_level = 0.9, average_speed_of_answer_seconds = 20.0 },
]
"curated.calendar" = [{ source = "contact-centre-metrics", month = 2024-01-01, year = 2024, days = 31, month_complete = true }]
[[tests.expect]]
month = 2024-01-01
year = 2024
offered = 400
handled = 360
abandoned = 30
service_level = 0.8
average_speed_of_answer_seconds = 30.0
abandonment = 0.075
days_present = 2
days = 31
month_complete = true

[[tests]]
name = "a day without calls weighs nothing, and a month of such days has no ratio"
[tests.given]
"landing.contact_centre_metrics" = [
  { date = 2024-01-01, offered = 0, handled = 0, abandoned = 0, service_level = 1.0, average_speed_of_answer_seconds = 5.0 },
]
"curated.calendar" = [{ source = "contact-centre-metrics", month = 2024-01-01, year = 2024, days = 31, month_complete = true }]
[[tests.expect]]
month = 2024-01-01
year = 2024
offered = 0
handled = 0
abandoned = 0
days_present = 1
days = 31
month_complete = true
---*/
WITH days AS (
  SELECT CAST(date_trunc('month', date) AS DATE) AS month, *
  FROM landing.contact_centre_metrics
),
totals AS (
  SELECT
    month,
    CAST(sum(offered) AS BIGINT) AS offered,
    CAST(sum(handled) AS BIGINT) AS handled,
    CAST(sum(abandoned) AS BIGINT) AS abandoned,
    sum(service_level * offered) / nullif(sum(CASE WHEN service_level IS NOT NULL THEN offered END), 0) AS service_level,
    sum(average_speed_of_answer_seconds * handled)
      / nullif(sum(CASE WHEN average_speed_of_answer_seconds IS NOT NULL THEN handled END), 0)
      AS average_speed_of_answer_seconds,
    CAST(count(*) AS INTEGER) AS days_present
  FROM days
  GROUP BY month
)
SELECT
  t.month,
  c.year,
  t.offered,
  t.handled,
  t.abandoned,
  t.service_level,
  t.average_speed_of_answer_seconds,
  CAST(t.abandoned AS DOUBLE) / nullif(t.offered, 0) AS abandonment,
  t.days_present,
  c.days,
  c.month_complete
FROM totals AS t
JOIN curated.calendar AS c ON c.source = 'contact-centre-metrics' AND c.month = t.month
