"""Experiments: a YAML file becomes a frozen, checked value. No import of torch."""

from evo_ntm.experiment.experiment import Experiment
from evo_ntm.experiment.files import dump, load, parse

__all__ = ["Experiment", "dump", "load", "parse"]
