// x86-64 of the fourth level: vectors of 16 lanes, 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#define EVO_NTM_AVX512
#if defined(__clang__)
#pragma clang attribute push(\
    __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#endif
#include "gradient.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#endif
static bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
const evo_ntm::Level evo_ntm::AVX512 = {
    "avx512",
    supported,
    16,
    {{unit<F4, 1>}, {unit<F8, 1>, unit<F8, 2>}, {unit<F16, 1>, unit<F16, 2>, unit<F16, 4>}},
    {{unit_of_tapes<F4, 1>},
     {unit_of_tapes<F8, 1>, unit_of_tapes<F8, 2>},
     {unit_of_tapes<F16, 1>, unit_of_tapes<F16, 2>, unit_of_tapes<F16, 4>}},
    {walk_of_tapes<F4>, walk_of_tapes<F8>, walk_of_tapes<F16>},
    {unit_back<F4>, unit_back<F8>, unit_back<F16>}};
#endif
