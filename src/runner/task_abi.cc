#include <malloc.h>
#include <string.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

#include <arrow/memory_pool.h>
#include <arrow/util/config.h>

#include <mutirao/status.h>
#include <mutirao/task.h>
#include <mutirao/version.h>

#include "base/elf_platform.h"
#include "base/thread_pool.h"
#include "engine/operators/kept_tables.h"
#include "engine/stage.h"
#include "runner/op_task.h"
#include "runner/task_runner.h"

using mutirao::Json;
using mutirao::Result;
using mutirao::Status;
using mutirao::StatusCode;

struct MutiraoTask {
  mutirao::engine::ExecuteOptions options;
  std::string execution;
  std::stop_source stop;
  std::atomic<int64_t> rows_read{0};
  std::atomic<int64_t> rows_written{0};
  std::atomic<int64_t> bytes_read{0};
  std::atomic<int64_t> bytes_total{0};
  std::atomic<int64_t> memory_held{0};
  std::atomic<int64_t> bytes_spilled{0};
  std::mutex mutex;
  std::set<std::string> warnings;  // guarded by mutex
  std::string modules;
  Json news;  // guarded by mutex
};

namespace {

static_assert(MUTIRAO_TASK_INVALID == static_cast<int>(StatusCode::kInvalid));
static_assert(MUTIRAO_TASK_CANCELLED == static_cast<int>(StatusCode::kCancelled));
static_assert(MUTIRAO_TASK_INTERNAL == static_cast<int>(StatusCode::kInternal));

thread_local std::string last_error = "{}";

// Never destroyed: at the end of the process tasks may still run.
mutirao::engine::KeptTables& KeptTables() {
  static auto* const tables = new mutirao::engine::KeptTables;
  return *tables;
}

void ReturnMemory() {
  arrow::default_memory_pool()->ReleaseUnused();
  malloc_trim(0);
}

int Fail(const Status& status) {
  Json error;
  error["code"] = mutirao::StatusCodeName(status.code());
  error["message"] = status.ToString();
  error["help"] = status.help();
  // What a file holds may be no UTF-8.
  last_error = error.dump(-1, ' ', false, Json::error_handler_t::replace);
  return static_cast<int>(status.code());
}

Status ReadOptions(const Json& json, MutiraoTask& task) {
  if (!json.is_object()) return Status::Invalid("the options of a task are no JSON object");
  for (const auto& [key, value] : json.items()) {
    const bool is_size = value.is_number_integer() && value.get<int64_t>() >= 0;
    if (key == "threads" && is_size && value.get<int64_t>() <= 4096) {
      task.options.threads = value.get<int>();
    } else if (key == "memory" && is_size) {
      task.options.memory = value.get<int64_t>();
    } else if (key == "spill_dir" && value.is_string()) {
      task.options.spill_dir = value.get<std::string>();
    } else if (key == "modules" && value.is_string()) {
      task.modules = value.get<std::string>();
    } else if (key == "execution" && value.is_string()) {
      task.execution = value.get<std::string>();
    } else {
      return Status::Invalid("a task has no option \"" + key + "\" of value " + value.dump());
    }
  }
  return Status::Ok();
}

Result<MutiraoTask*> Make(const char* options) {
  auto task = std::make_unique<MutiraoTask>();
  if (options != nullptr) {
    Json json = MUTIRAO_TRY(mutirao::ParseJson(options).Context("options of a task"));
    MUTIRAO_TRY(ReadOptions(json, *task));
  }
  MutiraoTask* raw = task.get();
  raw->options.stop = raw->stop.get_token();
  raw->options.kept_tables = &KeptTables();
  raw->options.progress = [raw](const mutirao::engine::Progress& progress) {
    raw->rows_read = progress.rows_read;
    raw->rows_written = progress.rows_written;
    raw->bytes_read = progress.bytes_read;
    raw->bytes_total = progress.bytes_total;
    raw->memory_held = progress.memory_held;
    raw->bytes_spilled = progress.bytes_spilled;
  };
  raw->options.warn = [raw](const std::string& warning) {
    std::lock_guard lock(raw->mutex);
    raw->warnings.insert(warning);
  };
  return task.release();
}

mutirao::runner::OpTaskHooks HooksOf(MutiraoTask& task) {
  mutirao::runner::OpTaskHooks hooks{.modules = task.modules, .stop = task.options.stop, .log = {}, .progress = {}};
  hooks.log = [&task](const std::string& line) {
    std::lock_guard lock(task.mutex);
    task.news["lines"].push_back(line);
  };
  hooks.progress = [&task](double share) {
    std::lock_guard lock(task.mutex);
    task.news["share"] = share;
  };
  return hooks;
}

Result<std::string> Run(MutiraoTask& task, const char* document) {
  if (document == nullptr) return Status::Invalid("there is no task document");
  Json json = MUTIRAO_TRY(mutirao::ParseJson(document).Context("task document"));
  if (!task.execution.empty() && json.is_object()) json["execution"] = task.execution;
  if (mutirao::runner::IsOpTask(json)) {
    Json result = MUTIRAO_TRY(mutirao::runner::RunOpTask(json, HooksOf(task)));
    return result.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  Json result = MUTIRAO_TRY(mutirao::runner::RunTaskDocument(json, task.options, task.modules));
  std::lock_guard lock(task.mutex);
  if (!task.warnings.empty()) result["warnings"] = task.warnings;
  return result.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DescribeBuild() {
  Json build;
  build["version"] = MUTIRAO_VERSION;
  build["abi"] = MUTIRAO_TASK_ABI;
  build["task"] = mutirao::engine::TaskVersion();
  build["arrow"] = arrow::GetBuildInfo().version_string;
  build["platform"] = mutirao::OwnPlatform();
  return build.dump();
}

// Nothing may leave through C, so what the standard library throws becomes a Status here.
template <typename Body>
auto Guarded(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status::Exhausted("out of memory");
  } catch (const std::exception& error) {
    return Status::Internal(error.what());
  }
}

}  // namespace

extern "C" {

int mutirao_task_abi(void) {
  return MUTIRAO_TASK_ABI;
}

const char* mutirao_build(void) {
  static const std::string build = DescribeBuild();
  return build.c_str();
}

MutiraoTask* mutirao_task_new(const char* options) {
  Result<MutiraoTask*> task = Guarded([&] { return Make(options); });
  if (task.ok()) return *task;
  Fail(task.status());
  return nullptr;
}

int mutirao_task_run(MutiraoTask* task, const char* document, char** result) {
  *result = nullptr;
  Result<std::string> text = Guarded([&] { return Run(*task, document); });
  // A worker lives for many tasks, and its memory is watched from outside. While it is little the next task has use for
  // it, which would cost more to ask for again.
  if (mutirao::ResidentMemory() > task->options.memory) ReturnMemory();
  if (!text.ok()) return Fail(text.status());
  *result = strdup(text->c_str());
  return *result != nullptr ? MUTIRAO_TASK_OK : Fail(Status::Exhausted("out of memory"));
}

void mutirao_task_cancel(MutiraoTask* task) {
  task->stop.request_stop();
}

void mutirao_task_progress(const MutiraoTask* task, MutiraoTaskProgress* progress) {
  progress->rows_read = task->rows_read;
  progress->rows_written = task->rows_written;
  progress->bytes_read = task->bytes_read;
  progress->bytes_total = task->bytes_total;
  progress->memory_held = task->memory_held;
  progress->bytes_spilled = task->bytes_spilled;
}

char* mutirao_task_news(MutiraoTask* task) {
  std::lock_guard lock(task->mutex);
  if (task->news.is_null()) return nullptr;
  const std::string text = std::exchange(task->news, Json()).dump(-1, ' ', false, Json::error_handler_t::replace);
  return strdup(text.c_str());
}

void mutirao_let_go(void) {
  KeptTables().LetGo();
  ReturnMemory();
}

void mutirao_task_free(MutiraoTask* task) {
  delete task;
}

void mutirao_text_free(char* text) {
  free(text);
}

const char* mutirao_last_error(void) {
  return last_error.c_str();
}

}  // extern "C"
