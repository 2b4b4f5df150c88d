// What Python asks for: a population of machines of one topology, run through an episode.
// Mirrored field by field in ../program.py.
#pragma once
#include <cstddef>
#include <cstdint>

namespace evo_ntm {

const int FORMAT = 3;  // of these structures; a program of another one is not used
const int BLOCK = 16;  // how many receiving units lie side by side in laid weights
const int MOST_LAYERS = 3;
const int TAPE_SHIFTS = 3;  // left, stay, right

struct Head {
  int32_t content, interpolation, shift, sharpening, shifts;
};

struct Topology {
  int32_t inputs, outputs, width, writers, readers, shifts, layers, lstm, cells;
  int32_t units[MOST_LAYERS];
  const Head *heads;  // writers first
  int32_t tape_heads, overwrite, fresh_cell;  // of a tape, whose heads are the only ones
  float initial, least_similarity, did_write;
  int32_t graph, nodes, recurrent;  // of a graph, which has no layers
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
  int64_t population, lanes, steps, rows;  // of a tape the most cells, or 0
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

struct Gradients {
  Array outputs;   // given: of what is made of the answers
  Array inputs;    // asked for, of each individual; null where they are not
  float *weights;  // asked for, of one individual after another, `weights_stride` apart as theirs
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

// A step of a group's lanes of one individual, whose first one it is unless it is `begun`; `kept`
// is its space from one step to the next.
typedef void (*Walk)(const Episode &, int64_t individual, const Group &, const float *laid,
                     float *kept, bool begun);

// The same for the way back: adds to the gradients of the weights, laid as they are; `space` holds
// `gradient_space_of` floats.
typedef void (*Back)(const Episode &, const Gradients &, int64_t individual, const Group &,
                     const float *laid, float *space, float *weights);

struct Level {  // an instruction set
  const char *name;
  bool (*supported)();
  int widest;       // vector, in lanes
  Unit unit[3][3];  // by vectors of 4, 8, 16 lanes, of 1, 2, 4 individuals with 4 lanes at least
  Unit tape[3][3];  // likewise
  Walk walk[3];     // by vectors, of one individual
  Back back[3];     // by vectors, of one individual
};

extern const Level AVX512, AVX2, PORTABLE;

inline int64_t padded(int64_t count) { return (count + 3) / 4 * 4; }
inline int64_t gates(const Topology &t, int layer) {
  return padded((t.lstm ? 4 : 1) * int64_t(t.units[layer]));
}
inline bool taped(const Topology &t) { return t.tape_heads || t.graph; }
inline int64_t told(const Topology &t) {  // all that the top layer tells heads and output
  const int64_t H = t.writers + t.readers, M = t.width;
  if (t.tape_heads) return padded(t.tape_heads * (M + 2 + TAPE_SHIFTS) + t.outputs);
  return padded(H * (M + t.shifts + 3) + 2 * t.writers * M + t.outputs);
}
inline int64_t all_gates(const Topology &t) {
  int64_t all = padded(t.nodes);
  for (int i = 0; i < t.layers; i++) all += gates(t, i);
  return all;
}
inline int64_t units(const Topology &t) {
  int64_t all = t.nodes;
  for (int i = 0; i < t.layers; i++) all += t.units[i];
  return all;
}
struct Strip {  // the cells on which tapes lie, and which of them is the first one of all
  int64_t cells, origin;
};
inline Strip strip_of(const Episode &e) {
  const Topology &t = *e.topology;
  const int64_t furthest = e.steps * t.tape_heads, more = furthest * (1 + t.fresh_cell);
  const int64_t most = e.rows ? e.rows - 1 : more;
  const int64_t left = furthest < most ? furthest : most, right = more < most ? more : most;
  return {1 + left + right, left};
}
inline int64_t space_of_tape(const Episode &e) {  // vectors that a unit needs
  const Topology &t = *e.topology;
  return (strip_of(e).cells + t.tape_heads + 2) * t.width + t.tape_heads + t.inputs + units(t) +
         all_gates(t) + told(t) + padded(t.outputs) + 2;
}
inline int64_t space_of(const Episode &e) {  // vectors that a unit needs
  const Topology &t = *e.topology;
  if (taped(t)) return space_of_tape(e);
  const int64_t H = t.writers + t.readers, N = H ? e.rows : 0;
  return N * t.width + 2 * H * N + 4 * N + 2 * t.shifts + (H + t.readers) * t.width + t.inputs +
         2 * units(t) + all_gates(t) + told(t) + padded(t.outputs) + t.shifts;
}
inline int64_t page_of(const Episode &e) {  // vectors that a step leaves
  const Topology &t = *e.topology;
  const int64_t H = t.writers + t.readers, N = H ? e.rows : 0, M = t.width;
  return 2 * H * N + (H + t.readers) * M + 2 * units(t) + t.inputs + all_gates(t) + told(t) +
         (t.writers ? N * (1 + M) : 0);
}
inline int64_t steps_at_once(const Episode &e) {  // of which products are summed together
  const int64_t parts = (e.steps + 47) / 48;
  return (e.steps + parts - 1) / parts;
}
inline int64_t gradient_space_of(const Episode &e) {  // vectors that the way back needs
  const Topology &t = *e.topology;
  const int64_t H = t.writers + t.readers, N = H ? e.rows : 0;
  int64_t sent = 4 + padded(t.inputs) + 2 * padded(t.readers * t.width);
  for (int i = 0; i < t.layers; i++) sent += 3 * padded(t.units[i]);
  return 2 * space_of(e) + (e.steps + 1) * page_of(e) + 2 * H * N + N + t.writers +
         steps_at_once(e) * (sent + all_gates(t) + told(t) + padded(t.outputs));
}

}  // namespace evo_ntm
