"""The paper in plain Python: one float at a time, lists for vectors, nothing shared.

Graves, Wayne, Danihelka (2014), equations 2 to 9; section 3.3 for the order of things. Written from
the paper and the table of wires, to be checked by eye; the package never imports it.
"""

import math

# Vectors and matrices ------------------------------------------------------------------------


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def times(matrix, vector):
    """A matrix with a row for each number that comes out."""
    return [dot(row, vector) for row in matrix]


def plus(*vectors):
    return [sum(numbers) for numbers in zip(*vectors, strict=True)]


# Activations ---------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def softplus(x):
    return math.log(1 + math.exp(x))


def softmax(xs):
    highest = max(xs)
    exponentials = [math.exp(x - highest) for x in xs]
    return [e / sum(exponentials) for e in exponentials]


def tanh(xs):
    return [math.tanh(x) for x in xs]


# Memory --------------------------------------------------------------------------------------


def read(M, w):
    """Equation 2."""
    return [sum(w[i] * M[i][j] for i in range(len(M))) for j in range(len(M[0]))]


def write(M, heads):
    """Equations 3 and 4: all heads (w, e, a) erase, then all heads add."""
    M = [list(row) for row in M]
    for w, e, _ in heads:
        for i in range(len(M)):
            for j in range(len(M[0])):
                M[i][j] = M[i][j] * (1 - w[i] * e[j])
    for w, _, a in heads:
        for i in range(len(M)):
            for j in range(len(M[0])):
                M[i][j] = M[i][j] + w[i] * a[j]
    return M


# Addressing ----------------------------------------------------------------------------------


def similarity(u, v, eps):
    """Equation 6, each length damped: |u| becomes the root of |u|^2 + eps^2."""
    return dot(u, v) / (math.sqrt(dot(u, u) + eps**2) * math.sqrt(dot(v, v) + eps**2))


def content(M, k, beta, eps):
    """Equation 5."""
    return softmax([beta * similarity(k, row, eps) for row in M])


def interpolate(w_content, w_previous, g):
    """Equation 7."""
    return [g * c + (1 - g) * p for c, p in zip(w_content, w_previous, strict=True)]


def shift(w, s):
    """Equation 8: s holds the shares of the offsets -S//2 to +S//2, in this order."""
    N, S = len(w), len(s)
    return [sum(w[(i - (j - S // 2)) % N] * s[j] for j in range(S)) for i in range(N)]


def sharpen(w, gamma):
    """Equation 9."""
    powers = [x**gamma for x in w]
    return [p / sum(powers) for p in powers]


# A machine, from named wires -----------------------------------------------------------------


def arriving(named, port, senders):
    """Sum what arrives at a port: a matrix `port < sender` times what that sender says."""
    said = {**senders, "bias": [1.0]}
    return plus(*(times(named[f"{port} < {name}"], vector) for name, vector in said.items()))


def heard_by(topology, listener, reads):
    return {
        head.name: reads[head.name]
        for head in topology.heads
        if head.kind == "reader" and head.target in (listener, "both")
    }


def begin(topology, named, rows):
    """Memory at zero, every head at row 0, reads and controller at their learned biases."""
    layers = range(1, len(topology.controller.units) + 1)
    lstm = topology.controller.kind == "lstm"
    width = sum(block.size for block in topology.columns)
    return {
        "memory": [[0.0] * width for _ in range(rows)],
        "weightings": {head.name: [1.0] + [0.0] * (rows - 1) for head in topology.heads},
        "reads": {
            head.name: arriving(named, f"{head.name} start", {})
            for head in topology.heads
            if head.kind == "reader"
        },
        "hidden": [tanh(arriving(named, f"layer {n} start", {})) for n in layers if lstm],
        "cell": [arriving(named, f"layer {n} cell start", {}) for n in layers if lstm],
    }


def think(topology, named, x, state):
    """Give the hidden units and the cells of every layer."""
    below = {"input": x, **heard_by(topology, "controller", state["reads"])}
    hiddens, cells = [], []
    for number in range(1, len(topology.controller.units) + 1):
        layer = f"layer {number}"
        if topology.controller.kind == "dense":
            hiddens.append(tanh(arriving(named, layer, below)))
        else:
            senders = {**below, layer: state["hidden"][number - 1]}
            i = map(sigmoid, arriving(named, f"{layer} input gate", senders))
            f = map(sigmoid, arriving(named, f"{layer} forget gate", senders))
            z = tanh(arriving(named, f"{layer} candidate", senders))
            o = map(sigmoid, arriving(named, f"{layer} output gate", senders))
            before = state["cell"][number - 1]
            cell = [f_ * c + i_ * z_ for i_, f_, z_, c in zip(i, f, z, before, strict=True)]
            hiddens.append([o_ * math.tanh(c) for o_, c in zip(o, cell, strict=True)])
            cells.append(cell)
        below = {layer: hiddens[-1]}
    return hiddens, cells


def aim(head, told, M, w, eps):
    """Address as figure 2 does, by those stages that the head has."""
    if head.stages.content:
        w_content = content(M, told("key"), softplus(told("strength")[0]), eps)
        g = sigmoid(told("gate")[0]) if head.stages.interpolation else 1.0
        w = interpolate(w_content, w, g)
    if head.stages.shift:
        w = shift(w, softmax(told("shift")))
    if head.stages.sharpening:
        w = sharpen(w, 1 + softplus(told("sharpening")[0]))
    return w


def step(topology, named, x, state, eps):
    """Think, aim the writers at M(t-1) and write, aim the readers at M(t) and read, answer."""
    hiddens, cells = think(topology, named, x, state)
    top = f"layer {len(hiddens)}"

    def listener(head):
        sender = {top: hiddens[-1]} if head.source == "hidden" else {f"{top} cell": cells[-1]}
        return lambda order: arriving(named, f"{head.name} {order}", sender)

    M, weightings, reads, writing = state["memory"], {}, {}, []
    for head in topology.heads:
        if head.kind == "writer":
            told = listener(head)
            w = aim(head, told, M, state["weightings"][head.name], eps)
            weightings[head.name] = w
            writing.append((w, [sigmoid(e) for e in told("erase")], told("add")))
    M = write(M, writing)
    for head in topology.heads:
        if head.kind == "reader":
            w = aim(head, listener(head), M, state["weightings"][head.name], eps)
            weightings[head.name] = w
            reads[head.name] = read(M, w)

    senders = {top: hiddens[-1], **heard_by(topology, "output", reads)}
    answer = arriving(named, "output", senders)
    after = {
        "memory": M,
        "weightings": weightings,
        "reads": reads,
        "hidden": hiddens if cells else [],
        "cell": cells,
    }
    return answer, after


def run(topology, named, xs, rows, eps):
    """Answer one sequence from the beginning; give the answers and the state after every step."""
    state = begin(topology, named, rows)
    answers, states = [], []
    for x in xs:
        answer, state = step(topology, named, x, state, eps)
        answers.append(answer)
        states.append(state)
    return answers, states
