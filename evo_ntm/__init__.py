"""Evolve Neural Turing Machines: weights and head topology, without gradients."""
