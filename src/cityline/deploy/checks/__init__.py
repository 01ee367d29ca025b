"""What must hold of the templates beyond what linters know: pure functions over synthesised JSON.

`check` reads the templates of all stacks together, because the mistakes that no tool sees are
between them: a destination that nobody creates, a role that trusts the wrong service, a metric
that CloudWatch does not have. It needs neither the CDK nor an account.
"""

from cityline.deploy.checks.all_checks import CHECKS, check
from cityline.deploy.checks.reading import Finding, Stacks, Templates

__all__ = ["CHECKS", "Finding", "Stacks", "Templates", "check"]
