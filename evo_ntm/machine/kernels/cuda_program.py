"""The program that Triton compiles: the equations of ../machine.py, fused, for one GPU.

One instance runs a few lanes of one individual through a whole episode. Memory and weightings are
tiles in its registers all the while, a thread a row: [width, lanes, rows] and [heads, lanes, rows],
each side a power of two, what fills it up masked. All other numbers of a lane lie side by side in
its `space` (`cuda_layout.Arrangement` says where), which stays in the caches: what one thread
leaves there another fetches, so a barrier stands between the two, and before what was fetched is
overwritten.

Sizes are arguments, so that another topology is seldom another program to compile; sums go on in
an order that neither the population nor the other lanes change. NaN stays NaN: comparisons choose
what may be dropped, for a GPU's largest of NaN and a number is the number. `no_type_check` keeps
the typechecker of the tests from wrapping what only Triton can call.
"""

from typing import no_type_check

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)
LN_2 = tl.constexpr(0.6931471805599453)
TINY = tl.constexpr(2.0**-126)
AT_ONCE = tl.constexpr(8)  # senders, so that as many loads are under way
SIZES = ["individual_weights", "lane_space", "lanes", "channels", "outputs", "rows", "width",
         "shifts", "writers", "heads", "layers", "reads_at", "top_at", "top", "told_at", "told",
         "ring_at", "telling_at", "answering_at", "input_step", "input_individual", "answer_step",
         "memory_step", "weightings_step", "page_step"]  # fmt: skip


@triton.jit
@no_type_check
def sigmoid(x):
    """Bring into (0, 1)."""
    return 1.0 / (1.0 + tl.exp2(x * -LOG2_E))


@triton.jit
@no_type_check
def tanh(x):
    """Bring into (-1, 1)."""
    return 1.0 - 2.0 / (1.0 + tl.exp2(x * (2.0 * LOG2_E)))


@triton.jit
@no_type_check
def softplus(x):
    """Bring into (0, inf)."""
    return tl.where(x > 0.0, x, 0.0) + tl.log2(1.0 + tl.exp2(tl.abs(x) * -LOG2_E)) * LN_2


@triton.jit
@no_type_check
def arrive(begun, weights, sent, into, kept, senders, receivers, SQUASH: tl.constexpr,
           COLUMNS: tl.constexpr):  # fmt: skip
    """Add what arrives over wires to what has begun, a receiver a thread.

    `begun`, `sent` and `into` are the lanes' places, [lanes, 1]; weights [senders, receivers].
    """
    for first in range(0, receivers, COLUMNS):
        column = (first + tl.arange(0, COLUMNS))[None, :]
        there = column < receivers
        total = tl.load(begun + column, mask=there, other=0.0)
        for sender in range(0, senders, AT_ONCE):
            for ahead in tl.static_range(AT_ONCE):
                sends = sender + ahead < senders
                wire = weights + (sender + ahead) * receivers + column
                w = tl.load(wire, mask=there & sends, other=0.0)
                total += w * tl.load(sent + (sender + ahead), mask=sends, other=0.0)
        if SQUASH:
            total = tanh(total)
        tl.store(into + column, total, mask=there & kept)


@triton.jit
@no_type_check
def remember(gates, hidden, cell, going, units, COLUMNS: tl.constexpr):
    """Open and shut the gates of an LSTM's layer; lanes that have ended keep what they have."""
    for first in range(0, units, COLUMNS):
        unit = (first + tl.arange(0, COLUMNS))[None, :]
        there = unit < units
        i = sigmoid(tl.load(gates + unit, mask=there, other=0.0))
        f = sigmoid(tl.load(gates + units + unit, mask=there, other=0.0))
        z = tanh(tl.load(gates + 2 * units + unit, mask=there, other=0.0))
        o = sigmoid(tl.load(gates + 3 * units + unit, mask=there, other=0.0))
        c = f * tl.load(cell + unit, mask=there, other=0.0) + i * z
        tl.store(cell + unit, c, mask=there & going)
        tl.store(hidden + unit, o * tanh(c), mask=there & going)


@triton.jit
@no_type_check
def write_down(place, page, count, kept, COLUMNS: tl.constexpr):
    """Copy the first numbers of the lanes' places onto their pages."""
    for first in range(0, count, COLUMNS):
        number = (first + tl.arange(0, COLUMNS))[None, :]
        x = tl.load(place + number, mask=number < count, other=0.0)
        tl.store(page + number, x, mask=kept & (number < count))


@triton.jit
@no_type_check
def measure(memory, eps):
    """Give one over the damped length of every row, [lanes, rows]."""
    return 1.0 / tl.sqrt_rn(tl.sum(memory * memory, axis=0) + eps * eps)


@triton.jit
@no_type_check
def pick(weightings, head, HEADS: tl.constexpr):
    """Take what is one head's, [lanes, rows], out of all."""
    chosen = tl.arange(0, HEADS)[:, None, None] == head
    return tl.sum(tl.where(chosen, weightings, 0.0), axis=0)


