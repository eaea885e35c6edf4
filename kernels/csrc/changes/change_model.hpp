// Frames of a group, one after another: which blocks move from where, and the codes of changes.

#ifndef VQCODEC_CHANGES_CHANGE_MODEL_HPP_
#define VQCODEC_CHANGES_CHANGE_MODEL_HPP_

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "../entropy/range_coder.hpp"
#include "change_bits.hpp"
#include "frame.hpp"

namespace vqcodec {

class ChangeModel {
 public:
  ChangeModel(const Extent& extent, int codebook_size, int depth)
      : extent_(extent),
        size_(static_cast<uint32_t>(codebook_size)),
        depth_(depth),
        bits_(extent.stages, depth),
        now_(extent),
        before_(extent),
        lately_(extent.rows, extent.columns),
        moved_(extent.block_rows(), extent.block_columns()) {}

  ChangeBits& bits() { return bits_; }

  // The frame that is coded next, to be filled by an encoder; afterwards what was coded.
  Frame& frame() { return now_; }

  // Codes the frame; a decoder finds it cleared. Throws CorruptPayload for what no encoder writes.
  template <typename Coder>
  void code(Coder& coder, bool says) {
    ChangeContexts contexts;
    contexts.values[0] = was_silent_;
    says = bits_.code(coder, kFrame, 0, 0, contexts, says);
    if (says) {
      bool any = false;
      for (int y = 0; y < extent_.block_rows(); ++y) {
        for (int x = 0; x < extent_.block_columns(); ++x) any |= code_block(coder, y, x);
      }
      for (int y = 0; y < extent_.rows; ++y) {
        for (int x = 0; x < extent_.columns; ++x) any |= code_position(coder, y, x);
      }
      if (!any) throw CorruptPayload("a frame that says that it says something, and does not");
    }
    was_silent_ = !says;
  }

  // Makes the frame the one before, and clears the next.
  void advance() {
    for (int y = 0; y < extent_.rows; ++y) {
      for (int x = 0; x < extent_.columns; ++x) {
        lately_.at(y, x) = remembered(lately_.at(y, x), now_.said.at(y, x) > 0);
      }
    }
    for (int y = 0; y < extent_.block_rows(); ++y) {
      for (int x = 0; x < extent_.block_columns(); ++x) {
        moved_.at(y, x) = remembered(moved_.at(y, x), now_.moving.at(y, x));
      }
    }
    std::swap(now_, before_);
    now_.clear();
  }

