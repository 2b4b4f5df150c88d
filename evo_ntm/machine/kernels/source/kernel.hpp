// What Python asks for: a population of machines of one topology, run through an episode.
// Mirrored field by field in ../cpu.py.
#pragma once
#include <cstddef>
#include <cstdint>

namespace evo_ntm {

const int BLOCK = 16;  // how many receiving units lie side by side in laid weights
const int MOST_LAYERS = 3;

struct Head {
  int32_t content, interpolation, shift, sharpening, shifts;
};

struct Topology {
  int32_t inputs, outputs, width, writers, readers, shifts, layers, lstm, cells;
  int32_t units[MOST_LAYERS];
  const Head *heads;  // writers first
};

// Numbers of individual, lane, and two more axes; a stride of 0 shows the same to all.
struct Array {
  float *data;
  int64_t individual, lane, row, column;
};

struct State {
  Array hidden[MOST_LAYERS], cell[MOST_LAYERS], reads, memory, weightings;
};

struct Episode {
  const Topology *topology;
  int64_t population, lanes, steps, rows;
  float epsilon;
  const float *weights;  // of one individual after another, `weights_stride` apart
  int64_t weights_stride, laid_size;
  const int32_t *places;  // which weight lies where once laid; null where weights are laid already
  Array inputs;           // row counts steps, column channels
  Array outputs;          // likewise
  const int32_t *lengths; // of each lane
  const State *start;     // null: an empty memory, and what the weights say of the rest
  const State *ends;      // null: nobody asks
};

// Lanes that share vectors: so many of each of some individuals. A vector takes the individuals in
// turn, a lane of each.
struct Group {
  const int32_t *members;
  int64_t count, lanes, individuals;
};

// Runs a group's lanes of the individuals from one on, of whom there are `present`. `laid` are
// their weights, of all individuals side by side; `space` holds `space_of` vectors.
typedef void (*Unit)(const Episode &, int64_t individual, int64_t present, const Group &,
                     const float *laid, float *space);

struct Level {  // an instruction set
  const char *name;
  bool (*supported)();
  int widest;       // vector, in lanes
  Unit unit[3][3];  // by vectors of 4, 8, 16 lanes, of 1, 2, 4 individuals with 4 lanes at least
};

extern const Level AVX512, AVX2, PORTABLE;

inline int64_t padded(int64_t count) { return (count + 3) / 4 * 4; }
inline int64_t gates(const Topology &t, int layer) {
  return padded((t.lstm ? 4 : 1) * int64_t(t.units[layer]));
}
inline int64_t told(const Topology &t) {  // all that the top layer tells heads and output
  const int64_t H = t.writers + t.readers, M = t.width;
  return padded(H * (M + t.shifts + 3) + 2 * t.writers * M + t.outputs);
}
inline int64_t most_gates(const Topology &t) {
  int64_t most = 0;
  for (int i = 0; i < t.layers; i++) most = gates(t, i) > most ? gates(t, i) : most;
  return most;
}
inline int64_t space_of(const Episode &e) {  // vectors that a unit needs
  const Topology &t = *e.topology;
  const int64_t H = t.writers + t.readers, N = H ? e.rows : 0;
  int64_t units = 0;
  for (int i = 0; i < t.layers; i++) units += 2 * int64_t(t.units[i]);
  return N * t.width + 2 * H * N + 4 * N + 2 * t.shifts + t.readers * t.width + t.inputs + units +
         most_gates(t) + told(t) + padded(t.outputs) + t.shifts;
}

}  // namespace evo_ntm
