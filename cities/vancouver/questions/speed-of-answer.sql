/*---
title = "How long do callers wait for an answer?"
order = 11
reads = ["curated.centre_month"]
description = "Mean seconds until an answer by month, weighted by the calls handled."
page = "service-levels"
sentence = "{% set done = rows | rejectattr('provisional') | selectattr('speed_of_answer', 'ne', none) | list %}Callers waited {{ done[-1].speed_of_answer | number }} seconds on average in {{ done[-1].month | month }}."

[period]
kind = "trend"
source = "contact-centre-metrics"

[[columns]]
name = "month"
label = "Month"
unit = "month"
[[columns]]
name = "speed_of_answer"
label = "Speed of answer"
unit = "seconds"
description = "Weighted by calls handled."
[[columns]]
name = "offered"
label = "Calls offered"
unit = "calls"
[[columns]]
name = "provisional"
label = "Provisional"
description = "The month is incomplete."

[chart]
mark = "line"
x = "month"
y = "speed_of_answer"
provisional = "provisional"
---*/
SELECT
  month,
  average_speed_of_answer_seconds AS speed_of_answer,
  offered,
  NOT month_complete AS provisional
FROM curated.centre_month
WHERE month BETWEEN $from_month AND $to_month
ORDER BY month
