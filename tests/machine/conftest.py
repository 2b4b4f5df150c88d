"""Check every shape in `evo_ntm.machine` as it is called, however the tests are started."""

import sys

from jaxtyping import install_import_hook

if "evo_ntm.machine" not in sys.modules:
    install_import_hook("evo_ntm.machine", "beartype.beartype")
