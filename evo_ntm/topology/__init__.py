"""What a machine is made of, and the wires that this implies."""

from evo_ntm.topology.graph import Connection, Frame, Graph
from evo_ntm.topology.parts import Block, Controller, Head, Stages, Tape
from evo_ntm.topology.topology import Topology
from evo_ntm.topology.wires import Wire, wires

__all__ = [
    "Block",
    "Connection",
    "Controller",
    "Frame",
    "Graph",
    "Head",
    "Stages",
    "Tape",
    "Topology",
    "Wire",
    "wires",
]
