// An episode with all that happened in it: a machine each of whose steps fills a page of its own.
#pragma once
#include "machine.hpp"

namespace {

// Where each product's weights begin among the laid ones.
struct Sections {
  Index bias[evo_ntm::MOST_LAYERS], below[evo_ntm::MOST_LAYERS], before[evo_ntm::MOST_LAYERS];
  Index reads, told, thought, cell, answering, starts;

  explicit Sections(const Topology &t) : reads(0) {
    Index at = 0, heard = t.inputs;
    const Index sent = t.readers * t.width, K = evo_ntm::told(t);
    for (int layer = 0; layer < t.layers; layer++) {
      const Index G = evo_ntm::gates(t, layer), U = t.units[layer];
      bias[layer] = at;
      below[layer] = at + G;
      at += G * (1 + heard);
      if (layer == 0) reads = at, at += G * sent;
      before[layer] = at;
      if (t.lstm) at += G * U;
      heard = U;
    }
    told = at;
    thought = told + K;
    cell = thought + K * heard;
    answering = cell + (t.cells ? K * heard : 0);
    starts = answering + evo_ntm::padded(t.outputs) * sent;
  }
};

// What a machine holds after a step, and what led there.
template <class V> struct Page {
  V *weightings, *reads, *hidden, *cell;  // these go on from the page before
  V *inputs, *gate, *told, *pressed, *scores, *lengths, *memory;
};

template <class V> struct Recording {
  Machine<V> &machine;
  V *space;
  const Index size;

  Recording(Machine<V> &machine, const Episode &e, V *space)
      : machine(machine), space(space), size(evo_ntm::page_of(e)) {}

  // Finds a page, the first being what the machine begins with. What never changes is written once.
  Page<V> page(Index number) const {
    const Topology &t = machine.t;
    V *at = space + number * size;
    auto take = [&](Index count) {
      V *taken = at;
      at += count;
      return taken;
    };
    const Index H = machine.H, N = machine.N, M = machine.M, units = evo_ntm::units(t);
    Page<V> page;
    page.weightings = take(H * N);
    page.reads = take(machine.R * M);
    page.hidden = take(units);
    page.cell = take(units);
    page.inputs = take(t.inputs);
    page.gate = take(evo_ntm::all_gates(t));
    page.told = take(evo_ntm::told(t));
    page.pressed = take(H * M);
    page.scores = take(H * N);
    page.lengths = machine.W ? take(N) : machine.lengths;
    page.memory = machine.W ? take(N * M) : machine.memory;
    return page;
  }
  Index carried() const {
    const Machine<V> &m = machine;
    return m.H * m.N + m.R * m.M + 2 * evo_ntm::units(m.t);
  }

  // Opens a page to be written on; the memory is still that of the page before.
  void open(Index number) {
    const Page<V> page = this->page(number);
    machine.weightings = page.weightings;
    machine.reads = page.reads;
    machine.hidden = page.hidden;
    machine.cell = page.cell;
    machine.inputs = page.inputs;
    machine.gate = page.gate;
    machine.told = page.told;
    machine.pressed = page.pressed;
    machine.scores = page.scores;
    machine.measured = page.lengths;
    machine.written = page.memory;
  }
  void begin() {
    open(0);
    machine.memory = machine.written;
    machine.lengths = machine.measured;
    machine.begin();
    machine.measure();
  }
  void step(Index number) {
    const V *before = machine.weightings;
    open(number + 1);
    for (Index i = 0; i < carried(); i++) machine.weightings[i] = before[i];
  }
};

}  // namespace
