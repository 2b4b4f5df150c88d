"""What Triton's interpreter cannot show by itself: threads that do not wait for each other.

It does one operation after another, each for all threads. On a GPU a thread may be ahead of the
next, until a barrier; so between two barriers no thread may leave what another fetches or leaves.
Elements of tiles of the same shape at the same place count as the same thread's. Nor may an
instance of a program leave what another instance fetches or leaves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest


class Watch:
    """Who fetched and who left what, since the last barrier and in the whole launch."""

    def __init__(self) -> None:
        self.races: list[str] = []
        self.instance = -1
        self.begin()

    def begin(self) -> None:
        """Forget what was done before, at the beginning of a launch."""
        self.owners: dict[int, int] = {}
        self.readers: dict[int, set[int]] = {}
        self.wait()

    def wait(self) -> None:
        """Let all threads come together."""
        self.left: dict[int, tuple[object, int]] = {}
        self.fetched: dict[int, set[tuple[object, int]]] = {}

    def enter(self, instance: int) -> None:
        """Go on with another instance."""
        if instance <= self.instance:
            self.begin()
        self.instance = instance
        self.wait()

    def places(self, pointers, mask) -> Iterator[tuple[int, tuple[object, int]]]:
        """Give each address with who goes there: a place in a tile of some shape."""
        pointers, mask = np.broadcast_arrays(pointers.data, mask.data)
        for number, (address, goes) in enumerate(zip(pointers.flat, mask.flat, strict=True)):
            if goes:
                yield int(address), (pointers.shape, number)

    def fetch(self, pointers, mask) -> None:
        """Note a load."""
        for address, thread in self.places(pointers, mask):
            if self.left.get(address, thread) != thread:
                self.races.append(f"{thread} fetches what {self.left[address]} left")
            if self.owners.get(address, self.instance) != self.instance:
                self.races.append(f"instance {self.instance} fetches what another left")
            self.fetched.setdefault(address, set()).add(thread)
            self.readers.setdefault(address, set()).add(self.instance)

    def leave(self, pointers, mask) -> None:
        """Note a store."""
        for address, thread in self.places(pointers, mask):
            if self.left.get(address, thread) != thread:
                self.races.append(f"{thread} leaves where {self.left[address]} left something")
            if late := self.fetched.get(address, set()) - {thread}:
                self.races.append(f"{thread} leaves where {late} may still fetch")
            others = {self.owners.get(address, self.instance), *self.readers.get(address, ())}
            if others != {self.instance}:
                self.races.append(f"instance {self.instance} leaves where {others} go, too")
            self.left[address], self.owners[address] = thread, self.instance


@contextmanager
def watched(*, barriers: bool = True) -> Iterator[list[str]]:
    """Watch what programs do in the interpreter; without `barriers`, as if they had none."""
    from triton.runtime.interpreter import interpreter_builder as builder

    watch = Watch()
    load, store = builder.create_masked_load, builder.create_masked_store
    enter = builder.set_grid_idx

    def fetch(pointers, mask, *more):
        watch.fetch(pointers, mask)
        return load(pointers, mask, *more)

    def leave(pointers, value, mask, *more):
        watch.leave(pointers, mask)
        return store(pointers, value, mask, *more)

    def go_on(x, y, z):
        watch.enter(x)
        enter(x, y, z)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "create_masked_load", fetch)
        patch.setattr(builder, "create_masked_store", leave)
        patch.setattr(builder, "set_grid_idx", go_on)
        if barriers:
            patch.setattr(builder, "create_barrier", watch.wait)
        yield watch.races
