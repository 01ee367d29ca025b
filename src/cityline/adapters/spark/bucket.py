"""Spark and a bucket: Hadoop's S3A for what Spark writes and for the tables it reads.

A candidate is written by the magic committer: each file is one upload that is completed when the
job is, so no file is ever renamed, and a job that dies leaves none.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from cityline.declarations.environment import Lake
from cityline.errors import StoreError, StoreRefused, StoreUnreachable

BUCKET_JARS = ("hadoop-aws", "aws-java-sdk-bundle", "spark-hadoop-cloud")
"""What Spark needs for a bucket, beside the Iceberg runtime."""
_CLOUD = "org.apache.spark.internal.io.cloud"


def bucket_settings(lake: Lake) -> dict[str, str]:
    """A session's settings for a lake in a bucket. Credentials are found as the AWS SDK finds
    them, on every machine of the cluster."""
    plain = urlsplit(lake.endpoint).scheme == "http"
    patience = f"{int(lake.deadline * 1000 / 4)}"  # milliseconds of one of four attempts
    s3a = {
        "endpoint": lake.endpoint,
        "endpoint.region": lake.region,
        "path.style.access": str(lake.path_style).lower(),
        "connection.ssl.enabled": str(not plain).lower(),
        "aws.credentials.provider": "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
        "committer.name": "magic",
        "directory.marker.retention": "keep",  # else every write deletes the marks of all above it
        "attempts.maximum": "1",  # the SDK tries twice, and S3A the SDK
        "retry.limit": "1",
        "connection.establish.timeout": "5000",
        "connection.timeout": patience,
        "encryption.algorithm": "SSE-KMS" if lake.kms_key else "",
        "encryption.key": lake.kms_key,
    }
    return {f"spark.hadoop.fs.s3a.{key}": value for key, value in s3a.items() if value} | {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3": (
            "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"
        ),
        "spark.sql.sources.commitProtocolClass": f"{_CLOUD}.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": f"{_CLOUD}.BindingParquetOutputCommitter",
    }


def bucket_error(told: str, where: str) -> StoreError | None:
    """What Java says of a bucket, as our error; None when it speaks of something else."""
    if "ExpiredToken" in told:
        hint = "sign in again, or renew what the executors are given"
        return StoreRefused("the credentials have expired", where=where, hint=hint)
    if "AWSServiceThrottledException" in told or "SlowDown" in told:
        hint = "run again in a minute: nothing was promoted"
        return StoreUnreachable("the store cannot answer now", where=where, hint=hint)
    if "AccessDenied" in told or "InvalidAccessKeyId" in told:
        hint = "the executors' credentials must allow the bucket; see cityline doctor"
        return StoreRefused("the store denies it", where=where, hint=hint)
    if "NoSuchBucketException" in told or "UnknownStoreException" in told:
        return StoreRefused("there is no such bucket", where=where, hint="check [lake]")
    if "No AWS Credentials" in told or "NoAuthWithAWSException" in told:
        hint = "the executors find no credentials: the environment, a profile or the role"
        return StoreRefused("no credentials for the store", where=where, hint=hint)
    if "Unable to execute HTTP request" in told or "AWSServiceIOException" in told:
        hint = "is the store up? Run again: nothing was promoted"
        return StoreUnreachable("the store does not answer", where=where, hint=hint)
    return None
