"""The way back through an episode in Triton: what the answers' gradients make of all others.

As in `cuda_program` one instance runs a few lanes of one individual, from the last step to the
first, and the gradients of memory and weightings are tiles in its registers all the while. What
memory, weightings and the lane's space were it fetches from the recording of the way there; all
else is computed again. The gradient of every number lies where the number lies: of what a lane
carries from step to step in its `space`, of gates and of what was told on the pages of `pulls`,
where they stay: the gradients of weights are products of pages, for which there are libraries.
"""

from typing import no_type_check

import triton
import triton.language as tl

from evo_ntm.machine.kernels.cuda_program import (
    LN_2,
    LOG2_E,
    TINY,
    measure,
    order,
    pick,
    sigmoid,
    softplus,
    tanh,
    turn,
)

AT_ONCE = tl.constexpr(16)  # receivers, so that as many loads are under way
SIZES = ["individual_weights", "lane_space", "filled", "lanes", "outputs", "rows", "width",
         "shifts", "writers", "heads", "layers", "reads_at", "top_at", "top", "told_at", "told",
         "ring_at", "telling_at", "answering_at", "answer_step", "memory_step",
         "weightings_step", "page_step"]  # fmt: skip


@triton.jit
@no_type_check
def give_back(weights, came, to, receivers, senders, PARTS: tl.constexpr, COLUMNS: tl.constexpr):
    """Add, to what there is for each sender, what comes back to it from the receivers.

    `came` and `to` are the lanes' places, [lanes, 1]; weights [receivers, senders].
    """
    part = tl.arange(0, PARTS)[:, None, None]
    for first in range(0, senders, COLUMNS):
        column = first + tl.arange(0, COLUMNS)
        wide = column[None, None, :]
        whole = tl.zeros([PARTS, came.shape[0], COLUMNS], tl.float32)
        for receiver in range(0, receivers, PARTS * AT_ONCE):
            for ahead in tl.static_range(AT_ONCE):
                at = receiver + ahead * PARTS + part
                comes = at < receivers
                w = tl.load(weights + at * senders + wide, mask=comes & (wide < senders), other=0.0)
                whole += w * tl.load(came[None, :, :] + at, mask=comes, other=0.0)
        column = column[None, :]
        there = column < senders
        before = tl.load(to + column, mask=there, other=0.0)
        tl.store(to + column, before + tl.sum(whole, axis=0), mask=there)


@triton.jit
@no_type_check
def unremember(gates, cell, was, d_hidden, d_cell, d_gates, units, COLUMNS: tl.constexpr):
    """Go back over the gates of an LSTM's layer; its hidden units are done with."""
    for first in range(0, units, COLUMNS):
        unit = (first + tl.arange(0, COLUMNS))[None, :]
        there = unit < units
        i = sigmoid(tl.load(gates + unit, mask=there, other=0.0))
        f = sigmoid(tl.load(gates + units + unit, mask=there, other=0.0))
        z = tanh(tl.load(gates + 2 * units + unit, mask=there, other=0.0))
        o = sigmoid(tl.load(gates + 3 * units + unit, mask=there, other=0.0))
        shown = tanh(tl.load(cell + unit, mask=there, other=0.0))
        c = tl.load(was + unit, mask=there, other=0.0)
        dh = tl.load(d_hidden + unit, mask=there, other=0.0)
        dc = tl.load(d_cell + unit, mask=there, other=0.0) + dh * o * (1.0 - shown * shown)
        tl.store(d_gates + unit, dc * z * i * (1.0 - i), mask=there)
        tl.store(d_gates + units + unit, dc * c * f * (1.0 - f), mask=there)
        tl.store(d_gates + 2 * units + unit, dc * i * (1.0 - z * z), mask=there)
        tl.store(d_gates + 3 * units + unit, dh * shown * o * (1.0 - o), mask=there)
        tl.store(d_cell + unit, dc * f, mask=there)
        tl.store(d_hidden + unit, tl.zeros_like(dh), mask=there)


@triton.jit
@no_type_check
def unsquash(hidden, d_hidden, d_arrived, units, COLUMNS: tl.constexpr):
    """Go back over the units of a dense layer, which are done with."""
    for first in range(0, units, COLUMNS):
        unit = (first + tl.arange(0, COLUMNS))[None, :]
        there = unit < units
        y = tl.load(hidden + unit, mask=there, other=0.0)
        dy = tl.load(d_hidden + unit, mask=there, other=0.0)
        tl.store(d_arrived + unit, dy * (1.0 - y * y), mask=there)
        tl.store(d_hidden + unit, tl.zeros_like(dy), mask=there)


