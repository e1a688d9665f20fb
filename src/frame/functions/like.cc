#include <cstring>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/operators.h"
#include "frame/functions/text_scan.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// A pattern of like, taken apart at its % signs. In a piece, `_` stands for one character; there is no escape.
class LikePattern {
 public:
  explicit LikePattern(std::string_view pattern) {
    std::string piece;
    any_first_ = !pattern.empty() && pattern.front() == '%';
    any_last_ = !pattern.empty() && pattern.back() == '%';
    for (char c : pattern) {
      wildcards_ |= c == '_';
      if (c == '%') {
        has_any_ = true;
        if (!piece.empty()) pieces_.push_back(std::move(piece));
        piece.clear();
      } else {
        piece += c;
      }
    }
    if (!piece.empty()) pieces_.push_back(std::move(piece));
  }

  bool Matches(std::string_view text) const {
    if (!wildcards_) return MatchesPlain(text);
    return MatchesFrom(text);
  }

 private:
  bool MatchesPlain(std::string_view text) const {
    if (!has_any_) return pieces_.empty() ? text.empty() : text == pieces_[0];
    size_t first = 0, last = pieces_.size();
    if (!any_first_) {
      if (!text.starts_with(pieces_[0])) return false;
      text.remove_prefix(pieces_[0].size());
      first = 1;
    }
    if (!any_last_) {
      const std::string& tail = pieces_[last - 1];
      if (last == first || !text.ends_with(tail)) return false;
      text.remove_suffix(tail.size());
      --last;
    }
    for (size_t i = first; i < last; ++i) {
      size_t at = FindText(text, pieces_[i]);
      if (at == std::string_view::npos) return false;
      text.remove_prefix(at + pieces_[i].size());
    }
    return true;
  }

  // Gives the bytes of `text` that a piece matches at its begin, or npos.
  static size_t MatchPiece(std::string_view piece, std::string_view text) {
    size_t at = 0;
    for (char c : piece) {
      if (at >= text.size()) return std::string_view::npos;
      if (c == '_') {
        at += CharacterBytes(text, at);
      } else if (text[at++] != c) {
        return std::string_view::npos;
      }
    }
    return at;
  }

  // Pieces are found from the left, each at its first place; the last one must end where the text ends.
  bool MatchesFrom(std::string_view text) const {
    size_t first = 0;
    if (!any_first_) {
      size_t taken = MatchPiece(pieces_[0], text);
      if (taken == std::string_view::npos) return false;
      text.remove_prefix(taken);
      if (!has_any_) return text.empty();
      first = 1;
    }
    for (size_t i = first; i < pieces_.size(); ++i) {
      bool anchored = i + 1 == pieces_.size() && !any_last_;
      while (true) {
        size_t taken = MatchPiece(pieces_[i], text);
        bool found = taken != std::string_view::npos && (!anchored || taken == text.size());
        if (found) {
          text.remove_prefix(taken);
          break;
        }
        if (text.empty()) return false;
        text.remove_prefix(CharacterBytes(text, 0));
      }
    }
    return any_last_ || text.empty();
  }

  std::vector<std::string> pieces_;
  bool any_first_ = false;
  bool any_last_ = false;
  bool has_any_ = false;
  bool wildcards_ = false;
};

}  // namespace

Result<Kernel> MakeLike(const CallSite& site) {
  if (const ScalarPtr& pattern = site.constants[1]; pattern && pattern->is_valid) {
    LikePattern like(static_cast<const arrow::StringScalar&>(*pattern).view());
    return Kernel([like = std::move(like)](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls({args[0]}, rows));
      Texts texts(*args[0]);
      return MapBits(rows, std::move(nulls), [&](int64_t row) { return like.Matches(texts[row]); });
    });
  }
  return Kernel([](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]), patterns(*args[1]);
    auto null_rows = nulls;
    return MapBits(rows, std::move(nulls), [&](int64_t row) {
      return !null_rows.is_null(row) && LikePattern(patterns[row]).Matches(texts[row]);
    });
  });
}

}  // namespace mutirao::frame
