"""Look whether a cluster of Ray answers: run as a script, as what Ray does may hang for minutes.

Prints the address of its head, or what is wrong, as JSON. Imports nothing of evo_ntm.
"""

import json
import socket
import sys


def reached(address: str) -> str | None:
    """Say what is wrong with an address at first sight, None where somebody listens there."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            return None
    except OSError as error:
        return error.strerror or str(error)


def probed(address: str) -> dict[str, str]:
    """Join a cluster and leave it again."""
    if address != "auto" and (wrong := reached(address)):
        return {"error": wrong}
    try:
        import logging

        import ray

        ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False)
        return {"address": ray.get_runtime_context().gcs_address}
    except BaseException as error:  # noqa: BLE001 - also SystemExit, by which Ray may leave
        return {"error": " ".join(str(error).split()) or type(error).__name__}


if __name__ == "__main__":
    told = probed(sys.argv[1])
    sys.stdout.write(f"\n{json.dumps(told)}\n")
    sys.stdout.flush()
    import os

    os._exit(0)  # to say goodbye takes a second, and nobody waits for it