@triton.jit
@no_type_check
def unsharpen(told, d_told, turned, w, dw, there):
    """Go back over equation 9; where there was next to nothing, nothing is to be changed."""
    sharpening = tl.load(told)
    gamma = 1.0 + softplus(sharpening)[:, None]
    some = tl.where(turned < TINY, TINY, turned)
    logs = tl.where(there, tl.log2(some), float("-inf"))
    ratio = tl.where(there, logs - tl.max(logs, axis=1)[:, None], 0.0)
    dw = dw - tl.sum(w * dw, axis=1)[:, None]
    d_gamma = LN_2 * tl.sum(w * dw * ratio, axis=1)
    tl.store(d_told, d_gamma * sigmoid(sharpening))
    return tl.where(turned < TINY, 0.0, gamma * (w / some) * dw)  # eq. 9


@triton.jit
@no_type_check
def unturn(told, d_told, ring, d_turned, most, whole, shifts, rows, ROWS: tl.constexpr):
    """Go back over equation 8; the focus is still on the ring, and goes from there.

    What all shifts have in common is nothing, for sharpening makes any multiple the same.
    """
    n = tl.arange(0, ROWS)[None, :]
    there = n < rows
    told, d_told, ring = told[:, None], d_told[:, None], ring[:, None]
    tl.store(ring + rows + n, d_turned, mask=there)
    tl.debug_barrier()
    ahead = n + shifts // 2 + (shifts // rows + 1) * rows  # so that no remainder is negative
    behind = n - shifts // 2 + (shifts // rows + 1) * rows
    d_focus = tl.zeros_like(d_turned)
    for j in range(0, shifts):
        s = tl.exp2((tl.load(told + j) - most) * LOG2_E) / whole
        focus = tl.load(ring + (ahead - j) % rows, mask=there, other=0.0)
        ds = tl.sum(d_turned * focus, axis=1)[:, None]
        tl.store(d_told + j, s * ds)
        d_focus += s * tl.load(ring + rows + (behind + j) % rows, mask=there, other=0.0)  # eq. 8
    tl.debug_barrier()
    return d_focus


@triton.jit
@no_type_check
def unaim(told, d_told, ring, memory, lengths, was, w, dw, d_memory, head, heads, writers, width,
          shifts, rows, eps, WIDTH: tl.constexpr, ROWS: tl.constexpr):  # fmt: skip
    """Go back over how a head was pointed: figure 2 of the paper.

    Gives the gradients of where it pointed before, and of the memory in which it looked.
    """
    n = tl.arange(0, ROWS)[None, :]
    there = n < rows
    m = tl.arange(0, WIDTH)[:, None, None]
    single = heads * (width + shifts) + writers * width + head
    k = order(told, head * width, width, WIDTH)
    size = 1.0 / tl.sqrt_rn(tl.sum(k * k, axis=0) + eps * eps)
    strength = tl.load(told + single)
    beta = softplus(strength)[:, None]
    pressed = k * (beta * size)[None, :, :]
    beta_K = tl.sum(memory * pressed, axis=0) * lengths  # eq. 6
    seen = tl.where(there, beta_K * LOG2_E, float("-inf"))
    found = tl.exp2(seen - tl.max(seen, axis=1)[:, None])
    w_content = found / tl.sum(found, axis=1)[:, None]  # eq. 5
    g = sigmoid(tl.load(told + single + 2 * heads))[:, None]
    focus = g * w_content + (1.0 - g) * was  # eq. 7
    shift_at = heads * width + head * shifts
    turned, most, whole = turn(told + shift_at, ring, focus, shifts, rows, ROWS)

    d_turned = unsharpen(told + single + heads, d_told + single + heads, turned, w, dw, there)
    d_focus = unturn(told + shift_at, d_told + shift_at, ring, d_turned, most, whole, shifts, rows,
                     ROWS)  # fmt: skip
    d_g = tl.sum(d_focus * (w_content - was), axis=1)[:, None]  # eq. 7
    tl.store((d_told + single + 2 * heads)[:, None], d_g * g * (1.0 - g))
    d_found = g * d_focus
    d_beta_K = w_content * (d_found - tl.sum(d_found * w_content, axis=1)[:, None])  # eq. 5
    towards = d_beta_K * lengths
    away = towards * beta_K * lengths
    d_memory += towards[None, :, :] * pressed - away[None, :, :] * memory  # eq. 6
    d_pressed = tl.sum(towards[None, :, :] * memory, axis=2)[:, :, None]
    along = tl.sum(d_pressed * k, axis=0) * size
    d_k = beta[None, :, :] * size[None, :, :] * (d_pressed - (along * size)[None, :, :] * k)
    tl.store(d_told[None, :, None] + head * width + m, d_k, mask=m < width)
    tl.store((d_told + single)[:, None], along * sigmoid(strength)[:, None])
    return (1.0 - g) * d_focus, d_memory


