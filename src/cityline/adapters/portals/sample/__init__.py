"""The sample portal: generated data, always labelled as such, over the portal's own HTTP API.

It exists so that the demonstration and the tests take the same road as the live portal.
"""

from cityline.adapters.portals.sample.faults import Fault
from cityline.adapters.portals.sample.server import SamplePortal

__all__ = ["Fault", "SamplePortal"]
