#include "storage/local_listing.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "storage/glob.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

using FileId = std::pair<dev_t, ino_t>;

bool IsHidden(const std::string& name) {
  return name[0] == '.' || name[0] == '_';
}

std::string Join(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

// The names in a folder, sorted; a folder that cannot be read is an error, since files would be missed in silence.
Result<std::vector<std::string>> NamesIn(const std::string& folder) {
  DIR* dir = opendir(folder.empty() ? "." : folder.c_str());
  if (dir == nullptr) return SystemError("listing", folder.empty() ? "." : folder, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(dir)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  int error = errno;
  closedir(dir);
  if (error != 0) return SystemError("listing", folder, error);
  std::sort(names.begin(), names.end());
  return names;
}

// Walks one pattern without braces, segment by segment.
class Walk {
 public:
  explicit Walk(std::vector<ObjectInfo>& out) : out_(out) {}

  /// Whether the pattern met folders where it wanted files.
  bool met_folder() const { return met_folder_; }

  Status Match(const std::string& folder, const std::vector<std::string>& segments, size_t at) {
    const std::string& segment = segments[at];
    bool last = at + 1 == segments.size();
    if (segment == "**") return MatchAnyDepth(folder, segments, at);
    if (!HasWildcards(segment)) return Take(Join(folder, segment), segments, at, last);
    auto names = NamesIn(folder);
    if (!names.ok()) {
      return names.status().code() == StatusCode::kNotFound ? Status::Ok() : std::move(names).status();
    }
    for (const std::string& name : *names) {
      if (MatchSegment(segment, name)) MUTIRAO_TRY(Take(Join(folder, name), segments, at, last));
    }
    return Status::Ok();
  }

  /// All files below a folder, hidden ones left out.
  Status TakeTree(const std::string& folder) {
    struct stat info {};
    if (stat(folder.c_str(), &info) != 0) return SystemError("listing", folder, errno);
    FileId id{info.st_dev, info.st_ino};
    if (!above_.insert(id).second) return Status::Ok();
    auto names = MUTIRAO_TRY(NamesIn(folder));
    for (const std::string& name : names) {
      if (IsHidden(name)) continue;
      std::string path = Join(folder, name);
      if (stat(path.c_str(), &info) != 0) continue;  // a dangling link, or removed meanwhile
      if (S_ISDIR(info.st_mode)) MUTIRAO_TRY(TakeTree(path));
      if (S_ISREG(info.st_mode)) Add(path, info);
    }
    above_.erase(id);
    return Status::Ok();
  }

  void Add(const std::string& path, const struct stat& info) {
    out_.push_back({.uri = path, .size = info.st_size, .version = VersionOf(info)});
  }

 private:
  Status Take(const std::string& path, const std::vector<std::string>& segments, size_t at, bool last) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return Status::Ok();
    if (last && S_ISREG(info.st_mode)) Add(path, info);
    if (last && S_ISDIR(info.st_mode)) met_folder_ = true;
    if (!last && S_ISDIR(info.st_mode)) return Match(path, segments, at + 1);
    return Status::Ok();
  }

  // `**` stands for no folder, and for each folder below followed by itself.
  Status MatchAnyDepth(const std::string& folder, const std::vector<std::string>& segments, size_t at) {
    if (at + 1 == segments.size()) return TakeTree(folder.empty() ? "." : folder);
    MUTIRAO_TRY(Match(folder, segments, at + 1));
    struct stat info {};
    if (stat(folder.empty() ? "." : folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return Status::Ok();
    FileId id{info.st_dev, info.st_ino};
    if (!above_.insert(id).second) return Status::Ok();
    auto names = MUTIRAO_TRY(NamesIn(folder));
    for (const std::string& name : names) {
      std::string path = Join(folder, name);
      if (IsHidden(name) || stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
      MUTIRAO_TRY(MatchAnyDepth(path, segments, at));
    }
    above_.erase(id);
    return Status::Ok();
  }

  std::vector<ObjectInfo>& out_;
  std::set<FileId> above_;
  bool met_folder_ = false;
};

// "/a//b/*.csv" → root "/", segments "a", "b", "*.csv".
std::pair<std::string, std::vector<std::string>> SplitPath(const std::string& path) {
  std::vector<std::string> segments;
  size_t begin = 0;
  while (begin < path.size()) {
    size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return {path.starts_with('/') ? "/" : "", std::move(segments)};
}

Status NothingMatches(const std::string& pattern, bool met_folder) {
  Status status = Status::NotFound("no file matches " + pattern);
  if (met_folder) {
    return std::move(status).Help("only folders do; end the pattern with /** for the files in them");
  }
  auto [folder, segments] = SplitPath(pattern);
  for (const std::string& segment : segments) {
    if (HasWildcards(segment)) break;
    folder = Join(folder, segment);
    if (!std::filesystem::exists(folder)) {
      return std::move(status).Help(NoSuchPath(folder).message() + "; " + NoSuchPath(folder).help());
    }
  }
  auto names = NamesIn(folder);
  if (!names.ok() || names->empty()) return status;
  std::string sample;
  for (size_t i = 0; i < names->size() && i < 5; ++i) sample += (i ? ", " : "") + (*names)[i];
  if (names->size() > 5) sample += ", …";
  return std::move(status).Help(fmt::format("{} has {}", folder.empty() ? "this folder" : folder, sample));
}

Result<std::vector<ObjectInfo>> ListLiteral(const std::string& path, const struct stat& info) {
  std::vector<ObjectInfo> out;
  Walk walk(out);
  if (S_ISREG(info.st_mode)) {
    walk.Add(path, info);
  } else if (S_ISDIR(info.st_mode)) {
    MUTIRAO_TRY(walk.TakeTree(path));
    if (out.empty()) return Status::NotFound("the folder " + path + " has no files");
  } else {
    return NotAFile(path, info.st_mode);
  }
  return out;
}

}  // namespace

std::string VersionOf(const struct stat& info) {
  return fmt::format("{}-{}-{}.{:09}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

Status NotAFile(const std::string& path, mode_t mode) {
  if (S_ISDIR(mode)) return Status::Invalid(path + " is a folder, not a file");
  const char* what = S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
  return Status::Invalid(fmt::format("{} is {}, not a file", path, what))
      .Help("only files can be read: they are split and read at several places at once");
}

Status NoSuchPath(const std::string& path) {
  auto [folder, segments] = SplitPath(path);
  for (const std::string& segment : segments) {
    std::string next = Join(folder, segment);
    std::error_code ignored;
    if (std::filesystem::exists(next, ignored)) {
      folder = next;
      continue;
    }
    Status status = Status::NotFound(path + " does not exist");
    auto names = NamesIn(folder);
    std::string near = names.ok() ? NearestName(segment, *names) : "";
    if (!near.empty()) return std::move(status).Help("did you mean \"" + Join(folder, near) + "\"?");
    if (next == path) return status;
    return std::move(status).Help(
        fmt::format("there is no {} in {}", segment, folder.empty() ? "this folder" : folder));
  }
  return Status::NotFound(path + " does not exist");
}

Result<std::vector<ObjectInfo>> ListLocal(const std::string& pattern) {
  if (pattern.empty()) return Status::Invalid("the path is empty");
  if (pattern.find('\0') != std::string::npos) return Status::Invalid("the path has a NUL character");
  struct stat info {};
  if (stat(pattern.c_str(), &info) == 0) return ListLiteral(pattern, info);
  if (errno != ENOENT && errno != ENOTDIR) return SystemError("reading", pattern, errno);
  if (!HasWildcards(pattern)) return NoSuchPath(pattern);
  std::vector<ObjectInfo> out;
  bool met_folder = false;
  auto patterns = MUTIRAO_TRY(ExpandBraces(pattern));
  for (const std::string& one : patterns) {
    Walk walk(out);
    auto [root, segments] = SplitPath(one);
    if (!segments.empty()) MUTIRAO_TRY(walk.Match(root, segments, 0));
    met_folder = met_folder || walk.met_folder();
  }
  if (out.empty()) return NothingMatches(pattern, met_folder);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.uri < b.uri; });
  out.erase(std::unique(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.uri == b.uri; }),
            out.end());
  return out;
}

}  // namespace mutirao::storage
