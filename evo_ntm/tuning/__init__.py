"""Tuning: a machine is trained by gradients, held against validation and exam, and recorded."""

from evo_ntm.tuning.loop import Look, tune
from evo_ntm.tuning.place import Best, Place, Point, read_place

__all__ = ["Best", "Look", "Place", "Point", "read_place", "tune"]
