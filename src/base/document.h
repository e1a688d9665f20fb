#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao {

/// A place in a text file, from 1; columns count characters, not bytes.
struct FilePosition {
  int line = 0;
  int column = 0;
  int width = 1;  ///< characters to underline
};

/// A YAML (or JSON) file as plain data that remembers where each value and key stands.
///
/// Scalars become JSON by the YAML 1.2 core schema; quoted ones stay text, and so do numbers that JSON cannot hold
/// exactly (over 64 bits, not finite). Doubled keys, more than 100,000 nodes (aliases counted as often as they are
/// used), 200 levels and a file over 16 MiB are errors.
class Document {
 public:
  /// Errors: kInvalid; the faults with their places are also in `errors` (rendered by Render).
  static Result<Document> Parse(std::string file, std::string text,
                                std::vector<std::string>* rendered_errors = nullptr);

  /// Read a file and parse it; `shown_as` is the name in messages (the path when empty).
  /// Errors: kNotFound, kIo, and those of Parse.
  static Result<Document> Load(const std::string& path, const std::string& shown_as = {},
                               std::vector<std::string>* rendered_errors = nullptr);

  const Json& value() const { return value_; }
  const std::string& file() const { return file_; }

  /// Find where a diagnostic points. A pointer to something that is not there gives its nearest existing parent.
  FilePosition Locate(const Diagnostic& diagnostic) const;

  /// The error as people read it: message, `--> file:line:column`, the line with a caret, notes and help.
  std::string Render(const Diagnostic& diagnostic, bool colour) const;

  /// The same as data: {"message", "file", "line", "column", "pointer", "notes", "help"}.
  Json ToJson(const Diagnostic& diagnostic) const;

 private:
  enum class Style : char { kPlain, kSingleQuoted, kDoubleQuoted, kBlock, kCollection };
  // Lines and columns from 0, columns in bytes of the line; a line of -1 means that there is no such place.
  struct Mark {
    int line = -1;
    int column = 0;
    Style style = Style::kPlain;
    int length = 1;  // in the file, of a plain scalar on one line
    int key_line = -1;
    int key_column = 0;
    int key_length = 1;
  };
  class Reader;

  explicit Document(std::string file) : file_(std::move(file)) {}
  FilePosition At(int line, int column, int width) const;
  FilePosition LocateSpan(const Mark& mark, const std::string& text, TextSpan span) const;

  std::string file_;
  std::vector<std::string> lines_;
  Json value_;
  std::map<std::string, Mark> marks_;
};

}  // namespace mutirao
