"""Experiments: a YAML file becomes a frozen, checked value. No import of torch."""

from evo_ntm.experiment.experiment import Experiment
from evo_ntm.experiment.files import dump, load, parse
from evo_ntm.experiment.schema import json_schema
from evo_ntm.experiment.template import template

__all__ = ["Experiment", "dump", "json_schema", "load", "parse", "template"]
