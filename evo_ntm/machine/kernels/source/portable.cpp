// Any other machine: vectors of 4 lanes, as arm64 has them.
#if !defined(__aarch64__)
#define EVO_NTM_FEW_REGISTERS
#endif
#include "gradient.hpp"

static bool supported() { return true; }
const evo_ntm::Level evo_ntm::PORTABLE = {"portable", supported, 4, {{unit<F4, 1>}, {}, {}},
    {{unit_of_tapes<F4, 1>}, {}, {}},
    {walk_of_tapes<F4>, nullptr, nullptr},
    {unit_back<F4>, nullptr, nullptr}};
