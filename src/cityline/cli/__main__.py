"""`python -m cityline.cli` is `cityline`."""

from cityline.cli.main import main

main()
