#include "search.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <vector>

#include "floating_point.hpp"
#include "grouped.hpp"
#include "threads.hpp"

namespace vqcodec {

namespace {

// Rows of a block and their working memory stay in a core's own cache.
int64_t rows_per_block(int64_t dim) { return std::clamp<int64_t>(32768 / dim, 16, 256); }

// The first row that is not finite, whichever thread finds it.
class FirstBadRow {
 public:
  void note(int64_t row) {
    int64_t seen = row_.load();
    while (row < seen && !row_.compare_exchange_weak(seen, row)) {
    }
  }
  Defect defect() const {
    const int64_t row = row_.load();
    return row == kNone ? Defect{} : Defect{Defect::kRow, row};
  }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> row_{kNone};
};

// A thread keeps its memory from call to call: small calls would spend their time on page faults.
Scratch& thread_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

struct Block {
  int64_t first;
  int64_t count;
};

Block block_of(int64_t index, const Rows& x) {
  const int64_t first = index * rows_per_block(x.dim);
  return {first, std::min(rows_per_block(x.dim), x.count - first)};
}

int64_t blocks_in(const Rows& x) {
  return (x.count + rows_per_block(x.dim) - 1) / rows_per_block(x.dim);
}

void write_outputs(const SearchOutputs& outputs, const Block& block, const float* rows,
                   const GroupedCodebook& book, const Rows& codebook, const float* bias,
                   Scratch& scratch) {
  const int64_t dim = book.dim();
  const int64_t* codes = outputs.codes + block.first;
  if (outputs.values) {
    const int64_t bytes = dim * size_of(codebook.type);
    char* to = static_cast<char*>(outputs.values) + block.first * bytes;
    for (int64_t i = 0; i < block.count; ++i) {
      std::memcpy(to + i * bytes, codebook.row(codes[i]), bytes);
    }
  }
  if (!outputs.distances && !outputs.squared_errors) return;
  double* exact = scratch.distances.reserve(block.count);
  squared_distances(rows, block.count, dim, book.rows(), codes, exact);
  for (int64_t i = 0; i < block.count; ++i) {
    const double offset = bias ? static_cast<double>(bias[codes[i]]) : 0.0;
    if (outputs.squared_errors) {
      outputs.squared_errors[block.first + i] = static_cast<float>(exact[i]);
    }
    if (outputs.distances) {
      outputs.distances[block.first + i] = static_cast<float>(exact[i] + offset);
    }
  }
}

// Rows whose residual overflowed are infinitely far from every code, so by the definition their
// codes are the first that are allowed, from there on; the search, which wants finite rows, gets
// zeros in their place.
void set_aside(float* residual, int64_t count, int64_t dim, std::vector<bool>& lost) {
  lost.resize(count);
  for (int64_t i = 0; i < count; ++i) {
    if (all_finite(residual + i * dim, dim)) continue;
    lost[i] = true;
    std::fill(residual + i * dim, residual + (i + 1) * dim, 0.0f);
  }
}

// Codes of one block, stage by stage; uses up the residual. Returns the first row that was not
// finite to begin with, or -1.
int64_t search_block_stages(const std::vector<GroupedCodebook>& books, float* residual,
                            const Block& block, const Level& level, Scratch& scratch,
                            int64_t* codes) {
  const int64_t stages = static_cast<int64_t>(books.size());
  const int64_t dim = books[0].dim();
  int64_t* found = scratch.codes.reserve(block.count);
  std::vector<bool> lost;
  for (int64_t s = 0; s < stages; ++s) {
    const int64_t bad = books[s].search(level, residual, block.count, scratch, found);
    if (bad >= 0 && s == 0) return bad;
    if (bad >= 0) {
      set_aside(residual, block.count, dim, lost);
      books[s].search(level, residual, block.count, scratch, found);
    }
    for (int64_t i = 0; i < block.count; ++i) {
      const bool aside = !lost.empty() && lost[i];
      codes[(block.first + i) * stages + s] = aside ? books[s].first_allowed() : found[i];
      if (aside) continue;
      const float* code = books[s].rows() + found[i] * dim;
      float* left = residual + i * dim;
      for (int64_t d = 0; d < dim; ++d) left[d] -= code[d];
    }
  }
  return -1;
}

}  // namespace

Defect search_codebook(const Rows& x, const Rows& codebook, const float* bias,
                       const SearchOutputs& outputs, const SearchOptions& options) {
  const StandardRounding rounding;
  GroupedCodebook book;
  const int64_t bad_code = book.pack(codebook, bias, *options.level);
  if (bad_code >= 0) return {Defect::kCode, bad_code};
  const double work = static_cast<double>(x.count) * codebook.count * x.dim;
  const int threads = useful_threads(options.threads, work);
  FirstBadRow bad_row;
  for_each_block(blocks_in(x), threads, [&](int64_t index, int) {
    const Block block = block_of(index, x);
    Scratch& scratch = thread_scratch();
    const float* rows =
        x.floats(block.first, block.count, scratch.copy.reserve(block.count * x.dim));
    const int64_t bad =
        book.search(*options.level, rows, block.count, scratch, outputs.codes + block.first);
    if (bad >= 0) return bad_row.note(block.first + bad);
    write_outputs(outputs, block, rows, book, codebook, bias, scratch);
  });
  const Defect defect = bad_row.defect();
  if (outputs.counts && defect.what == Defect::kNone) {
    for (int64_t i = 0; i < x.count; ++i) ++outputs.counts[outputs.codes[i]];
  }
  return defect;
}

Defect search_residual(const Rows& x, const Rows& codebooks, const float* biases, int64_t stages,
                       int64_t* codes, const SearchOptions& options) {
  const StandardRounding rounding;
  const int64_t size = codebooks.count / stages;
  std::vector<GroupedCodebook> books(stages);
  for (int64_t s = 0; s < stages; ++s) {
    const Rows stage{codebooks.row(s * size), codebooks.type, size, x.dim};
    const float* bias = biases ? biases + s * size : nullptr;
    const int64_t bad_code = books[s].pack(stage, bias, *options.level);
    if (bad_code >= 0) return {Defect::kCode, s * size + bad_code};
  }
  const double work = static_cast<double>(x.count) * codebooks.count * x.dim;
  const int threads = useful_threads(options.threads, work);
  FirstBadRow bad_row;
  for_each_block(blocks_in(x), threads, [&](int64_t index, int) {
    const Block block = block_of(index, x);
    Scratch& scratch = thread_scratch();
    const int64_t total = block.count * x.dim;
    float* residual = scratch.copy.reserve(total);
    const float* rows = x.floats(block.first, block.count, residual);
    if (rows != residual) std::memcpy(residual, rows, total * sizeof(float));
    const int64_t bad = search_block_stages(books, residual, block, *options.level, scratch, codes);
    if (bad >= 0) bad_row.note(block.first + bad);
  });
  return bad_row.defect();
}

}  // namespace vqcodec
