"""Read and run a genome's file as `genomes/README.md` says, in plain Python and nothing else."""

import hashlib
import json
import math
import struct

TINY = 2.2250738585072014e-308


class PlainGenome:
    """A genome as the file tells it."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        end = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:end].decode())
        self.metadata = header.pop("__metadata__")
        self.topology = json.loads(self.metadata["topology"])
        self.tensors, self.shapes = {}, {}
        for name, told in header.items():
            first, last = told["data_offsets"]
            body = data[end + first : end + last]
            assert told["dtype"] == "F32"
            self.tensors[name] = struct.unpack(f"<{len(body) // 4}f", body)
            self.shapes[name] = told["shape"]

    def matrix(self, name):
        """Give a wire as a list of rows."""
        rows, columns = self.shapes[name]
        flat = self.tensors[name]
        return [flat[row * columns : (row + 1) * columns] for row in range(rows)]

    def arriving(self, receiver, senders):
        """Sum up what arrives at a receiver."""
        sums = None
        for sender, values in {**senders, "bias": [1.0]}.items():
            matrix = self.matrix(f"{receiver} < {sender}")
            part = [sum(map(math.prod, zip(row, values, strict=True))) for row in matrix]
            sums = part if sums is None else [a + b for a, b in zip(sums, part, strict=True)]
        return sums

    def id(self):
        """Work the id out anew."""
        names = ["genes"] if self.metadata["encoding"] == "tied" else self.wires()
        genes = b"".join(struct.pack(f"<{len(self.tensors[n])}f", *self.tensors[n]) for n in names)
        told = f"{self.metadata['topology']}\n{self.metadata['encoding']}\n".encode()
        return hashlib.blake2b(told + genes, digest_size=16).hexdigest()

    def wires(self):
        """List the wires in the order of the weights."""
        found = []
        controller, heads = self.topology["controller"], self.topology["heads"]
        if "graph" in controller:
            return [f"{receiver} < {sender}" for sender, receiver in self.connections()]
        lstm = controller["kind"] == "lstm"
        below = ["input", *self.heard("controller")]
        for number in range(1, len(controller["layers"]) + 1):
            layer = f"layer {number}"
            gates = ["input gate", "forget gate", "candidate", "output gate"]
            receivers = [f"{layer} {gate}" for gate in gates] if lstm else [layer]
            senders = [*below, *([layer] if lstm else []), "bias"]
            found += [f"{receiver} < {sender}" for receiver in receivers for sender in senders]
            if lstm:
                found += [f"{layer} start < bias", f"{layer} cell start < bias"]
            below = [layer]
        if not controller["layers"]:
            below = ["input", *(f"{name} before" for name in self.heard("controller"))]
        for head in heads:
            cell = head["source"] == "cell"
            sources = [f"{sender} cell" for sender in below] if cell else below
            stages, kind = head["stages"], head["kind"]
            if kind == "tape":
                orders = ["write", "interpolation"] + ["jump"] * stages["content"]
                orders += ["shift"] * stages["shift"]
            else:
                orders = ["key", "strength"] if stages["content"] else []
                orders += ["gate"] if stages["interpolation"] else []
                orders += ["shift"] if stages["shift"] else []
                orders += ["sharpening"] if stages["sharpening"] else []
                orders += ["erase", "add"] if kind == "writer" else []
            found += [f"{named(head)} {o} < {s}" for o in orders for s in (*sources, "bias")]
            found += [f"{named(head)} start < bias"] if kind == "reader" else []
        return [*found, *(f"output < {s}" for s in (*below, "bias", *self.heard("output")))]

    def connections(self):
        """List the connections of a graph."""
        return self.topology["controller"]["graph"]["connections"]

    def think(self, vector, reads, before):
        """Tell all that may be heard in a graph, given all that was before if nodes remember it."""
        heard = dict(zip(units("input", self.topology["inputs"]), vector, strict=True))
        for name, read in reads.items():
            heard |= zip(units(f"{name} read", self.topology["columns"]), read, strict=True)
        heard["bias"] = 1.0
        left = {f"node {number}" for number in self.topology["controller"]["graph"]["nodes"]}
        if self.topology["controller"]["graph"].get("recurrent"):
            earlier = (before or dict.fromkeys(left, 0.0)) | heard
            return heard | {name: sigmoid(self.weighed(name, earlier)) for name in left}
        while left:
            waiting = {receiver for sender, receiver in self.connections() if sender in left}
            for name in left - waiting:
                heard[name] = sigmoid(self.weighed(name, heard))
            left &= waiting
        return heard

    def weighed(self, name, heard):
        """Sum up what arrives at a unit of a graph."""
        return 4.9 * sum(
            self.tensors[f"{name} < {sender}"][0] * heard[sender]
            for sender, receiver in self.connections()
            if receiver == name
        )

    def heard(self, by):
        """List the heads that a part listens to."""
        heads = [head for head in self.topology["heads"] if head["kind"] != "writer"]
        return [named(head) for head in heads if head["target"] in (by, "both")]

    def run(self, inputs, rows, epsilon):
        """Answer one sequence, in logits."""
        if "tape" in self.topology:
            return self.run_tape(inputs, rows)
        controller, heads = self.topology["controller"], self.topology["heads"]
        width = sum(block["size"] for block in self.topology["columns"])
        count = len(controller["layers"])
        memory = [[0.0] * width for _ in range(rows)]
        weightings = {named(head): [1.0] + [0.0] * (rows - 1) for head in heads}
        readers = [named(head) for head in heads if head["kind"] == "reader"]
        reads = {name: self.arriving(f"{name} start", {}) for name in readers}
        hidden, cells = {}, {}
        if controller["kind"] == "lstm":
            for layer in (f"layer {number}" for number in range(1, count + 1)):
                hidden[layer] = [math.tanh(x) for x in self.arriving(f"{layer} start", {})]
                cells[layer] = self.arriving(f"{layer} cell start", {})

        answers = []
        for vector in inputs:
            senders = {"input": vector, **{name: reads[name] for name in self.heard("controller")}}
            for layer in (f"layer {number}" for number in range(1, count + 1)):
                if controller["kind"] == "lstm":
                    self.remember(layer, {**senders, layer: hidden[layer]}, hidden, cells)
                else:
                    hidden[layer] = [math.tanh(x) for x in self.arriving(layer, senders)]
                senders = {layer: hidden[layer]}
            top = f"layer {count}"
            told = {"hidden": {top: hidden[top]}, "cell": {f"{top} cell": cells.get(top)}}

            writing = []
            for head in heads:
                if head["kind"] == "writer":
                    orders = told[head["source"]]
                    w = self.aim(head, orders, memory, weightings[named(head)], epsilon)
                    erase = [sigmoid(x) for x in self.arriving(f"{named(head)} erase", orders)]
                    add = self.arriving(f"{named(head)} add", orders)
                    weightings[named(head)] = w
                    writing.append((w, erase, add))
            memory = [
                [
                    memory[i][m] * math.prod(1 - w[i] * e[m] for w, e, _ in writing)
                    + sum(w[i] * a[m] for w, _, a in writing)
                    for m in range(width)
                ]
                for i in range(rows)
            ]
            for head in heads:
                if head["kind"] == "reader":
                    orders, name = told[head["source"]], named(head)
                    w = self.aim(head, orders, memory, weightings[name], epsilon)
                    weightings[name] = w
                    reads[name] = [
                        sum(w[i] * memory[i][m] for i in range(rows)) for m in range(width)
                    ]
            heard = {name: reads[name] for name in self.heard("output")}
            answers.append(self.arriving("output", {top: hidden[top], **heard}))
        return answers

    def run_tape(self, inputs, most):
        """Answer one sequence with a tape of at most so many cells, in logits."""
        tape, heads = self.topology["tape"], self.topology["heads"]
        width = sum(block["size"] for block in self.topology["columns"])
        blank = [tape["initial"]] * width
        cells, at = [list(blank)], {named(head): 0 for head in heads}
        reads = {name: [0.0] * width for name in at}
        answers, thought = [], {}
        for vector in inputs:
            drawn = "graph" in self.topology["controller"]
            thought = self.think(vector, reads, thought) if drawn else {}
            heard = {"input": vector, **{name: reads[name] for name in self.heard("controller")}}
            layers = range(1, len(self.topology["controller"].get("layers", [])) + 1)
            for layer in (f"layer {number}" for number in layers):
                heard = {layer: [math.tanh(x) for x in self.arriving(layer, heard)]}
            if not layers:
                recalled = {f"{name} before": reads[name] for name in self.heard("controller")}
                heard = {"input": vector, **recalled}

            def told(name, order, heard=heard, thought=thought):
                if thought:
                    ends = units(f"{name} {order}", self.rows_of(order))
                    return [sigmoid(self.weighed(end, thought)) for end in ends]
                return [sigmoid(x) for x in self.arriving(f"{name} {order}", heard)]

            for name, place in at.items():
                (w,), old = told(name, "interpolation"), cells[place]
                if tape["write"] == "overwrite":
                    w = float(w >= 0.5)
                new = [w * a + (1 - w) * c for a, c in zip(told(name, "write"), old, strict=True)]
                cells[place] = new
                used = place == len(cells) - 1 and alike(old, new) <= tape["did_write"]
                if tape["fresh_cell"] and used and len(cells) < most:
                    cells.append(list(blank))
            for head in heads:
                if head["stages"]["content"] and told(named(head), "jump")[0] >= 0.5:
                    found = [alike(told(named(head), "write"), cell) for cell in cells]
                    same = [number for number, likeness in enumerate(found) if likeness > 0.9999]
                    best = same[0] if same else found.index(max(found))
                    lost = max(found) < tape["least_similarity"]
                    at[named(head)] = len(cells) - 1 if lost else best
            for head in heads:
                name = named(head)
                if head["stages"]["shift"]:
                    s = told(name, "shift")
                    at[name] += s.index(max(s)) - 1
                if at[name] in (-1, len(cells)) and len(cells) == most:
                    at[name] %= most
                elif at[name] == len(cells):
                    cells.append(list(blank))
                elif at[name] == -1:
                    cells.insert(0, list(blank))
                    at = {other: place + 1 for other, place in at.items()}
                reads[name] = cells[at[name]]
            if thought:
                ends = units("output", self.topology["outputs"])
                answers.append([self.weighed(end, thought) for end in ends])
                continue
            now = {name: reads[name] for name in self.heard("output")}
            answers.append(self.arriving("output", {**heard, **now}))
        return answers

    def rows_of(self, order):
        """List the units that an order of a tape's head has, in blocks."""
        if order == "write":
            return self.topology["columns"]
        births = (-1, 0, 1) if order == "shift" else (0,)
        return [{"birth": birth, "size": 1} for birth in births]

    def remember(self, layer, senders, hidden, cells):
        """Take one step of an LSTM layer."""
        i, f, o = (
            [sigmoid(x) for x in self.arriving(f"{layer} {gate} gate", senders)]
            for gate in ("input", "forget", "output")
        )
        z = [math.tanh(x) for x in self.arriving(f"{layer} candidate", senders)]
        units = range(len(z))
        cells[layer] = [f[u] * cells[layer][u] + i[u] * z[u] for u in units]
        hidden[layer] = [o[u] * math.tanh(cells[layer][u]) for u in units]

    def aim(self, head, orders, memory, w, epsilon):
        """Point a head anew."""
        stages, name, rows = head["stages"], named(head), len(memory)
        if stages["content"]:
            key = self.arriving(f"{name} key", orders)
            (strength,) = self.arriving(f"{name} strength", orders)
            long = sum(k * k for k in key) + epsilon**2
            likeness = [
                sum(map(math.prod, zip(key, row, strict=True)))
                / math.sqrt(long * (sum(x * x for x in row) + epsilon**2))
                for row in memory
            ]
            content = softmax([softplus(strength) * u for u in likeness])
            gate = 1.0
            if stages["interpolation"]:
                gate = sigmoid(self.arriving(f"{name} gate", orders)[0])
            w = [gate * c + (1 - gate) * old for c, old in zip(content, w, strict=True)]
        if stages["shift"]:
            s = softmax(self.arriving(f"{name} shift", orders))
            reach = (len(s) - 1) // 2
            offsets = range(-reach, reach + 1)
            w = [sum(s[j + reach] * w[(i - j) % rows] for j in offsets) for i in range(rows)]
        if stages["sharpening"]:
            gamma = 1 + softplus(self.arriving(f"{name} sharpening", orders)[0])
            w = softmax([gamma * math.log(max(x, TINY)) for x in w])
        return w


def named(head):
    """Name a head."""
    return f"{head['kind']} {head['birth']}"


def units(part, blocks):
    """Name the units of some blocks."""
    return [
        f"{part} {block['birth']}" + f".{place}" * (block["size"] > 1)
        for block in blocks
        for place in range(block["size"])
    ]


def alike(u, v):
    """Say how similar two vectors are."""
    return 1 - sum(abs(a - b) for a, b in zip(u, v, strict=True)) / len(u)


def sigmoid(x):
    """Bring a number between 0 and 1."""
    return 1 / (1 + math.exp(-x))


def softplus(x):
    """Bring a number above 0."""
    return math.log1p(math.exp(x))


def softmax(numbers):
    """Bring numbers above 0 and to a sum of 1."""
    top = max(numbers)
    powers = [math.exp(x - top) for x in numbers]
    return [power / sum(powers) for power in powers]
