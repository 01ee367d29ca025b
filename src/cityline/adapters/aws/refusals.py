"""What a bucket's refusals mean: which error of ours, whether it may pass, and what to try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cityline.errors import MissingExtra, StoreError, StoreFull, StoreRefused, StoreUnreachable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_SIGN_IN = "sign in again, or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
_MEANINGS = {
    "the credentials have expired": (
        ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"),
        _SIGN_IN,
    ),
    "the store does not know these credentials": (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId"),
        "check AWS_PROFILE, or the keys in the environment",
    ),
    "the store denies it": (
        ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "KMS.DisabledException",
         "KMS.NotFoundException", "KMS.KMSInvalidStateException"),
        "the bucket's policy, the role's and the key's must allow reading, writing, listing and "
        "deleting below the address",
    ),
    "there is no such bucket": (("NoSuchBucket",), "check address in [lake], or make the bucket"),
    "the bucket is in another region": (
        ("PermanentRedirect", "301", "AuthorizationHeaderMalformed",
         "IllegalLocationConstraintException", "IncorrectEndpoint"),
        "set region in [lake] to the bucket's",
    ),
    "the clocks differ too much": (("RequestTimeTooSkewed",), "set this machine's clock"),
}  # fmt: skip
_REFUSED = {c: (what, hint) for what, (codes, hint) in _MEANINGS.items() for c in codes}
_FULL = ("QuotaExceeded", "XMinioStorageFull", "InsufficientStorage")
_PASSING = (
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
    "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted",
)  # fmt: skip
UNSIGNED = (
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
    "TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "ProfileNotFound",
    "InvalidConfigError", "ConfigParseError", "RefreshWithMFAUnsupportedError",
    "LoginRefreshRequired", "LoginTokenLoadError", "LoginInsufficientPermissions",
    "LoginAuthorizationCodeError", "MissingDependencyException",
)  # fmt: skip
"""botocore's errors of somebody who has not signed in, or must again."""
NO_CODE = "a code of the second factor is wanted, and there is no terminal to ask at"
CODE_HINT = (
    'eval "$(aws configure export-credentials --profile NAME --format env)", once for an hour'
)
_LATER = "is the store up, and is endpoint in [lake] right? Run again: nothing was half-written"


def need_boto3() -> None:
    """Raises MissingExtra when Amazon's Python package is not installed."""
    try:
        import boto3  # noqa: F401, PLC0415 - an extra, and heavy
    except ImportError as error:
        told = "Amazon's Python package is not installed"
        raise MissingExtra(told, hint="pip install 'cityline[aws]'") from error


@contextmanager
def bucket_errors(where: str) -> Iterator[None]:
    """Turn botocore's errors into ours, from the original. Raises MissingExtra without it."""
    need_boto3()
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 - an extra
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _answered(error, where) from error
    except BotoCoreError as error:
        raise _unanswered(error, where) from error
    except (ResponseParserError, HTTPError) as error:  # no answer of a store, or a body cut off
        told = f"the store does not answer as one: {error}"
        raise StoreUnreachable(told, where=where, hint=_LATER) from error
    except EOFError as error:
        raise StoreRefused(NO_CODE, where=where, hint=CODE_HINT) from error
    except Boto3Error as error:  # a transfer tells its reason only this way
        cause = error.__cause__ or error.__context__
        if isinstance(cause, ClientError):
            raise _answered(cause, where) from error
        if isinstance(cause, BotoCoreError):
            raise _unanswered(cause, where) from error
        raise StoreError(f"the transfer failed: {error}", where=where) from error


def _answered(error: ClientError, where: str) -> StoreError:
    """The store answered, and the answer is no."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in ("NoSuchKey", "404"):
        return StoreError("No such file or object", where=where)
    if code in _REFUSED:
        what, hint = _REFUSED[code]
        return StoreRefused(f"{what} ({code})", where=where, hint=hint)
    if code in _FULL or status == 507:  # noqa: PLR2004 - insufficient storage
        what = "no space is left where the zones are kept"
        return StoreFull(what, where=where, hint="free some space and run again")
    if code in _PASSING or status in (429, 500, 502, 503, 504):
        what = f"the store cannot answer now ({code or status})"
        return StoreUnreachable(what, where=where, hint=_LATER)
    return StoreError(f"the store refused the request ({code}): {message}", where=where)


def _unanswered(error: BotoCoreError, where: str) -> StoreError:
    """No answer came, or no question could be asked."""
    kind = type(error).__name__
    if kind in UNSIGNED:
        return StoreRefused(f"no credentials for the store: {error}", where=where, hint=_SIGN_IN)
    if kind == "NoRegionError":
        return StoreRefused("no region is named", where=where, hint="set region in [lake]")
    if kind == "SSLError":
        hint = "its certificate must be valid for its name"
        return StoreRefused(f"the connection is not safe: {error}", where=where, hint=hint)
    if kind == "ParamValidationError":
        return StoreError(f"the request cannot be made: {error}", where=where)
    return StoreUnreachable(f"the store does not answer: {error}", where=where, hint=_LATER)
