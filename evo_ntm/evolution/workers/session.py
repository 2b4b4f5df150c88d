"""Ray for one run: a fresh cluster of its own, or one that is running."""

import fcntl
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from evo_ntm.errors import ClusterError
from evo_ntm.evolution.workers.worker import last
from evo_ntm.experiment.run import RunSettings

SECONDS_TO_ANSWER = 13.0
ADDRESS = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}"
FOLDER, LOCK = "evo-ntm-ray-", "lock"
ABSENT = ("workers need Ray, which is not installed: python -m pip install 'evo-ntm[ray]', or in a "
          "clone python -m pip install -c constraints.txt -e '.[ray]'")  # fmt: skip
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}


def ray_module() -> Any:  # noqa: ANN401
    """Import Ray. Raises ClusterError where it is not installed, or in use in this process."""
    try:
        import ray
    except ImportError as error:
        raise ClusterError(ABSENT) from error
    if ray.is_initialized():
        raise ClusterError("expected a process that is not connected to Ray yet, but this one is; "
                           "ray.shutdown() disconnects it")  # fmt: skip
    return ray


@contextmanager
def session(run: RunSettings, address: str | None) -> Iterator[str]:
    """Connect this process to the cluster at an address, or to a fresh one; give its address.

    Raises ClusterError where nobody answers, or where Ray is not installed.
    """
    ray = ray_module()
    if address is None:
        with _folder() as folder, _connected(ray, _own(run, folder), "Ray"):
            yield ray.get_runtime_context().gcs_address
    else:
        with _connected(ray, {"address": probe(address)}, address):
            yield ray.get_runtime_context().gcs_address


def _own(run: RunSettings, folder: Path) -> dict[str, Any]:
    """Tell Ray to begin afresh, with as many CPUs as the workers ask for."""
    return {
        "address": "local",
        "num_cpus": run.workers * run.cpus_per_worker,
        "include_dashboard": False,
        "_temp_dir": str(folder),
    }


@contextmanager
def _connected(ray: Any, asked: dict[str, Any], name: str) -> Iterator[None]:  # noqa: ANN401
    before = {key: os.environ.get(key) for key in QUIET}
    os.environ.update(QUIET)
    try:
        ray.init(**asked, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:
        raise ClusterError(f"{name}: cannot be begun with: {last(error)}") from error
    finally:
        for key, value in before.items():
            os.environ.pop(key)
            if value is not None:
                os.environ[key] = value
    try:
        yield
    finally:
        ray.shutdown()


def probe(address: str) -> str:
    """Look in time whether a cluster answers; give the address of its head. Raises ClusterError."""
    if address != "auto" and not re.fullmatch(ADDRESS, address):
        raise ClusterError(f"expected the address of a cluster as host:port, but came {address!r}")
    script = Path(__file__).with_name("probe.py")
    child = subprocess.Popen(
        [sys.executable, "-P", str(script), address],
        env={**os.environ, **QUIET},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        told = json.loads(child.communicate(timeout=SECONDS_TO_ANSWER)[0].splitlines()[-1])
    except subprocess.TimeoutExpired:
        told = {"error": f"not within {SECONDS_TO_ANSWER:.0f} s"}
    except (ValueError, IndexError):
        told = {"error": "what answers is not Ray"}
    finally:
        child.kill()
        child.communicate()
    if "error" in told:
        raise ClusterError(f"{address}: expected a running cluster of Ray, but none answers: "
                           f"{told['error']}")  # fmt: skip
    found: str = told["address"]
    return found


def answers(address: str) -> bool:
    """Tell whether the head of a cluster still listens."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder for the files of a cluster, gone at the end; sweep those that were left.

    Its name is short, as the path of a socket below it may have no more than 107 bytes.
    """
    place = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=place))
    new = folder / f"{LOCK}.new"
    handle = os.open(new, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        new.rename(folder / LOCK)  # only now, for an unlocked one says that its owner is dead
        yield folder
    finally:
        _remove(folder)
        os.close(handle)


def _sweep(place: Path) -> None:
    """Remove the folders of processes that were killed."""
    for lock in place.glob(f"{FOLDER}*/{LOCK}"):
        with suppress(OSError):
            handle = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(lock.parent)
            finally:
                os.close(handle)


def _remove(folder: Path) -> None:
    """Remove a folder into which somebody may still be writing his last words."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)
