"""Apache Spark: the same declarations on a cluster. Needs the extra `spark`."""
