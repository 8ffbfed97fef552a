"""`python -m aionix` is `aionix`."""

from aionix.cli.commands import main

main()
