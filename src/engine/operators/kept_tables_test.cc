#include "engine/operators/kept_tables.h"

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

KeptTables::Table TableOf(int64_t bytes) {
  return {std::make_shared<JoinTable>(1), bytes};
}

TEST(KeptTables, TheFirstOfANameStays) {
  KeptTables tables;
  EXPECT_EQ(tables.Find("run/1/3/a").table, nullptr);
  const KeptTables::Table first = TableOf(100);
  tables.Keep("run/1/3/a", first);
  tables.Keep("run/1/3/a", TableOf(100));
  EXPECT_EQ(tables.Find("run/1/3/a").table, first.table);
  EXPECT_EQ(tables.Find("run/1/3/a").bytes, 100);
  EXPECT_EQ(tables.Find("run/1/3/b").table, nullptr);
  tables.LetGo();
  EXPECT_EQ(tables.Find("run/1/3/a").table, nullptr);
}

TEST(KeptTables, TablesOfOtherStagesGoWhereTheyAreMany) {
  KeptTables tables;
  tables.Keep("run/1/3/a", TableOf(600));
  tables.Keep("run/1/4/b", TableOf(300));
  tables.Keep("run/11/3/c", TableOf(300));
  const auto has = [&](const char* name) { return tables.Find(name).table != nullptr; };

  // A task of their stage lets none of them go, however large they are; the other is less than an eighth.
  tables.BeginTask("run/1", 2400);
  EXPECT_TRUE(has("run/1/3/a") && has("run/1/4/b") && has("run/11/3/c"));
  // The oldest goes; what is left is an eighth.
  tables.BeginTask("run/11", 2400);
  EXPECT_TRUE(!has("run/1/3/a") && has("run/1/4/b") && has("run/11/3/c"));
  tables.BeginTask("other/1", 4800);
  EXPECT_TRUE(has("run/1/4/b") && has("run/11/3/c"));
  tables.BeginTask("other/1", 100);
  EXPECT_TRUE(!has("run/1/4/b") && !has("run/11/3/c"));
}

TEST(KeptTables, WhoUsesATableHoldsIt) {
  KeptTables tables;
  tables.Keep("run/1/3/a", TableOf(100));
  const KeptTables::Table used = tables.Find("run/1/3/a");
  tables.LetGo();
  EXPECT_EQ(used.table->rows(), 0u);
}

}  // namespace
}  // namespace mutirao::engine
