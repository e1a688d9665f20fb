#include "orchestration/output/op_output.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr OutputStream kStreams[] = {OutputStream::kOut, OutputStream::kErr, OutputStream::kLog};

size_t IndexOf(OutputStream stream) {
  return static_cast<size_t>(stream);
}

}  // namespace

OpOutput::OpOutput(std::string log_path, Limits limits, std::function<void(const std::string&)> tell)
    : limits_(limits),
      tell_(std::move(tell)),
      log_(std::move(log_path), limits.log_bytes),
      lines_{OutputLines([this](const std::string& line) { TakeLine(OutputStream::kOut, line); }),
             OutputLines([this](const std::string& line) { TakeLine(OutputStream::kErr, line); }),
             OutputLines([this](const std::string& line) { TakeLine(OutputStream::kLog, line); })} {}

void OpOutput::Add(OutputStream stream, std::string_view bytes) {
  if (log_.is_full()) return Keep(ends_[IndexOf(stream)], bytes);
  lines_[IndexOf(stream)].Add(bytes);
}

void OpOutput::TakeLine(OutputStream stream, const std::string& line) {
  if (!log_.is_full()) {
    log_.Write(stream, line);
    return tell_(line);
  }
  if (at_end_) {
    log_.WriteLast(stream, line);
    return tell_(line);
  }
  // The rest of the piece in which the log became full.
  Keep(ends_[IndexOf(stream)], line + '\n');
}

void OpOutput::Keep(End& end, std::string_view bytes) const {
  end.bytes += bytes;
  if (end.bytes.size() <= 2 * limits_.end_bytes) return;
  // Whole lines go; a line that is longer than all that is kept goes as it is.
  size_t cut = end.bytes.find('\n', end.bytes.size() - limits_.end_bytes);
  cut = cut == std::string::npos ? end.bytes.size() - limits_.end_bytes : cut + 1;
  end.dropped_lines += std::count(end.bytes.begin(), end.bytes.begin() + static_cast<std::ptrdiff_t>(cut), '\n');
  end.dropped_bytes += static_cast<int64_t>(cut);
  end.bytes.erase(0, cut);
}

void OpOutput::WriteEnd(OutputStream stream) {
  std::string bytes = std::move(ends_[IndexOf(stream)].bytes);
  ends_[IndexOf(stream)].bytes.clear();
  lines_[IndexOf(stream)].Add(bytes);
  lines_[IndexOf(stream)].Finish();
}

void OpOutput::Finish() {
  if (!log_.is_full()) {
    for (OutputLines& lines : lines_) lines.Finish();
  }
  int64_t dropped_bytes = 0;
  int64_t dropped_lines = 0;
  for (End& end : ends_) {
    dropped_bytes += end.dropped_bytes;
    dropped_lines += end.dropped_lines;
  }
  if (dropped_bytes > 0) {
    log_.LeaveOut(dropped_bytes, dropped_lines);
    tell_(fmt::format("[{} bytes in {} lines left out]", dropped_bytes, dropped_lines));
  }
  at_end_ = true;
  for (OutputStream stream : kStreams) WriteEnd(stream);
}

}  // namespace mutirao::orchestration
