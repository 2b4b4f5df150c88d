"""Others to run the same machines by, each its own way: what the fused kernel is measured against.

A contender takes a shape's machine, flat weights [P, D] and inputs [T, B, I], and gives a function
that answers them, [T, P, B, O]. The way of each is the usual one of its kind.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch

from evo_ntm.machine import Machine
from evo_ntm.machine.backends import choose
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.topology import Topology

Answer = Callable[[], object]


def single(topology: Topology, eps: float, flat: torch.Tensor, inputs: torch.Tensor, rows: int):
    """One network after another, each on its batch: what a loop over modules does."""
    machine = Machine(topology, eps)

    def answer() -> torch.Tensor:
        with torch.inference_mode():
            answers = [machine.episode(one, inputs, rows=rows) for one in flat]
            return torch.stack(answers, 1)

    return answer


def vmap(topology: Topology, eps: float, flat: torch.Tensor, inputs: torch.Tensor, rows: int):
    """`torch.vmap` over one network."""
    machine = Machine(topology, eps)
    mapped = torch.vmap(partial(machine.episode, inputs=inputs, rows=rows), out_dims=1)

    def answer() -> torch.Tensor:
        with torch.no_grad():
            return mapped(flat)

    return answer


def population(topology: Topology, eps: float, flat: torch.Tensor, inputs: torch.Tensor, rows: int):
    """The torch path: the population in front, in chunks that fit the cache, one a thread."""
    machine, (steps, lanes) = Machine(topology, eps), inputs.shape[:2]
    size = len(flat)
    if flat.device.type == "cpu":
        size = chunk_size(topology, lanes=lanes, rows=rows, steps=steps)
    chunks = torch.split(flat, size)

    def run(chunk: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return machine.episode(chunk, inputs, rows=rows)

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    return lambda: torch.cat(list(pool.map(run, chunks)), 1)


def fused(topology: Topology, eps: float, flat: torch.Tensor, inputs: torch.Tensor, rows: int):
    """The fused kernel: the whole population in one call."""
    machine = choose(flat.device.type, "fused").machine(topology, eps)

    def answer() -> torch.Tensor:
        with torch.inference_mode():
            return machine.episode(flat, inputs, rows=rows)

    return answer


def jax(topology: Topology, eps: float, flat: torch.Tensor, inputs: torch.Tensor, rows: int):
    """`jax.jit(vmap(vmap(scan)))` of the same machine. Needs the extra `benchmark`."""
    import jax as library
    import jax.numpy as jnp

    wired = Machine(topology, eps).wire_up(flat.cpu())
    weights = library.tree.map(lambda part: jnp.asarray(part.numpy()), wired)
    lane = partial(_lane, topology, eps, rows)
    episode = library.jit(library.vmap(library.vmap(lane, (None, 1), 1), (0, None), 1))
    shown = jnp.asarray(inputs.cpu().numpy())
    return lambda: episode(weights, shown).block_until_ready()


CONTENDERS = {function.__name__: function for function in (single, vmap, population, jax, fused)}


def _lane(topology: Topology, eps: float, rows: int, weights, inputs):
    """Answer one sequence with one machine, all of whose heads use all stages, in JAX."""
    import jax as library
    import jax.numpy as jnp

    W, R, M = len(topology.writers), len(topology.readers), topology.width
    H, shifts, O = W + R, topology.heads[0].shifts, sum(b.size for b in topology.outputs)  # noqa: E741
    sizes = [H * M, H * shifts, W * M, H, H, H, W * M, O]
    nn = library.nn

    def think(layer, heard, carry):
        if not carry:
            return jnp.tanh(heard + layer.bias[0]), ()
        hidden, cell = carry
        i, f, z, o = jnp.split(heard + hidden @ layer.before + layer.bias[0], 4)
        cell = nn.sigmoid(f) * cell + nn.sigmoid(i) * jnp.tanh(z)
        hidden = nn.sigmoid(o) * jnp.tanh(cell)
        return hidden, (hidden, cell)

    def aim(memory, w, k, beta, g, s, gamma):
        lengths = jnp.sqrt((memory**2).sum(-1) + eps**2)
        key_length = jnp.sqrt((k**2).sum(-1, keepdims=True) + eps**2)
        found = nn.softmax(beta[:, None] * (k @ memory.T) / (key_length * lengths), axis=-1)
        w = g[:, None] * found + (1 - g[:, None]) * w
        w = sum(s[:, j, None] * jnp.roll(w, j - shifts // 2, -1) for j in range(shifts))
        return nn.softmax(gamma[:, None] * jnp.log(jnp.maximum(w, 1e-37)), axis=-1)

    def step(state, x):
        memory, w, reads, carries = state
        first, *above = weights.layers
        heard = x @ first.below + reads.ravel() @ first.reads
        hidden, carry = think(first, heard, carries[0] if carries else ())
        carried = [carry]
        for number, layer in enumerate(above, start=1):
            hidden, carry = think(layer, hidden @ layer.below, carries[number] if carries else ())
            carried.append(carry)
        said = hidden @ weights.thought + weights.bias[0]
        parts = jnp.split(said, np.cumsum(sizes)[:-1])
        k, s, a, beta, gamma, g, e, answer = parts
        k, s = k.reshape(H, M), nn.softmax(s.reshape(H, shifts), axis=-1)
        beta, gamma, g = nn.softplus(beta), 1 + nn.softplus(gamma), nn.sigmoid(g)
        e, a = nn.sigmoid(e).reshape(W, M), a.reshape(W, M)
        told = k, beta, g, s, gamma
        writing = aim(memory, w[:W], *(part[:W] for part in told))
        for i in range(W):
            memory = memory * (1 - writing[i, :, None] * e[i])
        memory = memory + writing.T @ a
        reading = aim(memory, w[W:], *(part[W:] for part in told))
        reads = reading @ memory
        w = jnp.concatenate([writing, reading])
        return (
            memory,
            w,
            reads,
            tuple(c for c in carried if c),
        ), answer + reads.ravel() @ weights.reads

    carries = tuple(
        (jnp.tanh(layer.start[0][0]), layer.start[1][0]) for layer in weights.layers if layer.start
    )
    begun = jnp.zeros((H, rows)).at[:, 0].set(1.0)
    start = jnp.zeros((rows, M)), begun, weights.start, carries
    return library.lax.scan(step, start, inputs)[1]
