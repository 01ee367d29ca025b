"""What AWS's own services refuse, as ours: sign in, a right, a name, a quota, or later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cityline.adapters.aws.refusals import CODE_HINT, NO_CODE, UNSIGNED, need_boto3
from cityline.errors import CloudError, CloudRefused, CloudSignIn, CloudUnreachable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_SIGN_IN = "sign in again (aws sso login), or renew AWS_ACCESS_KEY_ID and its companions"
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = (
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
    "InvalidAccessKeyId", "AuthFailure", "MissingAuthenticationToken", "InvalidToken",
)  # fmt: skip
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "OptInRequired")
_TAKEN = ("AlreadyExistsException", "BucketAlreadyExists", "EntityAlreadyExists")
_QUOTA = (
    "LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
    "ResourceNumberLimitExceededException",
)  # fmt: skip
PASSING = (
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
    "SlowDown", "ServiceUnavailable", "InternalFailure", "InternalError", "RequestTimeout",
    "RequestTimeoutException", "OperationTimeoutException",
)  # fmt: skip


@contextmanager
def cloud_errors(where: str) -> Iterator[None]:
    """Turn botocore's errors into CloudError and its children, from the original. Raises
    MissingExtra without it."""
    need_boto3()
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise refused(error, where) from error
    except BotoCoreError as error:
        raise _unanswered(error, where) from error
    except ResponseParserError as error:
        told = "what answers in AWS's place does not speak its language"
        hint = "is a proxy between here and AWS, and does it let these requests through?"
        raise CloudUnreachable(told, where=where, hint=hint) from error
    except EOFError as error:
        raise CloudSignIn(NO_CODE, where=where, hint=CODE_HINT) from error


def refused(error: ClientError, where: str) -> CloudError:
    """AWS answered, and the answer is no."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    match code:
        case _ if code in _EXPIRED:
            return CloudSignIn("the credentials have expired", where=where, hint=_SIGN_IN)
        case _ if code in _UNKNOWN:
            hint = (
                "check AWS_PROFILE, or the keys in the environment; a region that is not enabled "
                "in the account answers like this as well"
            )
            return CloudSignIn("AWS does not know these credentials", where=where, hint=hint)
        case _ if code in DENIED:
            hint = "the role in use needs this right: cityline access shows who may do what"
            return CloudRefused(
                f"AWS denies {error.operation_name}: {message}", where=where, hint=hint
            )
        case _ if code in _TAKEN:
            hint = "choose another prefix in the environment, or remove what has the name"
            return CloudRefused(f"a name is taken: {message}", where=where, hint=hint)
        case _ if code in _QUOTA:
            return CloudRefused(
                f"a quota of the account is used up: {message}", where=where,
                hint="ask AWS to raise it (Service Quotas), then run again",
            )  # fmt: skip
        case _ if code in PASSING or status in (429, 500, 502, 503, 504):
            hint = "run again in a minute: what was done stays done"
            return CloudUnreachable(f"AWS cannot answer now ({code})", where=where, hint=hint)
    told = f"AWS refused {error.operation_name} ({code}): {message}"
    return CloudError(told, where=where, hint="cityline deploy aws status: does everything stand?")


def _unanswered(error: BotoCoreError, where: str) -> CloudError:
    """No answer came, or no question could be asked."""
    kind = type(error).__name__
    if kind in UNSIGNED:
        return CloudSignIn(f"no credentials for AWS: {error}", where=where, hint=_SIGN_IN)
    if kind == "SSLError":
        hint = "its certificate must be valid for its name; AWS_CA_BUNDLE names other authorities"
        return CloudRefused(f"the connection is not safe: {error}", where=where, hint=hint)
    if kind == "ParamValidationError":
        return CloudError(f"the request cannot be made: {error}", where=where)
    if kind == "InvalidRegionError":
        hint = "mend home_region or replica_region in [aws]"
        return CloudRefused(f"no region has such a name: {error}", where=where, hint=hint)
    if kind in ("EndpointConnectionError", "ConnectTimeoutError") and "amazonaws" in str(error):
        hint = "is the region's name right, enabled in the account, and the network there?"
        return CloudUnreachable(f"AWS does not answer: {error}", where=where, hint=hint)
    return CloudUnreachable(f"AWS does not answer: {error}", where=where, hint="run again")
