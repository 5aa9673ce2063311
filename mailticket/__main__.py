"""`python -m mailticket` is the console script."""

from mailticket.cli import main

main()