@triton.jit(do_not_specialize=SIZES)
@no_type_check
def way_back(numbers, answers, pages, memories, weightings, pulls, space, ends, layer_table, eps,
             individual_weights, lane_space, filled, lanes, outputs, rows, width, shifts, writers,
             heads, layers, reads_at, top_at, top, told_at, told, ring_at, telling_at, answering_at,
             answer_step, memory_step, weightings_step, page_step, LANES: tl.constexpr,
             ROWS: tl.constexpr, WIDTH: tl.constexpr, HEADS: tl.constexpr, COLUMNS: tl.constexpr,
             PARTS: tl.constexpr, RECURRENT: tl.constexpr):  # fmt: skip
    """Go back with an instance's lanes from where the last of them ended.

    `answers` are the gradients of answers. A lane that has not come so far has seen only zeros.
    Without HEADS nothing in the memory matters.
    """
    groups = tl.cdiv(lanes, LANES)
    individual = (tl.program_id(0) // groups).to(tl.int64)
    lane = (tl.program_id(0) % groups) * LANES + tl.arange(0, LANES)
    end = tl.load(ends + lane, mask=lane < lanes, other=0)
    steps = tl.max(end, axis=0)
    last = (steps - 1).to(tl.int64)
    weights = numbers + individual * individual_weights
    batch = individual * lanes + lane
    line = space + (individual * filled + lane) * lane_space
    place = line[:, None]
    after = pages + (individual * filled + lane) * ring_at + (last + 1) * page_step
    pull = pulls + (individual * filled + lane) * ring_at + last * page_step
    answer = (answers + batch * outputs + last * answer_step)[:, None]
    answered_at = told_at + told - outputs

    n = tl.arange(0, ROWS)[None, :]
    if HEADS:
        m = tl.arange(0, WIDTH)[:, None, None]
        h = tl.arange(0, HEADS)[:, None, None]
        remembered = (memories + (last + 1) * memory_step + batch * width * rows)[None, :, None]
        looked = weightings + (last + 1) * weightings_step + batch[:, None] * heads * rows + n
        d_memory = tl.zeros([WIDTH, LANES, ROWS], tl.float32)
        d_weightings = tl.zeros([HEADS, LANES, ROWS], tl.float32)

    for back in range(0, steps):
        going = (steps - 1 - back < end)[:, None]
        before = after - page_step
        for first in range(0, outputs, COLUMNS):
            output = (first + tl.arange(0, COLUMNS))[None, :]
            dy = tl.load(answer + output, mask=going & (output < outputs), other=0.0)
            tl.store((pull + answered_at)[:, None] + output, dy, mask=output < outputs)
        tl.debug_barrier()

        if HEADS:
            give_back(weights + answering_at, (pull + answered_at)[:, None], place + reads_at,
                      outputs, (heads - writers) * width, PARTS, COLUMNS)  # fmt: skip
            tl.debug_barrier()
            orders, d_orders, ring = after + told_at, pull + told_at, line + ring_at
            in_ring = going & (n < rows)
            in_memory = in_ring[None, :, :] & (m < width)
            memory = tl.load(remembered + m * rows + n, mask=in_memory, other=0.0)
            lengths = measure(memory, eps)
            for head in range(writers, heads):
                was = tl.load(looked - weightings_step + head * rows, mask=in_ring, other=0.0)
                w = tl.load(looked + head * rows, mask=in_ring, other=0.0)
                read = line + reads_at + (head - writers) * width
                dr = order(read, 0, width, WIDTH)
                dw = pick(d_weightings, head, HEADS) + tl.sum(memory * dr, axis=0)  # eq. 2
                d_memory += w[None, :, :] * dr  # eq. 2
                dw, d_memory = unaim(orders, d_orders, ring, memory, lengths, was, w, dw, d_memory,
                                     head, heads, writers, width, shifts, rows, eps, WIDTH,
                                     ROWS)  # fmt: skip
                d_weightings = tl.where(h == head, dw[None, :, :], d_weightings)
                tl.store(read[None, :, None] + m, tl.zeros_like(dr), mask=m < width)
            if writers > 0:
                adds_at = heads * (width + shifts)
                erases_at = adds_at + writers * width + 3 * heads
                memory = tl.load(remembered - memory_step + m * rows + n, mask=in_memory, other=0.0)
                for head in range(0, writers):
                    w = tl.load(looked + head * rows, mask=in_ring, other=0.0)[None, :, :]
                    a = order(orders, adds_at + head * width, width, WIDTH)
                    e = sigmoid(order(orders, erases_at + head * width, width, WIDTH))
                    lost = d_memory * memory
                    for other in range(0, writers):
                        w_o = tl.load(looked + other * rows, mask=in_ring, other=0.0)[None, :, :]
                        e_o = sigmoid(order(orders, erases_at + other * width, width, WIDTH))
                        lost = tl.where(other == head, lost, lost * (1.0 - w_o * e_o))
                    dw = tl.sum(d_memory * a - lost * e, axis=0)  # eq. 3, 4
                    d_weightings += tl.where(h == head, dw[None, :, :], 0.0)
                    d_a = tl.sum(w * d_memory, axis=2)[:, :, None]  # eq. 4
                    d_e = -tl.sum(w * lost, axis=2)[:, :, None] * e * (1.0 - e)  # eq. 3
                    d_order = d_orders[None, :, None] + head * width + m
                    tl.store(d_order + adds_at, d_a, mask=m < width)
                    tl.store(d_order + erases_at, d_e, mask=m < width)
                for head in range(0, writers):
                    w = tl.load(looked + head * rows, mask=in_ring, other=0.0)[None, :, :]
                    e = sigmoid(order(orders, erases_at + head * width, width, WIDTH))
                    d_memory = d_memory * (1.0 - w * e)  # eq. 3
                lengths = measure(memory, eps)
                for head in range(0, writers):
                    was = tl.load(looked - weightings_step + head * rows, mask=in_ring, other=0.0)
                    w = tl.load(looked + head * rows, mask=in_ring, other=0.0)
                    dw, d_memory = unaim(orders, d_orders, ring, memory, lengths, was, w,
                                         pick(d_weightings, head, HEADS), d_memory, head, heads,
                                         writers, width, shifts, rows, eps, WIDTH,
                                         ROWS)  # fmt: skip
                    d_weightings = tl.where(h == head, dw[None, :, :], d_weightings)
            tl.debug_barrier()
            remembered -= memory_step
            looked -= weightings_step

        give_back(weights + telling_at, (pull + told_at)[:, None], place + top_at, told, top, PARTS,
                  COLUMNS)  # fmt: skip
        tl.debug_barrier()
        for below in range(0, layers):
            row = layer_table + (layers - 1 - below) * 7
            units = tl.load(row + 3)
            hidden_at = tl.load(row + 4)
            gates_at = tl.load(row + 6)
            gates = (pull + gates_at)[:, None]
            if RECURRENT:
                cell_at = tl.load(row + 5)
                unremember((after + gates_at)[:, None], (after + cell_at)[:, None],
                           (before + cell_at)[:, None], place + hidden_at, place + cell_at, gates,
                           units, COLUMNS * PARTS)  # fmt: skip
            else:
                unsquash((after + hidden_at)[:, None], place + hidden_at, gates, units,
                         COLUMNS * PARTS)  # fmt: skip
            tl.debug_barrier()
            give_back(weights + tl.load(row), gates, place + tl.load(row + 1),
                      4 * units if RECURRENT else units, tl.load(row + 2), PARTS,
                      COLUMNS)  # fmt: skip
            tl.debug_barrier()
        after = before
        pull -= page_step
        answer -= answer_step
