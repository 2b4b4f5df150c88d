// Memory to work in, kept for the next call: to be given fresh pages by the system can take longer
// than the work.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

namespace evo_ntm {

class Space {
  struct Piece {
    void *memory;
    size_t bytes;
  };
  struct Kept {
    static constexpr size_t most_bytes = size_t(128) << 20;
    static constexpr int most = 64;
    std::mutex guard;
    Piece pieces[most];  // the oldest first
    int count = 0;
    size_t bytes = 0;

    Piece take(int number) {
      const Piece piece = pieces[number];
      std::copy(pieces + number + 1, pieces + count--, pieces + number);
      bytes -= piece.bytes;
      return piece;
    }
    void add(const Piece &piece) {
      while (count && (count == most || bytes + piece.bytes > most_bytes))
        std::free(take(0).memory);
      pieces[count++] = piece;
      bytes += piece.bytes;
    }
  };
  static Kept &kept() {
    static Kept *const all = new Kept;  // never ends: threads may outlive whatever would end it
    return *all;
  }
  Piece mine;

 public:
  explicit Space(int64_t floats) : mine{nullptr, (size_t(floats) * sizeof(float) / 64 + 1) * 64} {
    {
      const std::lock_guard<std::mutex> alone(kept().guard);
      for (int i = kept().count; i-- && !mine.memory;) {
        const size_t bytes = kept().pieces[i].bytes;
        if (bytes >= mine.bytes && bytes / 2 <= mine.bytes) mine = kept().take(i);
      }
    }
    if (!mine.memory) mine.memory = std::aligned_alloc(64, mine.bytes);
    if (!mine.memory) throw std::bad_alloc();
  }
  ~Space() {
    if (mine.bytes > Kept::most_bytes) {
      std::free(mine.memory);
    } else {
      const std::lock_guard<std::mutex> alone(kept().guard);
      kept().add(mine);
    }
  }
  Space(const Space &) = delete;
  Space &operator=(const Space &) = delete;
  float *floats() const { return static_cast<float *>(mine.memory); }
};

}  // namespace evo_ntm
