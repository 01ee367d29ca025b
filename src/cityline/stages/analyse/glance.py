"""A few figures at a glance, each against the same months before; never half a year against one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cityline.lake.answer import Span
from cityline.lake.wording import span
from cityline.stages.analyse.periods import Calendar

_LEAST = 30
"""Below this count a percentage would say more than the figures do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A total over months; `before` is the total of the same months a year earlier, where they are
    complete too. `change` is a ratio."""

    period: Span
    total: int
    before: int | None

    @property
    def change(self) -> float | None:
        """The change as a ratio; None where it would mislead."""
        if self.before is None or self.before < _LEAST:
            return None
        return (self.total - self.before) / self.before


@dataclass(frozen=True, slots=True)
class Glance:
    """The last complete year, the last complete month, and the running year to that month. None
    where there is no such period."""

    year: Figure | None
    month: Figure | None
    to_date: Figure | None


def glance(counts: Mapping[date, int], calendar: Calendar) -> Glance:
    """Figures from inquiries by month (first days) and the months that are complete."""
    complete = calendar.complete
    years = calendar.complete_years()
    last = max(complete, default=None)
    year = [date(years[-1], m, 1) for m in range(1, 13)] if years else []
    running = [m for m in sorted(complete) if last and m.year == last.year]
    partial = 0 < len(running) < len(range(12)) and [m.month for m in running] == list(
        range(1, len(running) + 1)
    )
    return Glance(
        year=_figure(year, counts, complete) if year else None,
        month=_figure([last], counts, complete) if last else None,
        to_date=_figure(running, counts, complete) if partial else None,
    )


def _figure(months: list[date], counts: Mapping[date, int], complete: set[date]) -> Figure:
    earlier = [m.replace(year=m.year - 1) for m in months]
    before = sum(counts.get(m, 0) for m in earlier) if set(earlier) <= complete else None
    label = span(months[0], months[-1])
    period = Span(months[0], months[-1], label, complete=True)
    return Figure(period, sum(counts.get(m, 0) for m in months), before)
