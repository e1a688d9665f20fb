#include "cli/explain_profile.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/exit_code.h"
#include "cli/run_view.h"
#include "runner/account.h"
#include "runner/run_profile.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;

constexpr int64_t kFormat = 1;

// Draws one op's nodes: figures first, in columns, then the tree, whose lines may be long.
class ProfilePainter {
 public:
  explicit ProfilePainter(const Json& op) : nodes_(op.at("nodes")) {
    for (const Json& node : nodes_) {
      seconds_ += node.at("seconds").get<double>();
      for (const Json& input : node.at("inputs")) ++parents_[Index(input)];
    }
  }

  std::string Paint() {
    text_ = Line("time", "share", "rows out", "bytes out", "memory", "spilled", "node");
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (parents_[i] == 0) Draw(i, "", "");
    }
    return std::move(text_);
  }

 private:
  size_t Index(const Json& json) const {
    const auto index = json.get<size_t>();
    // Inputs stand before the nodes that read them, so there are no circles.
    if (index >= nodes_.size()) throw std::out_of_range("a node reads one that is not there");
    return index;
  }

  static std::string Line(std::string_view time, std::string_view share, std::string_view rows, std::string_view bytes,
                          std::string_view memory, std::string_view spilled, std::string_view node) {
    return fmt::format("{:>9} {:>6} {:>15} {:>10} {:>10} {:>10}  {}\n", time, share, rows, bytes, memory, spilled,
                       node);
  }

  static std::string Bytes(const Json& json) {
    const auto bytes = json.get<int64_t>();
    return bytes == 0 ? "" : BytesText(bytes);
  }

  void Draw(size_t at, const std::string& first, const std::string& rest) {
    if (const auto known = numbers_.find(at); known != numbers_.end()) {
      text_ += Line("", "", "", "", "", "", fmt::format("{}(see #{})", first, known->second));
      return;
    }
    const Json& node = nodes_.at(at);
    std::string label;
    if (parents_[at] > 1) {
      const size_t number = numbers_.size() + 1;
      numbers_[at] = number;
      label = fmt::format("#{} ", number);
    }
    const double seconds = node.at("seconds").get<double>();
    text_ +=
        Line(fmt::format("{:.3f} s", seconds), seconds_ > 0 ? fmt::format("{:.0f} %", 100 * seconds / seconds_) : "",
             runner::WithThousands(node.at("rows_out").get<int64_t>()), Bytes(node.at("bytes_out")),
             Bytes(node.at("memory_peak_bytes")), Bytes(node.at("spilled_bytes")),
             first + label + node.at("what").get<std::string>());
    const Json& inputs = node.at("inputs");
    for (size_t i = 0; i < inputs.size(); ++i) {
      const size_t input = Index(inputs[i]);
      if (input >= at) throw std::out_of_range("a node reads one that stands behind it");
      const bool last = i + 1 == inputs.size();
      Draw(input, rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "));
    }
  }

  const Json& nodes_;
  double seconds_ = 0;
  std::map<size_t, int> parents_;
  std::map<size_t, size_t> numbers_;
  std::string text_;
};

Result<Json> ReadProfile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return Status::NotFound(fmt::format("there is no profile {}", path))
        .Help("run the job with --profile first, or name the file with --profile FILE");
  }
  std::stringstream text;
  text << file.rdbuf();
  Json json = Json::parse(text.str(), nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return Status::Invalid(fmt::format("{} is no profile", path)).Help("name the file that ends with .profile.json");
  }
  return json;
}

Status CheckJob(const Json& profile, const std::string& job, const std::string& path) {
  if (!profile.contains("job") || !profile["job"].is_string() || profile["job"] == job) return Status::Ok();
  return Status::Invalid(
      fmt::format("{} is the profile of job {}, not of {}", path, profile["job"].get<std::string>(), job));
}

}  // namespace

Result<std::string> ProfileText(const Json& profile) {
  if (profile.value("format", Json()) != Json(kFormat)) {
    return Status::Invalid("the profile has no format that this version reads")
        .Help("name the file that ends with .profile.json, or run the job with --profile again");
  }
  try {
    std::string text = fmt::format("run {} of {}, {}, {}\n", profile.at("run").get<std::string>(),
                                   profile.at("job").get<std::string>(), profile.at("started").get<std::string>(),
                                   profile.at("state").get<std::string>());
    for (const auto& [name, op] : profile.at("ops").items()) {
      const Json& memory = op.at("memory");
      text += fmt::format("op {}: {}, {} workers, {} of {} memory held\n", name,
                          FormatDuration(std::chrono::duration<double>(op.at("seconds").get<double>())),
                          op.at("workers").get<int>(), BytesText(memory.at("held_peak_bytes").get<int64_t>()),
                          BytesText(memory.at("budget_bytes").get<int64_t>()));
      text += ProfilePainter(op).Paint();
    }
    return text;
  } catch (const std::exception& error) {  // the JSON library throws where a key or a type is wrong
    return Status::Invalid(fmt::format("the profile is damaged: {}", error.what()))
        .Help("run the job with --profile again");
  }
}

int ExplainProfile(const Terminal& terminal, const LaunchFlags& flags, const std::string& file) {
  std::vector<ConfigFault> faults;
  Result<orchestration::LoadedJob> job = LoadJobFor(flags, faults);
  if (!job.ok()) {
    terminal.Fail(job.status(), faults);
    return kExitInput;
  }
  const std::string path =
      file.empty() ? runner::RunProfile::PathsIn(runner::RunProfile::DefaultFolder(*job), job->def.name).profile : file;
  Result<Json> profile = ReadProfile(path);
  Status status = profile.ok() ? CheckJob(*profile, job->def.name, path) : profile.status();
  Result<std::string> text = status.ok() ? ProfileText(*profile) : Result<std::string>(status);
  if (!text.ok()) {
    terminal.Fail(text.status());
    return kExitInput;
  }
  if (terminal.json) {
    terminal.PrintJson(*profile);
  } else {
    terminal.Print(*text);
  }
  return kExitOk;
}

}  // namespace mutirao::cli
