// The entry: spreads individuals over threads, by the best instruction set there is.
#include <algorithm>
#include <atomic>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel.hpp"
#include "space.hpp"

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

// Sorts lanes that need several vectors of so many, the longest first, so that a vector's lanes end
// together.
std::vector<int32_t> sorted(const Episode &e, int widest) {
  std::vector<int32_t> lanes(size_t(e.lanes), 0);
  std::iota(lanes.begin(), lanes.end(), 0);
  if (e.lanes > widest)
    std::stable_sort(lanes.begin(), lanes.end(),
                     [&](int32_t one, int32_t other) { return e.lengths[one] > e.lengths[other]; });
  return lanes;
}

// Cuts the lanes into vectors: as long as there are, then as short as will do, which several of so
// many individuals fill.
std::vector<Group> groups(const std::vector<int32_t> &order, const Level &level,
                          int64_t population) {
  std::vector<Group> cut;
  const int64_t all = int64_t(order.size());
  for (int64_t first = 0; first < all; first += cut.back().count) {
    int64_t lanes = level.widest, individuals = 1;
    while (lanes > 4 && all - first <= lanes / 2) lanes /= 2;
    while (2 * lanes * individuals <= level.widest && 2 * individuals <= population)
      individuals *= 2;
    cut.push_back({order.data() + first, std::min(all - first, lanes), lanes, individuals});
  }
  return cut;
}

// Lays a stretch of the weights of some individuals side by side; those that are not there are like
// the last.
void lay(const Episode &e, int64_t first, int64_t present, int64_t individuals, int64_t begun,
         int64_t end, float *laid) {
  for (int64_t k = 0; k < individuals; k++) {
    const float *weights = e.weights + (first + std::min(k, present - 1)) * e.weights_stride;
    for (int64_t i = begun; i < end; i++) {
      const int64_t place = e.places ? e.places[i] : i;
      laid[i * individuals + k] = place < 0 ? 0.0f : weights[place];
    }
  }
}

int64_t log2(int64_t power) { return power > 1 ? 1 + log2(power / 2) : 0; }

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
  const Space space(space_of(e) * vectors), copy(e.laid_size * most);
  for (size_t number; (number = next++) < all.size();) {
    const auto [individual, group] = all[number];
    const int64_t present = std::min(group->individuals, e.population - individual);
    const float *laid = e.weights + individual * e.weights_stride;
    if (e.places || group->individuals > 1) {
      lay(e, individual, present, group->individuals, 0, e.laid_size, copy.floats());
      laid = copy.floats();
    }
    const int64_t length = group->lanes * group->individuals;
    const auto &units = taped(*e.topology) ? level.tape : level.unit;
    const Unit unit = units[log2(length / 4)][log2(group->individuals)];
    unit(e, individual, present, *group, laid, space.floats());
  }
}

// Has so many threads do a share each. Tells whether memory was enough.
template <class Share> bool spread(int64_t threads, Share share) {
  std::atomic<bool> failed{false};
  const auto guarded = [&] {
    try {
      share();
    } catch (const std::bad_alloc &) {
      failed = true;
    }
  };
#if defined(_OPENMP)
#pragma omp parallel num_threads(int(threads)) if (threads > 1)
  guarded();
#else
  std::vector<std::thread> others;
  try {
    for (int64_t i = 1; i < threads; i++) others.emplace_back(guarded);
  } catch (const std::system_error &) {  // the system grants no more: those there are do it all
  }
  guarded();
  for (auto &other : others) other.join();
#endif
  return !failed;
}

// Has so many threads do all of so many jobs. Tells whether memory was enough.
template <class Job> bool each(int64_t jobs, int64_t threads, Job job) {
  std::atomic<int64_t> next{0};
  return spread(std::min(jobs, threads), [&] {
    const NoSubnormals meanwhile;
    for (int64_t i; (i = next++) < jobs;) job(i);
  });
}

// A population step by step: where each group of lanes of an individual keeps its space.
struct Walkers {
  const Episode &e;
  const Level &level;
  const std::vector<Group> cut;
  const int64_t each_lane = (space_of(e) + 15) / 16 * 16;  // so that vectors begin where they may
  int64_t lanes = 0;

  Walkers(const Episode &e, const Level &level, const std::vector<int32_t> &order)
      : e(e), level(level), cut(groups(order, level, 1)) {
    for (const Group &group : cut) lanes += group.lanes;
  }
  void step(float *kept, bool begun, int64_t job) const {
    const int64_t individual = job / int64_t(cut.size());
    const Group &group = cut[size_t(job) % cut.size()];
    const int64_t place = individual * lanes + (group.members - cut[0].members);
    level.walk[group.lanes / 8](e, individual, group, e.weights + individual * e.weights_stride,
                                kept + place * each_lane, begun);
  }
};

// Several individuals there and back, each with each group of lanes, and then the sums of these.
struct Individuals {
  const Episode &e;
  const Gradients &d;
  const Level &level;
  const std::vector<Group> &cut;
  const int64_t first, count, groups;
  float *const laid, *const parts;  // of each individual; of each individual and group

