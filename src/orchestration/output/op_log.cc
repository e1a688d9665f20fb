#include "orchestration/output/op_log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr size_t kTailBytes = 16 << 10;

const char* StreamName(OutputStream stream) {
  return stream == OutputStream::kOut ? "out" : stream == OutputStream::kErr ? "err" : "log";
}

size_t TailOf(OutputStream stream) {
  return stream == OutputStream::kOut ? 0 : 1;
}

}  // namespace

std::string OpLogPath(const std::string& folder, const std::string& op, int attempt) {
  return fmt::format("{}/{}.{}.log", folder, op, attempt);
}

std::optional<OpLogLine> ReadOpLogLine(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || space < 20 || line[space - 1] != 'Z') return std::nullopt;
  OpLogLine read{.time = line.substr(0, space)};
  line.remove_prefix(space + 1);
  for (OutputStream stream : {OutputStream::kOut, OutputStream::kErr, OutputStream::kLog}) {
    const std::string_view name = StreamName(stream);
    if (!line.starts_with(name) || line.size() < 4 || line[3] != ' ') continue;
    read.stream = stream;
    read.text = line.substr(4);
    return read;
  }
  return std::nullopt;
}

OpLog::OpLog(std::string path, int64_t max_bytes, const Clock& clock)
    : path_(std::move(path)), max_bytes_(max_bytes), clock_(clock) {
  if (path_.empty()) return;
  std::error_code ignored;  // the file tells
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd_ < 0) error_ = fmt::format("cannot make {}: {}", path_, strerror(errno));
}

OpLog::~OpLog() {
  if (fd_ >= 0) close(fd_);
}

void OpLog::Append(OutputStream stream, const std::string& line) {
  const std::string text = fmt::format("{} {} {}\n", FormatUtc(clock_.Now()), StreamName(stream), line);
  for (size_t done = 0; fd_ >= 0 && done < text.size();) {
    const ssize_t sent = write(fd_, text.data() + done, text.size() - done);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      error_ = fmt::format("writing {}: {}", path_, strerror(errno));
      close(fd_);
      fd_ = -1;
      break;
    }
    done += static_cast<size_t>(sent);
  }
  written_ += static_cast<int64_t>(text.size());
  if (written_ >= max_bytes_) full_ = true;

  Tail16& tail = tails_[TailOf(stream)];
  tail.bytes += line.size() + 1;
  tail.lines.push_back(line);
  while (tail.bytes > kTailBytes && tail.lines.size() > 1) {
    tail.bytes -= tail.lines.front().size() + 1;
    tail.lines.pop_front();
  }
}

void OpLog::Write(OutputStream stream, const std::string& line) {
  MUTIRAO_CHECK(!full_);
  WriteLast(stream, line);
}

void OpLog::WriteLast(OutputStream stream, const std::string& line) {
  ++lines_;
  bytes_ += static_cast<int64_t>(line.size()) + 1;
  Append(stream, line);
}

void OpLog::LeaveOut(int64_t bytes, int64_t lines) {
  lines_ += lines;
  bytes_ += bytes;
  lines_left_out_ += lines;
  bytes_left_out_ += bytes;
  Append(OutputStream::kLog, fmt::format("[{} bytes in {} lines left out here: the output is too long]", bytes, lines));
}

std::string OpLog::Tail(OutputStream stream) const {
  std::string text;
  for (const std::string& line : tails_[TailOf(stream)].lines) text += line + '\n';
  return text;
}

std::string OpLog::LastLine(OutputStream stream) const {
  const std::deque<std::string>& lines = tails_[TailOf(stream)].lines;
  auto last = std::find_if(lines.rbegin(), lines.rend(),
                           [](const std::string& line) { return line.find_first_not_of(" \t") != std::string::npos; });
  return last == lines.rend() ? std::string() : *last;
}

Json OpLog::Summary() const {
  Json json;
  json["file"] = path_.empty() ? Json() : Json(path_);
  json["lines"] = lines_;
  json["bytes"] = bytes_;
  json["lines_left_out"] = lines_left_out_;
  json["bytes_left_out"] = bytes_left_out_;
  if (!error_.empty()) json["error"] = error_;
  return json;
}

}  // namespace mutirao::orchestration
