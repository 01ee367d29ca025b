"""What the templates are made of: a city's declarations, settings on AWS, and names there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cityline.declarations.access import Access
from cityline.declarations.environment import Aws
from cityline.declarations.folder import Folder
from cityline.declarations.retention import Retention
from cityline.deploy.naming import Names
from cityline.deploy.template import Template
from cityline.dialect import Schemas
from cityline.errors import DeclarationError, Problem

BILLING_REGION = "us-east-1"
"""Where charges are known, and where CloudFront takes its certificates."""


@dataclass(frozen=True)
class Estate:
    """One city on AWS. `schemas` are the column types of its curated tables."""

    folder: Folder
    schemas: Schemas

    @cached_property
    def settings(self) -> Aws:
        """The table `[aws]`. Raises DeclarationError for an environment without one."""
        environment = self.folder.environment
        if environment.aws is None:
            file = f"environments/{environment.name}.toml"
            hint = "use an environment of kind aws"
            raise DeclarationError([Problem(file, "aws", "this environment is not on AWS", hint)])
        return environment.aws

    @cached_property
    def names(self) -> Names:
        """What everything is called."""
        return Names(self.settings.prefix, self.settings.home_region, self.settings.replica_region)

    @property
    def access(self) -> Access:
        """Who may do what. Raises DeclarationError for a city that does not say."""
        if self.folder.access is None:
            raise _missing("access")
        return self.folder.access

    @property
    def retention(self) -> Retention:
        """How long things are kept. Raises DeclarationError for a city that does not say."""
        if self.folder.retention is None:
            raise _missing("retention")
        return self.folder.retention

    def template(self, says: str, region: str = "") -> Template:
        """A new template, in the home region unless another is named."""
        told = f"Cityline, {self.folder.city.title}: {says}"
        tags = {"cityline": self.settings.prefix}
        return Template(told, region or self.settings.home_region, tags)


def _missing(policy: str) -> DeclarationError:
    hint = "copy it from cities/vancouver and change it"
    return DeclarationError(
        [Problem(f"policies/{policy}.toml", "", "a city on AWS needs it", hint)]
    )
