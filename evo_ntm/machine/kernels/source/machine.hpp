// A machine, step by step: the equations of ../../machine.py, fused, in the letters of Graves, Wayne
// and Danihelka (2014). Included once for each instruction set.
#pragma once
#include "arrive.hpp"

namespace {

using evo_ntm::Array;
using evo_ntm::Episode;
using evo_ntm::Head;
using evo_ntm::State;
using evo_ntm::Topology;

const int ROWS = 4;          // how many rows are worked on at once, in registers …
const Index NEAR = 8 * ROWS; // … and how many stay near, in the first cache

template <class V> INLINE void softmax_of_few(V *x, Index count) {
  V most = x[0], sum{};
  for (Index i = 1; i < count; i++) most = larger(most, x[i]);
  for (Index i = 0; i < count; i++) sum += x[i] = exp2((x[i] - most) * LOG2_E);
  for (Index i = 0; i < count; i++) x[i] /= sum;
}

template <class V, int K = 1> struct Machine {
  const Topology &t;
  const Index N, M, W, R, H, S;
  const float epsilon;
  const float *laid, *answering;
  V *memory, *weightings, *scores, *lengths, *here, *ring, *turned, *shifting;
  V *reads, *inputs, *hidden, *cell, *gate, *told, *pressed, *answer;
  V *written, *measured;  // what memory and row lengths become with the next writing

  Machine(const Episode &e, const float *laid, V *space)
      : t(*e.topology), N(t.writers + t.readers ? e.rows : 0), M(t.width), W(t.writers),
        R(t.readers), H(W + R), S(t.shifts), epsilon(e.epsilon), laid(laid), answering(nullptr) {
    auto take = [&](Index count) {
      V *taken = space;
      space += count;
      return taken;
    };
    const Index units = evo_ntm::units(t);
    memory = take(N * M);
    weightings = take(H * N);
    scores = take(H * N);
    lengths = take(N);
    here = take(N);
    turned = take(N);
    ring = take(N + 2 * S);
    reads = take(R * M);
    inputs = take(t.inputs);
    hidden = take(units);
    cell = take(units);
    gate = take(evo_ntm::all_gates(t));
    told = take(evo_ntm::told(t));
    pressed = take(H * M);
    answer = take(evo_ntm::padded(t.outputs));
    shifting = take(S);
    written = memory;
    measured = lengths;
  }

  // Thought: what the controller makes of inputs and reads.
  void think() {
    const float *w = laid;
    const V *below = inputs;
    V *h = hidden, *c = cell, *gate = this->gate;
    Index heard = t.inputs;
    for (int layer = 0; layer < t.layers; layer++) {
      const Index U = t.units[layer], G = evo_ntm::gates(t, layer);
      for (Index q = 0; q < G; q++) gate[q] = spread<V, K>(w + K * q);
      w = arrive<V, K>(w + K * G, below, heard, gate, G);
      if (layer == 0) w = arrive<V, K>(w, reads, R * M, gate, G);
      if (t.lstm) {
        w = arrive<V, K>(w, h, U, gate, G);
        for (Index u = 0; u < U; u++) {
          const V i = gate[u], f = gate[U + u], z = gate[2 * U + u], o = gate[3 * U + u];
          c[u] = fma(sigmoid(f), c[u], sigmoid(i) * tanh(z));
          h[u] = sigmoid(o) * tanh(c[u]);
        }
      } else {
        for (Index u = 0; u < U; u++) h[u] = tanh(gate[u]);
      }
      below = h;
      heard = U;
      gate += G;
      if (layer + 1 < t.layers) h += U, c += U;
    }
    const Index said = evo_ntm::told(t);
    for (Index q = 0; q < said; q++) told[q] = spread<V, K>(w + K * q);
    w = arrive<V, K>(w + K * said, h, heard, told, said);
    if (t.cells) w = arrive<V, K>(w, c, heard, told, said);
    answering = w;
  }

  // What is told, side by side for all heads: keys, shifts, adds, strengths, sharpenings, gates,
  // erases, the answer.
  V *key(Index h) const { return told + h * M; }
  V *shift(Index h) const { return told + H * M + h * S; }
  V *add(Index h) const { return told + H * (M + S) + h * M; }
  V &strength(Index h) const { return told[H * (M + S) + W * M + h]; }
  V &sharpening(Index h) const { return told[H * (M + S + 1) + W * M + h]; }
  V &gating(Index h) const { return told[H * (M + S + 2) + W * M + h]; }
  V *erase(Index h) const { return told + H * (M + S + 3) + W * M + h * M; }
  V *answered() const { return told + H * (M + S + 3) + 2 * W * M; }

  // Makes a key as long as its strength, and what exp2 needs: equations 5 and 6 but for the rows.
  void press(Index h) {
    const V *k = key(h);
    V sum = all<V>(epsilon * epsilon);
    for (Index m = 0; m < M; m++) sum = fma(k[m], k[m], sum);
    const V beta = softplus(strength(h)) * LOG2_E / root(sum);
    for (Index m = 0; m < M; m++) pressed[h * M + m] = k[m] * beta;
  }

  template <int Q> INLINE void score_rows(const V *k, Index n, V *score) const {
    V sum[Q] = {};
    for (Index m = 0; m < M; m++) {
      const V k_m = k[m];
      for (int q = 0; q < Q; q++) sum[q] = fma(memory[(n + q) * M + m], k_m, sum[q]);
    }
    for (int q = 0; q < Q; q++) score[n + q] = sum[q] * lengths[n + q];  // eq. 6
  }

  // Scores the rows from `n` up to `end` for every head that looks for something.
  void score(Index first, Index last, Index n, Index end) {
    for (Index h = first; h < last; h++) {
      if (!t.heads[h].content) continue;
      Index i = n;
      for (; i + ROWS <= end; i += ROWS) score_rows<ROWS>(pressed + h * M, i, scores + h * N);
      for (; i < end; i++) score_rows<1>(pressed + h * M, i, scores + h * N);
    }
  }

  void look(Index first, Index last) {
    for (Index h = first; h < last; h++)
      if (t.heads[h].content) press(h);
    for (Index n = 0; n < N; n += NEAR) score(first, last, n, n + NEAR < N ? n + NEAR : N);
  }

  // Points a head anew: figure 2 of the paper. Its scores are there, and stay.
  void aim(Index h) {
    const Head &head = t.heads[h];
    V *w = weightings + h * N;
    const V *focus = w, *x = scores + h * N;
    if (head.content) {
      const V sum = compare(x);
      if (head.interpolation) {
        const V g = sigmoid(gating(h)), kept = 1.0f - g, found = g / sum;  // eq. 5
        for (Index n = 0; n < N; n++) here[n] = fma(found, here[n], kept * w[n]);  // eq. 7
      } else {
        const V found = 1.0f / sum;
        for (Index n = 0; n < N; n++) here[n] = found * here[n];
      }
      focus = here;
    }
    if (head.shift) focus = turn(h, focus);
    if (head.sharpening) {
      const V gamma = 1.0f + softplus(sharpening(h));
      V most = larger(all<V>(TINY), focus[0]), sum{};
      for (Index n = 1; n < N; n++) most = larger(most, focus[n]);
      const V peak = log2(most);
      for (Index n = 0; n < N; n++)
        sum += here[n] = exp2(gamma * (log2(larger(all<V>(TINY), focus[n])) - peak));
      const V whole = 1.0f / sum + (most - most);  // NaN stays NaN
      for (Index n = 0; n < N; n++) w[n] = here[n] * whole;  // eq. 9
    } else if (focus != w) {
      for (Index n = 0; n < N; n++) w[n] = focus[n];
    }
  }

  // Says how much each row scores beside the best, and how much all of them do.
  V compare(const V *x) {
    V most = x[0], sum{};
    for (Index n = 1; n < N; n++) most = larger(most, x[n]);
    for (Index n = 0; n < N; n++) sum += here[n] = exp2(x[n] - most);
    return sum;
  }

  // Turns a focus around the ring of rows.
  const V *turn(Index h, const V *focus) {
    const Index shifts = t.heads[h].shifts, reach = shifts / 2;
    V *s = shifting;
    for (Index j = 0; j < shifts; j++) s[j] = shift(h)[(S - shifts) / 2 + j];
    softmax_of_few(s, shifts);
    const V *middle = around(focus, reach);
    if (shifts == 3) {
      for (Index n = 0; n < N; n++)
        turned[n] = fma(s[2], middle[n - 1], fma(s[1], middle[n], s[0] * middle[n + 1]));  // eq. 8
    } else {
      for (Index n = 0; n < N; n++) {
        V sum = s[0] * middle[n + reach];
        for (Index j = 1; j < shifts; j++) sum = fma(s[j], middle[n + reach - j], sum);  // eq. 8
        turned[n] = sum;
      }
    }
    return turned;
  }

  // Closes rows to a ring: the other end goes on beyond either end.
  V *around(const V *focus, Index reach) {
    V *middle = ring + reach;
    for (Index n = 0; n < N; n++) middle[n] = focus[n];
    for (Index i = 1, low = N - 1, high = 0; i <= reach; i++) {
      middle[-i] = focus[low];
      middle[N - 1 + i] = focus[high];
      low = low ? low - 1 : N - 1;
      high = high + 1 < N ? high + 1 : 0;
    }
    return middle;
  }

  template <int Q> INLINE void erase_rows(const V *from, Index h, Index n) {
    const V *e = erase(h), *w = weightings + h * N + n;
    V away[Q];
    for (int q = 0; q < Q; q++) away[q] = -w[q];
    for (Index m = 0; m < M; m++) {
      const V e_m = e[m];
      for (int q = 0; q < Q; q++)
        memory[(n + q) * M + m] =
            from[(n + q) * M + m] * fma(away[q], e_m, all<V>(1.0f));  // eq. 3
    }
  }
  template <int Q> INLINE void add_rows(Index h, Index n) {
    const V *a = add(h), *w = weightings + h * N + n;
    V by[Q];
    for (int q = 0; q < Q; q++) by[q] = w[q];
    for (Index m = 0; m < M; m++) {
      const V a_m = a[m];
      for (int q = 0; q < Q; q++) {
        V &cell = memory[(n + q) * M + m];
        cell = fma(by[q], a_m, cell);  // eq. 4
      }
    }
  }
  template <int Q> INLINE void measure_rows(Index n) {
    V sum[Q];
    for (int q = 0; q < Q; q++) sum[q] = all<V>(epsilon * epsilon);
    for (Index m = 0; m < M; m++)
      for (int q = 0; q < Q; q++) {
        const V x = memory[(n + q) * M + m];
        sum[q] = fma(x, x, sum[q]);
      }
    for (int q = 0; q < Q; q++) lengths[n + q] = 1.0f / root(sum[q]);
  }
  // What a single writer, the usual number, does to a few rows.
  template <int Q> INLINE void write_rows(const V *from, Index n) {
    const V *e = erase(0), *a = add(0), *w = weightings + n;
    V by[Q], away[Q], sum[Q];
    for (int q = 0; q < Q; q++) by[q] = w[q], away[q] = -w[q], sum[q] = all<V>(epsilon * epsilon);
    for (Index m = 0; m < M; m++) {
      const V e_m = e[m], a_m = a[m];
      for (int q = 0; q < Q; q++) {
        const V left = from[(n + q) * M + m] * fma(away[q], e_m, all<V>(1.0f));  // eq. 3
        const V x = memory[(n + q) * M + m] = fma(by[q], a_m, left);             // eq. 4
        sum[q] = fma(x, x, sum[q]);
      }
    }
    for (int q = 0; q < Q; q++) lengths[n + q] = 1.0f / root(sum[q]);
  }
  template <int Q> INLINE void change_rows(const V *from, Index n) {
    if (W == 1) return write_rows<Q>(from, n);
    for (Index h = 0; h < W; h++) erase_rows<Q>(h ? memory : from, h, n);
    for (Index h = 0; h < W; h++) add_rows<Q>(h, n);
    measure_rows<Q>(n);
  }

  // Writes; the readers score the rows while these are near.
  void write() {
    for (Index i = 0; i < W * M; i++) erase(0)[i] = sigmoid(erase(0)[i]);
    for (Index h = W; h < H; h++)
      if (t.heads[h].content) press(h);
    const V *from = memory;
    memory = written;
    lengths = measured;
    for (Index n = 0; n < N; n += NEAR) {
      const Index end = n + NEAR < N ? n + NEAR : N;
      Index i = n;
      for (; i + ROWS <= end; i += ROWS) change_rows<ROWS>(from, i);
      for (; i < end; i++) change_rows<1>(from, i);
      score(W, H, n, end);
    }
  }

  template <int Q> INLINE void read_rows(Index h, Index n) {
    const V *w = weightings + h * N + n;
    V *r = reads + (h - W) * M;
    for (Index m = 0; m < M; m++) {
      V sum = r[m];
      for (int q = 0; q < Q; q++) sum = fma(w[q], memory[(n + q) * M + m], sum);  // eq. 2
      r[m] = sum;
    }
  }
  void read() {
    for (Index i = 0; i < R * M; i++) reads[i] = V{};
    for (Index n = 0; n < N; n += NEAR) {
      const Index end = n + NEAR < N ? n + NEAR : N;
      for (Index h = W; h < H; h++) {
        Index i = n;
        for (; i + 2 * ROWS <= end; i += 2 * ROWS) read_rows<2 * ROWS>(h, i);
        for (; i < end; i++) read_rows<1>(h, i);
      }
    }
  }

  // Think, aim the writers, write, aim the readers, read, answer.
  void step() {
    think();
    if (W) {
      look(0, W);
      for (Index h = 0; h < W; h++) aim(h);
      write();
    } else {
      look(W, H);
    }
    for (Index h = W; h < H; h++) aim(h);
    if (R) read();
    for (Index q = 0; q < t.outputs; q++) answer[q] = answered()[q];
    arrive<V, K>(answering, reads, R * M, answer, evo_ntm::padded(t.outputs));
  }

  void measure() {
    Index n = 0;
    for (; n + ROWS <= N; n += ROWS) measure_rows<ROWS>(n);
    for (; n < N; n++) measure_rows<1>(n);
  }

  // Where an empty memory begins, and what the weights say of the rest.
  void begin() {
    const float *w = laid + K * starts();
    const auto next = [&] {
      const V x = spread<V, K>(w);
      w += K;
      return x;
    };
    for (Index i = 0; i < N * M; i++) memory[i] = V{};
    for (Index i = 0; i < H * N; i++) weightings[i] = all<V>(i % N ? 0.0f : 1.0f);
    for (Index i = 0; i < R * M; i++) reads[i] = next();
    V *h = hidden, *c = cell;
    for (int layer = 0; layer < t.layers; layer++) {
      const Index U = t.units[layer];
      for (Index u = 0; u < U; u++) h[u] = t.lstm ? tanh(next()) : V{};
      for (Index u = 0; u < U; u++) c[u] = t.lstm ? next() : V{};
      h += U, c += U;
    }
  }

  // Where in laid weights the starts begin: after all that is arrived over.
  Index starts() const {
    Index at = 0, below = t.inputs;
    for (int layer = 0; layer < t.layers; layer++) {
      const Index G = evo_ntm::gates(t, layer), U = t.units[layer];
      at += G * (1 + below + (layer ? 0 : R * M) + (t.lstm ? U : 0));
      below = U;
    }
    return at + evo_ntm::told(t) * (1 + below * (1 + t.cells)) +
           evo_ntm::padded(t.outputs) * R * M;
  }

  // Goes over every number of a state: `visit(array, row, column, vector)`.
  template <class Visit> void each(const State &state, Visit visit) {
    V *h = hidden, *c = cell;
    for (int layer = 0; t.lstm && layer < t.layers; layer++)
      for (Index u = 0; u < t.units[layer]; u++) {
        visit(state.hidden[layer], 0, u, *h++);
        visit(state.cell[layer], 0, u, *c++);
      }
    for (Index r = 0; r < R; r++)
      for (Index m = 0; m < M; m++) visit(state.reads, r, m, reads[r * M + m]);
    for (Index n = 0; n < N; n++)
      for (Index m = 0; m < M; m++) visit(state.memory, n, m, memory[n * M + m]);
    for (Index i = 0; i < H; i++)
      for (Index n = 0; n < N; n++) visit(state.weightings, i, n, weightings[i * N + n]);
  }
};

}  // namespace
