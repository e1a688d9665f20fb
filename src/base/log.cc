#include "base/log.h"

#include <algorithm>
#include <cctype>
#include <mutex>
#include <set>
#include <shared_mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/base64.h"

namespace mutirao {
namespace {

std::shared_mutex secrets_mutex;

std::string PercentEncode(std::string_view text, bool upper, bool plus_for_space) {
  std::string encoded;
  for (unsigned char c : text) {
    const bool plain = std::isalnum(c) != 0 || std::string_view("-._~").find(static_cast<char>(c)) != std::string::npos;
    if (plain) {
      encoded += static_cast<char>(c);
    } else if (c == ' ' && plus_for_space) {
      encoded += '+';
    } else {
      encoded += upper ? fmt::format("%{:02X}", c) : fmt::format("%{:02x}", c);
    }
  }
  return encoded;
}

// A secret inside a longer value in base64 stands there in one of three ways, by the bytes before it; its first and
// last characters depend on its neighbours and are left out.
void AddBase64Forms(std::string_view secret, std::set<std::string>& forms) {
  constexpr size_t kShortest = 6;
  for (size_t before = 0; before < 3; ++before) {
    const size_t bits_before = before * 8;
    const size_t bits = bits_before + secret.size() * 8;
    const size_t first = (bits_before + 5) / 6;
    const size_t last = bits / 6;
    if (last < first + kShortest) continue;
    std::string form = Base64Encode(std::string(before, '\0') + std::string(secret)).substr(first, last - first);
    forms.insert(form);
    std::replace(form.begin(), form.end(), '+', '-');
    std::replace(form.begin(), form.end(), '/', '_');
    forms.insert(form);
  }
  const std::string whole = Base64Encode(secret);
  forms.insert(whole);
}

std::set<std::string> FormsOf(std::string_view secret) {
  std::set<std::string> forms = {std::string(secret)};
  for (bool upper : {false, true}) {
    for (bool plus : {false, true}) forms.insert(PercentEncode(secret, upper, plus));
  }
  std::string json = Json(std::string(secret)).dump(-1, ' ', false, Json::error_handler_t::replace);
  forms.insert(json.substr(1, json.size() - 2));
  AddBase64Forms(secret, forms);
  // A key of several lines may be printed, or cut, line by line.
  for (size_t begin = 0; secret.find('\n') != std::string_view::npos && begin < secret.size();) {
    const size_t end = std::min(secret.find('\n', begin), secret.size());
    if (end - begin >= 8) forms.insert(std::string(secret.substr(begin, end - begin)));
    begin = end + 1;
  }
  return forms;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("mutirao", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%l: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *logger;
}

}  // namespace

void Redactor::Add(std::string_view secret) {
  if (secret.size() < 4) return;
  std::set<std::string> forms = FormsOf(secret);
  std::unique_lock lock(secrets_mutex);
  forms.insert(secrets_.begin(), secrets_.end());
  secrets_.assign(forms.begin(), forms.end());
  // Longest first, so that a secret that contains another is masked as a whole.
  std::stable_sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::Mask(std::string_view text) const {
  std::shared_lock lock(secrets_mutex);
  std::string masked(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = masked.find(secret); at != std::string::npos; at = masked.find(secret, at + 3)) {
      masked.replace(at, secret.size(), "***");
    }
  }
  return masked;
}

size_t Redactor::CompletePart(std::string_view text) const {
  std::shared_lock lock(secrets_mutex);
  size_t cut = text.size();
  for (const std::string& secret : secrets_) {
    for (size_t length = std::min(secret.size() - 1, text.size()); length > text.size() - cut; --length) {
      if (text.ends_with(std::string_view(secret).substr(0, length))) cut = text.size() - length;
    }
  }
  // A whole secret must not be cut either; moving the cut may bring it into another one.
  for (bool moved = true; moved;) {
    moved = false;
    for (const std::string& secret : secrets_) {
      const size_t from = cut < secret.size() ? 0 : cut - secret.size() + 1;
      const size_t at = text.substr(0, std::min(text.size(), cut + secret.size() - 1)).find(secret, from);
      if (at >= cut) continue;  // also when there is none
      cut = at;
      moved = true;
    }
  }
  return cut;
}

void MaskedStream::Add(std::string_view bytes) {
  held_ += bytes;
  const size_t cut = redactor_.CompletePart(held_);
  if (cut == 0) return;
  take_(redactor_.Mask(std::string_view(held_).substr(0, cut)));
  held_.erase(0, cut);
}

void MaskedStream::Finish() {
  if (!held_.empty()) take_(redactor_.Mask(held_));
  held_.clear();
}

Json Redactor::MaskTexts(Json value) const {
  if (value.is_string()) return Mask(value.get_ref<const std::string&>());
  if (value.is_structured()) {
    for (Json& item : value) item = MaskTexts(std::move(item));
  }
  return value;
}

Redactor& Redactor::Global() {
  static Redactor redactor;
  return redactor;
}

void SetLogLevel(LogLevel level) {
  Logger().set_level(ToSpdlog(level));
}

void Log(LogLevel level, std::string_view message) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  Logger().log(ToSpdlog(level), Redactor::Global().Mask(message));
}

}  // namespace mutirao
