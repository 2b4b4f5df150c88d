// The way back through an episode: what the answers' gradients make of those of the weights.
// The letters are those of episode.hpp.
#pragma once
#include "recording.hpp"

namespace {

// x += W' y, for Q senders from the j-th on: what comes back to them from the receivers.
template <class V, int Q, int Side>
INLINE void return_block(const float *W, Index stride, const V *y, Index side, V *sum) {
  for (Index q = 0; q < (Side ? Side : side); q++) {
    const V came = y[q];
    for (int i = 0; i < Q; i++) sum[i] = fma(W[i * (Side ? Side : stride) + q], came, sum[i]);
  }
}
template <class V, int Q>
INLINE void return_to(const float *W, const V *y, Index receivers, Index senders, V *x, Index j) {
  V sum[Q];
  for (int i = 0; i < Q; i++) sum[i] = x[j + i];
  for (; receivers >= BLOCK; receivers -= BLOCK, y += BLOCK, W += BLOCK * senders)
    return_block<V, Q, BLOCK>(W + j * BLOCK, BLOCK, y, BLOCK, sum);
  if (receivers) return_block<V, Q, 0>(W + j * receivers, receivers, y, receivers, sum);
  for (int i = 0; i < Q; i++) x[j + i] = sum[i];
}
template <class V>
void give_back(const float *W, const V *y, Index receivers, V *x, Index senders) {
  Index j = 0;
#if !defined(EVO_NTM_FEW_REGISTERS)
  for (; j + 16 <= senders; j += 16) return_to<V, 16>(W, y, receivers, senders, x, j);
#endif
  for (; j + 8 <= senders; j += 8) return_to<V, 8>(W, y, receivers, senders, x, j);
  for (; j + 4 <= senders; j += 4) return_to<V, 4>(W, y, receivers, senders, x, j);
  for (; j < senders; j++) return_to<V, 1>(W, y, receivers, senders, x, j);
}

// Sums products in four chains, for a chain waits for itself.
template <class V> V inner(const V *x, const V *y, Index count) {
  V sum[4] = {};
  Index i = 0;
  for (; i + 4 <= count; i += 4)
    for (int q = 0; q < 4; q++) sum[q] = fma(x[i + q], y[i + q], sum[q]);
  for (; i < count; i++) sum[0] = fma(x[i], y[i], sum[0]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// A function and its slope, which is exact where 1 - y * y would lose all that is left of it.
template <class V> struct Bend {
  V y, slope;
};
template <class V> INLINE Bend<V> bend_sigmoid(V x) {
  const V e = exp2(-LOG2_E * larger(x, -x)), whole = 1.0f / (1.0f + e), less = e * whole;
  return {x < V{} ? less : whole, less * whole};
}
template <class V> INLINE Bend<V> bend_tanh(V x) {
  const V e = exp2(-2 * LOG2_E * larger(x, -x)), whole = 1.0f / (1.0f + e), y = (1.0f - e) * whole;
  return {x < V{} ? -y : y, 4.0f * e * whole * whole};
}

template <class V> void clear(V *x, Index count) {
  for (Index i = 0; i < count; i++) x[i] = V{};
}

// The gradient of every number of a machine lies where the number lies, in a machine of gradients.
template <class V> struct Backward {
  Machine<V> m, d;
  Recording<V> recording;
  const Topology &t;
  const Index N, M, W, R, H, S;
  const Sections at;
  Page<V> before, after;
  V *along, *against, *found, *kept, *end;

  Backward(const Episode &e, const float *laid, V *space)
      : m(e, laid, space), d(e, laid, space + evo_ntm::space_of(e)),
        recording(m, e, space + 2 * evo_ntm::space_of(e)), t(m.t), N(m.N), M(m.M), W(m.W), R(m.R),
        H(m.H), S(m.S), at(t) {
    along = recording.space + (e.steps + 1) * recording.size;
    against = along + H * N;
    found = against + H * N;
    kept = found + N;
    end = kept + W;
    clear(d.weightings, H * N);
    clear(d.reads, R * M);
    clear(d.hidden, evo_ntm::units(t));
    clear(d.cell, evo_ntm::units(t));
    clear(d.gate, evo_ntm::all_gates(t));
    clear(d.memory, N * M);
    clear(d.answer, evo_ntm::padded(t.outputs));
  }

  // Goes back over a step; the gradients of its answer are there.
  void step(Index number) {
    before = recording.page(number);
    after = recording.page(number + 1);
    m.told = after.told;
    m.memory = after.memory;
    give_back(m.laid + at.answering, d.answer, evo_ntm::padded(t.outputs), d.reads, R * M);
    clear(d.told, evo_ntm::told(t));
    for (Index o = 0; o < t.outputs; o++) d.answered()[o] = d.answer[o];
    if (R) unuse();  // where nobody reads, nothing in the memory matters
    unthink();
  }

  // From what was read through the memory to what the heads were told.
  void unuse() {
    clear(d.pressed, H * M);
    for (Index h = W; h < H; h++) {
      unread(h);
      unaim(h, after.lengths);
    }
    Index n = 0;
    for (; n + ROWS <= N; n += ROWS) change<ROWS>(n);
    for (; n < N; n++) change<1>(n);
    for (Index h = 0; h < W; h++) unaim(h, before.lengths);
    m.memory = before.memory;
    for (Index h = 0; h < W; h++)
      if (t.heads[h].content) unscore(h);
    for (Index h = 0; h < H; h++)
      if (t.heads[h].content) unpress(h);
    for (Index i = 0; i < W * M; i++) {
      const V e = m.erase(0)[i];
      d.erase(0)[i] *= e * (1.0f - e);
    }
  }

  // What a reader's weighting is to what it read: equation 2.
  void unread(Index h) {
    Index n = 0;
    for (; n + ROWS <= N; n += ROWS) unread_rows<ROWS>(h, n);
    for (; n < N; n++) unread_rows<1>(h, n);
  }
  template <int Q> INLINE void unread_rows(Index h, Index n) {
    const V *dr = d.reads + (h - W) * M;
    V *dw = d.weightings + h * N, sum[Q];
    for (int q = 0; q < Q; q++) sum[q] = dw[n + q];
    for (Index i = 0; i < M; i++) {
      const V dr_i = dr[i];
      for (int q = 0; q < Q; q++) sum[q] = fma(m.memory[(n + q) * M + i], dr_i, sum[q]);
    }
    for (int q = 0; q < Q; q++) dw[n + q] = sum[q];
  }

  // Goes back over what the readers and then the writers did to a few rows.
  template <int Q> INLINE void change(Index n) {
    for (Index h = W; h < H; h++) {
      if (t.heads[h].content) read_and_score<Q, true>(h, n);
      else read_and_score<Q, false>(h, n);
    }
    if (W == 1) return unwrite<Q>(n);
    if (W)
      for (int q = 0; q < Q; q++) unwrite_many(n + q);
  }
  template <int Q, bool Scored> INLINE void read_and_score(Index h, Index n) {
    const V *dr = d.reads + (h - W) * M, *p = after.pressed + h * M;
    const V *w = after.weightings + h * N + n;
    V *dp = d.pressed + h * M, by[Q], towards[Q], away[Q];
    for (int q = 0; q < Q; q++) {
      by[q] = w[q];
      if (Scored) towards[q] = along[h * N + n + q], away[q] = -against[h * N + n + q];
    }
    for (Index i = 0; i < M; i++) {
      const V dr_i = dr[i], p_i = p[i];
      V sum = dp[i];
      for (int q = 0; q < Q; q++) {
        V &cell = d.memory[(n + q) * M + i];
        V dx = fma(by[q], dr_i, cell);
        if (Scored) {
          const V x = m.memory[(n + q) * M + i];
          dx = fma(away[q], x, fma(towards[q], p_i, dx));
          sum = fma(towards[q], x, sum);
        }
        cell = dx;
      }
      if (Scored) dp[i] = sum;
    }
  }
  // What a single writer, the usual number, erased and added: equations 3 and 4.
  template <int Q> INLINE void unwrite(Index n) {
    const V *e = m.erase(0), *a = m.add(0), *w = after.weightings + n;
    V *de = d.erase(0), *da = d.add(0), by[Q], sum[Q];
    for (int q = 0; q < Q; q++) by[q] = w[q], sum[q] = d.weightings[n + q];
    for (Index i = 0; i < M; i++) {
      const V e_i = e[i], a_i = a[i];
      V added = da[i], erased = de[i];
      for (int q = 0; q < Q; q++) {
        V &cell = d.memory[(n + q) * M + i];
        const V dx = cell, lost = dx * before.memory[(n + q) * M + i];
        sum[q] = fma(dx, a_i, fma(-e_i, lost, sum[q]));
        added = fma(by[q], dx, added);
        erased = fma(-by[q], lost, erased);
        cell = dx * fma(-by[q], e_i, all<V>(1.0f));
      }
      da[i] = added;
      de[i] = erased;
    }
    for (int q = 0; q < Q; q++) d.weightings[n + q] = sum[q];
  }
  // The same for a row and many writers; `kept` is what those before have left.
  void unwrite_many(Index n) {
    for (Index i = 0; i < M; i++) {
      V &cell = d.memory[n * M + i], left = all<V>(1.0f);
      const V dx = cell, lost = dx * before.memory[n * M + i];
      for (Index h = 0; h < W; h++) {
        kept[h] = left;
        left *= fma(-after.weightings[h * N + n], m.erase(h)[i], all<V>(1.0f));
      }
      cell = dx * left;
      V behind = all<V>(1.0f);
      for (Index h = W - 1; h >= 0; h--) {
        const V w = after.weightings[h * N + n], e = m.erase(h)[i], a = m.add(h)[i];
        const V share = lost * kept[h] * behind;
        V &dw = d.weightings[h * N + n];
        dw = fma(dx, a, fma(-e, share, dw));
        d.add(h)[i] = fma(w, dx, d.add(h)[i]);
        d.erase(h)[i] = fma(-w, share, d.erase(h)[i]);
        behind *= fma(-w, e, all<V>(1.0f));
      }
    }
  }
  // What a writer looked for, in the memory as it was before the writing.
  void unscore(Index h) {
    Index n = 0;
    for (; n + ROWS <= N; n += ROWS) unscore_rows<ROWS>(h, n);
    for (; n < N; n++) unscore_rows<1>(h, n);
  }
  template <int Q> INLINE void unscore_rows(Index h, Index n) {
    const V *p = after.pressed + h * M;
    V *dp = d.pressed + h * M, towards[Q], away[Q];
    for (int q = 0; q < Q; q++)
      towards[q] = along[h * N + n + q], away[q] = -against[h * N + n + q];
    for (Index i = 0; i < M; i++) {
      const V p_i = p[i];
      V sum = dp[i];
      for (int q = 0; q < Q; q++) {
        V &dx = d.memory[(n + q) * M + i];
        const V x = m.memory[(n + q) * M + i];
        dx = fma(away[q], x, fma(towards[q], p_i, dx));
        sum = fma(towards[q], x, sum);
      }
      dp[i] = sum;
    }
  }

  // Goes back over how a head was pointed: the gradient of its weighting becomes that of the one
  // before, and what the rows' scores have to do with it is laid aside.
  void unaim(Index h, const V *lengths) {
    const Head &head = t.heads[h];
    const V *was = before.weightings + h * N, *focus = was, *x = after.scores + h * N;
    V *dw = d.weightings + h * N, g = all<V>(1.0f);
    if (head.content) {
      const V share = 1.0f / m.compare(x);
      for (Index n = 0; n < N; n++) found[n] = m.here[n] * share;
      focus = found;
      if (head.interpolation) {
        g = sigmoid(m.gating(h));
        for (Index n = 0; n < N; n++) m.here[n] = fma(g, found[n], (1.0f - g) * was[n]);
        focus = m.here;
      }
    }
    const V *turned = head.shift ? m.turn(h, focus) : focus;
    if (head.sharpening) unsharpen(h, turned, dw);
    if (head.shift) unturn(h, dw);
    if (!head.content) return;
    if (head.interpolation) {
      for (Index n = 0; n < N; n++) d.here[n] = found[n] - was[n];
      d.gating(h) = inner(d.here, dw, N) * bend_sigmoid(m.gating(h)).slope;
    }
    const V mean = inner(found, dw, N);
    for (Index n = 0; n < N; n++) {
      const V by = LN_2 * g * found[n] * (dw[n] - mean) * lengths[n];
      along[h * N + n] = by;
      against[h * N + n] = by * x[n] * lengths[n];
      dw[n] = head.interpolation ? (1.0f - g) * dw[n] : V{};
    }
  }
  // Equation 9; where there was next to nothing, nothing is to be changed.
  void unsharpen(Index h, const V *turned, V *dw) {
    const V *w = after.weightings + h * N;
    const V gamma = 1.0f + softplus(m.sharpening(h)), tiny = all<V>(TINY);
    V most = turned[0];
    for (Index n = 1; n < N; n++) most = larger(most, turned[n]);
    const V peak = log2(larger(tiny, most)), mean = inner(w, dw, N);
    V sum{};
    for (Index n = 0; n < N; n++) {
      const V some = larger(tiny, turned[n]), by = dw[n] - mean;
      sum = fma(w[n] * by, log2(some) - peak, sum);
      const V back = gamma * by * (w[n] / some);
      dw[n] = turned[n] < tiny ? V{} : back;
    }
    d.sharpening(h) = LN_2 * sum * sigmoid(m.sharpening(h));
  }
  // Equation 8; the focus is still around the machine's ring, and the shifts are with it.
  void unturn(Index h, V *dw) {
    const Index shifts = t.heads[h].shifts, reach = shifts / 2;
    const V *s = m.shifting, *focus = m.ring + reach, *dx = d.around(dw, reach);
    V *ds = d.shifting, mean{};
    for (Index j = 0; j < shifts; j++) {
      ds[j] = inner(focus + reach - j, dx, N);
      mean = fma(s[j], ds[j], mean);
    }
    for (Index j = 0; j < shifts; j++) d.shift(h)[(S - shifts) / 2 + j] = s[j] * (ds[j] - mean);
    for (Index n = 0; n < N; n++) {
      V sum = s[0] * dx[n - reach];
      for (Index j = 1; j < shifts; j++) sum = fma(s[j], dx[n - reach + j], sum);
      dw[n] = sum;
    }
  }
  // Equations 5 and 6 but for the rows: a key and its strength.
  void unpress(Index h) {
    const V *k = m.key(h), *dp = d.pressed + h * M;
    V sum = all<V>(m.epsilon * m.epsilon);
    for (Index i = 0; i < M; i++) sum = fma(k[i], k[i], sum);
    const V length = 1.0f / root(sum), dot = inner(dp, k, M) * length;
    const V beta = softplus(m.strength(h)) * LOG2_E * length, shorter = dot * beta * length;
    for (Index i = 0; i < M; i++) d.key(h)[i] = fma(beta, dp[i], -shorter * k[i]);
    d.strength(h) = dot * LOG2_E * sigmoid(m.strength(h));
  }

  // From what was told down through the layers, to the inputs, the reads and the carry before.
  void unthink() {
    const Index K = evo_ntm::told(t);
    Index unit = evo_ntm::units(t) - t.units[t.layers - 1], gate = evo_ntm::all_gates(t);
    V *h = d.hidden + unit;
    give_back(m.laid + at.thought, d.told, K, h, t.units[t.layers - 1]);
    if (t.cells) give_back(m.laid + at.cell, d.told, K, d.cell + unit, t.units[t.layers - 1]);
    clear(d.inputs, t.inputs);
    clear(d.reads, R * M);
    for (int layer = t.layers - 1; layer >= 0; layer--) {
      const Index U = t.units[layer], G = evo_ntm::gates(t, layer);
      const Index beneath = layer ? t.units[layer - 1] : 0;
      gate -= G;
      V *dg = d.gate + gate;
      if (t.lstm) {
        shut(after.gate + gate, before.cell + unit, after.cell + unit, d.hidden + unit,
             d.cell + unit, dg, U);
      } else {
        const V *x = after.gate + gate;
        for (Index u = 0; u < U; u++) dg[u] = d.hidden[unit + u] * bend_tanh(x[u]).slope;
      }
      clear(d.hidden + unit, U);
      const float *below = m.laid + at.below[layer];
      if (layer) give_back(below, dg, G, d.hidden + unit - beneath, beneath);
      else give_back(below, dg, G, d.inputs, t.inputs);
      if (layer == 0) give_back(m.laid + at.reads, dg, G, d.reads, R * M);
      if (t.lstm) give_back(m.laid + at.before[layer], dg, G, d.hidden + unit, U);
      unit -= beneath;
    }
  }
  // Goes back over the gates of an LSTM's layer.
  void shut(const V *gates, const V *was, const V *is, const V *dh, V *dc, V *dg, Index U) {
    for (Index u = 0; u < U; u++) {
      const auto i = bend_sigmoid(gates[u]), f = bend_sigmoid(gates[U + u]);
      const auto z = bend_tanh(gates[2 * U + u]), o = bend_sigmoid(gates[3 * U + u]);
      const auto shown = bend_tanh(is[u]);
      const V by = fma(dh[u] * o.y, shown.slope, dc[u]);
      dg[u] = by * z.y * i.slope;
      dg[U + u] = by * was[u] * f.slope;
      dg[2 * U + u] = by * i.y * z.slope;
      dg[3 * U + u] = dh[u] * shown.y * o.slope;
      dc[u] = by * f.y;
    }
  }
};

}  // namespace
