"""Keys of one machine: Cityline has none there."""

from __future__ import annotations

from cityline.ports.keys import Key


class NoKeys:
    """Implements `ports.keys.Keys`: files lie as they are, and what a disk or a bucket encrypts is
    its owner's."""

    says = "none of Cityline's: the encryption of the disk or bucket is its owner's affair"

    def read(self) -> list[Key]:
        """None."""
        return []
