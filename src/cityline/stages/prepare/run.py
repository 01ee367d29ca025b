"""Running a recipe on one file: clean, profile before and after, and account for every row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cityline.declarations.recipe import Recipe
from cityline.declarations.source import Source
from cityline.errors import SourceDamaged, StepError
from cityline.lake.version import Version
from cityline.ports.cleaning import ROW, Cleaned, CleaningPlan
from cityline.ports.engine import Engine, Layout
from cityline.stages.prepare.profiling import ColumnProfile, profile_columns

_INTEGER = re.compile(r"\s*\+?(\d{1,3}(,\d{3})+|\d+)\s*")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What cleaning yielded. Totals are of the source's measure, over rows whose cell is a number:
    `total_before` = `total_kept` + `total_quarantined`, or `prepare` would have raised."""

    cleaned: Cleaned
    before: Sequence[ColumnProfile]
    after: Sequence[ColumnProfile]
    rows: int
    total_before: int | None
    total_kept: int | None
    total_quarantined: int | None
    surprises: tuple[str, ...] = ()
    """Corrections that met more or fewer cells than their author expected."""


def prepare(
    plan: CleaningPlan,
    recipe: Recipe,
    source: Source,
    path: Path,
    columns: Sequence[str],
    expected_rows: int,
    engine: Engine,
) -> Prepared:
    """Clean a sealed file. `columns` are the file's, in its order, as ingest found them.

    Raises SourceDamaged when the file no longer holds the records ingest counted, StepError when
    rows or the measure's total do not reconcile.
    """
    texts = engine.read_texts(path, _layout(source, columns))
    if texts.count != expected_rows:
        what = f"{texts.count:,} records were read where {expected_rows:,} were counted"
        hint = "an unclosed quote or a blank line inside the file; look at the raw file"
        raise SourceDamaged(what, where=source.dataset, hint=hint)
    cleaned = engine.clean(plan, texts)
    whole = cleaned.kept
    kept = whole.rows if isinstance(whole, Version) else whole.num_rows
    rejected = cleaned.quarantined.num_rows
    if kept + rejected != texts.count:
        what = f"rows do not reconcile: {texts.count:,} read, {kept:,} kept, {rejected:,} rejected"
        raise StepError(what, where=recipe.name)
    before, after, lost = _totals(source, recipe, cleaned, engine)
    return Prepared(
        cleaned=cleaned,
        before=profile_columns(cleaned.before),
        after=profile_columns(cleaned.after),
        rows=texts.count,
        total_before=before,
        total_kept=after,
        total_quarantined=lost,
        surprises=tuple(_surprises(plan, cleaned)),
    )


def _layout(source: Source, columns: Sequence[str]) -> Layout:
    return Layout(
        columns=tuple(columns),
        delimiter=source.format.delimiter,
        encoding=source.format.encoding,
        integers=frozenset(f.name for f in source.fields if f.row_number),
    )


def _surprises(plan: CleaningPlan, cleaned: Cleaned) -> Iterator[str]:
    for step, effect in zip(plan.steps, cleaned.effects, strict=True):
        if step.expected is not None:
            least, most = step.expected
            if not least <= effect.cells_changed <= most:
                told = f"{effect.cells_changed:,} cells, expected {least:,} to {most:,}"
                yield f"the correction {step.why!r} met {told}"


def _totals(
    source: Source, recipe: Recipe, cleaned: Cleaned, engine: Engine
) -> tuple[int | None, int | None, int | None]:
    """The measure's total before, kept and quarantined, read another way than the recipe reads it:
    plain integers in the raw texts, whatever the operations made of them."""
    if source.measure is None or recipe.measure is None:
        return None, None, None
    raw = cleaned.before[source.measure]
    before = _total(raw["value"].to_pylist(), raw["n"].to_pylist())
    clean = cleaned.after[recipe.measure]
    kept = sum(v * n for v, n in zip(clean["value"].to_pylist(), clean["n"].to_pylist()))  # noqa: B905 - columns of one table
    quarantined = engine.query(
        f"SELECT json_extract_string(raw, '$.{source.measure}') AS value, count(*) AS n "
        f"FROM rejected WHERE {ROW} IS NOT NULL AND json_valid(raw) GROUP BY 1",
        {"rejected": cleaned.quarantined},
    )
    lost = _total(quarantined["value"].to_pylist(), quarantined["n"].to_pylist())
    if before != kept + lost:
        what = (
            f"{source.measure} does not reconcile: {before:,} before, {kept:,} kept, {lost:,} out"
        )
        hint = "an operation changed the measure; cityline prepare --explain shows which"
        raise StepError(what, where=recipe.name, hint=hint)
    return before, kept, lost


def _total(values: Sequence[str | None], counts: Sequence[int]) -> int:
    return sum(
        int(value.replace(",", "")) * n
        for value, n in zip(values, counts, strict=True)
        if value is not None and _INTEGER.fullmatch(value)
    )


def quarantine_reasons(quarantined: pa.Table) -> dict[str, int]:
    """Rejected rows by reason, most frequent first."""
    counted = quarantined["reason"].value_counts().to_pylist()
    return {c["values"]: c["counts"] for c in sorted(counted, key=lambda c: -c["counts"])}
