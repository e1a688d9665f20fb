#include "engine/operators/join_table.h"

#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

constexpr int kKinds = 300;
constexpr int kRowsOfBatch = 400;
constexpr int kBatches = 3;

int KindOf(int row) {
  return row * 7 % kKinds;
}

bool IsNull(int row) {
  return row % 50 == 49;
}

// Of eight digits, which 32 bits tell apart; seven letters and digits, which they do not; or longer than a slot.
constexpr int kDigits = 8, kLetters = 7, kLong = 20;

// -1 stands for null.
BatchPtr BatchOf(const std::vector<int>& kinds, int length) {
  arrow::StringBuilder keys;
  for (const int kind : kinds) {
    if (kind < 0) {
      MUTIRAO_MUST(keys.AppendNull());
    } else if (length == kLetters) {
      MUTIRAO_MUST(keys.Append(fmt::format("{:07x}", static_cast<uint32_t>(kind) * 0x9E3779BU % (1U << 28))));
    } else {
      MUTIRAO_MUST(keys.Append(fmt::format("{:0{}}", kind, length)));
    }
  }
  auto schema = arrow::schema({arrow::field("key", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(kinds.size()), {MUTIRAO_MUST(keys.Finish())});
}

KeyBatch KeysOf(const BatchPtr& batch) {
  KeyEncoder encoder({0});
  KeyBatch keys;
  MUTIRAO_MUST(encoder.Encode(*batch, &keys));
  return keys;
}

// Every key has several rows, and some are null.
class JoinTableTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    for (int i = 0; i < kBatches; ++i) {
      std::vector<int> kinds;
      for (int row = i * kRowsOfBatch; row < (i + 1) * kRowsOfBatch; ++row) {
        kinds.push_back(IsNull(row) ? -1 : KindOf(row));
      }
      const BatchPtr batch = BatchOf(kinds, GetParam());
      table_.Add(i % 2, {batch, {i}}, KeysOf(batch));
    }
    MUTIRAO_MUST(table_.Seal(*BatchOf({}, 1)->schema(), 1));
    for (int part = 0; part < kRadixParts; ++part) MUTIRAO_MUST(table_.BuildPart(part, {}));
    table_.EndBuilding();
  }

  JoinTable table_{2};
};

TEST_P(JoinTableTest, TellsFirstRowsOfKeysThatWereFound) {
  std::vector<int> wanted;
  for (int kind = 0; kind < 2 * kKinds; kind += 3) wanted.push_back(kind);  // half of them are not there
  wanted.push_back(-1);
  const BatchPtr probe = BatchOf(wanted, GetParam());
  std::vector<JoinMatch> found(wanted.size());
  MatchedRows matched(kBatches * kRowsOfBatch);
  table_.Find(KeysOf(probe), found.data(), matched);

  std::set<int> seen;
  size_t count = 0;
  for (int row = 0; row < kBatches * kRowsOfBatch; ++row) {
    const bool is_first = !IsNull(row) && seen.insert(KindOf(row)).second;
    const bool is_matched = is_first && KindOf(row) % 3 == 0;
    EXPECT_EQ(matched.contains(static_cast<uint32_t>(row)), is_matched) << row;
    count += is_matched ? 1 : 0;
  }
  EXPECT_EQ(matched.count(), count);
}

TEST_P(JoinTableTest, GivesTheRowsOfAKeyInTheirOrder) {
  std::vector<int> wanted;
  for (int kind = 0; kind < kKinds; ++kind) wanted.push_back(kind);
  const BatchPtr probe = BatchOf(wanted, GetParam());  // what long keys point into
  const KeyBatch keys = KeysOf(probe);
  std::vector<JoinMatch> found(wanted.size());
  MatchedRows matched(kBatches * kRowsOfBatch);
  table_.Find(keys, found.data(), matched);
  for (size_t i = 0; i < wanted.size(); ++i) {
    std::vector<uint32_t> rows, expected;
    for (const JoinMatch* match = &found[i]; match != nullptr && !match->is_none();) {
      rows.push_back(match->row);
      match = table_.Next(table_.PartOf(keys.hashes[i]), *match);
    }
    for (int row = 0; row < kBatches * kRowsOfBatch; ++row) {
      if (!IsNull(row) && KindOf(row) == wanted[i]) expected.push_back(static_cast<uint32_t>(row));
    }
    EXPECT_EQ(rows, expected) << wanted[i];
  }
}

// So many keys that the table has a filter.
TEST_P(JoinTableTest, FindsTheKeysOfALargeTableHoweverManyAreThere) {
  constexpr int kKeys = 400'000;
  JoinTable table(1);
  std::vector<int> kinds;
  for (int key = 0; key < kKeys; ++key) kinds.push_back(3 * key);
  const BatchPtr all = BatchOf(kinds, GetParam());
  for (int32_t begin = 0; begin < kKeys; begin += kKeys / 4) {
    const BatchPtr batch = all->Slice(begin, kKeys / 4);
    table.Add(0, {batch, {begin}}, KeysOf(batch));
  }
  MUTIRAO_MUST(table.Seal(*all->schema(), 1));
  for (int part = 0; part < kRadixParts; ++part) MUTIRAO_MUST(table.BuildPart(part, {}));
  table.EndBuilding();

  size_t count = 0;
  // Of three keys that are asked for one is there, then all, then none.
  for (const auto& [factor, shift] : {std::pair(1, 0), std::pair(3, 0), std::pair(3, 1)}) {
    std::vector<int> wanted;
    for (int i = 0; i < 5000; ++i) wanted.push_back(i % 97 == 96 ? -1 : factor * (i * 77) + shift);
    const BatchPtr probe = BatchOf(wanted, GetParam());
    std::vector<JoinMatch> found(wanted.size());
    MatchedRows now(kKeys);
    table.Find(KeysOf(probe), found.data(), now);
    size_t there = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const bool is_there = wanted[i] >= 0 && wanted[i] % 3 == 0 && wanted[i] / 3 < kKeys;
      ASSERT_EQ(found[i].is_none(), !is_there) << wanted[i];
      if (!is_there) continue;
      ASSERT_EQ(found[i].row, static_cast<uint32_t>(wanted[i] / 3));
      ASSERT_TRUE(now.contains(found[i].row) && found[i].is_last());
      ++there;
    }
    EXPECT_EQ(now.count(), there);
    count += there;
  }
  EXPECT_GT(count, 5000);
}

INSTANTIATE_TEST_SUITE_P(ShortAndLongKeys, JoinTableTest, testing::Values(kDigits, kLetters, kLong));

}  // namespace
}  // namespace mutirao::engine
