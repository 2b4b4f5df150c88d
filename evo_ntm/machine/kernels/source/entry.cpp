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

// Cuts the lanes into vectors: as long as there are, then as short as will do, which several
// individuals fill.
std::vector<Group> groups(const Episode &e, const std::vector<int32_t> &order, const Level &level) {
  std::vector<Group> cut;
  for (int64_t first = 0; first < e.lanes; first += cut.back().count) {
    const int64_t left = e.lanes - first;
    int64_t lanes = level.widest, individuals = 1;
    while (lanes > 4 && left <= lanes / 2) lanes /= 2;
    while (2 * lanes * individuals <= level.widest && 2 * individuals <= e.population)
      individuals *= 2;
    cut.push_back({order.data() + first, std::min(left, lanes), lanes, individuals});
  }
  return cut;
}

// Lays the weights of some individuals side by side; those that are not there are like the last.
void lay(const Episode &e, int64_t first, int64_t present, int64_t individuals, float *laid) {
  for (int64_t k = 0; k < individuals; k++) {
    const float *weights = e.weights + (first + std::min(k, present - 1)) * e.weights_stride;
    for (int64_t i = 0; i < e.laid_size; i++) {
      const int64_t place = e.places ? e.places[i] : i;
      laid[i * individuals + k] = place < 0 ? 0.0f : weights[place];
    }
  }
}

int64_t log2(int64_t power) { return power > 1 ? 1 + log2(power / 2) : 0; }

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

struct Job {
  int64_t individual;
  const Group *group;
};

std::vector<Job> jobs(const Episode &e, const std::vector<Group> &cut) {
  std::vector<Job> all;
  for (const Group &group : cut)
    for (int64_t i = 0; i < e.population; i += group.individuals) all.push_back({i, &group});
  return all;
}

// One thread's share: one job after another, until none is left.
void work(const Episode &e, const Level &level, const std::vector<Job> &all,
          std::atomic<size_t> &next) {
  const NoSubnormals meanwhile;
  int64_t vectors = 0, most = 1;
  for (const Job &job : all) {
    vectors = std::max(vectors, job.group->lanes * job.group->individuals);
    most = std::max(most, job.group->individuals);
  }
  const Freed space{aligned(space_of(e) * vectors)}, copy{aligned(e.laid_size * most)};
  for (size_t number; (number = next++) < all.size();) {
    const auto [individual, group] = all[number];
    const int64_t present = std::min(group->individuals, e.population - individual);
    const float *laid = e.weights + individual * e.weights_stride;
    if (e.places || group->individuals > 1) {
      lay(e, individual, present, group->individuals, (float *)copy.memory);
      laid = (float *)copy.memory;
    }
    const int64_t length = group->lanes * group->individuals;
    const Unit unit = level.unit[log2(length / 4)][log2(group->individuals)];
    unit(e, individual, present, *group, laid, (float *)space.memory);
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
  for (int64_t i = 0; i < e->population; i++) lay(*e, i, 1, 1, laid + i * e->laid_size);
}

// Runs an episode on so many threads. Returns 0, or 1 where memory runs out.
int evo_ntm_run(const Episode *e, int level, int threads) {
  const Level &chosen = *levels()[size_t(level)];
  const auto order = sorted(*e, chosen);
  const auto cut = groups(*e, order, chosen);
  const auto all = jobs(*e, cut);
  std::atomic<size_t> next{0};
  std::atomic<int> failed{0};
  const auto share = [&] {
    try {
      work(*e, chosen, all, next);
    } catch (const std::bad_alloc &) {
      failed = 1;
    }
  };
  threads = int(std::min(size_t(threads), all.size()));
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
