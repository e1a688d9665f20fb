#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/store/contract/store_contract.h"
#include "orchestration/store/sqlite/sqlite_database.h"

namespace mutirao::orchestration {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class SqliteFaults : public StoreContract {
 protected:
  std::string path() const { return location_.project_root + "/.mutirao/mutirao.db"; }
  Status OpenStatus(const std::string& uri = "") {
    return OpenStore({.uri = uri, .project_root = location_.project_root}, clock_).status();
  }
  void Execute(const std::string& statements) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
};
INSTANTIATE_TEST_SUITE_P(Only, SqliteFaults, testing::Values(StoreBackends().front()),
                         [](const auto&) { return "Sqlite"; });

TEST_P(SqliteFaults, MakesFilesForTheOwnerOnly) {
  Add();
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms(0600));
  const bool wal = ChooseJournal(location_.project_root) == SqliteJournal::kWal;
  EXPECT_EQ(fs::status(path() + (wal ? "-wal" : "-journal")).permissions(), fs::perms(0600));
  EXPECT_EQ(fs::status(fs::path(path()).parent_path()).permissions(), fs::perms(0700));
  EXPECT_EQ(store_->Describe(), fmt::format("SQLite {}, {}", sqlite3_libversion(), path()));
  EXPECT_TRUE(OpenStatus("sqlite:elsewhere/deep/s.db").ok());
  EXPECT_TRUE(fs::exists(location_.project_root + "/elsewhere/deep/s.db"));
}

TEST_P(SqliteFaults, UsesTheJournalOfTheRule) {
  Add();
  const bool wal = ChooseJournal(location_.project_root) == SqliteJournal::kWal;
  EXPECT_EQ(fs::exists(path() + "-wal"), wal);
  EXPECT_EQ(wal, WalIsSafe(sqlite3_libversion_number()));
}

TEST_P(SqliteFaults, RefusesWhatANewerProgramWrote) {
  Execute("INSERT INTO schema_version VALUES (999, 0)");
  Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.ToString(), testing::HasSubstr("have version 999"));
  EXPECT_THAT(status.help(), testing::HasSubstr("newer program"));
}

TEST_P(SqliteFaults, RefusesOtherFiles) {
  store_.reset();
  EXPECT_EQ(OpenStatus("mysql://u:hush@h/d").code(), StatusCode::kInvalid);
  EXPECT_THAT(OpenStatus("mysql://u:hush@h/d").ToString(), testing::Not(testing::HasSubstr("hush")));
  EXPECT_EQ(OpenStatus("sqlite:").code(), StatusCode::kInvalid);
  std::ofstream(location_.project_root + "/text") << std::string(5000, 'x');
  EXPECT_EQ(OpenStatus("sqlite:text").code(), StatusCode::kIo);
  EXPECT_EQ(OpenStatus("sqlite:text/s.db").code(), StatusCode::kIo);
  fs::remove(path());
  Execute("CREATE TABLE customers (id INTEGER)");
  EXPECT_EQ(OpenStatus().code(), StatusCode::kInvalid);
  EXPECT_THAT(OpenStatus().ToString(), testing::HasSubstr("another program"));
}

TEST_P(SqliteFaults, TellsOfADamagedFile) {
  for (int i = 0; i < 50; ++i) Add();
  store_.reset();
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    const std::string damage(static_cast<size_t>(fs::file_size(path())) - 4096, '\x5a');
    file.write(damage.data(), static_cast<std::streamsize>(damage.size()));
  }
  Status status = OpenStatus();
  if (status.ok()) status = Open()->ListRuns({}).status();
  EXPECT_EQ(status.code(), StatusCode::kIo) << status.ToString();
  EXPECT_THAT(status.help(), testing::HasSubstr("backup"));
}

TEST_P(SqliteFaults, GivesUpOnALockThatIsNotReleased) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  auto database = SqliteDatabase::Open(path(), {.patience = milliseconds(30)});
  EXPECT_EQ(database.status().code(), StatusCode::kUnavailable) << database.status().ToString();
  // Released while it is waited for, nobody notices.
  std::jthread holder([&] {
    std::this_thread::sleep_for(milliseconds(40));
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  });
  EXPECT_TRUE(store_->AddRun({.id = MakeRunId(clock_), .job = "j"}).ok());
  holder.join();
  sqlite3_close(db);
}

// A disk of 2 MiB. Mounting takes rights that a container may not have.
TEST_P(SqliteFaults, StaysWholeOnAFullDisk) {
  const std::string disk = location_.project_root + "/disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") != 0) GTEST_SKIP() << "mounting is not allowed here";
  {
    std::unique_ptr<Store> store =
        MUTIRAO_MUST(OpenStore({.uri = "sqlite:disk/s.db", .project_root = location_.project_root}, clock_));
    int64_t stored = 0;
    Status status;
    for (int i = 0; i < 5000 && status.ok(); ++i) {
      status =
          store->AddRun({.id = MakeRunId(clock_), .job = "j", .request = {{"text", std::string(2000, 'x')}}}).status();
      if (status.ok()) ++stored;
    }
    EXPECT_EQ(status.code(), StatusCode::kExhausted) << status.ToString();
    EXPECT_THAT(status.ToString(), testing::HasSubstr("its disk is full"));
    EXPECT_EQ(static_cast<int64_t>(MUTIRAO_MUST(store->ListRuns({.limit = 10'000})).size()), stored);
    // With room again it goes on.
    EXPECT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    EXPECT_TRUE(store->AddRun({.id = MakeRunId(clock_), .job = "j"}).ok());
  }
  EXPECT_EQ(umount(disk.c_str()), 0);
}

TEST_P(SqliteFaults, TellsOfAFolderThatCannotBeWrittenTo) {
  const std::string disk = location_.project_root + "/disk";
  fs::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", MS_RDONLY, "size=1m") != 0) GTEST_SKIP() << "mounting is not allowed here";
  Status status = OpenStatus("sqlite:disk/s.db");
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_THAT(status.help(), testing::HasSubstr("MUTIRAO_STORE"));
  EXPECT_EQ(umount(disk.c_str()), 0);
}

TEST_P(SqliteFaults, GivesSpaceOfPrunedRunsBack) {
  for (int i = 0; i < 60; ++i) {
    RunRow run = AddRunning({.request = {{"text", std::string(20'000, 'x')}}});
    MUTIRAO_MUST(Tell(run, {MakeEvent(event::kRunFailed)}));
  }
  const auto before = fs::file_size(path());
  MUTIRAO_MUST(store_->Prune({.runs_count = 0}, clock_.Now(), false));
  store_.reset();  // a write-ahead log is brought in then
  EXPECT_LT(fs::file_size(path()), before / 4);
}

}  // namespace
}  // namespace mutirao::orchestration
