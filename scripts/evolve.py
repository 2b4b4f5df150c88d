"""Evolve machines for a task file: `python scripts/evolve.py tasks/copy.yaml`."""

import sys

from evo_ntm.cli import main

sys.argv.insert(1, "evolve")
main()
