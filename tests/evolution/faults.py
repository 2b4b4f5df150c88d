"""A task that goes wrong in workers on purpose: it raises, dies or hangs at one chunk."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from evo_ntm.errors import TaskError
from evo_ntm.tasks.copy import Copy


@dataclass(frozen=True)
class Faulty(Copy):
    """Copying; but the chunk that is scored as number `at` goes wrong, as many `times`.

    It is known again by its grades, and counted in files of a folder. Never goes wrong in the
    process that made it. With a `node`, the first chunk that is scored there takes it down, and the
    others take their time until then.
    """

    folder: Path = Path()
    way: str = "raise"
    at: int = 0
    times: int = 1
    node: int | None = None
    home: int = field(default_factory=os.getpid)

    def measures(self, episodes, grades):
        if os.getppid() == self.node:
            self._count("attempt")
            os.kill(self.node, signal.SIGKILL)
            time.sleep(1000)
        if os.getpid() != self.home and self.node is not None and not self.attempts:
            time.sleep(0.3)
        if os.getpid() != self.home and self.node is None:
            self._score(float(grades.bits.flatten()[0]))
        return {}

    def _score(self, grade):
        victim = self.folder / "victim"
        if self._count("chunk") == self.at:
            victim.write_text(repr(grade))
        if not victim.exists() or victim.read_text() != repr(grade):
            return
        if self._count("attempt") >= self.times:
            return
        if self.way == "raise":
            raise ValueError("there is no luck\nin this line")
        if self.way == "refuse":
            raise TaskError("gauge: expected luck")
        if self.way == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.way == "hang":
            time.sleep(1000)

    def _count(self, kind):
        """Give the next number of a kind, to one process each."""
        number = 0
        while True:
            try:
                os.close(os.open(self.folder / f"{kind} {number}", os.O_CREAT | os.O_EXCL))
                return number
            except FileExistsError:
                number += 1

    @property
    def attempts(self):
        return len(list(self.folder.glob("attempt *")))
