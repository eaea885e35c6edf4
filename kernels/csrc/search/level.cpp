#include "level.hpp"

namespace vqcodec {

std::vector<const Level*> supported_levels() {
  std::vector<const Level*> levels;
#if defined(VQCODEC_AMX)
  if (kAmxLevel.supported()) levels.push_back(&kAmxLevel);
#endif
#if defined(__x86_64__)
  if (kAvx512Level.supported()) levels.push_back(&kAvx512Level);
  if (kAvx2Level.supported()) levels.push_back(&kAvx2Level);
#endif
  levels.push_back(&kPortableLevel);
  return levels;
}

const Level* find_level(const std::string& name, const SearchSize& size) {
  static const std::vector<const Level*> levels = supported_levels();
  for (const Level* level : levels) {
    if (name.empty() ? !level->pays || level->pays(size) : name == level->name) return level;
  }
  return nullptr;
}

}  // namespace vqcodec
