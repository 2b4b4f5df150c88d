"""Ray for one run: a fresh cluster of its own, or one that is running."""

import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from evo_ntm.errors import ClusterError
from evo_ntm.evolution.workers.worker import last
from evo_ntm.experiment.run import RunSettings

SECONDS_TO_ANSWER = 9.0
ADDRESS = r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}"
TOKEN, TOKEN_FILE = "RAY_AUTH_TOKEN", Path("~/.ray/auth_token")
MODE, UNHEARD = "RAY_AUTH_MODE", b"Unauthenticated"
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
    ray, name = ray_module(), address or "Ray"
    with ExitStack() as stack:
        if address is None:
            asked, mode = _own(run, stack.enter_context(_folder())), "token"
            # Its processes find the modules that this one finds, also those of one's own task.
            paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
            own = {"PYTHONPATH": paths, **token()}
        else:
            head, mode = probe(address)
            asked, own = {"address": head}, {}
        variables = {MODE: mode, **os.environ, **QUIET, **own}
        stack.enter_context(_connected(ray, asked, name, variables))
        yield ray.get_runtime_context().gcs_address


def token() -> dict[str, str]:
    """Make up a token where there is none, for Ray would put one into the user's home for good."""
    there = TOKEN in os.environ or f"{TOKEN}_PATH" in os.environ
    with suppress(OSError, RuntimeError):  # there may be no home, or none that can be read
        there = there or TOKEN_FILE.expanduser().exists()
    return {} if there else {TOKEN: _made_up()}


@cache
def _made_up() -> str:
    """Make up a token; there is one, as Ray keeps the first that a process has heard of."""
    return secrets.token_hex(32)


def _own(run: RunSettings, folder: Path) -> dict[str, Any]:
    """Tell Ray to begin afresh, with as many CPUs as the workers ask for."""
    return {
        "address": "local",
        "num_cpus": run.workers * run.cpus_per_worker,
        "include_dashboard": False,
        "_temp_dir": str(folder),
    }


@contextmanager
def _connected(
    ray: Any,  # noqa: ANN401
    asked: dict[str, Any],
    name: str,
    variables: dict[str, str],
) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        sys.modules["ray._raylet"].Config.initialize("")  # hears of a mode other than the last one
        with _own_ears():
            ray.init(**asked, log_to_driver=False, logging_level=logging.CRITICAL)
    except Exception as error:
        raise ClusterError(f"{name}: cannot be begun with: {last(error)}") from error
    finally:
        os.environ.clear()  # of what Ray has set, too
        os.environ.update(before)
    # Ray prints the last words of nodes that died on stdout, where results go.
    with patched(sys.modules["ray._private.worker"], "_worker_logs_enabled", False):
        try:
            yield
        finally:
            ray.shutdown()


@contextmanager
def _own_ears() -> Iterator[None]:
    """Keep hearing SIGTERM as before: Ray would end this process, and print where it was."""
    utils, ears = sys.modules["ray._private.utils"], signal.getsignal(signal.SIGTERM)
    with patched(utils, "set_sigterm_handler", lambda heard: None):
        yield
    if ears is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ears)


@contextmanager
def patched(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Give something in a module another value for a while."""
    before = getattr(module, name, None)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def probe(address: str) -> tuple[str, str]:
    """Look in time whether a cluster answers; give the address of its head, and its mode.

    The mode is `token` where it hears only those who know its token. Raises ClusterError.
    """
    port = address.rpartition(":")[2]
    if address != "auto" and not (re.fullmatch(ADDRESS, address) and 0 < int(port) < 2**16):
        raise ClusterError("expected the address of a cluster as host:port (by --ray, run.ray or "
                           f"RAY_ADDRESS), but came {address!r}")  # fmt: skip
    ends = time.monotonic() + SECONDS_TO_ANSWER
    told: dict[str, str] = {}
    for mode in [os.environ[MODE]] if MODE in os.environ else ["disabled", "token"]:
        told = _probed(address, mode, ends)
        if "address" in told:
            return told["address"], mode
        if "refused" not in told:
            break
    raise ClusterError(f"{address}: expected a running cluster of Ray, but {told['error']}")


def _probed(address: str, mode: str, ends: float) -> dict[str, str]:
    """Let another process join a cluster in one mode, until it is plain that it cannot."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("probe.py")), address]
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as beside:
        child = subprocess.Popen(
            command, env={**os.environ, **QUIET, MODE: mode}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=answer, stderr=beside,
        )  # fmt: skip
        try:
            while child.poll() is None and time.monotonic() < ends:
                time.sleep(0.02)
                if UNHEARD in _content(beside):  # it would go on asking for long
                    return {"refused": mode, "error": "it wants another token, as RAY_AUTH_TOKEN"
                            " or ~/.ray/auth_token would hold"}  # fmt: skip
        finally:
            child.kill()
            ended = child.wait() == 0
        lines = _content(answer).splitlines()
    if not ended:
        return {"error": f"none answers within {SECONDS_TO_ANSWER:.0f} s"}
    told: dict[str, str] = json.loads(lines[-1])
    return told if "address" in told else {"error": f"none answers: {told['error']}"}


def _content(file: IO[bytes]) -> bytes:
    return os.pread(file.fileno(), 2**20, 0)


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
