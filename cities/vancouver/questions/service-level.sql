/*---
title = "How well are calls answered?"
order = 9
page = "service-levels"
reads = ["curated.centre_month"]
description = "Calls, service level, abandonment and speed of answer in complete years. Ratios are weighted by the calls behind them, never averaged over days."
sentence = "{% set last = rows[-1] %}In {{ last.year }}, {{ last.service_level | percent }} of calls were answered within the target time and {{ last.abandonment | percent }} were abandoned; an answer took {{ last.speed_of_answer | number }} seconds on average."

[period]
kind = "complete-years"
source = "contact-centre-metrics"

[[columns]]
name = "year"
label = "Year"
unit = "year"
[[columns]]
name = "offered"
label = "Calls offered"
unit = "calls"
[[columns]]
name = "handled"
label = "Calls handled"
unit = "calls"
[[columns]]
name = "abandoned"
label = "Calls abandoned"
unit = "calls"
[[columns]]
name = "service_level"
label = "Service level"
unit = "share"
description = "Answered within the target time, weighted by calls offered."
[[columns]]
name = "abandonment"
label = "Abandonment"
unit = "share"
description = "Abandoned ÷ offered."
[[columns]]
name = "speed_of_answer"
label = "Speed of answer"
unit = "seconds"
description = "Weighted by calls handled."

[chart]
mark = "line"
x = "year"
y = "service_level"
---*/
SELECT
  year,
  CAST(sum(offered) AS BIGINT) AS offered,
  CAST(sum(handled) AS BIGINT) AS handled,
  CAST(sum(abandoned) AS BIGINT) AS abandoned,
  sum(service_level * offered) / nullif(sum(CASE WHEN service_level IS NOT NULL THEN offered END), 0) AS service_level,
  CAST(sum(abandoned) AS DOUBLE) / nullif(sum(offered), 0) AS abandonment,
  sum(average_speed_of_answer_seconds * handled)
    / nullif(sum(CASE WHEN average_speed_of_answer_seconds IS NOT NULL THEN handled END), 0) AS speed_of_answer
FROM curated.centre_month
WHERE month BETWEEN $from_month AND $to_month
GROUP BY year
ORDER BY year
