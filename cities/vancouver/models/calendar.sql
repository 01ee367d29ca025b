/*---
description = "Every month of each source from its first to its last, and whether it is complete."
reads = ["landing.inquiry_volume", "landing.contact_centre_metrics", "lake.city", "lake.extract"]
grain = ["source", "month"]
order_by = ["source", "month"]

[[columns]]
name = "source"
description = "Name of the source, as declared."
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
name = "quarter"
description = "Calendar quarter, 1 to 4."
[[columns]]
name = "fiscal_year"
description = "The city's fiscal year, named by the calendar year it ends in."
[[columns]]
name = "days"
description = "Days in the month."
unit = "days"
[[columns]]
name = "has_rows"
description = "Whether the source has any row for the month. A month without rows is missing, not zero."
[[columns]]
name = "month_complete"
description = "It has rows, it ended before the extract was made, and collection had begun on its first day."
[[columns]]
name = "year_complete"
description = "All twelve months of the calendar year are complete."
[[columns]]
name = "fiscal_year_complete"
description = "All twelve months of the fiscal year are complete."

[[tests]]
name = "the month of the extract is not complete, nor its year"
[tests.given]
"landing.inquiry_volume" = [{ month = 2024-01-01 }, { month = 2024-02-01 }]
"landing.contact_centre_metrics" = [{ date = 2024-01-15 }]
"lake.city" = [{ fiscal_year_first_month = 1 }]
"lake.extract" = [
  { source = "inquiry-volume", extracted_on = 2024-02-29, collection_began = 2009-02-16 },
  { source = "contact-centre-metrics", extracted_on = 2024-02-01, collection_began = 2009-06-15 },
]
[[tests.expect]]
source = "inquiry-volume"
month = 2024-01-01
year = 2024
month_of_year = 1
quarter = 1
fiscal_year = 2024
days = 31
has_rows = true
month_complete = true
year_complete = false
fiscal_year_complete = false
[[tests.expect]]
source = "inquiry-volume"
month = 2024-02-01
year = 2024
month_of_year = 2
quarter = 1
fiscal_year = 2024
days = 29
has_rows = true
month_complete = false
year_complete = false
fiscal_year_complete = false
[[tests.expect]]
source = "contact-centre-metrics"
month = 2024-01-01
year = 2024
month_of_year = 1
quarter = 1
fiscal_year = 2024
days = 31
has_rows = true
month_complete = true
year_complete = false
fiscal_year_complete = false

[[tests]]
name = "a month without rows is listed and is not complete; collection that began inside a month leaves it incomplete"
[tests.given]
"landing.inquiry_volume" = [{ month = 2009-02-01 }, { month = 2009-04-01 }]
"landing.contact_centre_metrics" = [{ date = 2009-06-15 }]
"lake.city" = [{ fiscal_year_first_month = 4 }]
"lake.extract" = [
  { source = "inquiry-volume", extracted_on = 2010-01-10, collection_began = 2009-02-16 },
  { source = "contact-centre-metrics", extracted_on = 2010-01-10, collection_began = 2009-06-15 },
]
[[tests.expect]]
source = "inquiry-volume"
month = 2009-02-01
year = 2009
month_of_year = 2
quarter = 1
fiscal_year = 2009
days = 28
has_rows = true
month_complete = false
year_complete = false
fiscal_year_complete = false
[[tests.expect]]
source = "inquiry-volume"
month = 2009-03-01
year = 2009
month_of_year = 3
quarter = 1
fiscal_year = 2009
days = 31
has_rows = false
month_complete = false
year_complete = false
fiscal_year_complete = false
[[tests.expect]]
source = "inquiry-volume"
month = 2009-04-01
year = 2009
month_of_year = 4
quarter = 2
fiscal_year = 2010
days = 30
has_rows = true
month_complete = true
year_complete = false
fiscal_year_complete = false
[[tests.expect]]
source = "contact-centre-metrics"
month = 2009-06-01
year = 2009
month_of_year = 6
quarter = 2
fiscal_year = 2010
days = 30
has_rows = true
month_complete = false
year_complete = false
fiscal_year_complete = false
---*/
WITH seen AS (
  SELECT DISTINCT 'inquiry-volume' AS source, month
  FROM landing.inquiry_volume
  UNION ALL
  SELECT DISTINCT 'contact-centre-metrics' AS source, CAST(date_trunc('month', date) AS DATE) AS month
  FROM landing.contact_centre_metrics
),
bounds AS (
  SELECT source, min(month) AS first_month, max(month) AS last_month
  FROM seen
  GROUP BY source
),
months AS (
  SELECT source, CAST(unnest(generate_series(first_month, last_month, INTERVAL 1 MONTH)) AS DATE) AS month
  FROM bounds
),
told AS (
  SELECT
    m.source,
    m.month,
    CAST(year(m.month) AS INTEGER) AS year,
    CAST(month(m.month) AS INTEGER) AS month_of_year,
    CAST(quarter(m.month) AS INTEGER) AS quarter,
    CAST(CASE
      WHEN c.fiscal_year_first_month > 1 AND month(m.month) >= c.fiscal_year_first_month
      THEN year(m.month) + 1
      ELSE year(m.month)
    END AS INTEGER) AS fiscal_year,
    CAST(day(last_day(m.month)) AS INTEGER) AS days,
    s.month IS NOT NULL AS has_rows,
    s.month IS NOT NULL
      AND last_day(m.month) < e.extracted_on
      AND (e.collection_began IS NULL OR e.collection_began <= m.month) AS month_complete
  FROM months AS m
  JOIN lake.extract AS e ON e.source = m.source
  CROSS JOIN lake.city AS c
  LEFT JOIN seen AS s ON s.source = m.source AND s.month = m.month
)
SELECT
  *,
  count(*) FILTER (WHERE month_complete) OVER (PARTITION BY source, year) = 12 AS year_complete,
  count(*) FILTER (WHERE month_complete) OVER (PARTITION BY source, fiscal_year) = 12 AS fiscal_year_complete
FROM told
