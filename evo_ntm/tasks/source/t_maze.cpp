// A step of every lane of a T-maze, and what each sees then: what ../t_maze.py does, compiled, with
// the same arithmetic and so the same bits. Structures are mirrored field by field in ../compiled.py.
#include <cmath>
#include <cstdint>

namespace {

const int FORMAT = 1;  // of these structures; a program of another one is not used
const int SIGHT = 3, MARGIN = SIGHT + 1, RAYS = 3, TURNS = 3, MOST_STEPS = 99, STEPS_PER_TILE = 20;
const double SPEED = 0.1, HIGH = 1.0, LOW = 0.1;
const float LOUD = 20.0f, QUIET = -700.0f;  // between which no two floats have the same sigmoid

struct Maze {
  int64_t width, goals, runs, headings, side;  // headings there are; side of the grid of edges
  double x, y;                                 // of the beginning
  const uint8_t *walls, *forks;                // of each tile
  const int64_t *ends;                         // of each tile, -1 for no end
  const double *compass;                       // [ahead and rays, x and y, headings]
  const uint8_t *edges;                        // [axis, line, tile]
  int64_t channels;                            // that are seen, the fork last
};

struct Fates {  // of each lane
  const int64_t *first, *second, *moved;
};

struct Stands {  // of individual after individual, lane after lane
  double *x, *y;
  int64_t *heading, *step, *visited, *tiles;
  uint8_t *over;
  int64_t *run, *possible, *sound;
  double *earned, *reward;
};

int64_t high(const Fates &fates, int64_t lane, int64_t run) {
  return run >= fates.moved[lane] ? fates.second[lane] : fates.first[lane];
}

double worth(int64_t end, bool high) { return end < 0 ? 0.0 : LOW + (HIGH - LOW) * high; }

int64_t tile(const Maze &maze, double x, double y) { return int64_t(y) * maze.width + int64_t(x); }

// How far a ray goes along the lines across one axis.
double along_axis(const uint8_t *edges, int64_t side, double place, double ray, double beside,
                  double aside) {
  const double ahead = std::copysign(1.0, ray), floor = std::floor(place);
  double line = ray > 0 ? floor + 1 : floor;
  for (int n = 0; n < SIGHT; n++, line += ahead) {
    const double found = (line - place) / ray;
    if (!(found < SIGHT)) break;
    const double across = beside + found * aside;
    if (edges[(int64_t(line) + MARGIN) * side + int64_t(std::floor(across)) + MARGIN]) return found;
  }
  return SIGHT;
}

double sight(const Maze &maze, double x, double y, double ray_x, double ray_y) {
  const int64_t side = maze.side;
  const double on_x = along_axis(maze.edges, side, x, ray_x, y, ray_y);
  const double on_y = along_axis(maze.edges + side * side, side, y, ray_y, x, ray_x);
  return (on_x < on_y ? on_x : on_y) / SIGHT;
}

double sigmoid(float x) { return 1 / (1 + std::exp(-double(x))); }

// The first of the largest sigmoids.
int64_t chosen(const float *answer, int64_t stride) {
  int64_t best = 0;
  for (int64_t n = 1; n < TURNS; n++)
    if (answer[n * stride] > answer[best * stride]) best = n;
  const float most = answer[best * stride];
  if (QUIET < most && most < LOUD) return best;
  for (int64_t n = 0; n < best; n++)
    if (sigmoid(answer[n * stride]) == sigmoid(most)) return n;
  return best;
}

}  // namespace

extern "C" {

int evo_ntm_worlds_format() { return FORMAT; }

// What is seen, [individual, channel, lane]; blank in lanes that are done.
void evo_ntm_t_maze_observe(const Maze *of, const Fates *fates, const Stands *at,
                            int64_t population, int64_t lanes, float *seen) {
  const Maze &maze = *of;
  for (int64_t i = 0; i < population; i++, seen += maze.channels * lanes)
    for (int64_t lane = 0; lane < lanes; lane++) {
      const int64_t n = i * lanes + lane;
      float *to = seen + lane;
      if (at->over[n] && at->run[n] == maze.runs - 1) {
        for (int64_t c = 0; c < maze.channels; c++) to[c * lanes] = 0;
        continue;
      }
      const double x = at->x[n], y = at->y[n];
      const double *rays = maze.compass + at->heading[n] + MOST_STEPS;
      for (int r = 0; r < RAYS; r++) {
        rays += 2 * maze.headings;
        to[r * lanes] = float(sight(maze, x, y, rays[0], rays[maze.headings]));
      }
      const int64_t here = tile(maze, x, y), end = maze.ends[here];
      to[RAYS * lanes] = float(worth(end, end == high(*fates, lane, at->run[n])));
      if (maze.channels > RAYS + 1) to[(RAYS + 1) * lanes] = maze.forks[here];
    }
}

// Goes on from answers, whose strides are given by individual, lane and turn.
void evo_ntm_t_maze_react(const Maze *of, const Fates *fates, const Stands *before,
                          const float *answers, const int64_t *strides, int64_t population,
                          int64_t lanes, const Stands *after) {
  const Maze &maze = *of;
  const Stands &b = *before, &a = *after;
  const int64_t everywhere = (int64_t(1) << maze.goals) - 1;
  for (int64_t n = 0; n < population * lanes; n++) {
    const int64_t lane = n % lanes;
    const bool again = b.over[n], done = again && b.run[n] == maze.runs - 1;
    double x = b.x[n], y = b.y[n], reward = 0;
    int64_t heading = b.heading[n], step = b.step[n], visited = b.visited[n], tiles = b.tiles[n];
    int64_t run = b.run[n], possible = b.possible[n], sound = b.sound[n];
    bool over = again;
    if (again && !done) {
      x = maze.x;
      y = maze.y;
      heading = step = visited = tiles = 0;
      run++;
      over = false;
    } else if (!done) {
      heading += chosen(answers + n / lanes * strides[0] + lane * strides[1], strides[2]) - 1;
      const double *ahead = maze.compass + heading + MOST_STEPS;
      x += SPEED * ahead[0];
      y += SPEED * ahead[maze.headings];
      const int64_t here = tile(maze, x, y), end = maze.ends[here];
      tiles += !((visited >> here) & 1);
      visited |= int64_t(1) << here;
      step++;
      over = end >= 0 || maze.walls[here] || step >= MOST_STEPS || step >= STEPS_PER_TILE * tiles;
      if (end >= 0) {
        const bool best = end == high(*fates, lane, run);
        const int64_t came = int64_t(1) << end;
        const bool might = possible & came;
        sound += might;
        reward = worth(end, best);
        if (best) possible = came;
        else if (might) possible = (possible == came ? everywhere : possible) & ~came;
      }
    }
    a.x[n] = x;
    a.y[n] = y;
    a.heading[n] = heading;
    a.step[n] = step;
    a.visited[n] = visited;
    a.tiles[n] = tiles;
    a.over[n] = over;
    a.run[n] = run;
    a.possible[n] = possible;
    a.sound[n] = sound;
    a.earned[n] = b.earned[n] + reward;
    a.reward[n] = reward;
  }
}

}  // extern "C"
