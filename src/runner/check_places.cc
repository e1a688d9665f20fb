#include "runner/check_places.h"

#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "storage/glob.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;

bool IsInside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && (path[folder.size()] == '/' || folder == "/");
}

// What a read names, as it was written: paths, folders and patterns.
std::vector<std::string> PatternsOf(const frame::Source& source) {
  Json spec = source.ToJson();
  std::vector<std::string> patterns;
  if (!spec.is_object() || !spec.contains(source.kind())) return patterns;
  const Json& paths = spec[source.kind()];
  if (paths.is_string()) patterns.push_back(paths.get<std::string>());
  if (!paths.is_array()) return patterns;
  for (const Json& path : paths) {
    if (path.is_string()) patterns.push_back(path.get<std::string>());
  }
  return patterns;
}

// Whether a file that does not exist yet would be among those of a pattern: `**` is taken for any folders.
bool WouldMatch(const std::string& pattern, const std::string& file) {
  fs::path wanted(pattern);
  fs::path given(file);
  auto part = given.begin();
  for (auto at = wanted.begin(); at != wanted.end(); ++at, ++part) {
    if (*at == "**") return storage::MatchSegment((--wanted.end())->string(), given.filename().string());
    if (part == given.end() || !storage::MatchSegment(at->string(), part->string())) return false;
  }
  return part == given.end();
}

class Checker {
 public:
  Checker(const BoundFrames& bound, const std::string& root, Diagnostics& errors)
      : bound_(bound), root_(root), errors_(errors) {}

  void Check() {
    for (const BoundFrames::Write& write : bound_.writes) CollectScans(*write.plan);
    for (size_t i = 0; i < bound_.writes.size(); ++i) {
      std::string place = PlaceOf(root_, bound_.writes[i].sink->target());
      for (size_t k = 0; k < i; ++k) CheckPair(bound_.writes[i], place, bound_.writes[k]);
      if (bound_.writes[i].sink->ToJson().value("mode", "error") == "append") continue;
      for (const frame::Source* source : sources_) {
        if (CheckRead(bound_.writes[i], place, *source)) break;
      }
    }
  }

 private:
  void CollectScans(const frame::PlanNode& node) {
    if (!seen_.insert(&node).second) return;
    if (node.kind() == frame::NodeKind::kScan) {
      sources_.push_back(static_cast<const frame::ScanNode&>(node).source.get());
    }
    for (const frame::PlanPtr& input : node.inputs()) CollectScans(*input);
  }

  void Add(const BoundFrames::Write& write, std::string message, std::string help) {
    errors_.Add(
        {.message = std::move(message), .pointer = write.pointer + "/" + write.sink->kind(), .help = std::move(help)});
  }

  void CheckPair(const BoundFrames::Write& write, const std::string& place, const BoundFrames::Write& other) {
    std::string taken = PlaceOf(root_, other.sink->target());
    if (place == taken) {
      Add(write, fmt::format("two writes of this op go to {}", write.sink->target()), "give each a place of its own");
    } else if (IsInside(place, taken) || IsInside(taken, place)) {
      const bool inner = IsInside(place, taken);
      Add(write,
          fmt::format("the output {} lies inside the output {}", (inner ? write : other).sink->target(),
                      (inner ? other : write).sink->target()),
          "give each a place of its own");
    }
  }

  bool CheckRead(const BoundFrames::Write& write, const std::string& place, const frame::Source& source) {
    for (const std::string& file : source.Files()) {
      std::string read = PlaceOf(root_, file);
      if (read != place && !IsInside(read, place)) continue;
      Add(write, fmt::format("the output {} would replace {}, which this op reads", write.sink->target(), file),
          "write to another place: what is read must stay as it is until the run has succeeded");
      return true;
    }
    std::string sample = fs::path(place).has_extension() ? place : place + "/part." + write.sink->kind();
    for (const std::string& pattern : PatternsOf(source)) {
      std::string from = PlaceOf(root_, pattern);
      std::error_code error;
      bool folder = fs::is_directory(from, error);
      if (folder ? !IsInside(place, from) : !WouldMatch(from, sample)) continue;
      Add(write, fmt::format("the output {} lies in {}, which this op reads", write.sink->target(), pattern),
          "write to another place: the next run would read what this one wrote");
      return true;
    }
    return false;
  }

  const BoundFrames& bound_;
  const std::string& root_;
  Diagnostics& errors_;
  std::set<const frame::PlanNode*> seen_;
  std::vector<const frame::Source*> sources_;
};

}  // namespace

std::string PlaceOf(const std::string& root, const std::string& target) {
  std::string path = storage::ResolvePath(root, target);
  if (path.find("://") != std::string::npos) return path;
  if (path.starts_with("file:")) path.erase(0, 5);
  std::error_code error;
  fs::path place = fs::weakly_canonical(path, error);
  std::string text = (error ? fs::path(path).lexically_normal() : place).string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

void CheckPlaces(const BoundFrames& bound, const std::string& root, Diagnostics& errors) {
  Checker(bound, root, errors).Check();
}

}  // namespace mutirao::runner
