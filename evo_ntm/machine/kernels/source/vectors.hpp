// Vectors whose lanes are sequences: what happens in one lane never depends on another.
//
// Every operation is one of IEEE 754 (multiply-add with a single rounding), in an order that the
// source fixes, so all instruction sets and all lengths of vectors give the same bits.
#pragma once
#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE inline __attribute__((always_inline))

namespace {

template <int L> struct Lanes {
  typedef float Float __attribute__((vector_size(4 * L)));
  typedef int32_t Int __attribute__((vector_size(4 * L)));
};
template <int L> using Floats = typename Lanes<L>::Float;
template <int L> using Ints = typename Lanes<L>::Int;
typedef Floats<4> F4;
typedef Floats<8> F8;
typedef Floats<16> F16;

template <class V> struct Of;  // the lanes of a vector, and whole numbers in as many
template <> struct Of<F4> { static constexpr int lanes = 4; typedef Ints<4> Int; };
template <> struct Of<F8> { static constexpr int lanes = 8; typedef Ints<8> Int; };
template <> struct Of<F16> { static constexpr int lanes = 16; typedef Ints<16> Int; };

template <class V> INLINE V all(float x) { return V{} + x; }
template <class V> INLINE V load(const float *from) {
  V x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class V> INLINE void store(float *to, V x) { std::memcpy(to, &x, sizeof x); }
template <class V> INLINE typename Of<V>::Int bits(V x) { return (typename Of<V>::Int)x; }

// larger(a, b) and smaller(a, b) give b where either is NaN, as x86 does.
#if defined(EVO_NTM_AVX2) || defined(EVO_NTM_AVX512)
INLINE F4 fma(F4 a, F4 b, F4 c) { return (F4)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c); }
INLINE F8 fma(F8 a, F8 b, F8 c) { return (F8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
INLINE F4 larger(F4 a, F4 b) { return (F4)_mm_max_ps((__m128)a, (__m128)b); }
INLINE F8 larger(F8 a, F8 b) { return (F8)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE F4 smaller(F4 a, F4 b) { return (F4)_mm_min_ps((__m128)a, (__m128)b); }
INLINE F8 smaller(F8 a, F8 b) { return (F8)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE F4 root(F4 x) { return (F4)_mm_sqrt_ps((__m128)x); }
INLINE F8 root(F8 x) { return (F8)_mm256_sqrt_ps((__m256)x); }
#if defined(EVO_NTM_AVX512)
INLINE F16 fma(F16 a, F16 b, F16 c) {
  return (F16)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
INLINE F16 larger(F16 a, F16 b) { return (F16)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE F16 smaller(F16 a, F16 b) { return (F16)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE F16 root(F16 x) { return (F16)_mm512_sqrt_ps((__m512)x); }
#endif
#else
INLINE F4 larger(F4 a, F4 b) { return a > b ? a : b; }
INLINE F4 smaller(F4 a, F4 b) { return a < b ? a : b; }
#if defined(__aarch64__)
INLINE F4 fma(F4 a, F4 b, F4 c) {
  return (F4)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
INLINE F4 root(F4 x) { return (F4)vsqrtq_f32((float32x4_t)x); }
#else
INLINE F4 fma(F4 a, F4 b, F4 c) {
  F4 x;
  for (int i = 0; i < 4; i++) x[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return x;
}
INLINE F4 root(F4 x) {
  for (int i = 0; i < 4; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
#endif
#endif
template <class V> INLINE V fma(float a, V b, V c) { return fma(all<V>(a), b, c); }

// A weight for every lane, where the lanes belong to K individuals in turn: A B A B … for two.
template <class V, int K> INLINE V spread(const float *weights) {
  constexpr int L = Of<V>::lanes;
  if constexpr (K == 1) return all<V>(*weights);
#if defined(EVO_NTM_AVX2) || defined(EVO_NTM_AVX512)
  double pair = 0;
  if constexpr (K == 2) std::memcpy(&pair, weights, sizeof pair);
  if constexpr (K == 2 && L == 8) return (V)_mm256_set1_pd(pair);
#endif
#if defined(EVO_NTM_AVX512)
  if constexpr (K == 2 && L == 16) return (V)_mm512_set1_pd(pair);
  if constexpr (K == 4 && L == 16) return (V)_mm512_broadcast_f32x4(_mm_loadu_ps(weights));
#endif
  float x[L];
  for (int i = 0; i < L; i++) x[i] = weights[i % K];
  return load<V>(x);
}

// Polynomials fitted by this project, errors of about one unit in the last place.
// exp2 is exactly 0 below -127, with numbers too small to be normal taken for 0.
template <class V> INLINE V exp2(V x) {
  const float to_integer = 12582912.0f;  // 1.5 * 2^23: what is added to it loses its fraction
  x = smaller(all<V>(127.0f), larger(all<V>(-127.0f), x));
  const V whole = x + to_integer;
  const V f = x - (whole - to_integer);
  V p = all<V>(1.340729e-3f);
  p = fma(p, f, all<V>(9.671877e-3f));
  p = fma(p, f, all<V>(5.5503085e-2f));
  p = fma(p, f, all<V>(2.4022235e-1f));
  p = fma(p, f, all<V>(6.9314721e-1f));
  p = fma(p, f, all<V>(1.0f));
  return (V)(bits(p) + (bits(whole) << 23));
}

// For normal positive numbers.
template <class V> INLINE V log2(V x) {
  const auto exponent = (bits(x) - 0x3f3504f3) >> 23;
  const V f = (V)(bits(x) - (exponent << 23)) - 1.0f;
  V p = all<V>(1.2926434e-1f);
  p = fma(p, f, all<V>(-2.0893384e-1f));
  p = fma(p, f, all<V>(2.1521225e-1f));
  p = fma(p, f, all<V>(-2.3867568e-1f));
  p = fma(p, f, all<V>(2.8793909e-1f));
  p = fma(p, f, all<V>(-3.6071626e-1f));
  p = fma(p, f, all<V>(4.8091028e-1f));
  p = fma(p, f, all<V>(-7.213472e-1f));
  p = fma(p, f, all<V>(1.442695f));
  return fma(p, f, __builtin_convertvector(exponent, V));
}

const float LOG2_E = 1.44269504f, LN_2 = 0.69314718f, TINY = 1.17549435e-38f;

template <class V> INLINE V sigmoid(V x) { return 1.0f / (1.0f + exp2(x * -LOG2_E)); }
template <class V> INLINE V tanh(V x) {
  return fma(all<V>(-2.0f), 1.0f / (1.0f + exp2(x * (2 * LOG2_E))), all<V>(1.0f));
}
template <class V> INLINE V softplus(V x) {  // x - x keeps NaN
  const V beyond = LN_2 * log2(1.0f + exp2(-LOG2_E * larger(x, -x)));
  return larger(all<V>(0.0f), x) + beyond + (x - x) * 0.0f;
}

}  // namespace
