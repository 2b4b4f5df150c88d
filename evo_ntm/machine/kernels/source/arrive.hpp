// What arrives over wires: laid weights times what was sent.
#pragma once
#include "kernel.hpp"
#include "vectors.hpp"

namespace {

using evo_ntm::BLOCK;
typedef int64_t Index;

// y += W x, for Q receivers whose weights lie side by side.
template <class V, int K, int Q>
INLINE void arrive_at(const float *W, Index stride, const V *x, Index senders, V *y) {
  V sum[Q];
  for (int q = 0; q < Q; q++) sum[q] = y[q];
  for (Index j = 0; j < senders; j++) {
    const V sent = x[j];
    for (int q = 0; q < Q; q++) sum[q] = fma(spread<V, K>(W + K * (j * stride + q)), sent, sum[q]);
  }
  for (int q = 0; q < Q; q++) y[q] = sum[q];
}

// y += W x over laid weights; returns where the next ones begin.
template <class V, int K = 1>
const float *arrive(const float *W, const V *x, Index senders, V *y, Index receivers) {
  for (; receivers; y += BLOCK) {
    const Index side = receivers < BLOCK ? receivers : BLOCK;
    Index q = 0;
#if !defined(EVO_NTM_FEW_REGISTERS)
    for (; q + 16 <= side; q += 16) arrive_at<V, K, 16>(W + K * q, side, x, senders, y + q);
#endif
    for (; q + 8 <= side; q += 8) arrive_at<V, K, 8>(W + K * q, side, x, senders, y + q);
    for (; q < side; q += 4) arrive_at<V, K, 4>(W + K * q, side, x, senders, y + q);
    W += K * senders * side;
    receivers -= side;
  }
  return W;
}

}  // namespace
