"""The machine of Graves, Wayne and Danihelka (2014), differentiable, in torch."""

from evo_ntm.machine.backends import Backend, choose
from evo_ntm.machine.machine import Machine
from evo_ntm.machine.soft import Orders, Trace
from evo_ntm.machine.state import Soft, State, Tape
from evo_ntm.machine.weights import Weights

__all__ = ["Backend", "Machine", "Orders", "Soft", "State", "Tape", "Trace", "Weights", "choose"]
