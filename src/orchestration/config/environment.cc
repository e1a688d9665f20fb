#include "orchestration/config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

std::string_view Trim(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool IsVariableName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// The text between double quotes with its escapes read; `rest` is what stands behind the closing quote.
Result<std::string> ReadQuoted(std::string_view text, std::string_view& rest) {
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      rest = text.substr(i + 1);
      return value;
    }
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    char escaped = text[++i];
    if (escaped != 'n' && escaped != 't' && escaped != '"' && escaped != '\\') value += '\\';
    value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return Status::Invalid("a double quote is not closed");
}

Result<std::string> ReadValue(std::string_view text) {
  std::string value;
  std::string_view rest;
  if (text.starts_with('"')) {
    value = MUTIRAO_TRY(ReadQuoted(text, rest));
  } else if (text.starts_with('\'')) {
    size_t end = text.find('\'', 1);
    if (end == std::string_view::npos) return Status::Invalid("a single quote is not closed");
    value = std::string(text.substr(1, end - 1));
    rest = text.substr(end + 1);
  } else {
    return std::string(Trim(text.substr(0, std::min(text.find(" #"), text.size()))));
  }
  rest = Trim(rest);
  if (!rest.empty() && rest[0] != '#') return Status::Invalid("text stands behind the closing quote");
  return value;
}

}  // namespace

Environment Environment::OfProcess() {
  Environment result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    size_t equals = text.find('=');
    if (equals != std::string_view::npos) result.variables_.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

Status Environment::AddDotEnv(std::string_view text) {
  std::map<std::string, std::string> read;
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = Trim(text.substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("export ")) line = Trim(line.substr(7));
    size_t equals = line.find('=');
    std::string_view name = Trim(line.substr(0, std::min(equals, line.size())));
    if (equals == std::string_view::npos || !IsVariableName(name)) {
      return Status::Invalid(fmt::format("line {} is not NAME=value", number));
    }
    std::string value = MUTIRAO_TRY(ReadValue(Trim(line.substr(equals + 1))).Context(fmt::format("line {}", number)));
    read[std::string(name)] = std::move(value);
  }
  variables_.merge(read);
  return Status::Ok();
}

const std::string* Environment::Find(const std::string& name) const {
  auto found = variables_.find(name);
  return found == variables_.end() ? nullptr : &found->second;
}

std::vector<std::string> Environment::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables_) names.push_back(name);
  return names;
}

std::vector<std::string> Environment::ToBlock(const std::map<std::string, std::string>& more) const {
  std::vector<std::string> block;
  for (const auto& [name, value] : variables_) {
    if (!more.contains(name)) block.push_back(fmt::format("{}={}", name, value));
  }
  for (const auto& [name, value] : more) block.push_back(fmt::format("{}={}", name, value));
  return block;
}

bool LooksSecret(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const char* word : {"PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "APIKEY", "DSN"}) {
    if (upper.find(word) != std::string::npos) return true;
  }
  // KEY and PASS only as a word of their own: AWS_ACCESS_KEY_ID, but not MONKEY or COMPASS.
  std::string padded = "_" + upper + "_";
  return padded.find("_KEY_") != std::string::npos || padded.find("_PASS_") != std::string::npos;
}

}  // namespace mutirao::orchestration
