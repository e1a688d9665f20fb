#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutirao/task.h>

#include "engine/lowering/task_document.h"
#include "engine/stage.h"
#include "runner/all_formats.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;

Json ErrorOfLastCall() {
  return Json::parse(mutirao_last_error());
}

class TaskAbi : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("mutirao-abi-" + std::to_string(getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_ / "staging");
    fs::create_directories(folder_ / "aside");
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A task that copies a CSV file into the staging folder.
  Json Document(const std::string& csv, const std::string& on_error = "fail") {
    std::ofstream(folder_ / "in.csv") << csv;
    Diagnostics errors;
    const frame::FormatContext context;
    Json spec = {{"csv", (folder_ / "in.csv").string()}, {"types", {{"a", "int64"}}}};
    spec["on_error"] = on_error;
    auto source = AllFormats().MakeSource(spec, context, errors);
    EXPECT_TRUE(source.ok()) << errors.ToStatus().ToString();
    auto scan = MUTIRAO_MUST(frame::MakeScan(*source));
    Json sink_spec = {{"parquet", (folder_ / "out").string()}};
    auto sink = MUTIRAO_MUST(AllFormats().MakeSink(sink_spec, scan->schema(), context, errors));
    auto write = MUTIRAO_MUST(frame::MakeWrite(scan, sink));
    auto stages = MUTIRAO_MUST(engine::Lower({write}, {(folder_ / "staging").string()}, {.exchange_dir = folder_}));
    return stages.at(0).tasks.at(0);
  }

  struct Ran {
    int code = 0;
    Json result;
  };
  static Ran Run(const Json& document, const char* options = nullptr) {
    MutiraoTask* task = mutirao_task_new(options);
    EXPECT_NE(task, nullptr) << mutirao_last_error();
    char* text = nullptr;
    Ran ran;
    ran.code = mutirao_task_run(task, document.dump().c_str(), &text);
    if (text != nullptr) ran.result = Json::parse(text);
    mutirao_text_free(text);
    mutirao_task_free(task);
    return ran;
  }

  fs::path folder_;
};

TEST_F(TaskAbi, TellsWhatWasBuilt) {
  EXPECT_EQ(mutirao_task_abi(), MUTIRAO_TASK_ABI);
  const Json build = Json::parse(mutirao_build());
  EXPECT_EQ(build["abi"], MUTIRAO_TASK_ABI);
  EXPECT_EQ(build["task"], engine::kTaskVersion);
  EXPECT_THAT(build["platform"].get<std::string>(), testing::StartsWith("linux-"));
}

TEST_F(TaskAbi, RunsATaskAndNamesItsFilesAfterTheExecution) {
  const Ran ran = Run(Document("a,b\n1,x\n2,y\n"), R"({"threads": 1, "memory": 10000000, "execution": "7f3a"})");
  ASSERT_EQ(ran.code, MUTIRAO_TASK_OK) << mutirao_last_error();
  const Json& part = ran.result["outputs"][0]["parts"][0];
  EXPECT_EQ(part["rows"], 2);
  EXPECT_THAT(part["path"].get<std::string>(), testing::HasSubstr("s0t0a0x7f3a"));
  EXPECT_TRUE(fs::exists(folder_ / "staging" / part["path"].get<std::string>()));
  EXPECT_THAT(ran.result["memory_peak"].get<int64_t>(), testing::Ge(0));
}

TEST_F(TaskAbi, SetsRowsAsideWhereTheDocumentSays) {
  Json document = Document("a,b\n1,x\nbad,y\n3,z\n", "quarantine");
  EXPECT_NE(Run(document).code, MUTIRAO_TASK_OK) << "without a place it is an error";
  document["quarantine"] = (folder_ / "aside").string();
  const Ran ran = Run(document);
  ASSERT_EQ(ran.code, MUTIRAO_TASK_OK) << mutirao_last_error();
  EXPECT_EQ(ran.result["outputs"][0]["parts"][0]["rows"], 2);
  const Json& aside = ran.result["quarantine"];
  EXPECT_EQ(aside["rows"], 1);
  EXPECT_EQ(aside["reasons"].size(), 1u);
  EXPECT_TRUE(fs::exists(folder_ / "aside" / aside["parts"][0]["path"].get<std::string>()));
}

TEST_F(TaskAbi, ACancelledExecutionEnds) {
  MutiraoTask* task = mutirao_task_new(nullptr);
  mutirao_task_cancel(task);
  mutirao_task_cancel(task);
  char* text = nullptr;
  EXPECT_EQ(mutirao_task_run(task, Document("a,b\n1,x\n").dump().c_str(), &text), MUTIRAO_TASK_CANCELLED);
  EXPECT_EQ(text, nullptr);
  EXPECT_EQ(ErrorOfLastCall()["code"], "cancelled");
  mutirao_task_free(task);
}

TEST_F(TaskAbi, ProgressMayBeReadWhileItRuns) {
  std::string csv = "a,b\n";
  for (int i = 0; i < 200'000; ++i) csv += "1,x\n";
  const std::string document = Document(csv).dump();
  MutiraoTask* task = mutirao_task_new(R"({"threads": 1})");
  std::atomic<bool> done{false};
  std::thread reader([&] {
    MutiraoTaskProgress progress{};
    int64_t before = 0;
    while (!done) {
      mutirao_task_progress(task, &progress);
      EXPECT_GE(progress.rows_read, before);
      before = progress.rows_read;
      std::this_thread::yield();
    }
  });
  char* text = nullptr;
  EXPECT_EQ(mutirao_task_run(task, document.c_str(), &text), MUTIRAO_TASK_OK) << mutirao_last_error();
  done = true;
  reader.join();
  mutirao_text_free(text);
  mutirao_task_free(task);
}

TEST_F(TaskAbi, RefusesWrongOptions) {
  for (const char* options : {"", "[]", "{", R"({"threads": -1})", R"({"threads": 5000})", R"({"memory": "1"})",
                              R"({"unknown": 1})", R"({"spill_dir": 3})"}) {
    EXPECT_EQ(mutirao_task_new(options), nullptr) << options;
    EXPECT_EQ(ErrorOfLastCall()["code"], "invalid") << options;
  }
}

TEST_F(TaskAbi, RefusesWrongDocuments) {
  for (const char* text : {"", "null", "{}", "[1]", R"({"version": 99})", R"({"version": 1, "quarantine": 4})"}) {
    MutiraoTask* task = mutirao_task_new(nullptr);
    char* result = nullptr;
    EXPECT_THAT(mutirao_task_run(task, text, &result), testing::AnyOf(MUTIRAO_TASK_INVALID, MUTIRAO_TASK_UNSUPPORTED))
        << text;
    EXPECT_EQ(result, nullptr);
    EXPECT_FALSE(ErrorOfLastCall()["message"].get<std::string>().empty());
    mutirao_task_free(task);
  }
  MutiraoTask* task = mutirao_task_new(nullptr);
  char* result = nullptr;
  EXPECT_EQ(mutirao_task_run(task, nullptr, &result), MUTIRAO_TASK_INVALID);
  mutirao_task_free(task);
  mutirao_task_free(nullptr);
  mutirao_let_go();
  mutirao_text_free(nullptr);
}

TEST_F(TaskAbi, RefusesAnExecutionThatIsNoName) {
  const Json document = Document("a,b\n1,x\n");
  EXPECT_EQ(Run(document, R"({"execution": "../x"})").code, MUTIRAO_TASK_INVALID);
}

}  // namespace
}  // namespace mutirao::runner
