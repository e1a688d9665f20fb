#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "random.h"

namespace mutirao::datagen {

/// Append one record of the register's CSV to a buffer: every field quoted, quotes doubled, `;` between, LF at the end.
///
/// Texts are given in ISO-8859-1; with `utf8` they are converted while they are written.
class Record {
 public:
  Record(std::string& out, bool utf8) : out_(out), utf8_(utf8) {}

  /// Open a field; Add, Number and Digits fill it.
  void Field() {
    out_ += first_ ? "\"" : "\";\"";
    first_ = false;
  }
  void Field(std::string_view text) {
    Field();
    Add(text);
  }
  /// A field of zero-padded digits.
  void Field(uint64_t value, int width) {
    Field();
    Digits(value, width);
  }
  /// Append plain ASCII or Latin-1 text without quotes in it.
  void Add(std::string_view text);
  /// Append zero-padded digits.
  void Digits(uint64_t value, int width);
  void DoubledQuote() { out_ += "\"\""; }
  void End() { out_ += "\"\n"; }

  /// Append `words` words, with an accented one among them in five of a hundred calls.
  void Words(Random& random, int words);

 private:
  std::string& out_;
  bool utf8_;
  bool first_ = true;
};

}  // namespace mutirao::datagen