@triton.jit
@no_type_check
def order(told, at, width, WIDTH: tl.constexpr):
    """Fetch as many numbers as memory is wide of what a head is told, [width, lanes, 1]."""
    m = tl.arange(0, WIDTH)[:, None, None]
    return tl.load(told[None, :, None] + at + m, mask=m < width, other=0.0)


@triton.jit
@no_type_check
def turn(told, ring, w, shifts, rows, ROWS: tl.constexpr):
    """Turn a weighting around the ring of rows by what is told; another head may come next.

    Gives the largest told and the whole of their shares, too.
    """
    n = tl.arange(0, ROWS)[None, :]
    there = n < rows
    told = told[:, None]
    ring = ring[:, None]
    tl.store(ring + n, w, mask=there)
    most = tl.load(told)
    for j in range(1, shifts):
        s = tl.load(told + j)
        most = tl.where(s > most, s, most)
    tl.debug_barrier()
    around = n + shifts // 2 + (shifts // rows + 1) * rows  # so that no remainder is negative
    turned = tl.zeros_like(w)
    whole = tl.zeros_like(most)
    for j in range(0, shifts):
        s = tl.exp2((tl.load(told + j) - most) * LOG2_E)
        turned += s * tl.load(ring + (around - j) % rows, mask=there, other=0.0)  # eq. 8
        whole += s
    tl.debug_barrier()
    return turned / whole, most, whole


@triton.jit
@no_type_check
def aim(told, ring, memory, lengths, w, head, heads, writers, width, shifts, rows, eps,
        WIDTH: tl.constexpr, ROWS: tl.constexpr):  # fmt: skip
    """Point a head anew: figure 2 of the paper. A stage that it lacks is told to do nothing."""
    there = tl.arange(0, ROWS)[None, :] < rows
    single = told + heads * (width + shifts) + writers * width + head
    k = order(told, head * width, width, WIDTH)
    beta = softplus(tl.load(single)) * LOG2_E
    pressed = k * (beta[:, None] / tl.sqrt_rn(tl.sum(k * k, axis=0) + eps * eps))[None, :, :]
    beta_K = tl.where(there, tl.sum(memory * pressed, axis=0) * lengths, float("-inf"))  # eq. 6
    found = tl.exp2(beta_K - tl.max(beta_K, axis=1)[:, None])
    w_content = found / tl.sum(found, axis=1)[:, None]  # eq. 5
    g = sigmoid(tl.load(single + 2 * heads))[:, None]
    w = g * w_content + (1.0 - g) * w  # eq. 7
    w, _, _ = turn(told + heads * width + head * shifts, ring, w, shifts, rows, ROWS)
    gamma = 1.0 + softplus(tl.load(single + heads))[:, None]
    logs = tl.where(there, tl.log2(tl.where(w < TINY, TINY, w)), float("-inf"))
    peak = tl.max(logs, axis=1)[:, None]
    sharp = tl.where(there, tl.exp2(gamma * (logs - peak)), 0.0)
    return sharp / tl.sum(sharp, axis=1)[:, None]  # eq. 9


