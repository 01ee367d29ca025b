"""Athena: every saved query reads as its SQL, and its workgroup keeps results safe and bounded."""

from __future__ import annotations

from collections.abc import Iterator

from cityline.deploy.checks.reading import Finding, Stacks
from cityline.dialect import unreadable


def saved_queries(stacks: Stacks) -> Iterator[Finding]:
    """A saved query is one statement that Athena's grammar reads, over databases that exist."""
    databases = {d.get("DatabaseInput.Name") for d in stacks.of("Glue::Database")}
    for query in stacks.of("Athena::NamedQuery"):
        fault = unreadable(stacks.text(query.stack, query.get("QueryString", "")))
        if fault:
            yield query.fault("saved-queries", fault)
        if databases and query.get("Database") not in databases:
            yield query.fault("saved-queries", f"no database is called {query.get('Database')!r}")


def workgroups(stacks: Stacks) -> Iterator[Finding]:
    """Results are encrypted with a key of ours whatever a client asks, queries are measured, and
    the history of queries, which the trail has too, does not keep a stack from going."""
    for group in stacks.of("Athena::WorkGroup"):
        settings = group.get("WorkGroupConfiguration", {})
        if settings.get("EnforceWorkGroupConfiguration") is not True:
            yield group.fault("workgroups", "a client may choose where results go")
        if settings.get("PublishCloudWatchMetricsEnabled") is not True:
            yield group.fault("workgroups", "queries are not measured")
        if group.get("RecursiveDeleteOption") is not True:
            yield group.fault("workgroups", "it cannot be removed once somebody has asked")
        told = settings.get("ResultConfiguration", {}).get("EncryptionConfiguration", {})
        if told.get("EncryptionOption") != "SSE_KMS" or not told.get("KmsKey"):
            yield group.fault("workgroups", "results are not encrypted with a key of ours")
