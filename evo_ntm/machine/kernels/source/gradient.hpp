// A group of lanes through an episode and back: the gradients of the weights and of the inputs.
#pragma once
#include "backward.hpp"
#include "episode.hpp"
#include "sums.hpp"

namespace {

using evo_ntm::Gradients;

// What was sent and what came of it, put down step by step and summed for many steps at once.
template <class V> struct Ledger {
  const Backward<V> &back;
  const Topology &t;
  const Index steps;
  V *space;
  Panel<V> one, inputs, reads, cell, answering, told, answer;
  Panel<V> hidden[evo_ntm::MOST_LAYERS], before[evo_ntm::MOST_LAYERS], gate[evo_ntm::MOST_LAYERS];

  Ledger(const Backward<V> &back, const Episode &e, V *space)
      : back(back), t(back.t), steps(evo_ntm::steps_at_once(e)), space(space) {
    one = take(1);
    inputs = take(t.inputs);
    reads = take(back.R * back.M);
    answering = take(back.R * back.M);
    if (t.cells) cell = take(t.units[t.layers - 1]);
    for (int layer = 0; layer < t.layers; layer++) {
      hidden[layer] = take(t.units[layer]);
      if (t.lstm) before[layer] = take(t.units[layer]);
      gate[layer] = take(evo_ntm::gates(t, layer));
    }
    told = take(evo_ntm::told(t));
    answer = take(evo_ntm::padded(t.outputs));
    const V whole = all<V>(1.0f);
    for (Index i = 0; i < steps; i++) one.put(&whole, i);
  }
  Panel<V> take(Index count) {
    const Panel<V> panel(space, count, steps);
    space += Panel<V>::size(count, steps);
    return panel;
  }

  // Puts down the step that was just gone back over, and sums where it is the first of many.
  void put(Index step, float *gradients) {
    const Index line = step % steps;
    inputs.put(back.after.inputs, line);
    reads.put(back.before.reads, line);
    answering.put(back.after.reads, line);
    Index unit = 0, gates = 0;
    for (int layer = 0; layer < t.layers; layer++) {
      hidden[layer].put(back.after.hidden + unit, line);
      if (t.lstm) before[layer].put(back.before.hidden + unit, line);
      gate[layer].put(back.d.gate + gates, line);
      if (t.cells && layer == t.layers - 1) cell.put(back.after.cell + unit, line);
      unit += t.units[layer];
      gates += evo_ntm::gates(t, layer);
    }
    told.put(back.d.told, line);
    answer.put(back.d.answer, line);
    last = line > last ? line : last;
    if (line) return;
    add(last + 1, gradients);
    last = 0;
  }

 private:
  Index last = 0;

  void add(Index count, float *gradients) const {
    const Sections &at = back.at;
    for (int layer = 0; layer < t.layers; layer++) {
      const Panel<V> &came = gate[layer], &below = layer ? hidden[layer - 1] : inputs;
      add_products(one, came, count, gradients + at.bias[layer]);
      add_products(below, came, count, gradients + at.below[layer]);
      if (layer == 0) add_products(reads, came, count, gradients + at.reads);
      if (t.lstm) add_products(before[layer], came, count, gradients + at.before[layer]);
    }
    add_products(one, told, count, gradients + at.told);
    add_products(hidden[t.layers - 1], told, count, gradients + at.thought);
    if (t.cells) add_products(cell, told, count, gradients + at.cell);
    add_products(answering, answer, count, gradients + at.answering);
  }
};

// Adds what the first reads and the first carry are worth.
template <class V> void add_starts(Backward<V> &back, float *gradients) {
  const Topology &t = back.t;
  const float *first = back.m.laid + back.at.starts + back.R * back.M;
  float *to = gradients + back.at.starts;
  add_sums(back.d.reads, back.R * back.M, to);
  to += back.R * back.M;
  V *h = back.d.hidden, *c = back.d.cell;
  for (int layer = 0; t.lstm && layer < t.layers; layer++) {
    const Index U = t.units[layer];
    for (Index u = 0; u < U; u++) h[u] *= bend_tanh(all<V>(first[u])).slope;
    add_sums(h, U, to);
    add_sums(c, U, to + U);
    h += U, c += U, first += 2 * U, to += 2 * U;
  }
}

template <class V>
void unit_back(const Episode &e, const Gradients &given, int64_t individual, const Group &group,
               const float *laid, float *space, float *gradients) {
  Backward<V> back(e, laid, (V *)space);
  Machine<V> &machine = back.m;
  const Topology &t = *e.topology;
  const Ports<V> ports(e, individual, 1, group);
  float last[16];
  for (Index i = 0; i < Of<V>::lanes; i++) {
    last[i] = ports.asked[i] ? float(ports.length[i]) : 0.0f;
  }
  const V lengths = load<V>(last);

  back.recording.begin();
  for (Index step = 0; step < ports.longest; step++) {
    const auto going = lengths > all<V>(float(step));
    back.recording.step(step);
    for (Index i = 0; i < t.inputs; i++) {
      const V x = ports.fetch(e.inputs, step, i);
      machine.inputs[i] = going ? x : V{};  // what nobody hears must not come back as NaN
    }
    machine.step();
  }

  Ledger<V> ledger(back, e, back.end);
  for (Index step = ports.longest - 1; step >= 0; step--) {
    const auto going = lengths > all<V>(float(step));
    for (Index o = 0; o < t.outputs; o++) {
      const V y = ports.fetch(given.outputs, step, o);
      back.d.answer[o] = going ? y : V{};
    }
    back.step(step);
    ledger.put(step, gradients);
    if (given.inputs.data)
      for (Index i = 0; i < t.inputs; i++)
        ports.leave(given.inputs, step, i, back.d.inputs[i]);
  }
  add_starts(back, gradients);
}

}  // namespace
