"""The controls that a template can show, and the checks that hold each.

`checks` are our own, over the committed templates; `tools` are rules of the gates that see it too.
A control without a check of ours and without a tool is not held, and says why in `note`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """One control: its number, AWS's name of it, what it demands, and what holds it."""

    id: str
    name: str
    demands: str
    checks: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether something fails when the control is weakened."""
        return bool(self.checks or self.tools)


def _control(id_: str, name: str, demands: str, checks: str = "", tools: str = "", note: str = "") -> Control:  # fmt: skip
    return Control(id_, name, demands, tuple(checks.split()), tuple(tools.split()), note)


CONTROLS = (
    _control("C02", "S3.2, S3.3", "no bucket can be read or written by the public", "buckets open-principals", "CT.S3.PR.1 CKV_AWS_20 CKV_AWS_57"),
    _control("C03", "S3.5", "requests without TLS 1.2 are refused", "bucket-policies", "CT.S3.PR.8 AwsSolutions-S10"),
    _control("C04", "S3.6", "no other account may change a bucket's rules", "bucket-policies open-principals"),
    _control("C05", "S3.7", "zones are copied to the second region, encrypted objects too", "replication cross-references named-parts", "NIST-S3BucketReplicationEnabled", "results, code and access logs are not copied, with a reason"),
    _control("C06", "S3.8", "all four public access blocks on every bucket", "buckets", "CT.S3.PR.1 CKV_AWS_53"),
    _control("C07", "S3.9", "access logs of every bucket", "buckets named-parts", "CT.S3.PR.2 CKV_AWS_18", "not of the log bucket itself, with a reason"),
    _control("C08", "S3.10, S3.13", "lifecycle rules, in a possible order", "lifecycles", "CT.S3.PR.3 CT.S3.PR.6"),
    _control("C09", "S3.11", "event notifications", "buckets", "CT.S3.PR.4"),
    _control("C10", "S3.12", "no access lists", "buckets", "CT.S3.PR.5"),
    _control("C11", "S3.14", "versions are kept", "buckets", "CT.S3.PR.11 CKV_AWS_21"),
    _control("C12", "S3.15", "Object Lock on raw and trail, and on their copies", "object-locks", "own:raw_and_trail_are_locked"),
    _control("C13", "S3.17", "a key of ours, with bucket keys", "buckets bucket-policies", "CT.S3.PR.10", "access logs: S3's key, with a reason"),
    _control("C16", "S3.22, S3.23", "reads and writes of objects and of their copies are recorded", "trails", "own:trails_are_of_every_region_and_record_objects"),
    _control("C17", "KMS.1, KMS.2", "no role deciphers with any key", "wide-statements", "AwsSolutions-IAM5 CKV_AWS_111"),
    _control("C19", "KMS.4", "keys rotate", "keys", "CT.KMS.PR.1 CKV_AWS_7"),
    _control("C20", "KMS.5", "no key is for everybody", "open-principals", "CKV_AWS_33"),
    _control("C21", "CT.KMS.PR.3", "grants are for AWS's services only", "keys", "CT.KMS.PR.3"),
    _control("C22", "CloudTrail.1", "one trail of every region, reads and writes, and each region is read", "trails trail-regions", "CKV_AWS_67"),
    _control("C23", "CloudTrail.2", "the trail is encrypted with a key of ours", "trails trail-delivery", "CT.CLOUDTRAIL.PR.1 CKV_AWS_35"),
    _control("C24", "CloudTrail.3", "the trail is on", "trails", "own:trails_are_of_every_region_and_record_objects"),
    _control("C25", "CloudTrail.4", "digests are written", "trails", "CT.CLOUDTRAIL.PR.2 CKV_AWS_36"),
    _control("C26", "CloudTrail.5", "the trail reaches a log group", "trails trusted-services", "CT.CLOUDTRAIL.PR.3"),
    _control("C27", "CloudTrail.6, .7", "the trail's bucket is private and logged itself", "buckets trail-delivery", "CT.S3.PR.1 CT.S3.PR.2"),
    _control("C28", "Athena.1", "results are encrypted whatever a client asks", "workgroups", "CT.ATHENA.PR.1 CT.ATHENA.PR.2 CKV_AWS_82"),
    _control("C29", "Athena.4", "queries are measured", "workgroups", "own:athena_is_measured_and_cut_off"),
    _control("C30", "cost", "a query is cut off", "positive-amounts", "own:athena_is_measured_and_cut_off"),
    _control("C31", "Glue.1", "jobs are tagged", "job-encryption", "own:glue_jobs_have_a_supported_version_security_and_tags"),
    _control("C33", "Glue.4", "a supported version of Glue", "glue-versions", "own:glue_jobs_have_a_supported_version_security_and_tags"),
    _control("C34", "Glue security", "output, logs and bookmarks are encrypted", "job-encryption named-parts", "CT.GLUE.PR.1 CKV_AWS_99 CKV_AWS_195"),
    _control("C35", "Glue catalogue", "the catalogue and its passwords are encrypted, the catalogue by a role", "catalogue-encryption", "own:the_catalogue_is_encrypted_by_a_role"),
    _control("C36", "DataBrew", "jobs are encrypted, logged, bounded and tagged", "databrew-jobs", "own:databrew_jobs_are_encrypted_logged_and_bounded"),
    _control("C37", "CloudWatch.1–14", "an alarm for each of the fourteen event kinds, and for emergencies", "event-kinds alarm-actions"),
    _control("C38", "CloudWatch.15", "every alarm tells somebody", "alarm-actions topics", "CT.CLOUDWATCH.PR.1"),
    _control("C39", "CloudWatch.16", "logs are kept a year", "log-groups", "CT.CLOUDWATCH.PR.2 CKV_AWS_66"),
    _control("C40", "CloudWatch.17", "no alarm's actions are off", "alarm-actions", "CT.CLOUDWATCH.PR.4"),
    _control("C41", "log group KMS", "logs are encrypted with a key of ours that is for them", "log-groups", "CT.CLOUDWATCH.PR.3 CKV_AWS_158"),
    _control("C42", "IAM.1", "no role may do everything", "wide-statements", "CT.IAM.PR.1 CT.IAM.PR.2 CKV_AWS_62"),
    _control("C43", "IAM.2", "no users, so no policies of users", "no-people", "CT.IAM.PR.4 CKV_AWS_40"),
    _control("C44", "IAM.21", "no role may do everything of a service", "wide-statements", "CT.IAM.PR.3 CT.IAM.PR.5"),
    _control("C45", "inline policies", "managed policies only", "no-people", "NIST-IAMNoInlinePolicy"),
    _control("C46", "trust policies", "services are trusted on behalf of this account only", "confused-deputies open-principals second-factors trusted-services", "CKV_AWS_60"),
    _control("C48", "access analyzer", "what strangers can reach is analysed", "analyzers"),
    _control("C49", "EC2.2", "the default security group is closed", "default-groups", note="**held by a command**, no template can: the stack tells the group, `cityline deploy aws apply` takes its rules out, and `status` says when it is open; cdk-nag's finding is acknowledged as `default-security-group`"),
    _control("C50", "EC2.3, EC2.7", "disks are encrypted", "instances", "CT.EC2.PR.7", "the account's default is a step of the runbook"),
    _control("C51", "EC2.6", "flows of the network are recorded", "flow-logs trusted-services", "AwsSolutions-VPC7"),
    _control("C52", "EC2.8, EC2.170", "metadata by token only, one hop away", "instances", "CKV_AWS_79 CT.EC2.PR.1"),
    _control("C53", "EC2.9, .15, .25", "no public addresses", "public-addresses", "CT.EC2.PR.8 CT.EC2.PR.9"),
    _control("C54", "EC2.10, .55–.60", "AWS is reached through endpoints", "endpoints"),
    _control("C55", "EC2.13–.21", "nothing but 443, and 80 to be sent on, is open to the world", "open-ports", "CT.EC2.PR.3 CKV_AWS_24 CKV_AWS_25"),
    _control("C56", "ECS", "containers are locked down", "unused-services", note="no containers are used; a check refuses one"),
    _control("C57", "ECR", "images are scanned and immutable", "unused-services", note="no images are used; a check refuses a repository"),
    _control("C58", "ELB", "TLS 1.2 or newer, redirect, logs, firewall, no smuggling", "listeners", "CKV_AWS_2 CKV_AWS_91 CKV_AWS_103 CKV_AWS_131"),
    _control("C59", "SNS", "topics are encrypted, over TLS, somebody listens, and who sends there may", "topics open-principals", "CKV_AWS_26 AwsSolutions-SNS3"),
    _control("C60", "SecretsManager", "secrets rotate", "unused-services", note="no secrets are kept; a check refuses one"),
    _control("C61", "jobs", "a job that fails or does not run tells somebody", "job-failures job-silence"),
)  # fmt: skip
"""In the order of their numbers."""