@triton.jit(do_not_specialize=SIZES)
@no_type_check
def episode(numbers, inputs, answers, space, ends, layer_table, first_memory, first_weightings,
            last_memory, last_weightings, pages, eps, individual_weights, lane_space, lanes,
            channels, outputs, rows, width, shifts, writers, heads, layers, reads_at, top_at, top,
            told_at, told, ring_at, telling_at, answering_at, input_step, input_individual,
            answer_step, memory_step, weightings_step, page_step, LANES: tl.constexpr,
            ROWS: tl.constexpr, WIDTH: tl.constexpr, HEADS: tl.constexpr, COLUMNS: tl.constexpr,
            RECURRENT: tl.constexpr, FRESH: tl.constexpr, KEEP: tl.constexpr,
            RECORD: tl.constexpr):  # fmt: skip
    """Run an instance's lanes until each has ended.

    FRESH memory is blank, and other comes from `first_...`; KEEP leaves it in `last_...`. In both
    the numbers of neighbouring rows are neighbours, as they are among the threads. RECORD keeps it
    as it was at first and after each step that a lane goes, and with it the lane's space, in
    `pages`.
    """
    groups = tl.cdiv(lanes, LANES)
    individual = (tl.program_id(0) // groups).to(tl.int64)
    lane = (tl.program_id(0) % groups) * LANES + tl.arange(0, LANES)
    there = lane < lanes
    end = tl.load(ends + lane, mask=there, other=0)
    weights = numbers + individual * individual_weights
    nothing = tl.zeros([LANES, 1], tl.int64)
    number = individual * groups * LANES + lane
    line = space + number * lane_space
    place = line[:, None]
    page = (pages + number * ring_at)[:, None]
    shown = (inputs + individual * input_individual + lane * channels)[:, None]
    answer = (answers + (individual * lanes + lane) * outputs)[:, None]

    n = tl.arange(0, ROWS)[None, None, :]
    if HEADS:
        m = tl.arange(0, WIDTH)[:, None, None]
        h = tl.arange(0, HEADS)[:, None, None]
        batch = (individual * lanes + lane)[None, :, None]
        in_memory = there[None, :, None] & (m < width) & (n < rows)
        in_weightings = there[None, :, None] & (h < heads) & (n < rows)
        memory_at, cells = batch * width * rows, m * rows + n
        aims_at, looks = batch * heads * rows, h * rows + n
        if FRESH:
            memory = tl.zeros([WIDTH, LANES, ROWS], tl.float32)
            weightings = tl.zeros([HEADS, LANES, ROWS], tl.float32) + tl.where(n == 0, 1.0, 0.0)
        else:
            memory = tl.load(first_memory + memory_at + cells, mask=in_memory, other=0.0)
            weightings = tl.load(first_weightings + aims_at + looks, mask=in_weightings, other=0.0)
        lengths = measure(memory, eps)
        if RECORD:
            tl.store(last_memory + memory_at + cells, memory, mask=in_memory)
            tl.store(last_weightings + aims_at + looks, weightings, mask=in_weightings)
    if RECORD:
        write_down(place, page, ring_at, there[:, None], COLUMNS)
        tl.debug_barrier()

    for step in range(0, tl.max(end, axis=0)):
        going = (step < end)[:, None]
        for first in range(0, channels, COLUMNS):
            channel = (first + tl.arange(0, COLUMNS))[None, :]
            x = tl.load(shown + channel, mask=there[:, None] & (channel < channels), other=0.0)
            tl.store(place + channel, x, mask=channel < channels)
        tl.debug_barrier()

        for layer in range(0, layers):
            row = layer_table + layer * 7
            wires = weights + tl.load(row)
            units = tl.load(row + 3)
            gates = place + tl.load(row + 6)
            receivers = 4 * units if RECURRENT else units
            arrive(wires + nothing, wires + receivers, place + tl.load(row + 1), gates,
                   there[:, None], tl.load(row + 2), receivers, not RECURRENT, COLUMNS)  # fmt: skip
            tl.debug_barrier()
            if RECURRENT:
                hidden, cell = place + tl.load(row + 4), place + tl.load(row + 5)
                remember(gates, hidden, cell, going, units, COLUMNS)
                tl.debug_barrier()
        telling = weights + telling_at
        arrive(telling + nothing, telling + told, place + top_at, place + told_at, there[:, None],
               top, told, False, COLUMNS)  # fmt: skip
        tl.debug_barrier()

        orders = line + told_at
        if HEADS:
            ring = line + ring_at
            for head in range(0, writers):
                w = pick(weightings, head, HEADS)
                w = aim(orders, ring, memory, lengths, w, head, heads, writers, width, shifts,
                        rows, eps, WIDTH, ROWS)  # fmt: skip
                weightings = tl.where(h == head, w[None, :, :], weightings)
            adds_at = heads * (width + shifts)
            erases_at = adds_at + writers * width + 3 * heads
            for head in range(0, writers):
                w = pick(weightings, head, HEADS)[None, :, :]
                e = sigmoid(order(orders, erases_at + head * width, width, WIDTH))
                memory = memory * (1.0 - w * e)  # eq. 3
            for head in range(0, writers):
                w = pick(weightings, head, HEADS)[None, :, :]
                memory = memory + w * order(orders, adds_at + head * width, width, WIDTH)  # eq. 4
            if writers > 0:
                memory = tl.where((m < width) & (n < rows), memory, 0.0)
                lengths = measure(memory, eps)
            for head in range(writers, heads):
                w = pick(weightings, head, HEADS)
                w = aim(orders, ring, memory, lengths, w, head, heads, writers, width, shifts,
                        rows, eps, WIDTH, ROWS)  # fmt: skip
                weightings = tl.where(h == head, w[None, :, :], weightings)
                r = tl.sum(memory * w[None, :, :], axis=2)[:, :, None]  # eq. 2
                read = line[None, :, None] + reads_at + (head - writers) * width + m
                tl.store(read, r, mask=(m < width) & going[None, :, :])
            tl.debug_barrier()
        arrive(place + (told_at + told - outputs), weights + answering_at, place + reads_at, answer,
               going, (heads - writers) * width, outputs, False, COLUMNS)  # fmt: skip
        shown += input_step
        answer += answer_step

        if RECORD:
            last_memory += memory_step
            last_weightings += weightings_step
            page += page_step
            write_down(place, page, ring_at, going, COLUMNS)
            tl.debug_barrier()
        if KEEP and HEADS:
            kept = (going if RECORD else (step + 1 == end)[:, None])[None, :, :]
            tl.store(last_memory + memory_at + cells, memory, mask=in_memory & kept)
            tl.store(last_weightings + aims_at + looks, weightings, mask=in_weightings & kept)
