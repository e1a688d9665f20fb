#include "base/document.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include "base/utf8.h"
#include "base/yaml_scalar.h"

namespace mutirao {
namespace {

constexpr size_t kLargestFile = size_t{16} << 20;
constexpr int kMostNodes = 100'000;
constexpr int kDeepest = 200;
constexpr int kWidestShown = 160;

int CountCharacters(std::string_view text) {
  int count = 0;
  for (char c : text) count += !IsContinuationByte(c);
  return count;
}

// The position of the first byte that is not UTF-8 (overlong forms and surrogates are left to the reader), or npos.
size_t FindInvalidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    unsigned char lead = static_cast<unsigned char>(text[i]);
    size_t length = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
    if (length == 0 || lead == 0 || i + length > text.size()) return i;
    for (size_t k = 1; k < length; ++k) {
      if (!IsContinuationByte(text[i + k])) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

// A line as an error shows it: on one line, and no wider than a terminal bears, with "…" for what is left out. `column`
// is moved along; both count characters.
std::string ShownLine(std::string line, int& column) {
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (CountCharacters(line) <= kWidestShown) return line;
  std::vector<size_t> starts;  // of each character
  for (size_t i = 0; i < line.size(); ++i) {
    if (!IsContinuationByte(line[i])) starts.push_back(i);
  }
  const int count = static_cast<int>(starts.size());
  const int first = std::clamp(column - 1 - kWidestShown / 2, 0, std::max(0, count - kWidestShown));
  const int last = std::min(count, first + kWidestShown);
  std::string shown = first > 0 ? "…" : "";
  const size_t end = last < count ? starts[static_cast<size_t>(last)] : line.size();
  shown += line.substr(starts[static_cast<size_t>(first)], end - starts[static_cast<size_t>(first)]);
  if (last < count) shown += "…";
  column -= first - (first > 0 ? 1 : 0);
  return shown;
}

// What to do about a syntax error in a line; empty when nothing is known.
std::string HelpForLine(const std::string& line) {
  const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
  return indent.find('\t') == std::string::npos ? "" : "indent with blanks: YAML does not take tabs";
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

std::string Paint(bool colour, std::string_view code, std::string_view text) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace

// Walks yaml-cpp's tree once: counts nodes, refuses doubled keys and notes where everything stands.
class Document::Reader {
 public:
  Reader(Document& document, Diagnostics& errors) : document_(document), errors_(errors) {}

  Json Read(const YAML::Node& node, const std::string& pointer, int depth) {
    if (++nodes_ > kMostNodes || depth > kDeepest) {
      if (!stopped_) {
        errors_.Add(pointer, depth > kDeepest ? fmt::format("the file is nested deeper than {} levels", kDeepest)
                                              : fmt::format("the file has more than {} nodes", kMostNodes));
      }
      stopped_ = true;
      return nullptr;
    }
    if (node.IsMap()) return ReadMap(node, pointer, depth);
    if (node.IsSequence()) return ReadSequence(node, pointer, depth);
    Mark& mark = Place(node, pointer);
    if (!node.IsScalar()) {
      mark.line = -1;  // yaml-cpp has no place for a null that is not written
      return nullptr;
    }
    return ReadScalar(node, pointer, mark);
  }

 private:
  Mark& Place(const YAML::Node& node, const std::string& pointer) {
    Mark& mark = document_.marks_[pointer];
    mark.line = node.Mark().line;
    mark.column = node.Mark().column;
    return mark;
  }

  char CharacterAt(const Mark& mark) const {
    if (mark.line < 0 || mark.line >= static_cast<int>(document_.lines_.size())) return 0;
    const std::string& line = document_.lines_[mark.line];
    return mark.column < static_cast<int>(line.size()) ? line[mark.column] : '\0';
  }

  Json ReadScalar(const YAML::Node& node, const std::string& pointer, Mark& mark) {
    const std::string& text = node.Scalar();
    bool quoted = node.Tag() == "!";
    char first = CharacterAt(mark);
    if (quoted) {
      mark.style = first == '\'' ? Style::kSingleQuoted : first == '"' ? Style::kDoubleQuoted : Style::kBlock;
      return text;
    }
    mark.length = std::max<int>(1, static_cast<int>(text.size()));
    if (node.Tag() == "?" || node.Tag().empty()) return ResolveYamlScalar(text);
    if (node.Tag() == "tag:yaml.org,2002:str") return text;
    errors_.Add({.message = fmt::format("the tag {} is not known here", node.Tag()),
                 .pointer = pointer,
                 .help = "leave the tag out; put text in quotes to keep it text"});
    return text;
  }

  Json ReadSequence(const YAML::Node& node, const std::string& pointer, int depth) {
    Place(node, pointer).style = Style::kCollection;
    Json list = Json::array();
    size_t index = 0;
    for (const YAML::Node& item : node) {
      list.push_back(Read(item, PointerJoin(pointer, index++), depth + 1));
      if (stopped_) break;
    }
    return list;
  }

  Json ReadMap(const YAML::Node& node, const std::string& pointer, int depth) {
    Place(node, pointer).style = Style::kCollection;
    Json map = Json::object();
    for (const auto& entry : node) {
      if (stopped_) break;
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) {
        errors_.Add(pointer, "a key must be plain text");
        continue;
      }
      const std::string& name = key.Scalar();
      std::string below = PointerJoin(pointer, name);
      if (map.contains(name)) {
        AddDoubled(key, below, name);
        continue;
      }
      Mark& mark = document_.marks_[below];
      mark.key_line = key.Mark().line;
      mark.key_column = key.Mark().column;
      mark.key_length = std::max<int>(1, static_cast<int>(name.size()) + (key.Tag() == "!" ? 2 : 0));
      map[name] = Read(entry.second, below, depth + 1);
    }
    return map;
  }

  void AddDoubled(const YAML::Node& key, const std::string& pointer, const std::string& name) {
    const Mark& first = document_.marks_[pointer];
    std::string note = fmt::format("it is given first in line {}", first.key_line + 1);
    // The second place gets a pointer of its own, which no path of a real document can have.
    std::string place = pointer + "/~doubled";
    Mark& mark = document_.marks_[place];
    mark.key_line = key.Mark().line;
    mark.key_column = key.Mark().column;
    mark.key_length = static_cast<int>(name.size());
    errors_.Add({.message = fmt::format("the key \"{}\" is given twice", name),
                 .pointer = place,
                 .at_key = true,
                 .notes = {std::move(note)}});
  }

  Document& document_;
  Diagnostics& errors_;
  int nodes_ = 0;
  bool stopped_ = false;
};

Result<Document> Document::Parse(std::string file, std::string text, std::vector<std::string>* rendered_errors) {
  Document document(std::move(file));
  Diagnostics errors;
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  size_t invalid = FindInvalidUtf8(text);
  if (text.size() > kLargestFile) {
    errors.Add("", fmt::format("the file is larger than {} MiB", kLargestFile >> 20));
    text.clear();
  } else if (invalid != std::string::npos) {
    int line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<int64_t>(invalid), '\n'));
    Mark& mark = document.marks_["/~syntax"];
    mark.line = line;
    errors.Add({.message = text[invalid] == '\0' ? fmt::format("the file has a NUL byte (byte {})", invalid)
                                                 : fmt::format("the file is not UTF-8 text (byte {})", invalid),
                .pointer = "/~syntax",
                .help = "save it as UTF-8 text"});
    text.clear();
  }
  document.lines_ = SplitLines(text);
  Reader reader(document, errors);
  try {
    std::vector<YAML::Node> parts = YAML::LoadAll(text);
    if (parts.size() > 1) errors.Add("", "the file holds more than one YAML document");
    if (!parts.empty()) document.value_ = reader.Read(parts[0], "", 0);
  } catch (const YAML::DeepRecursion&) {
    errors.Add("", fmt::format("the file is nested deeper than {} levels", kDeepest));
  } catch (const YAML::Exception& error) {
    Mark& mark = document.marks_["/~syntax"];
    mark.line = std::max(0, error.mark.line);
    mark.column = std::max(0, error.mark.column);
    bool known = mark.line < static_cast<int>(document.lines_.size());
    errors.Add({.message = fmt::format("not valid YAML: {}", error.msg),
                .pointer = "/~syntax",
                .help = known ? HelpForLine(document.lines_[static_cast<size_t>(mark.line)]) : ""});
  } catch (const std::exception& error) {
    errors.Add("", fmt::format("not valid YAML: {}", error.what()));
  }
  if (errors.empty()) return document;
  Status status = Status::Invalid(fmt::format("{}: {}", document.file_, errors.list()[0].message));
  for (const Diagnostic& error : errors.list()) {
    if (rendered_errors) rendered_errors->push_back(document.Render(error, false));
  }
  return status;
}

Result<Document> Document::Load(const std::string& path, const std::string& shown_as,
                                std::vector<std::string>* rendered_errors) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return Status::Invalid(fmt::format("{} is a folder", path));
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Status::NotFound(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return Status::Io(fmt::format("cannot read {}", path));
  return Parse(shown_as.empty() ? path : shown_as, std::move(text), rendered_errors);
}

FilePosition Document::At(int line, int column, int width) const {
  FilePosition at{.line = line + 1, .column = 1, .width = std::max(1, width)};
  if (line < 0) at.line = 1;
  if (line < 0 || line >= static_cast<int>(lines_.size())) return at;
  std::string_view text = lines_[line];
  at.column = CountCharacters(text.substr(0, column)) + 1;
  if (static_cast<size_t>(column) < text.size()) {
    at.width = std::max(1, CountCharacters(text.substr(column, std::max(1, width))));
  }
  return at;
}

FilePosition Document::LocateSpan(const Mark& mark, const std::string& text, TextSpan span) const {
  int line = mark.line;
  int column = mark.column;
  if (mark.style == Style::kSingleQuoted || mark.style == Style::kDoubleQuoted) ++column;
  if (mark.style == Style::kBlock) {
    ++line;
    column = 0;
  }
  const int last = static_cast<int>(lines_.size());
  // Follow the value's characters through the file, over what YAML drops: indentation, folded line ends, doubled
  // quotes.
  int begin_line = -1;
  int begin_column = 0;
  int end_column = 0;
  for (int i = 0; i <= static_cast<int>(text.size()) && line < last; ++i) {
    if (begin_line >= 0 && (i >= span.end || line != begin_line)) break;
    char wanted = i < static_cast<int>(text.size()) ? text[i] : '\0';
    while (line < last && wanted != '\0') {
      const std::string& source = lines_[line];
      if (column >= static_cast<int>(source.size())) {
        if (wanted == '\n' || wanted == ' ') break;
        ++line;
        column = 0;
      } else if (source[column] == wanted) {
        break;
      } else if (source[column] == ' ' || source[column] == '\t') {
        ++column;
      } else {
        return At(mark.line, mark.column, mark.length);  // an escape: the whole value is near enough
      }
    }
    if (i == span.begin) {
      begin_line = line;
      begin_column = column;
    }
    if (line >= last) break;
    if (column >= static_cast<int>(lines_[line].size())) {
      ++line;
      column = 0;
    } else {
      bool doubled = mark.style == Style::kSingleQuoted && wanted == '\'';
      column += doubled ? 2 : 1;
    }
    if (line == begin_line) end_column = column;
  }
  if (begin_line < 0) return At(mark.line, mark.column, mark.length);
  return At(begin_line, begin_column, end_column - begin_column);
}

FilePosition Document::Locate(const Diagnostic& diagnostic) const {
  std::string pointer = diagnostic.pointer;
  bool exact = true;
  auto found = marks_.find(pointer);
  while (found == marks_.end() && !pointer.empty()) {
    pointer.resize(pointer.rfind('/'));
    exact = false;
    found = marks_.find(pointer);
  }
  if (found == marks_.end()) return At(0, 0, 1);
  const Mark& mark = found->second;
  bool collection = mark.style == Style::kCollection;
  if (mark.key_line >= 0 && (diagnostic.at_key || mark.line < 0 || collection || !exact)) {
    return At(mark.key_line, mark.key_column, mark.key_length);
  }
  if (collection || !exact) return At(mark.line, mark.column, 1);
  Json::json_pointer path(pointer == "/~syntax" ? "" : pointer);
  if (!value_.contains(path)) return At(mark.line, mark.column, mark.length);
  const Json& value = value_.at(path);
  if (!value.is_string()) return At(mark.line, mark.column, mark.length);
  const std::string& text = value.get_ref<const std::string&>();
  TextSpan span = diagnostic.span;
  span.end = std::min(span.end, static_cast<int>(text.size()));
  if (span.begin >= span.end) {
    // A span behind the last character ("something is missing here") points at the end, an empty one at everything.
    bool at_end = diagnostic.span.end > 0 && span.begin >= static_cast<int>(text.size());
    span = at_end ? TextSpan{static_cast<int>(text.size()), static_cast<int>(text.size())}
                  : TextSpan{0, static_cast<int>(text.size())};
  }
  return LocateSpan(mark, text, span);
}

std::string Document::Render(const Diagnostic& diagnostic, bool colour) const {
  FilePosition at = Locate(diagnostic);
  std::string number = std::to_string(at.line);
  std::string margin(number.size(), ' ');
  std::string text = fmt::format("{}: {}\n", Paint(colour, "1;31", "error"), Paint(colour, "1", diagnostic.message));
  text += fmt::format("{}{} {}:{}:{}\n", margin, Paint(colour, "34", "-->"), file_, at.line, at.column);
  bool has_line = at.line >= 1 && at.line <= static_cast<int>(lines_.size());
  if (has_line && !lines_[at.line - 1].empty()) {
    std::string line = ShownLine(lines_[at.line - 1], at.column);
    std::string bar = Paint(colour, "34", "|");
    int room = std::max(1, CountCharacters(line) - at.column + 1);
    std::string caret(std::min(at.width, room), '^');
    text += fmt::format("{} {}\n{} {} {}\n{} {} {}{}\n", margin, bar, Paint(colour, "34", number), bar, line, margin,
                        bar, std::string(at.column - 1, ' '), Paint(colour, "1;31", caret));
  }
  for (const std::string& note : diagnostic.notes) text += fmt::format("{}: {}\n", Paint(colour, "36", "note"), note);
  if (!diagnostic.help.empty()) text += fmt::format("{}: {}\n", Paint(colour, "32", "help"), diagnostic.help);
  return text;
}

Json Document::ToJson(const Diagnostic& diagnostic) const {
  FilePosition at = Locate(diagnostic);
  Json json;
  json["message"] = diagnostic.message;
  json["file"] = file_;
  json["line"] = at.line;
  json["column"] = at.column;
  json["pointer"] = diagnostic.pointer;
  json["notes"] = diagnostic.notes;
  json["help"] = diagnostic.help;
  return json;
}

}  // namespace mutirao
