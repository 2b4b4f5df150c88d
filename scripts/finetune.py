"""Train a machine by gradients: `python scripts/finetune.py runs/copy-1`."""

import sys

from evo_ntm.cli import main

sys.argv.insert(1, "finetune")
main()
