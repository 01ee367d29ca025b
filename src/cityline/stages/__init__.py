"""The way: what happens to data, verb by verb. No stage knows another; `WAY` says the order."""

WAY = ("discover", "ingest", "prepare", "structure", "analyse", "visualise", "publish")