  bool go_back(int64_t threads) const {
    const int64_t stretch = 1 << 14, stretches = (e.laid_size + stretch - 1) / stretch;
    const auto over_stretches = [&](auto act) {
      return each(count * stretches, threads, [&](int64_t job) {
        const int64_t begun = job % stretches * stretch;
        act(job / stretches, begun, std::min(begun + stretch, e.laid_size));
      });
    };
    return over_stretches([&](int64_t i, int64_t begun, int64_t end) {
             lay(e, first + i, 1, 1, begun, end, laid + i * e.laid_size);
           }) &&
           each(count * groups, threads,
                [&](int64_t job) { go_back(job / groups, job % groups); }) &&
           over_stretches([&](int64_t i, int64_t begun, int64_t end) { join(i, begun, end); });
  }

 private:
  float *part(int64_t i, int64_t group) const { return parts + (i * groups + group) * e.laid_size; }

  void go_back(int64_t i, int64_t number) const {
    const Group &group = cut[size_t(number)];
    const Space space(gradient_space_of(e) * group.lanes);
    float *to = part(i, number);
    std::fill(to, to + e.laid_size, 0.0f);
    level.back[group.lanes / 8](e, d, first + i, group, laid + i * e.laid_size, space.floats(), to);
  }
  // Adds up fours of lanes to eights, eights to sixteens, and these to all: whatever the vectors
  // were, the order is the same.
  void join(int64_t i, int64_t begun, int64_t end) const {
    const auto add = [&](int64_t to, int64_t from) {
      float *sums = part(i, to), *more = part(i, from);
      for (int64_t k = begun; k < end; k++) sums[k] += more[k];
    };
    const auto lane = [&](int64_t group) { return cut[size_t(group)].members - cut[0].members; };
    for (int64_t lanes = 4; lanes <= 8; lanes *= 2)
      for (int64_t group = 0, other = 0; group < groups; group++)
        if (lane(group) % (2 * lanes) == lanes) add(other, group);
        else if (lane(group) % (2 * lanes) == 0) other = group;
    for (int64_t group = 1; group < groups; group++)
      if (lane(group) % 16 == 0) add(0, group);
    float *weights = d.weights + (first + i) * e.weights_stride;
    for (int64_t k = begun; k < end; k++)
      if (e.places[k] >= 0) weights[e.places[k]] = parts[i * groups * e.laid_size + k];
  }
};

}  // namespace

extern "C" {

int evo_ntm_format() { return FORMAT; }

// Names the instruction sets of this machine, the best first.
const char *evo_ntm_level(int number) {
  const auto found = levels();
  return number < int(found.size()) ? found[size_t(number)]->name : nullptr;
}

// Lays the weights of a population as a run wants them, [population, laid_size].
void evo_ntm_lay(const Episode *e, float *laid) {
  for (int64_t i = 0; i < e->population; i++)
    lay(*e, i, 1, 1, 0, e->laid_size, laid + i * e->laid_size);
}

// Runs an episode on so many threads. Returns 0, or 1 where memory runs out.
int evo_ntm_run(const Episode *e, int level, int threads) {
  const Level &chosen = *levels()[size_t(level)];
  const auto order = sorted(*e, chosen.widest);
  const auto cut = groups(order, chosen, e->population);
  const auto all = jobs(*e, cut);
  if (all.empty()) return 0;
  std::atomic<size_t> next{0};
  return !spread(std::min<int64_t>(threads, int64_t(all.size())),
                 [&] { work(*e, chosen, all, next); });
}

// Says how many floats an individual of a walk keeps from one step to the next.
int64_t evo_ntm_kept(const Episode *e, int level) {
  const auto order = sorted(*e, 1);
  const Walkers walkers{*e, *levels()[size_t(level)], order};
  return walkers.lanes * walkers.each_lane;
}

// Takes a step, the first one unless it is begun, on so many threads; steps of the episode tell how
// many there may be, and weights are laid.
void evo_ntm_walk(const Episode *e, float *kept, int begun, int level, int threads) {
  const auto order = sorted(*e, 1);
  const Walkers walkers{*e, *levels()[size_t(level)], order};
  each(e->population * int64_t(walkers.cut.size()), threads,
       [&](int64_t job) { walkers.step(kept, begun, job); });
}

// Goes through an episode and back, from the gradients of its answers to those of the weights, on
// so many threads. Returns 0, or 1 where memory runs out.
int evo_ntm_gradients(const Episode *e, const Gradients *d, int level, int threads) try {
  const Level &chosen = *levels()[size_t(level)];
  const auto order = sorted(*e, 1);  // alike for all instruction sets, so that sums are, too
  const auto cut = groups(order, chosen, 1);
  if (cut.empty()) return 0;
  const int64_t count = int64_t(cut.size()), all = e->population;
  const int64_t some = std::min(all, 1 + 2 * threads / count);
  const Space laid(some * e->laid_size), parts(some * count * e->laid_size);
  bool enough = true;
  for (int64_t first = 0; enough && first < all; first += some) {
    const Individuals individuals{*e, *d, chosen, cut, first, std::min(some, all - first), count,
                                  laid.floats(), parts.floats()};
    enough = individuals.go_back(threads);
  }
  return !enough;
} catch (const std::bad_alloc &) {
  return 1;
}

}  // extern "C"
