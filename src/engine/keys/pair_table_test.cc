#include "engine/keys/pair_table.h"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

TEST(PairTable, KeepsEachPairOnce) {
  std::mt19937 random(1);
  PairTable table;
  std::map<std::pair<uint32_t, std::string>, size_t> want;
  for (int i = 0; i < 50000; ++i) {
    const uint32_t group = random() % 50;
    const std::string text = std::string(random() % 2 * 20, 'x') + std::to_string(random() % 500);
    const Key key = MakeKey(reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint32_t>(text.size()));
    const bool is_new = want.try_emplace({group, text}, want.size()).second;
    ASSERT_EQ(table.Insert(group, key, HashKey(key)), is_new);
  }
  ASSERT_EQ(table.size(), want.size());
  for (const auto& [pair, number] : want) {
    const Key key =
        MakeKey(reinterpret_cast<const uint8_t*>(pair.second.data()), static_cast<uint32_t>(pair.second.size()));
    EXPECT_EQ(table.groups()[number], pair.first);
    EXPECT_TRUE(KeysEqual(table.key(number), key));
    EXPECT_EQ(table.key_hash(number), HashKey(key));
  }
  EXPECT_GT(table.bytes(), static_cast<int64_t>(table.size() * sizeof(Key)));
}

}  // namespace
}  // namespace mutirao::engine
