"""Training: gradients, genome in and genome out; and a genome as a module for anyone's code."""

from evo_ntm.training.descent import Descent, Slope, Standing, descent_of
from evo_ntm.training.module import NeuralTuringMachine, machine_of

__all__ = ["Descent", "NeuralTuringMachine", "Slope", "Standing", "descent_of", "machine_of"]
