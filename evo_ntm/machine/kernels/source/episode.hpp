// A group of lanes through an episode: what it hears, what it answers, where it ends.
#pragma once
#include "machine.hpp"
#include "tape.hpp"

namespace {

using evo_ntm::Group;

// Fetches and leaves the numbers of lanes. Where a vector has more lanes than are asked for, the
// rest does as the last one of an individual, or of all, and is not left anywhere.
template <class V, int K = 1> struct Ports {
  static constexpr int lanes = Of<V>::lanes;
  const Episode &e;
  Index individual[lanes], lane[lanes], length[lanes], longest;
  bool asked[lanes];
  bool neighbours, together;  // lanes of one side by side; lanes that end at once

  Ports(const Episode &e, Index first, Index present, const Group &group)
      : e(e), longest(0), neighbours(K == 1), together(true) {
    for (Index i = 0; i < lanes; i++) {
      const Index owner = i % K, member = i / K;
      asked[i] = owner < present && member < group.count;
      individual[i] = first + (owner < present ? owner : present - 1);
      lane[i] = group.members[member < group.count ? member : group.count - 1];
      length[i] = e.lengths[lane[i]];
      longest = length[i] > longest ? length[i] : longest;
      neighbours &= asked[i] && lane[i] == lane[0] + i;
      together &= length[i] == length[0];
    }
  }
  float *place(const Array &a, Index i, Index row, Index column) const {
    return a.data + individual[i] * a.individual + lane[i] * a.lane + row * a.row +
           column * a.column;
  }
  V fetch(const Array &a, Index row, Index column) const {
    if (neighbours && a.lane == 1) return load<V>(place(a, 0, row, column));
    float x[lanes];
    for (Index i = 0; i < lanes; i++) x[i] = *place(a, i, row, column);
    return load<V>(x);
  }
  void leave(const Array &a, Index row, Index column, V x) const {
    if (neighbours && a.lane == 1) return store(place(a, 0, row, column), x);
    for (Index i = 0; i < lanes; i++)
      if (asked[i]) *place(a, i, row, column) = x[i];
  }
  // Leaves the states of the lanes that have just ended.
  void leave_ended(Machine<V, K> &machine, Index ended) const {
    if (together) {
      if (length[0] == ended)
        machine.each(*e.ends, [&](const Array &a, Index row, Index column, V &x) {
          leave(a, row, column, x);
        });
      return;
    }
    for (Index i = 0; i < lanes; i++)
      if (asked[i] && length[i] == ended)
        machine.each(*e.ends, [&](const Array &a, Index row, Index column, V &x) {
          *place(a, i, row, column) = x[i];
        });
  }
};

template <class V, int K>
void unit(const Episode &e, int64_t individual, int64_t present, const Group &group,
          const float *laid, float *space) {
  Machine<V, K> machine(e, laid, (V *)space);
  const Topology &t = *e.topology;
  const Ports<V, K> ports(e, individual, present, group);
  machine.begin();
  if (e.start)
    machine.each(*e.start, [&](const Array &a, Index row, Index column, V &x) {
      x = ports.fetch(a, row, column);
    });
  machine.measure();
  if (e.ends) ports.leave_ended(machine, 0);

  float last[Of<V>::lanes];
  for (Index i = 0; i < Of<V>::lanes; i++) last[i] = float(ports.length[i]);
  const V lengths = load<V>(last);
  for (Index step = 0; step < ports.longest; step++) {
    for (Index i = 0; i < t.inputs; i++) machine.inputs[i] = ports.fetch(e.inputs, step, i);
    machine.step();
    const auto going = lengths > all<V>(float(step));
    for (Index o = 0; o < t.outputs; o++)
      ports.leave(e.outputs, step, o, going ? machine.answer[o] : V{});
    if (e.ends) ports.leave_ended(machine, step + 1);
  }
}

template <class V, int K>
void unit_of_tapes(const Episode &e, int64_t individual, int64_t present, const Group &group,
                   const float *laid, float *space) {
  TapeMachine<V, K> machine(e, laid, (V *)space);
  const Topology &t = *e.topology;
  const Ports<V, K> ports(e, individual, present, group);
  float last[Of<V>::lanes];
  for (Index i = 0; i < Of<V>::lanes; i++) last[i] = float(ports.length[i]);
  const V lengths = load<V>(last);
  for (Index step = 0; step < ports.longest; step++) {
    for (Index i = 0; i < t.inputs; i++) machine.inputs[i] = ports.fetch(e.inputs, step, i);
    machine.step();
    const auto going = lengths > all<V>(float(step));
    for (Index o = 0; o < t.outputs; o++)
      ports.leave(e.outputs, step, o, going ? machine.answer[o] : V{});
  }
}

template <class V>
void walk_of_tapes(const Episode &e, int64_t individual, const Group &group, const float *laid,
                   float *kept, bool begun) {
  TapeMachine<V> machine(e, laid, (V *)kept, begun);
  const Topology &t = *e.topology;
  const Ports<V> ports(e, individual, 1, group);
  for (Index i = 0; i < t.inputs; i++) machine.inputs[i] = ports.fetch(e.inputs, 0, i);
  machine.step();
  for (Index o = 0; o < t.outputs; o++) ports.leave(e.outputs, 0, o, machine.answer[o]);
  machine.leave();
}

}  // namespace
