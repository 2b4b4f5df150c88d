// The entry: spreads individuals over threads, by the best instruction set there is.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel.hpp"

using namespace evo_ntm;

namespace {

std::vector<const Level *> levels() {
  std::vector<const Level *> found;
#if defined(__x86_64__)
  if (AVX512.supported()) found.push_back(&AVX512);
  if (AVX2.supported()) found.push_back(&AVX2);
#endif
  found.push_back(&PORTABLE);
  return found;
}

// Takes numbers too small to be normal for 0 as long as it lives: some machines are slow with them.
class NoSubnormals {
#if defined(__x86_64__)
  const unsigned before = _mm_getcsr();

 public:
  NoSubnormals() { _mm_setcsr(before | 0x8040); }
  ~NoSubnormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
  uint64_t before;

 public:
  NoSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
  }
  ~NoSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }
#endif
};

// Sorts lanes that need several vectors, the longest first, so that a vector's lanes end together.
std::vector<int32_t> sorted(const Episode &e, const Level &level) {
  std::vector<int32_t> lanes(size_t(e.lanes), 0);
  std::iota(lanes.begin(), lanes.end(), 0);
  if (e.lanes > level.widest)
    std::stable_sort(lanes.begin(), lanes.end(),
                     [&](int32_t one, int32_t other) { return e.lengths[one] > e.lengths[other]; });
  return lanes;
}

// Cuts the lanes into vectors: as long as there are, then as short as will do.
std::vector<Group> groups(const std::vector<int32_t> &order, const Level &level) {
  std::vector<Group> cut;
  const int64_t all = int64_t(order.size());
  for (int64_t first = 0; first < all; first += cut.back().count) {
    int64_t lanes = level.widest;
    while (lanes > 4 && all - first <= lanes / 2) lanes /= 2;
    cut.push_back({order.data() + first, std::min(all - first, lanes), lanes});
  }
  return cut;
}

void lay(const Episode &e, int64_t individual, float *laid) {
  const float *weights = e.weights + individual * e.weights_stride;
  for (int64_t i = 0; i < e.laid_size; i++) laid[i] = e.places[i] < 0 ? 0.0f : weights[e.places[i]];
}

struct Freed {
  void *memory;
  ~Freed() { std::free(memory); }
};
float *aligned(int64_t floats) {
  const size_t bytes = (size_t(floats) * sizeof(float) + 63) / 64 * 64;
  void *memory = std::aligned_alloc(64, bytes ? bytes : 64);
  if (!memory) throw std::bad_alloc();
  return static_cast<float *>(memory);
}

// One thread's share: one individual and group after another, until none is left.
void work(const Episode &e, const Level &level, const std::vector<Group> &cut,
          std::atomic<int64_t> &next) {
  const NoSubnormals meanwhile;
  const Freed space{aligned(space_of(e) * cut.front().lanes)}, copy{aligned(e.places ? e.laid_size : 0)};
  const int64_t count = int64_t(cut.size()), all = e.population * count;
  int64_t known = -1;
  for (int64_t job; (job = next++) < all;) {
    const int64_t individual = job / count;
    const Group &group = cut[size_t(job % count)];
    if (e.places && individual != known) lay(e, known = individual, (float *)copy.memory);
    const float *laid =
        e.places ? (float *)copy.memory : e.weights + individual * e.weights_stride;
    level.unit[group.lanes / 8](e, individual, group, laid, (float *)space.memory);
  }
}

}  // namespace

extern "C" {

// Names the instruction sets of this machine, the best first.
const char *evo_ntm_level(int number) {
  const auto found = levels();
  return number < int(found.size()) ? found[size_t(number)]->name : nullptr;
}

// Lays the weights of a population as a run wants them, [population, laid_size].
void evo_ntm_lay(const Episode *e, float *laid) {
  for (int64_t i = 0; i < e->population; i++) lay(*e, i, laid + i * e->laid_size);
}

// Runs an episode on so many threads. Returns 0, or 1 where memory runs out.
int evo_ntm_run(const Episode *e, int level, int threads) {
  const Level &chosen = *levels()[size_t(level)];
  const auto order = sorted(*e, chosen);
  const auto cut = groups(order, chosen);
  std::atomic<int64_t> next{0};
  std::atomic<int> failed{0};
  const auto share = [&] {
    try {
      work(*e, chosen, cut, next);
    } catch (const std::bad_alloc &) {
      failed = 1;
    }
  };
  threads = int(std::min<int64_t>(threads, e->population * int64_t(cut.size())));
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads) if (threads > 1)
  share();
#else
  std::vector<std::thread> others;
  try {
    for (int i = 1; i < threads; i++) others.emplace_back(share);
  } catch (const std::system_error &) {  // the system grants no more: those there are do it all
  }
  share();
  for (auto &other : others) other.join();
#endif
  return failed;
}

}  // extern "C"
