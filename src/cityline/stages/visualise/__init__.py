"""Visualise: an answer into a chart's specification. The numbers stay those of its table."""

from cityline.stages.visualise.captions import captioned
from cityline.stages.visualise.charts import chart
from cityline.stages.visualise.look import Look, look
from cityline.stages.visualise.palette import Palette, literal

__all__ = ["Look", "Palette", "captioned", "chart", "literal", "look"]
