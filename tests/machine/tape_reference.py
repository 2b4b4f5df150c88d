"""The tape in plain Python: one float at a time, a list of cells that grows at both ends.

Greve, Jacobsen and Risi (2016), as their programs do it: write, content jump, shift, read; with the
fresh cell of Lüders et al. (2017). To be checked by eye; the package never imports it.
"""

from tests.machine.reference import arriving, sigmoid, tanh

FIRST_MATCH = 0.9999


def similarity(a, b):
    return 1 - sum(abs(x - y) for x, y in zip(a, b, strict=True)) / len(a)


class Tape:
    """Cells from left to right, and the index of every head."""

    def __init__(self, settings, width, heads, most):
        self.settings, self.most = settings, most
        self.blank = [settings.initial] * width
        self.cells = [list(self.blank)]
        self.at = [0] * heads

    @property
    def full(self):
        return self.most > 0 and len(self.cells) >= self.most

    def write(self, head, a, w):
        before = list(self.cells[self.at[head]])
        if self.settings.write == "interpolate":
            after = [w * new + (1 - w) * old for new, old in zip(a, before, strict=True)]
        else:
            after = list(a) if w >= 0.5 else before
        self.cells[self.at[head]] = after
        last = self.at[head] == len(self.cells) - 1
        used = similarity(before, after) <= self.settings.did_write
        if self.settings.fresh_cell and last and used and not self.full:
            self.cells.append(list(self.blank))

    def jump(self, head, a, j):
        if j < 0.5:
            return
        best, place = -1.0, 0
        for index, cell in enumerate(self.cells):
            alike = similarity(a, cell)
            if alike > best:
                best, place = alike, index
            if alike > FIRST_MATCH:
                break
        if best < self.settings.least_similarity:
            place = len(self.cells) - 1
        self.at[head] = place

    def shift(self, head, s):
        largest = s.index(max(s))  # of several, the leftmost
        to = self.at[head] + largest - 1
        if to < 0:
            if self.full:
                to = len(self.cells) - 1
            else:
                self.cells.insert(0, list(self.blank))
                self.at = [index + 1 for index in self.at]
                to = 0
        elif to == len(self.cells):
            if self.full:
                to = 0
            else:
                self.cells.append(list(self.blank))
        self.at[head] = to

    def read(self, head):
        return list(self.cells[self.at[head]])


def run(topology, named, xs, most):
    """Answer one sequence; give the answers, and after every step the reads and the tape."""
    heads = topology.tape_heads
    tape = Tape(topology.tape, topology.width, len(heads), most)
    reads = {head.name: [0.0] * topology.width for head in heads}
    answers, told = [], []
    for x in xs:
        recalled = [head for head in heads if head.target in ("controller", "both")]
        if topology.controller.layers:
            heard = {"input": x} | {head.name: reads[head.name] for head in recalled}
            for number in range(1, len(topology.controller.layers) + 1):
                heard = {f"layer {number}": tanh(arriving(named, f"layer {number}", heard))}
        else:
            heard = {"input": x} | {f"{head.name} before": reads[head.name] for head in recalled}

        def orders(order, heard=heard):
            ports = [f"{head.name} {order}" for head in heads]
            return [[sigmoid(total) for total in arriving(named, port, heard)] for port in ports]

        write, interpolation = orders("write"), orders("interpolation")
        for number in range(len(heads)):
            tape.write(number, write[number], interpolation[number][0])
        for number, head in enumerate(heads):
            if head.stages.content:
                order = arriving(named, f"{head.name} jump", heard)
                tape.jump(number, write[number], sigmoid(order[0]))
        for number, head in enumerate(heads):
            if head.stages.shift:
                order = arriving(named, f"{head.name} shift", heard)
                tape.shift(number, [sigmoid(total) for total in order])
            reads[head.name] = tape.read(number)
        now = {head.name: reads[head.name] for head in heads if head.target in ("output", "both")}
        answers.append(arriving(named, "output", heard | now))
        told.append(([list(cell) for cell in tape.cells], list(tape.at), dict(reads)))
    return answers, told
