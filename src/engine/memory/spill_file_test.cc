#include "engine/memory/spill_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/id.h"
#include "engine/memory/batch_bytes.h"
#include "engine/memory/spill_partitions.h"
#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::RandomTable;
using testing::RowsOf;

// A folder that is there for one test.
struct Folder {
  const std::string path = ::testing::TempDir() + "spill_test_" + RandomHex(8);
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST(SpillFile, GivesBackWhatWasWritten) {
  const Folder folder;
  SpillPlace place(folder.path);
  const std::vector<BatchPtr> batches = {
      RandomTable(1, 5000, 100),
      RandomTable(2, 60000, 9)->Slice(777, 3333),
      RandomTable(3, 10, 3)->Slice(4, 0),
  };
  SpillFile file(&place, batches[0]->schema());
  std::vector<SpillBlock> blocks;
  for (const BatchPtr& batch : batches) blocks.push_back(MUTIRAO_MUST(file.Write(*batch)));
  for (const size_t i : {size_t{2}, size_t{0}, size_t{1}}) {
    EXPECT_EQ(blocks[i].rows, batches[i]->num_rows());
    EXPECT_TRUE(MUTIRAO_MUST(file.Read(blocks[i]))->Equals(*batches[i]));
    EXPECT_TRUE(MUTIRAO_MUST(file.Take(blocks[i]))->Equals(*batches[i]));
  }
  EXPECT_EQ(place.bytes_written(), blocks[0].length + blocks[1].length + blocks[2].length);
}

TEST(SpillFile, KeepsEveryType) {
  const Folder folder;
  SpillPlace place(folder.path);
  const BatchPtr batch = BatchOf({{"b", "bool", "[true, null, false]"},
                                  {"i", "int8", "[1, null, -3]"},
                                  {"d", "date", "[19000, null, -5]"},
                                  {"m", "decimal(20,2)", R"(["1.25", null, "-99999999999.99"])"},
                                  {"t", "string", R"(["a\u0000b", null, ""])"},
                                  {"x", "binary", R"(["z", null, ""])"},
                                  {"l", "list<string>", R"([["a", null], null, []])"},
                                  {"s", "timestamp[America/Sao_Paulo]", "[5, null, -7]"}});
  SpillFile file(&place, batch->schema());
  const SpillBlock block = MUTIRAO_MUST(file.Write(*batch));
  EXPECT_TRUE(MUTIRAO_MUST(file.Read(block))->Equals(*batch));
}

TEST(SpillFile, LeavesNoNameInTheFolder) {
  const Folder folder;
  SpillPlace place(folder.path);
  EXPECT_FALSE(std::filesystem::exists(folder.path));
  SpillFile file(&place, RandomTable(1, 1, 1)->schema());
  ASSERT_TRUE(file.Write(*RandomTable(1, 1000, 10)).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(SpillFile, TakesBlocksOfManyThreads) {
  const Folder folder;
  SpillPlace place(folder.path);
  SpillFile file(&place, RandomTable(1, 1, 1)->schema());
  std::vector<std::jthread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&file, thread] {
      for (uint64_t i = 0; i < 20; ++i) {
        const BatchPtr batch = RandomTable(thread * 100 + i, 500, 50);
        const SpillBlock block = MUTIRAO_MUST(file.Write(*batch));
        EXPECT_TRUE(MUTIRAO_MUST(file.Take(block))->Equals(*batch));
      }
    });
  }
}

TEST(SpillFile, SaysWhereTheDiskIsFullAndHowToChooseAnother) {
  const Folder folder;
  SpillPlace place(folder.path);
  SpillFile file(&place, RandomTable(1, 1, 1)->schema());
  // A limit on the size of files stands in for a full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 20000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = file.Write(*RandomTable(1, 50000, 50)).status();
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find(folder.path), std::string::npos) << status.message();
  EXPECT_NE(status.help().find("--spill-dir"), std::string::npos) << status.help();
}

TEST(SpillPlace, RefusesWhatIsNoFolder) {
  const Folder folder;
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.path + "/file") << "x";
  SpillPlace place(folder.path + "/file");
  EXPECT_EQ(place.Check().code(), StatusCode::kInvalid);
  EXPECT_FALSE(place.MakeFile().ok());
  EXPECT_TRUE(SpillPlace(folder.path).Check().ok());
  EXPECT_TRUE(SpillPlace(folder.path + "/made/later").Check().ok());
}

TEST(SpillPartitions, KeepEveryRowInItsPartition) {
  const Folder folder;
  SpillPlace place(folder.path);
  SpillFile file(&place, RandomTable(1, 1, 1)->schema());
  for (const int64_t buffer : {int64_t{1}, int64_t{100000}, int64_t{1} << 40}) {
    SpillPartitions partitions(&file, 7, buffer);
    std::vector<std::vector<BatchPtr>> want(7);
    for (uint64_t i = 0; i < 20; ++i) {
      const BatchPtr batch = RandomTable(i, 300, 40);
      std::vector<uint32_t> partition_of_row;
      for (uint32_t row = 0; row < 300; ++row) {
        const auto partition = static_cast<uint32_t>((row * 31 + i) % 8);
        partition_of_row.push_back(partition == 7 ? SpillPartitions::kDropRow : partition);
        if (partition < 7) want[partition].push_back(batch->Slice(row, 1));
      }
      ASSERT_TRUE(partitions.Add(batch, partition_of_row).ok());
      EXPECT_LT(partitions.held(), buffer);
    }
    ASSERT_TRUE(partitions.Flush().ok());
    for (size_t partition = 0; partition < 7; ++partition) {
      std::vector<BatchPtr> got;
      for (const SpillBlock& block : partitions.blocks()[partition]) got.push_back(MUTIRAO_MUST(file.Take(block)));
      EXPECT_EQ(RowsOf(got, false), RowsOf(want[partition], false));
    }
  }
}

TEST(BatchBytes, CopiesSlicesOfMuchLargerBuffers) {
  const BatchPtr big = RandomTable(1, 60000, 100);
  int64_t bytes = 0;
  EXPECT_EQ(MUTIRAO_MUST(Compact(big, &bytes))->column(1), big->column(1));
  EXPECT_GE(bytes, BytesOfRows(*big));
  const BatchPtr slice = big->Slice(100, 500);
  const BatchPtr copy = MUTIRAO_MUST(Compact(slice, &bytes));
  EXPECT_NE(copy->column_data(1)->buffers[2], big->column_data(1)->buffers[2]);
  EXPECT_TRUE(copy->Equals(*slice));
  EXPECT_LT(bytes, BytesOfRows(*big) / 50);
}

}  // namespace
}  // namespace mutirao::engine
