#include "orchestration/output/output_lines.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// The length of the UTF-8 character at the start; 0 when there is none.
size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(length > 1 ? text[1] : 0x80);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool no_character = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || no_character ? 0 : length;
}

// Text that a terminal and JSON take as it is: colours and other escapes are left out.
std::string Cleaned(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = CharacterLength(text.substr(at));
    const auto c = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      clean += "\xEF\xBF\xBD";
      ++at;
    } else if (c == 0x1B && at + 1 < text.size() && text[at + 1] == '[') {
      at += 2;
      while (at < text.size() && !(text[at] >= '@' && text[at] <= '~')) ++at;
      ++at;
    } else if ((c < 0x20 && c != '\t') || c == 0x7F) {
      clean += ' ';
      ++at;
    } else {
      clean += text.substr(at, length);
      at += length;
    }
  }
  return clean;
}

}  // namespace

OutputLines::OutputLines(std::function<void(const std::string&)> take)
    : take_(std::move(take)), masked_([this](std::string_view bytes) { TakeMasked(bytes); }) {}

void OutputLines::TakeMasked(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    Append(bytes.substr(0, end));
    if (end == bytes.size()) return;
    if (bytes[end] == '\n') {
      Emit();
    } else {
      carriage_return_ = true;
    }
    bytes.remove_prefix(end + 1);
  }
}

void OutputLines::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  // What comes behind a carriage return is written over what stands there: progress bars.
  if (carriage_return_) {
    line_.clear();
    length_ = 0;
    carriage_return_ = false;
  }
  line_ += bytes.substr(0, kLongestLine - line_.size());
  length_ += bytes.size();
}

void OutputLines::Emit() {
  std::string line = Cleaned(line_);
  if (length_ > line_.size()) line += fmt::format(" … [{} bytes of this line left out]", length_ - line_.size());
  line_.clear();
  length_ = 0;
  carriage_return_ = false;
  take_(line);
}

void OutputLines::Finish() {
  masked_.Finish();
  if (length_ > 0) Emit();
}

}  // namespace mutirao::orchestration
