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
/// Scalars become JSON by the YAML 1.2 core schema; quoted ones stay text. Doubled keys, more than 100,000 nodes
/// (aliases counted as often as they are used) and a file over 16 MiB are errors.
class Document {
 public:
  /// Errors: kInvalid; the fault with its place is also in `errors` (rendered by Render).
  static Result<Document> Parse(std::string file, std::string text,
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
  struct Mark {
    int line = 0;         // from 0
    int column = 0;       // from 0, in bytes of the line
    int value_begin = 0;  // byte column where the text of a one-line scalar begins, behind its quote
    bool exact = false;   // spans inside the scalar map to columns one to one
    int key_line = -1;
    int key_column = -1;
    int key_length = 0;
    int length = 1;
  };
  std::string file_;
  std::vector<std::string> lines_;
  Json value_;
  std::map<std::string, Mark> marks_;
};

}  // namespace mutirao
