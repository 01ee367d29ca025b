"""The declared policy as AWS policy documents: pure functions, plain dictionaries.

What a stack calls, and where the result goes:

- `bucket_policy(access, names, zone, key)` → `AWS::S3::BucketPolicy.PolicyDocument`; with
  `replica=True` for the copy in the second region. `key` is the ARN of the zone's key as the
  template tells it (`Fn::GetAtt`), None for `log`, whose writers cannot use a key of ours.
- `key_policy(access, names, zone)` → `AWS::KMS::Key.KeyPolicy`; rotation is a property there.
- `roles_of(access)` → the roles that are IAM roles; `trust_policy`, `session_seconds` and
  `role_policies` → `AWS::IAM::Role.AssumeRolePolicyDocument`, `MaxSessionDuration`, and
  `AWS::IAM::ManagedPolicy` documents by part (`names.policy(role, part)` is each one's name).
- `replicated(access)` → the zones whose buckets get a replication rule.
- `lifecycle(access, retention, zone)` → `AWS::S3::Bucket.LifecycleConfiguration`;
  `object_lock(retention, zone)` → `ObjectLockConfiguration`, None where nothing is locked.

Principals are told by the condition `aws:PrincipalArn`, never by a role's ARN as principal, so a
bucket or a key can be made before the roles. Nobody may erase a version, whoever asks: a stack that
is destroyed first loses its bucket policies. The account's own administrator stays outside all
this: who may change the policies can end what they say, and the trail records it.
"""

from cityline.deploy.policies.buckets import bucket_policy
from cityline.deploy.policies.copying import replicated
from cityline.deploy.policies.keeping import lifecycle, object_lock
from cityline.deploy.policies.keys import key_policy
from cityline.deploy.policies.roles import (
    role_policies,
    roles_of,
    session_seconds,
    trust_policy,
)
from cityline.deploy.policies.statements import Document

__all__ = [
    "Document",
    "bucket_policy",
    "key_policy",
    "lifecycle",
    "object_lock",
    "replicated",
    "role_policies",
    "roles_of",
    "session_seconds",
    "trust_policy",
]
