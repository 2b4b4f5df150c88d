"""`python -m evo_ntm`, the same as `evo-ntm`."""

from evo_ntm.cli import main

main()
