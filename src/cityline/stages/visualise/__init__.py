"""Visualise: an answer into a chart's specification. The numbers stay those of its table."""

from cityline.stages.visualise.charts import chart
from cityline.stages.visualise.palette import Palette, literal_palette, page_palette

__all__ = ["Palette", "chart", "literal_palette", "page_palette"]
