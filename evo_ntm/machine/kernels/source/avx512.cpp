// x86-64 of the fourth level: vectors of 16 lanes, 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#define EVO_NTM_AVX512
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif
#include "episode.hpp"

static void unit4(const Episode &e, int64_t i, const Group &g, const float *w, float *s) { unit<F4>(e, i, g, w, s); }
static void unit8(const Episode &e, int64_t i, const Group &g, const float *w, float *s) { unit<F8>(e, i, g, w, s); }
static void unit16(const Episode &e, int64_t i, const Group &g, const float *w, float *s) { unit<F16>(e, i, g, w, s); }
#if defined(__clang__)
#pragma clang attribute pop
#endif
static bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
const evo_ntm::Level evo_ntm::AVX512 = {"avx512", supported, 16, {unit4, unit8, unit16}};
#endif
