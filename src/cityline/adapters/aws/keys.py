"""Keys of a city on AWS: KMS, asked for each zone's key by its alias."""

from __future__ import annotations

from collections.abc import Sequence

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import Clients
from cityline.errors import CloudRefused
from cityline.ports.keys import Key

Named = tuple[str, str, str]
"""A zone, the region of its key, and the key's alias."""


class KmsKeys:
    """Implements `ports.keys.Keys`. `named` are the keys there should be."""

    says = "aws kms cancel-key-deletion, enable-key or enable-key-rotation; the administrator may"

    def __init__(self, named: Sequence[Named], clients: Clients | None = None) -> None:
        self._named = named
        self._client = clients or Clients()

    def read(self) -> list[Key]:
        """Every key that is named. Raises CloudRefused for one that is not there."""
        return [self._key(*one) for one in self._named]

    def _key(self, zone: str, region: str, alias: str) -> Key:
        kms = self._client("kms", region)
        where = f"{alias} in {region}"
        with cloud_errors(where):
            try:
                told = kms.describe_key(KeyId=alias)["KeyMetadata"]
            except kms.exceptions.NotFoundException as error:
                hint = "is the region right? cityline deploy aws apply makes the keys"
                raise CloudRefused("there is no such key", where=where, hint=hint) from error
            ends = told.get("DeletionDate")
            turned = {} if ends else kms.get_key_rotation_status(KeyId=told["KeyId"])
        return Key(
            zone=zone,
            region=region,
            alias=alias,
            id=told["KeyId"],
            state=told["KeyState"],
            rotated=bool(turned.get("KeyRotationEnabled")),
            days=turned.get("RotationPeriodInDays"),
            ends=ends.date().isoformat() if ends else "",
        )
