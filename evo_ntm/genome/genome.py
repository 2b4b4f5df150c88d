"""A genome: a topology, an encoding and its genes, forever."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo_ntm.errors import GenomeError
from evo_ntm.genome.encoding import Code, Encoding, audience, code
from evo_ntm.genome.notation import topology_json
from evo_ntm.topology import Topology, wires


@dataclass(frozen=True, eq=False)
class Genome:
    """A topology, an encoding, and a number for every gene. Never changes.

    Raises GenomeError where the count of genes is wrong or a gene is not finite.
    """

    topology: Topology
    genes: NDArray[np.float32]
    encoding: Encoding = "direct"

    def __post_init__(self) -> None:
        genes = np.array(self.genes, dtype=np.float32)
        if genes.shape != self.code.keys.shape:
            raise GenomeError(
                f"a genome of {self.topology} ({self.encoding}) has {self.code.keys.size} genes, "
                f"but was given an array of shape {genes.shape}"
            )
        if not np.isfinite(genes).all():
            where = int(np.flatnonzero(~np.isfinite(genes))[0])
            raise GenomeError(f"genes are finite numbers, but gene {where} is {genes[where]}")
        genes.flags.writeable = False
        object.__setattr__(self, "genes", genes)

    @property
    def code(self) -> Code:
        """Give the names of the genes and the way they express."""
        return code(self.topology, self.encoding)

    @cached_property
    def id(self) -> str:
        """Name the genome by a hash of all that it is."""
        told = f"{topology_json(self.topology)}\n{self.encoding}\n".encode()
        return hashlib.blake2b(
            told + self.genes.astype("<f4").tobytes(), digest_size=16
        ).hexdigest()

    def express(self) -> dict[str, NDArray[np.float32]]:
        """Give the weights of every wire by name, each [receiving units, sending units]."""
        weights = self.weights
        return {
            name: weights[wire.place].reshape(wire.shape)
            for name, wire in wires(self.topology).items()
        }

    @property
    def weights(self) -> NDArray[np.float32]:
        """Give the flat weights, wire after wire."""
        return self.genes[self.code.expression]

    def with_genes(self, genes: ArrayLike) -> "Genome":
        """Give the genome that differs in its genes only."""
        return Genome(self.topology, np.asarray(genes, dtype=np.float32), self.encoding)

    def with_bits(self, bits: int) -> "Genome":
        """Express the genome for another number of exchangeable bits.

        What a unit hears from several bits by one gene is scaled with their number, so that the
        sum stays of the size to which it evolved. Raises GenomeError where the encoding is not
        tied, and to or from a single bit, which has no genes for different bits.
        """
        if self.encoding != "tied":
            raise GenomeError(f"a {self.encoding} genome has its own weights for each bit "
                              f"and cannot be expressed to {bits} bits")  # fmt: skip
        topology = self.topology.with_bits(bits)
        if bits != self.topology.bits and 1 in (bits, self.topology.bits):
            raise GenomeError(f"a genome cannot go from {self.topology.bits} bits to {bits}: "
                              "a single bit has no genes for different bits")  # fmt: skip
        heard, will_hear = (audience(t, self.encoding) for t in (self.topology, topology))
        return Genome(topology, (self.genes * heard / will_hear).astype(np.float32), self.encoding)
