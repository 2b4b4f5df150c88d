// x86-64 of the third level: vectors of 8 lanes, 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#define EVO_NTM_AVX2
#define EVO_NTM_FEW_REGISTERS
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#include "gradient.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#endif
static bool supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
const evo_ntm::Level evo_ntm::AVX2 = {
    "avx2", supported, 8, {{unit<F4, 1>}, {unit<F8, 1>, unit<F8, 2>}, {}},
    {{unit_of_tapes<F4, 1>}, {unit_of_tapes<F8, 1>, unit_of_tapes<F8, 2>}, {}},
    {walk_of_tapes<F4>, walk_of_tapes<F8>, nullptr},
    {unit_back<F4>, unit_back<F8>, nullptr}};
#endif
