// Beam search over the stages of a residual quantizer (M-algorithm, Jelinek and Anderson 1971).
#include <algorithm>
#include <cmath>
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
  // The code to stay silent with, all zeros and cheapest here, as there is one in every later
  // stage; or -1.
  int32_t silent = -1;
  // Bias of the cheapest other code.
  float aloud = 0.0f;
};

// Sees to it that a search may stay silent where that is sure to be best.
void find_silent(std::vector<Stage>& stages) {
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    if (!stage->bias || stage->book.size() < 2) return;
    std::vector<float> bias(stage->bias, stage->bias + stage->book.size());
    const auto lowest = std::min_element(bias.begin(), bias.end());
    const int64_t dim = stage->book.dim(), silent = lowest - bias.begin();
    const float* code = stage->book.rows() + silent * dim;
    if (std::any_of(code, code + dim, [](float value) { return value != 0.0f; })) return;
    stage->silent = static_cast<int32_t>(silent);
    *lowest = HUGE_VALF;
    stage->aloud = *std::min_element(bias.begin(), bias.end());
  }
}

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
  // The rows of which codes have to be looked at, their beams side by side, and what is found.
  std::vector<int64_t> open;
  std::vector<float> residuals;
  std::vector<float> paid;
  std::vector<Pick> found;
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

// Whether a row that has all its beams stays silent at this stage. The cheapest beam could do so to
// the end; what speaks now has paid for it, and can at best leave nothing. If that is dearer, it
// will not be the answer, whatever follows.
bool stays_silent(const Stage& stage, int64_t number, int64_t stages, int64_t row,
                  const Beams& now) {
  constexpr float kRounding = 1e-5f;
  float cheapest = HUGE_VALF, paid = HUGE_VALF;
  for (int64_t i = row * now.width; i < (row + 1) * now.width; ++i) {
    paid = std::min(paid, now.paid[i]);
    cheapest = std::min(cheapest, now.paid[i] + now.errors[i * stages + number - 1]);
  }
  const float silent = cheapest + stage.bias[stage.silent];
  return paid + stage.aloud > silent + kRounding * std::abs(silent);
}

// Picks the beginnings that every row goes on with.
void pick(const Stage& stage, int64_t number, int64_t stages, int64_t rows, int64_t keep,
          const Level& level, Worker& worker) {
  const Beams& now = worker.now;
  const bool may_rest = number > 0 && now.width == keep && stage.silent >= 0;
  worker.open.clear();
  for (int64_t row = 0; row < rows; ++row) {
    if (!may_rest || !stays_silent(stage, number, stages, row, now)) {
      worker.open.push_back(row);
      continue;
    }
    for (int64_t i = 0; i < keep; ++i) {
      worker.picks[row * keep + i] = {0.0f, static_cast<int32_t>(i), stage.silent};
    }
  }
  const int64_t open = static_cast<int64_t>(worker.open.size());
  const int64_t length = now.width * stage.book.dim();
  worker.residuals.resize(open * length);
  worker.paid.resize(open * now.width);
  worker.found.resize(open * keep);
  for (int64_t i = 0; i < open; ++i) {
    const int64_t row = worker.open[i];
    std::copy_n(&now.residuals[row * length], length, &worker.residuals[i * length]);
    std::copy_n(&now.paid[row * now.width], now.width, &worker.paid[i * now.width]);
  }
  level.lowest(stage.book, worker.residuals.data(), worker.paid.data(), open, now.width, keep,
               worker.scratch, worker.found.data());
  for (int64_t i = 0; i < open; ++i) {
    std::copy_n(&worker.found[i * keep], keep, &worker.picks[worker.open[i] * keep]);
  }
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
    const int64_t keep = std::min(beams, worker.now.width * stages[s].book.allowed());
    pick(stages[s], s, depth, count, keep, level, worker);
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
  find_silent(packed);
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
