// The gradients of weights: sums, over steps and lanes, of what was sent times what came of it.
//
// A sum has the same order in all instruction sets: for each lane over the steps, then over the
// lanes of every four, then over the fours of every sixteen, then over the sixteens.
#pragma once
#include <utility>

#include "kernel.hpp"
#include "vectors.hpp"

namespace {

// Takes two numbers of every four of `a`, then the same two of `b`: from `first`, `apart`.
constexpr int taken(int first, int apart, int lanes, int i) {
  return i / 4 * 4 + first + i % 2 * apart + (i % 4 < 2 ? 0 : lanes);
}
template <int First, int Apart, class V, int... I>
INLINE V two_each(V a, V b, std::integer_sequence<int, I...>) {
#if defined(__clang__)
  return __builtin_shufflevector(a, b, taken(First, Apart, Of<V>::lanes, I)...);
#else
  const typename Of<V>::Int places = {taken(First, Apart, Of<V>::lanes, I)...};
  return __builtin_shuffle(a, b, places);
#endif
}
template <int First, int Apart, class V> INLINE V two_each(V a, V b) {
  return two_each<First, Apart>(a, b, std::make_integer_sequence<int, Of<V>::lanes>());
}

// Sums every four lanes of four vectors, which leaves four sums side by side.
template <class V> INLINE V sum_fours(V a, V b, V c, V d) {
  const V one = two_each<0, 1>(a, b) + two_each<2, 1>(a, b);
  const V other = two_each<0, 1>(c, d) + two_each<2, 1>(c, d);
  return two_each<0, 2>(one, other) + two_each<1, 2>(one, other);
}
INLINE F4 join_fours(F4 x) { return x; }
INLINE F4 join_fours(F8 x) {
  F4 four[2];
  std::memcpy(four, &x, sizeof x);
  return four[0] + four[1];
}
INLINE F4 join_fours(F16 x) {
  F4 four[4];
  std::memcpy(four, &x, sizeof x);
  return (four[0] + four[1]) + (four[2] + four[3]);
}
template <class V> INLINE F4 sum_lanes(V a, V b, V c, V d) {
  return join_fours(sum_fours(a, b, c, d));
}

// What so many units sent, or what came of it, over some steps: four units side by side.
template <class V> struct Panel {
  V *data;
  int64_t count, steps;

  Panel() : data(nullptr), count(0), steps(0) {}
  Panel(V *data, int64_t count, int64_t steps) : data(data), count(count), steps(steps) {}
  static int64_t size(int64_t count, int64_t steps) { return (count + 3) / 4 * 4 * steps; }
  void put(const V *x, int64_t step) {
    for (int64_t i = 0; i < count; i++) data[(i / 4 * steps + step) * 4 + i % 4] = x[i];
  }
  const V *four(int64_t i) const { return data + i / 4 * 4 * steps + i % 4; }
};

// Sums J senders times four receivers.
template <class V, int J>
INLINE void add_tile(const V *x, const V *y, int64_t steps, float *sums, int64_t stride) {
  V sum[J][4] = {};
  for (int64_t step = 0; step < steps; step++) {
    V came[4];
    for (int q = 0; q < 4; q++) came[q] = y[step * 4 + q];
    for (int j = 0; j < J; j++) {
      const V sent = x[step * 4 + j];
      for (int q = 0; q < 4; q++) sum[j][q] = fma(sent, came[q], sum[j][q]);
    }
  }
  for (int j = 0; j < J; j++) {
    const F4 sums_now = load<F4>(sums + j * stride);
    store(sums + j * stride, sums_now + sum_lanes(sum[j][0], sum[j][1], sum[j][2], sum[j][3]));
  }
}

#if defined(EVO_NTM_FEW_REGISTERS)
const int SENDERS = 2;
#else
const int SENDERS = 4;
#endif

// Adds to the gradients of weights, laid in blocks of receivers, what the first steps have.
template <class V>
void add_products(const Panel<V> &x, const Panel<V> &y, int64_t steps, float *gradients) {
  for (int64_t q = 0; q < y.count; q += 4) {
    const int64_t block = q / evo_ntm::BLOCK * evo_ntm::BLOCK, left = y.count - block;
    const int64_t side = left < evo_ntm::BLOCK ? left : evo_ntm::BLOCK;
    float *sums = gradients + block * x.count + q % evo_ntm::BLOCK;
    int64_t j = 0;
    for (; j + SENDERS <= x.count; j += SENDERS)
      add_tile<V, SENDERS>(x.four(j), y.four(q), steps, sums + j * side, side);
    for (; j < x.count; j++) add_tile<V, 1>(x.four(j), y.four(q), steps, sums + j * side, side);
  }
}

// Adds lane sums of so many vectors.
template <class V> void add_sums(const V *x, int64_t count, float *gradients) {
  for (int64_t i = 0; i < count; i++) gradients[i] += sum_lanes(x[i], V{}, V{}, V{})[0];
}

}  // namespace
