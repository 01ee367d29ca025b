"""Starts the emulator, by the Python of its own environment: over TLS and over plain HTTP at once.

    python serve_emulator.py CERTIFICATE KEY TLS_PORT PLAIN_PORT

Five answers that AWS gives are mended here. Policies rely on four: a session's
`aws:PrincipalArn` is its role's ARN, a write tells which key it asks for, who looks at a Glue
database asks for that database, and who looks at a key, by an alias or not, asks for that key, which
tells its aliases. Removing a city relies on one: a workgroup with queries goes only when all of it
may go. `test_emulator.py` fails when the emulator gives them by itself.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import athena, kms

_SESSION = re.compile(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*")
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def mend() -> None:
    """Give the four answers."""
    ask, tell = iam_evaluator._resolve_condition_key, iam_actions._s3_object_context
    name = iam_actions.extract_resource_arn

    def resolve(key: str, ctx: Any) -> Any:
        if key.lower() == "kms:resourcealiases":
            mine = ctx.resource_arn.rpartition("/")[2]
            return [
                f"alias/{arn.partition(':alias/')[2]}"
                for arn, of in kms._aliases.items()
                if of == mine
            ]
        found = ask(key, ctx)
        if key.lower() == "aws:principalarn":
            return _SESSION.sub(r"arn:aws:iam::\1:role/\2", found)
        return found

    def context(action: str, query: Any, path: str, headers: Any) -> Any:
        found = tell(action, query, path, headers)
        if action == "s3:PutObject" and headers.get(_KEY):
            found[f"s3:{_KEY}"] = headers[_KEY]
        return found

    def named(service: str, method: str, path: str, headers: Any, body: Any, *more: Any) -> Any:
        found = name(service, method, path, headers, body, *more)
        if headers.get("x-amz-target", "").endswith(".GetDatabase"):
            return re.sub(r":table/[^/]+$", f":database/{json.loads(body)['Name']}", found)
        if headers.get("x-amz-target", "").endswith(".DescribeKey"):
            return (kms._resolve_key(found) or {}).get("Arn", found)
        return found

    remove = athena._delete_workgroup

    def removed(asked: Any) -> Any:
        group = asked.get("WorkGroup")
        used = any(e.get("WorkGroup") == group for e in athena._executions.values())
        if used and not asked.get("RecursiveDeleteOption"):
            raise ValueError(f"WorkGroup {group} is not empty")
        return remove(asked)

    athena._delete_workgroup = removed
    iam_actions.extract_resource_arn = named
    iam_evaluator._resolve_condition_key = resolve
    iam_actions._s3_object_context = context


def main() -> None:
    """Serve until stopped."""
    certificate, key, tls, plain = sys.argv[1:]
    config = Config()
    config.certfile, config.keyfile = certificate, key
    config.bind = [f"127.0.0.1:{tls}"]
    config.insecure_bind = [f"127.0.0.1:{plain}"]
    config.loglevel = "WARNING"
    mend()
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
