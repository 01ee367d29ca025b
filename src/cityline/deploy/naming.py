"""What everything is called on AWS: the one place where a name or an ARN is spelled.

Every name is a function of the prefix, the two regions and the account. The account is not known
when a template is written, so a name is a text for CloudFormation's `Fn::Sub`, which may hold
`${AWS::AccountId}`: `sub(text)` makes the value that a template takes. Stacks in other regions or
deployed earlier are referred to by these names alone, with no reference between templates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cityline.declarations.access import AccessZone
from cityline.errors import UsageError

ACCOUNT = "${AWS::AccountId}"
DEFAULT_GROUP = "DefaultGroup"
"""The output by which a stack tells the default security group of its network."""
_PREFIX = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 27
"""A bucket's name has 63 characters at most: prefix, zone, account and region must fit."""


def sub(text: str) -> Any:
    """The template's value of a name: `Fn::Sub` when the account is in it, else the text."""
    return {"Fn::Sub": text} if "${" in text else text


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one city's platform; `prefix` is for example `cityline-vancouver`.

    Raises UsageError when a prefix cannot be part of a bucket's name, or both regions are one.
    """

    prefix: str
    home: str
    replica: str

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix) or len(self.prefix) > _LONGEST:
            what = f"{self.prefix!r} cannot begin a bucket's name"
            hint = f"lower case letters, digits and single hyphens, {_LONGEST} at most"
            raise UsageError(what, where="prefix", hint=hint)
        if self.home == self.replica:
            what = f"the copy would lie where the original lies: {self.home}"
            raise UsageError(what, where="replica_region", hint="name a second region")

    def region(self, *, replica: bool = False) -> str:
        """The home region, or the replica's."""
        return self.replica if replica else self.home

    def bucket(self, zone: AccessZone, *, replica: bool = False) -> str:
        """A zone's bucket."""
        return f"{self.prefix}-{zone}-{ACCOUNT}-{self.region(replica=replica)}"

    def bucket_of(self, zone: AccessZone, account: str, *, replica: bool = False) -> str:
        """A zone's bucket in an account that is known."""
        return self.bucket(zone, replica=replica).replace(ACCOUNT, account)

    def bucket_arn(self, zone: AccessZone, *, replica: bool = False) -> str:
        """The bucket itself."""
        return f"arn:aws:s3:::{self.bucket(zone, replica=replica)}"

    def objects_arn(self, zone: AccessZone, below: str = "", *, replica: bool = False) -> str:
        """Everything in a bucket below a prefix, which ends with a slash or is empty."""
        return f"{self.bucket_arn(zone, replica=replica)}/{below}*"

    def key_alias(self, zone: AccessZone) -> str:
        """The alias of a zone's key, alike in both regions. The key of `log` is the platform's own:
        log groups, topics and job bookmarks."""
        return f"alias/{self.prefix}-{zone}"

    def key_alias_arn(self, zone: AccessZone) -> str:
        """The alias itself, which is permitted apart from the key."""
        return f"arn:aws:kms:{self.home}:{ACCOUNT}:{self.key_alias(zone)}"

    def key_export(self, zone: AccessZone, *, replica: bool = False) -> str:
        """The export under which a stack tells a key's ARN to others in its region."""
        return f"{self.prefix}-{zone}-{'copy-' if replica else ''}key-arn"

    def key_import(self, zone: AccessZone, *, replica: bool = False) -> Any:
        """A key's ARN as another stack of the same region takes it."""
        return {"Fn::ImportValue": self.key_export(zone, replica=replica)}

    def any_key_arn(self, *, replica: bool = False) -> str:
        """Every key of a region; only ever used together with a condition on the alias."""
        return f"arn:aws:kms:{self.region(replica=replica)}:{ACCOUNT}:key/*"

    def role(self, role: str) -> str:
        """The IAM role of a declared role."""
        return f"{self.prefix}-{role}"

    def role_arn(self, role: str) -> str:
        """The IAM role, as `aws:PrincipalArn` tells it also of its sessions."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.role(role)}"

    def account_arn(self) -> str:
        """The account as a principal: who of it may is decided by its own policies."""
        return f"arn:aws:iam::{ACCOUNT}:root"

    def policy(self, role: str, part: str) -> str:
        """A managed policy of a role."""
        return f"{self.prefix}-{role}-{part}"

    def stack(self, name: str) -> str:
        """A stack."""
        return f"{self.prefix}-{name}"

    def trail(self) -> str:
        """The trail."""
        return f"{self.prefix}-trail"

    def trail_arn(self) -> str:
        """The trail, in the home region."""
        return f"arn:aws:cloudtrail:{self.home}:{ACCOUNT}:trail/{self.trail()}"

    def workgroup(self, name: str) -> str:
        """An Athena workgroup, for the `asks_in` of a role; its results lie below `name/`."""
        return f"{self.prefix}-{name}"

    def workgroup_arn(self, name: str) -> str:
        """The workgroup."""
        return f"arn:aws:athena:{self.home}:{ACCOUNT}:workgroup/{self.workgroup(name)}"

    def database(self, zone: AccessZone) -> str:
        """The Glue database of a zone."""
        return f"{self.prefix}-{zone}".replace("-", "_")

    def catalog_arns(self, zone: AccessZone) -> list[str]:
        """What a statement on a zone's tables names: the catalogue, the database, its tables."""
        base, name = f"arn:aws:glue:{self.home}:{ACCOUNT}", self.database(zone)
        return [f"{base}:catalog", f"{base}:database/{name}", f"{base}:table/{name}/*"]

    def job(self, name: str) -> str:
        """A Glue or DataBrew job."""
        return f"{self.prefix}-{name}"

    def jobs_arn(self, service: str) -> str:
        """Every job of the platform in `glue` or `databrew`."""
        return f"arn:aws:{service}:{self.home}:{ACCOUNT}:job/{self.prefix}-*"

    def log_group(self, name: str) -> str:
        """A log group of the platform's own, such as `trail` or `serve`."""
        return f"/{self.prefix}/{name}"

    def log_group_arn(self, group: str) -> str:
        """A log group and its streams; `group` may end in a star."""
        return f"arn:aws:logs:{self.home}:{ACCOUNT}:log-group:{group}"

    def security(self, role: str) -> str:
        """The security configuration of a role's Glue job."""
        return f"{self.prefix}-{role}"

    def job_log_group(self, role: str, stream: str) -> str:
        """The log group that Glue itself chooses for a job that has a security configuration."""
        return f"/aws-glue/jobs/{self.security(role)}-role/{self.role(role)}/{stream}"

    def firewall_log_group(self) -> str:
        """The log group of a web firewall, which takes only one whose name begins so."""
        return f"aws-waf-logs-{self.prefix}"

    def topic(self, name: str) -> str:
        """An SNS topic."""
        return f"{self.prefix}-{name}"