 private:
  template <typename Coder>
  bool code_block(Coder& coder, int y, int x) {
    const auto& m = now_.moving;
    const auto& p = before_.moving;
    const uint32_t w = m.at(y, x - 1), n = m.at(y - 1, x), nw = m.at(y - 1, x - 1),
                   ne = m.at(y - 1, x + 1), here = p.at(y, x);
    uint32_t past = 0, said = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) past += p.at(y + dy, x + dx);
    }
    for (int i = 0; i < 4; ++i) {
      const int row = 2 * y + (i >> 1), column = 2 * x + (i & 1);
      if (row < extent_.rows && column < extent_.columns) {
        said = std::max<uint32_t>(said, lately_.at(row, column));
      }
    }
    const uint32_t memory = class_of(said, kMemories), moved = class_of(moved_.at(y, x), kMemories);
    ChangeContexts contexts;
    contexts.values = {
        w + 2 * n + 4 * nw + 8 * ne + 16 * here,
        here + 2 * p.at(y, x + 1) + 4 * p.at(y + 1, x) + 8 * p.at(y, x - 1) + 16u * p.at(y - 1, x),
        memory * 8 + here * 4 + w * 2 + n,
        past * 5 + w + n + nw + ne,
        moved * 3 + w + n,
        0,
    };
    contexts.first_class = moved;
    contexts.second_class = std::min(past, 7u);
    uint8_t& moving = now_.moving.at(y, x);
    moving = bits_.code(coder, kMoves, 0, 0, contexts, moving != 0);
    if (moving) code_motion(coder, y, x);
    return moving;
  }

  template <typename Coder>
  void code_motion(Coder& coder, int y, int x) {
    // A block that does not move has no say in where another one comes from.
    const bool w = now_.moving.at(y, x - 1), n = now_.moving.at(y - 1, x),
               p = before_.moving.at(y, x);
    const Motion from_w = now_.motion.at(y, x - 1), from_n = now_.motion.at(y - 1, x),
                 from_p = before_.motion.at(y, x);
    std::array<Motion, 2> offered;
    std::size_t count = 0;
    const auto offer = [&](bool there, Motion motion) {
      if (there && count < 2 && (count == 0 || !(offered[0] == motion))) offered[count++] = motion;
    };
    offer(w, from_w), offer(n, from_n), offer(p, from_p);
    const uint32_t sources = w + 2 * n + 4 * p;
    const uint32_t equal = (from_w == from_n) + 2 * (from_w == from_p) + 4 * (from_n == from_p);
    ChangeContexts contexts;
    contexts.values = {sources, sources * 8 + equal, 0};
    contexts.first_class = sources;
    contexts.second_class = equal;
    Motion& motion = now_.motion.at(y, x);
    for (std::size_t i = 0; i < count; ++i) {
      if (bits_.code(coder, kMerges, i, 0, contexts, motion == offered[i])) {
        motion = offered[i];
        return;
      }
    }
    const Motion near = offered[0];
    const uint32_t unsure_y = class_of(std::abs(from_w.y - from_n.y), kSizes),
                   unsure_x = class_of(std::abs(from_w.x - from_n.x), kSizes);
    const int dy = code_number(coder, 0, unsure_y, 0, motion.y - near.y);
    const int dx = code_number(coder, kDifferenceNodes, unsure_x, class_of(std::abs(dy), kSizes),
                               motion.x - near.x);
    const int to_y = near.y + dy, to_x = near.x + dx;
    if (std::abs(to_y) > kMostMotion || std::abs(to_x) > kMostMotion) {
      throw CorruptPayload("a block that moves too far");
    }
    motion = {static_cast<int8_t>(to_y), static_cast<int8_t>(to_x)};
    for (std::size_t i = 0; i < count; ++i) {
      if (motion == offered[i]) throw CorruptPayload("a motion that should have been merged");
    }
  }

  // A number of up to six bits and its sign: whether it is another one than 0, the sign, how many
  // bits follow the leading one, and these, of which two are modelled.
  template <typename Coder>
  int code_number(Coder& coder, int first, uint32_t unsure, uint32_t other, int number) {
    ChangeContexts contexts;
    contexts.values = {0, unsure, other};
    contexts.first_class = unsure;
    contexts.second_class = other;
    const auto code = [&](int node, bool bit) {
      return bits_.code(coder, kDifference, static_cast<std::size_t>(first + node), 0, contexts,
                        bit);
    };
    if (!code(0, number != 0)) return 0;
    const bool negative = code(1, number < 0);
    const auto wanted = static_cast<uint32_t>(std::abs(number));
    int below = 0;
    while (below < 5 && code(2 + below, wanted >> (below + 1) != 0)) ++below;
    uint32_t magnitude = 1;
    for (int i = 0; i < below; ++i) {
      const bool bit = wanted >> (below - 1 - i) & 1;
      const int node = 8 + 4 * below + static_cast<int>(magnitude);
      magnitude = 2 * magnitude + (i < 2 ? code(node, bit) : coder.code(bit, 1u << 15));
    }
    return negative ? -static_cast<int>(magnitude) : static_cast<int>(magnitude);
  }

  template <typename Coder>
  bool code_position(Coder& coder, int y, int x) {
    const auto& said = now_.said;
    const auto& past = before_.said;
    const int by = y / 2, bx = x / 2;
    const uint32_t m = now_.moving.at(by, bx);
    const uint32_t w = said.at(y, x - 1) > 0, n = said.at(y - 1, x) > 0,
                   nw = said.at(y - 1, x - 1) > 0, ne = said.at(y - 1, x + 1) > 0,
                   here = past.at(y, x) > 0;
    const uint32_t near =
        said.at(y, x - 1) + said.at(y - 1, x) + said.at(y - 1, x - 1) + said.at(y - 1, x + 1);
    int around = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) around += lately_.at(y + dy, x + dx);
    }
    const uint32_t memory = class_of(lately_.at(y, x), kMemories);
    const uint32_t memories = class_of(around, kSums), count = class_of(near, kCounts);
    const uint32_t place = (y & 1) * 2 + (x & 1);
    const uint32_t block = (place & 1 ? w : 0) + (place & 2 ? 2 * n : 0) +
                           (place == 3   ? 4 * nw
                            : place == 2 ? 4 * ne
                                         : 0);
    const auto& moving = now_.moving;
    const Motion own = now_.motion.at(by, bx);
    const uint32_t edges =
        !(own == now_.motion.at(by, bx - 1)) + 2 * !(own == now_.motion.at(by - 1, bx));
    const uint32_t beside = moving.at(by, bx - 1) + moving.at(by, bx + 1) + moving.at(by - 1, bx) +
                            moving.at(by + 1, bx);
    ChangeContexts contexts;
    contexts.values = {
        w + 2 * n + 4 * nw + 8 * ne + 16 * m + 32 * here,
        here + 2 * (past.at(y, x + 1) > 0) + 4 * (past.at(y, x - 1) > 0) +
            8 * (past.at(y + 1, x) > 0) + 16 * (past.at(y - 1, x) > 0) + 32 * m,
        memory * 8 + memories,
        count * 8 + std::min<uint32_t>(past.at(y, x), 3) * 2 + m,
        place * 16 + block * 2 + m,
        ((m * 4 + edges) * 2 + before_.moving.at(by, bx)) * 5 + beside,
        class_of(before_.changed, kChanged) * 2 + m,
        ((memory * 4 + w * 2 + n) * 2 + here) * 2 + m,
    };
    contexts.first_class = memories;
    contexts.second_class = count;
    uint8_t& stages = now_.said.at(y, x);
    if (!bits_.code(coder, kSays, 0, 0, contexts, stages > 0)) return false;
    stages = code_stages(coder, y, x, m, memory);
    ++now_.changed;
    return true;
  }

  // Returns how many stages of the position say anything: one at least.
  template <typename Coder>
  uint8_t code_stages(Coder& coder, int y, int x, uint32_t m, uint32_t memory) {
    const uint32_t past = std::min<uint32_t>(before_.said.at(y, x), 3);
    const uint32_t said_w = std::min<uint32_t>(now_.said.at(y, x - 1), 7),
                   said_n = std::min<uint32_t>(now_.said.at(y - 1, x), 7);
    uint32_t count = 0;
    int32_t last = 0;
    for (int s = 0; s < extent_.stages; ++s) {
      auto& codes = now_.codes[s];
      int32_t& code = codes.at(y, x);
      const int32_t w = codes.at(y, x - 1), n = codes.at(y - 1, x), p = before_.codes[s].at(y, x);
      const auto heard = [](uint32_t said, int32_t other) {
        return said == 0 ? 0u : other == 0 ? 1u : 2u;
      };
      ChangeContexts contexts;
      const uint32_t follows = last != 0;
      contexts.values = {
          std::min(count, 3u) * 4 + follows * 2 + m,
          (heard(said_w, w) * 3 + heard(said_n, n)) * 2 + follows,
          (past * 2 + (p != 0)) * 2 + follows,
          said_w * 8 + said_n,
          memory * 2 + follows,
          top(last, 4),
      };
      contexts.first_class = memory;
      contexts.second_class = std::min(count, 3u) * 2 + follows;
      const auto stage = static_cast<std::size_t>(s);
      // One that has said nothing so far says something in the last stage.
      const bool known = count == 0 && s == extent_.stages - 1;
      if (known || bits_.code(coder, kStage, stage, 0, contexts, code != 0)) {
        contexts.values = {0,         top(w, 4),    top(n, 4),
                           top(p, 5), top(last, 5), m + 2 * follows + 4 * (past > 0)};
        code = static_cast<int32_t>(code_one(coder, stage, contexts, static_cast<uint32_t>(code)));
        ++count;
      }
      last = code;
    }
    return static_cast<uint8_t>(count);
  }

  // A code other than 0, most significant bit first; what is known of its bits is not coded.
  template <typename Coder>
  uint32_t code_one(Coder& coder, std::size_t stage, const ChangeContexts& contexts,
                    uint32_t code) {
    uint32_t node = 1;
    for (int level = 0; level < depth_; ++level) {
      const int below = depth_ - 1 - level;
      if (below == 0 && node == 1u << level) return 1;
      const uint32_t first_of_one = (2 * node + 1 - (2u << level)) << below;
      const bool known = first_of_one >= size_;
      const bool bit = code >> below & 1;
      node = 2 * node +
             (known ? 0 : bits_.code(coder, kBits, (stage << depth_) + node, level, contexts, bit));
    }
    return node - (1u << depth_);
  }

  // The leading bits of a code other than 0, counted from 1.
  uint32_t top(int32_t code, int bits) const {
    return code == 0 ? 0 : (static_cast<uint32_t>(code) >> std::max(depth_ - bits, 0)) + 1;
  }

  Extent extent_;
  uint32_t size_;
  int depth_;
  ChangeBits bits_;
  Frame now_, before_;
  Plane<uint8_t> lately_, moved_;
  bool was_silent_ = false;
};

}  // namespace vqcodec

#endif  // VQCODEC_CHANGES_CHANGE_MODEL_HPP_
