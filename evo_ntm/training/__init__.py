"""Training: a genome as a module of torch, for gradients and for anyone's code."""

from evo_ntm.training.module import NeuralTuringMachine, machine_of

__all__ = ["NeuralTuringMachine", "machine_of"]
