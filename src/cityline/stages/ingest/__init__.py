"""Ingest: a portal's export into the raw zone, byte for byte, or nothing at all."""

from cityline.stages.ingest.gates import Inspection, inspect
from cityline.stages.ingest.pull import Pulled, pull

__all__ = ["Inspection", "Pulled", "inspect", "pull"]
