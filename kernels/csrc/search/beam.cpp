// Beam search over the stages of a residual quantizer (M-algorithm, Jelinek and Anderson 1971).
#include <algorithm>
#include <cstring>
#include <vector>

#include "floating_point.hpp"
#include "search.hpp"
#include "threads.hpp"

namespace vqcodec {

namespace {

// Rows searched together: their beams stay in the second-level cache.
constexpr int64_t kRowsPerBlock = 64;

struct Stage {
  PackedCodebook book;
  const float* bias;
};

// All beams of a block of rows. A beam is a beginning: codes of the stages so far, what they leave
// of the row, and the biases paid for them.
struct Beams {
  int64_t width;
  std::vector<float> residuals;  // (rows, width, dim)
  std::vector<float> paid;       // (rows, width)
  std::vector<int32_t> codes;    // (rows, width, stages)
  std::vector<float> errors;     // (rows, width, stages)

  void reserve(int64_t rows, int64_t most, int64_t dim, int64_t stages) {
    residuals.resize(rows * most * dim);
    paid.resize(rows * most);
    codes.resize(rows * most * stages);
    errors.resize(rows * most * stages);
  }
};

struct Worker {
  Scratch scratch;
  Beams now;
  Beams next;
  std::vector<Pick> picks;
};

// What a code leaves of a residual; returns its square.
float subtract(const float* from, const float* code, int64_t dim, float* left) {
  float square = 0.0f;
  for (int64_t d = 0; d < dim; ++d) {
    left[d] = from[d] - code[d];
    square += left[d] * left[d];
  }
  return square;
}

// Makes every pick the beginning that it stands for.
void extend(const Stage& stage, int64_t number, int64_t stages, int64_t rows, int64_t keep,
            Worker& worker) {
  const int64_t dim = stage.book.dim();
  const Beams& now = worker.now;
  Beams& next = worker.next;
  next.width = keep;
  for (int64_t to = 0; to < rows * keep; ++to) {
    const Pick& pick = worker.picks[to];
    const int64_t from = to / keep * now.width + pick.row;
    std::memcpy(&next.codes[to * stages], &now.codes[from * stages], number * sizeof(int32_t));
    std::memcpy(&next.errors[to * stages], &now.errors[from * stages], number * sizeof(float));
    next.codes[to * stages + number] = pick.code;
    next.errors[to * stages + number] =
        subtract(&now.residuals[from * dim], stage.book.rows() + pick.code * dim, dim,
                 &next.residuals[to * dim]);
    next.paid[to] = now.paid[from] + (stage.bias ? stage.bias[pick.code] : 0.0f);
  }
}

void search_rows(const std::vector<Stage>& stages, const float* rows, int64_t count, int64_t beams,
                 const Level& level, Worker& worker, int64_t* codes, float* errors) {
  const int64_t dim = stages[0].book.dim();
  const int64_t depth = static_cast<int64_t>(stages.size());
  worker.now.reserve(count, beams, dim, depth);
  worker.next.reserve(count, beams, dim, depth);
  worker.picks.resize(count * beams);
  worker.now.width = 1;
  std::copy(rows, rows + count * dim, worker.now.residuals.begin());
  std::fill(worker.now.paid.begin(), worker.now.paid.end(), 0.0f);
  for (int64_t s = 0; s < depth; ++s) {
    const int64_t keep = std::min(beams, worker.now.width * stages[s].book.size());
    level.lowest(stages[s].book, worker.now.residuals.data(), worker.now.paid.data(), count,
                 worker.now.width, keep, worker.scratch, worker.picks.data());
    extend(stages[s], s, depth, count, keep, worker);
    std::swap(worker.now, worker.next);
  }
  // Picks come cheapest first, so the first beam of each row is the answer.
  for (int64_t i = 0; i < count; ++i) {
    const int64_t best = i * worker.now.width * depth;
    std::copy_n(&worker.now.codes[best], depth, codes + i * depth);
    std::copy_n(&worker.now.errors[best], depth, errors + i * depth);
  }
}

// The first row that is not finite, or -1.
int64_t first_bad_row(const float* rows, int64_t count, int64_t dim) {
  for (int64_t i = 0; i < count; ++i) {
    if (!all_finite(rows + i * dim, dim)) return i;
  }
  return -1;
}

}  // namespace

Defect search_beams(const Rows& x, const Rows& codebooks, const float* biases, int64_t stages,
                    int64_t beams, int64_t* codes, float* errors, const SearchOptions& options) {
  const StandardRounding rounding;
  const float* rows = static_cast<const float*>(x.data);
  const int64_t bad_row = first_bad_row(rows, x.count, x.dim);
  if (bad_row >= 0) return {Defect::kRow, bad_row};
  const int64_t size = codebooks.count / stages;
  std::vector<Stage> packed(stages);
  for (int64_t s = 0; s < stages; ++s) {
    const Rows book{codebooks.row(s * size), codebooks.type, size, x.dim};
    packed[s].bias = biases ? biases + s * size : nullptr;
    const int64_t bad_code = packed[s].book.pack(book, packed[s].bias, options.level->shape);
    if (bad_code >= 0) return {Defect::kCode, s * size + bad_code};
    if (options.level->splits) packed[s].book.split();
  }
  const int64_t blocks = (x.count + kRowsPerBlock - 1) / kRowsPerBlock;
  const double work = static_cast<double>(x.count) * codebooks.count * x.dim * beams;
  const int threads = useful_threads(options.threads, work);
  std::vector<Worker> workers(threads);
  for_each_block(blocks, threads, [&](int64_t index, int worker) {
    const int64_t first = index * kRowsPerBlock;
    const int64_t count = std::min(kRowsPerBlock, x.count - first);
    search_rows(packed, rows + first * x.dim, count, beams, *options.level, workers[worker],
                codes + first * stages, errors + first * stages);
  });
  return {};
}

}  // namespace vqcodec
