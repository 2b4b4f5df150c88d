// Any other machine: vectors of 4 lanes, as arm64 has them.
#if !defined(__aarch64__)
#define EVO_NTM_FEW_REGISTERS
#endif
#include "episode.hpp"

static void unit4(const Episode &e, int64_t i, const Group &g, const float *w, float *s) { unit<F4>(e, i, g, w, s); }
static bool supported() { return true; }
const evo_ntm::Level evo_ntm::PORTABLE = {"portable", supported, 4, {unit4, nullptr, nullptr}};
