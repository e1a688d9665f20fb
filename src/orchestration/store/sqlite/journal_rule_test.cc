#include "orchestration/store/sqlite/journal_rule.h"

#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

TEST(JournalRule, TakesWalOnlyFromLibrariesWithoutTheRace) {
  for (int version : {3007000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002, 3052000}) {
    EXPECT_FALSE(WalIsSafe(version)) << version;
  }
  for (int version : {3044006, 3044009, 3050007, 3051003, 3053000, 3053002, 3060001}) {
    EXPECT_TRUE(WalIsSafe(version)) << version;
  }
}

TEST(JournalRule, TakesNoWalOnNetworks) {
  EXPECT_TRUE(IsNetworkFileSystem(0x6969));
  EXPECT_TRUE(IsNetworkFileSystem(static_cast<long>(0xFF534D42)));
  EXPECT_FALSE(IsNetworkFileSystem(0xEF53));      // ext4
  EXPECT_FALSE(IsNetworkFileSystem(0x01021994));  // tmpfs
  EXPECT_EQ(ChooseJournal("/nonexistent"), SqliteJournal::kTruncate);
}

}  // namespace
}  // namespace mutirao::orchestration
