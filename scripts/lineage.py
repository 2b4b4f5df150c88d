"""Tell how a champion came to be: `python scripts/lineage.py runs/copy-1 --report`."""

import sys

from evo_ntm.cli import main

sys.argv.insert(1, "lineage")
main()
