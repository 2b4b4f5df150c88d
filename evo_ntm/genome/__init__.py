"""Genomes: what is inherited, how it is encoded, varied and kept in files."""

from evo_ntm.genome.encoding import ENCODINGS, Encoding
from evo_ntm.genome.genome import Genome

__all__ = ["ENCODINGS", "Encoding", "Genome"]
