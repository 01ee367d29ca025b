"""The command line: results on stdout, talk on stderr, exit codes from `errors.ExitCode`."""
