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

TEST(PairTable, ListsPairsAsTheyCome) {
  PairTable table;
  const Key key = MakeKey(reinterpret_cast<const uint8_t*>("abc"), 3);
  EXPECT_TRUE(table.Insert(1, key, HashKey(key)));
  EXPECT_FALSE(table.is_list());
  const int64_t as_set = table.bytes();
  for (int i = 0; i < 3; ++i) table.Append(1, key, HashKey(key));
  EXPECT_TRUE(table.is_list());
  EXPECT_EQ(table.size(), 4u);
  EXPECT_LT(table.bytes(), as_set);
}

TEST(PairTable, HasRoomForWhatWasReserved) {
  PairTable table;
  table.Reserve(100000);
  const int64_t reserved = table.bytes();
  for (uint32_t i = 0; i < 100000; ++i) {
    const Key key = MakeKey(reinterpret_cast<const uint8_t*>(&i), sizeof i);
    ASSERT_TRUE(table.Insert(7, key, HashKey(key)));
  }
  EXPECT_GT(reserved, 100000 * 16);
  EXPECT_EQ(table.size(), 100000u);
}

}  // namespace
}  // namespace mutirao::engine
