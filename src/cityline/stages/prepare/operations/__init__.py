"""The operations a recipe may name, family by family; importing this fills the registry."""

from cityline.stages.prepare.operations import columns, dates, numbers, own, quality, texts
from cityline.stages.prepare.operations.registry import OPERATIONS, Call, Operation, Parameter

__all__ = [
    "OPERATIONS",
    "Call",
    "Operation",
    "Parameter",
    "columns",
    "dates",
    "numbers",
    "own",
    "quality",
    "texts",
]
