#include "orchestration/logs/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr size_t kPiece = 64 * 1024;

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

// "load.2.log" taken apart; false for other files.
bool Parse(const std::string& name, std::string& op, int& attempt) {
  const size_t last = name.rfind('.');
  if (last == std::string::npos || last == 0 || name.substr(last) != ".log") return false;
  const size_t before = name.rfind('.', last - 1);
  if (before == std::string::npos || before == 0) return false;
  op = name.substr(0, before);
  const char* end = name.data() + last;
  const auto [stop, error] = std::from_chars(name.data() + before + 1, end, attempt);
  return error == std::errc() && stop == end && attempt > 0;
}

}  // namespace

void LogReader::SkipToTail(int64_t bytes) {
  tail_ = bytes;
}

std::vector<LogReader::File> LogReader::Files(const std::vector<OpRow>& ops) const {
  std::map<std::string, WallTime> started;
  for (const OpRow& op : ops) {
    if (op.started) started[op.op] = *op.started;
  }
  std::vector<File> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    File file{.path = entry.path().string()};
    if (!Parse(entry.path().filename().string(), file.op, file.attempt)) continue;
    if (op_.empty() || file.op == op_) files.push_back(std::move(file));
  }
  const auto place = [&](const File& file) {
    const auto at = started.find(file.op);
    const WallTime time = at == started.end() ? WallTime::max() : at->second;
    return std::make_tuple(time, file.op, file.attempt);
  };
  std::ranges::sort(files, {}, place);
  return files;
}

Result<LogPiece> LogReader::Next(const std::vector<OpRow>& ops, bool all) {
  std::string buffer(kPiece, '\0');
  for (const File& file : Files(ops)) {
    // Never through a link: the folder is ours, but ops of the run can write to it.
    const Descriptor descriptor{open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (descriptor.fd < 0) continue;
    struct stat found {};
    if (fstat(descriptor.fd, &found) != 0 || !S_ISREG(found.st_mode)) continue;
    auto at = offsets_.find(file.path);
    if (at == offsets_.end()) {
      at = offsets_.emplace(file.path, tail_ < 0 ? 0 : std::max<int64_t>(0, found.st_size - tail_)).first;
      if (at->second > 0) {
        // To the begin of the next line.
        const ssize_t got = pread(descriptor.fd, buffer.data(), buffer.size(), at->second - 1);
        const void* end = got > 0 ? std::memchr(buffer.data(), '\n', static_cast<size_t>(got)) : nullptr;
        if (end != nullptr) at->second += static_cast<const char*>(end) - buffer.data();
      }
    }
    const ssize_t got = pread(descriptor.fd, buffer.data(), buffer.size(), at->second);
    if (got < 0) return Status::Io(fmt::format("reading {}: {}", file.path, std::strerror(errno)));
    size_t size = static_cast<size_t>(got);
    if (size < kPiece && !all) {
      // The rest of the last line is still to come.
      const size_t end = std::string_view(buffer.data(), size).rfind('\n');
      size = end == std::string_view::npos ? 0 : end + 1;
    } else if (size == kPiece) {
      const size_t end = std::string_view(buffer.data(), size).rfind('\n');
      if (end != std::string_view::npos) size = end + 1;
    }
    if (size == 0) continue;
    at->second += static_cast<int64_t>(size);
    buffer.resize(size);
    return LogPiece{.op = file.op, .attempt = file.attempt, .text = std::move(buffer)};
  }
  return LogPiece();
}

}  // namespace mutirao::orchestration
