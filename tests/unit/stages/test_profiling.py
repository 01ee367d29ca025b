"""The profile of all rows, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.stages.prepare.profiling import ColumnProfile, drift, profile_columns


def profiled(values: list[str | int | float | None]) -> ColumnProfile:
    counted = pa.chunked_array([values]).value_counts()
    table = pa.table({"value": counted.field(0), "n": counted.field(1)})
    return profile_columns({"c": table})[0]


def test_numbers_against_pandas() -> None:
    random = np.random.default_rng(1)
    values = [int(v) for v in random.lognormal(3, 1, 5000)]
    mine, theirs = profiled([str(v) for v in values]), pd.Series(values)
    assert mine.type == "integer"
    assert (mine.rows, mine.valid, mine.missing) == (5000, 5000, 0)
    assert mine.distinct == theirs.nunique()
    assert mine.duplicates == 5000 - theirs.nunique()
    assert mine.mean == pytest.approx(theirs.mean())
    assert mine.std == pytest.approx(theirs.std(ddof=0))
    for q, value in mine.quantiles.items():
        expected = theirs.quantile(float(q), interpolation="lower")
        assert abs(int(value) - expected) <= 1, q
    first, third = (theirs.quantile(q, interpolation="lower") for q in (0.25, 0.75))
    fences = (first - 1.5 * (third - first), third + 1.5 * (third - first))
    assert mine.fences == pytest.approx(fences, abs=3)
    assert mine.outliers == pytest.approx(
        ((theirs < fences[0]) | (theirs > fences[1])).sum(), abs=60
    )
    assert sum(n for *_, n in mine.histogram) == 5000
    top = theirs.value_counts()
    assert mine.top[0][1] == top.iloc[0]
    assert (int(mine.min), int(mine.max)) == (theirs.min(), theirs.max())


def test_texts_blanks_and_types() -> None:
    mine = profiled(["Phone", "Phone", " Chat", "", " ", None])
    assert mine.type == "text"
    assert (mine.rows, mine.valid, mine.missing, mine.distinct, mine.padded) == (6, 3, 3, 2, 1)
    assert (mine.length_min, mine.length_max) == (5, 5)
    assert profiled(["2024-01", "2023-12"]).type == "date"
    assert profiled(["2024-01", "2023-12"]).min == "2023-12"
    assert profiled(["1.5", "2"]).type == "decimal"
    assert profiled(["", None]).type == "empty"


@given(st.lists(st.sampled_from(["a", "b", " ", "", "7", None]), max_size=30))
def test_every_row_is_counted_once(values: list[str | int | float | None]) -> None:
    mine = profiled([*values, "a"])
    assert mine.valid + mine.missing == mine.rows == len(values) + 1
    assert mine.distinct + mine.duplicates == mine.valid
    assert sum(n for _, n in mine.top) == mine.valid
    again = ColumnProfile.from_json(mine.to_json())
    assert again.to_json() == mine.to_json()


def test_drift_says_what_changed() -> None:
    before, after = profiled(["1", "2", ""]), profiled(["1", "x"])
    assert drift([before], [after]) == ["c: integer → text", "c: 1 → 0 missing"]
    assert drift([before], []) == ["c: gone"]
