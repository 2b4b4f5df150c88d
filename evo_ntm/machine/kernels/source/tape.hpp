// A machine with a tape, or a graph, step by step: what ../../tape.py and ../../graph.py do, fused, in
// the letters of the former.
// Included once for each instruction set.
#pragma once
#include "arrive.hpp"

namespace {

const float SAME = 0.9999f;              // as similar, a cell is not looked past
const float FOUND = 2.0f, OUTSIDE = -1.0f;  // above and below every similarity
const float LOUD = 36.74f, QUIET = -745.0f;  // where sigmoids of doubles are 1 and 0

template <class V> INLINE V between(V low, V x, V high) { return smaller(larger(x, low), high); }
template <class V> INLINE V magnitude(V x) { return larger(x, -x); }
template <class I> INLINE bool any(I x) {
  for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
    if (x[i]) return true;
  return false;
}

template <class I> INLINE int32_t least(I x) {
  int32_t found = x[0];
  for (size_t i = 1; i < sizeof x / sizeof x[0]; i++) found = x[i] < found ? x[i] : found;
  return found;
}
template <class I> INLINE int32_t greatest(I x) { return -least(-x); }

template <class V, int K = 1> struct TapeMachine {
  typedef typename Of<V>::Int Places;
  static constexpr int lanes = Of<V>::lanes;
  const evo_ntm::Topology &t;
  const Index H, M, N;
  const int32_t most;
  const float *laid, *answering;
  V *cells, *reads, *found, *written, *inputs, *hidden, *gate, *told, *answer;
  Places *head, low, high, *kept;
  Index near, far;  // no tape lies outside of the cells from one up to the other

  // Begins, or goes on from where it was left in the same space.
  TapeMachine(const Episode &e, const float *laid, V *space, bool begun = false)
      : t(*e.topology), H(t.tape_heads), M(t.width), N(evo_ntm::strip_of(e).cells),
        most(e.rows && e.rows < (1 << 30) ? int32_t(e.rows) : 1 << 30), laid(laid),
        answering(nullptr) {
    auto take = [&](Index count) {
      V *taken = space;
      space += count;
      return taken;
    };
    cells = take(N * M);
    reads = take(H * M);
    found = take(M);
    written = take(M);
    head = (Places *)take(H);
    inputs = take(t.inputs);
    hidden = take(evo_ntm::units(t));
    gate = take(evo_ntm::all_gates(t));
    told = take(evo_ntm::told(t));
    answer = take(evo_ntm::padded(t.outputs));
    kept = (Places *)take(2);
    if (begun) {
      low = kept[0];
      high = kept[1];
    } else {
      low = high = Places{} + int32_t(evo_ntm::strip_of(e).origin);
      for (Index h = 0; h < H; h++) head[h] = low;
      for (Index i = 0; i < H * M; i++) reads[i] = V{};
      for (Index u = 0; u < evo_ntm::units(t); u++) hidden[u] = V{};
    }
    near = least(low);
    far = greatest(high) + 1;
    if (!begun) blank(near, far);
  }
  void leave() const {
    kept[0] = low;
    kept[1] = high;
  }

  void blank(Index n, Index end) {
    for (Index i = n * M; i < end * M; i++) cells[i] = all<V>(t.initial);
  }
  void reach() {
    const Index to_near = least(low), to_far = greatest(high) + 1;
    blank(to_near, near);
    blank(far, to_far);
    near = to_near;
    far = to_far;
  }

  // Thought: what the controller makes of inputs and reads.
  void think() {
    if (t.graph) return settle();
    const float *w = laid;
    const V *below = inputs;
    V *h = hidden, *gate = this->gate;
    Index heard = t.inputs;
    for (int layer = 0; layer < t.layers; layer++) {
      const Index U = t.units[layer], G = evo_ntm::gates(t, layer);
      w = arrive<V, K>(offset(w, gate, G), below, heard, gate, G);
      if (layer == 0) w = arrive<V, K>(w, reads, H * M, gate, G);
      for (Index u = 0; u < U; u++) h[u] = tanh(gate[u]);
      below = h;
      heard = U;
      gate += G;
      h += U;
    }
    const Index said = evo_ntm::told(t);
    w = arrive<V, K>(offset(w, told, said), below, heard, told, said);
    if (!t.layers) w = arrive<V, K>(w, reads, H * M, told, said);
    answering = w;
  }

  // Thought of a graph, whose nodes come in an order in which each hears those before it alone. Of
  // a recurrent one each hears what all said the step before.
  void settle() {
    const Index G = t.nodes, said = evo_ntm::told(t);
    const float *w = arrive<V, K>(offset(laid, gate, G), inputs, t.inputs, gate, G);
    w = arrive<V, K>(w, reads, H * M, gate, G);
    if (t.recurrent) w = arrive<V, K>(w, hidden, G, gate, G);
    for (Index g = 0; g < G; g++) {
      V sum = gate[g];
      const Index heard = t.recurrent ? 0 : g;
      for (Index j = 0; j < heard; j++) sum = fma(spread<V, K>(w + K * j), hidden[j], sum);
      w += K * heard;
      hidden[g] = sigmoid(sum);
    }
    w = arrive<V, K>(offset(w, told, said), inputs, t.inputs, told, said);
    w = arrive<V, K>(w, reads, H * M, told, said);
    arrive<V, K>(w, hidden, G, told, said);
  }
  static const float *offset(const float *w, V *y, Index count) {
    for (Index q = 0; q < count; q++) y[q] = spread<V, K>(w + K * q);
    return w + K * count;
  }

  // What is told, side by side for all heads: writes, interpolations, jumps, shifts, the answer.
  V *write(Index h) const { return told + h * M; }
  V interpolation(Index h) const { return told[H * M + h]; }
  V jump(Index h) const { return told[H * (M + 1) + h]; }
  const V *shift(Index h) const { return told + H * (M + 2) + h * evo_ntm::TAPE_SHIFTS; }
  V *answered() const { return told + H * (M + 2 + evo_ntm::TAPE_SHIFTS); }

  // Takes the cell at which the head of each lane is, and puts one there.
  void take(Places at, V *cell) const {
    const float *from = (const float *)cells;
    for (int i = 0; i < lanes; i++) {
      const float *one = from + Index(at[i]) * M * lanes + i;
      float *to = (float *)cell + i;
      for (Index m = 0; m < M; m++) to[m * lanes] = one[m * lanes];
    }
  }
  void put(Places at, const V *cell) const {
    float *to = (float *)cells;
    for (int i = 0; i < lanes; i++) {
      float *one = to + Index(at[i]) * M * lanes + i;
      const float *from = (const float *)cell + i;
      for (Index m = 0; m < M; m++) one[m * lanes] = from[m * lanes];
    }
  }
  V similarity(const V *cell, const V *a) const {
    V apart{};
    for (Index m = 0; m < M; m++) apart += magnitude(cell[m] - a[m]);
    return 1.0f - apart / float(M);
  }

  void write_all() {
    for (Index i = 0; i < H * M; i++) told[i] = sigmoid(told[i]);
    for (Index h = 0; h < H; h++) {
      const V *a = write(h), order = interpolation(h);
      take(head[h], found);
      if (t.overwrite) {
        const auto over = order >= V{};
        for (Index m = 0; m < M; m++) written[m] = over ? a[m] : found[m];
      } else {
        const V w = sigmoid(order), kept = 1.0f - w;
        for (Index m = 0; m < M; m++) written[m] = w * a[m] + kept * found[m];
      }
      put(head[h], written);
      if (t.fresh_cell) {
        const Places used = similarity(found, written) <= all<V>(t.did_write);
        const Places room = high - low + 1 < Places{} + most;
        high -= (head[h] == high) & used & room;  // what is true is -1
      }
    }
    if (t.fresh_cell) reach();
  }

  void jump_all() {
    for (Index h = 0; h < H; h++) {
      const Places jumps = jump(h) >= V{};
      if (!t.heads[h].content || !any(jumps)) continue;
      const V *a = write(h);
      V best = all<V>(OUTSIDE);
      Places place = Places{} + int32_t(near);
      for (Index n = near; n < far; n++) {
        const Places here = Places{} + int32_t(n), inside = (here >= low) & (here <= high);
        V alike = similarity(cells + n * M, a);
        alike = alike > all<V>(SAME) ? all<V>(FOUND) : alike;
        const Places better = inside & (Places)(alike > best);
        best = better ? alike : best;
        place = better ? here : place;
      }
      place = best < all<V>(t.least_similarity) ? high : place;
      head[h] = jumps ? place : head[h];
    }
  }

  void step_all() {
    for (Index h = 0; h < H; h++) {
      if (t.heads[h].shift) {
        const V *s = shift(h), quiet = all<V>(QUIET), loud = all<V>(LOUD);
        V best = between(quiet, s[0], loud);
        Places to = head[h] - 1;
        for (int32_t j = 1; j < evo_ntm::TAPE_SHIFTS; j++) {
          const V one = between(quiet, s[j], loud);
          const Places better = one > best;
          best = better ? one : best;
          to = better ? head[h] + (j - 1) : to;
        }
        const Places full = high - low + 1 >= Places{} + most;
        const Places beyond = full & (to > high), before = full & (to < low);
        to = beyond ? low : before ? high : to;
        low = to < low ? to : low;
        high = to > high ? to : high;
        head[h] = to;
      }
    }
    reach();
    for (Index h = 0; h < H; h++) take(head[h], reads + h * M);
  }

  // All heads write, all jump, then each steps and reads; answer.
  void step() {
    think();
    write_all();
    jump_all();
    step_all();
    for (Index q = 0; q < t.outputs; q++) answer[q] = answered()[q];
    if (!t.graph) arrive<V, K>(answering, reads, H * M, answer, evo_ntm::padded(t.outputs));
  }
};

}  // namespace
