"""Fixtures of the suites that run over both sides."""

from tests.aws.conftest import aws  # noqa: F401 - fixtures by name
from tests.contracts.places import place  # noqa: F401
