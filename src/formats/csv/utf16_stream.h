#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "formats/archive/byte_stream.h"
#include "formats/csv/encoding.h"

namespace mutirao::formats::csv {

/// Turn UTF-16 into UTF-8 on the way, its mark removed.
///
/// What is wrong is kept in a form that is no valid UTF-8, so that the record it stands in is bad and its bytes can be
/// given back: a lone surrogate as its three bytes, an odd byte at the end as 0xFE and two bytes.
/// Errors: kInvalid when the encoding is kUtf16 and the text has no mark.
class Utf16Stream : public archive::ByteStream {
 public:
  Utf16Stream(std::unique_ptr<archive::ByteStream> bytes, Encoding encoding, std::string name);

  Result<int64_t> Read(std::span<std::byte> out) override;
  int64_t stored_position() const override { return bytes_->stored_position(); }

  /// Bytes of the mark that was removed: 0 or 2. Known after the first Read.
  int64_t mark_bytes() const { return mark_bytes_; }
  bool big_endian() const { return big_endian_; }

 private:
  Status Begin();
  void Convert(std::string_view bytes, bool at_end);

  std::unique_ptr<archive::ByteStream> bytes_;
  Encoding encoding_;
  std::string name_;
  bool begun_ = false;
  bool ended_ = false;
  bool big_endian_ = false;
  int64_t mark_bytes_ = 0;
  std::string rest_;  // bytes not converted yet: a cut unit or pair
  std::string text_;  // converted, not handed out yet
  size_t text_used_ = 0;
};

/// How many bytes of UTF-16 a piece of the stream's text was made of. REQUIRES: it begins and ends between characters.
int64_t Utf16Bytes(std::string_view text);

/// The UTF-16 bytes that a piece of the stream's text was made of.
std::string Utf16Original(std::string_view text, bool big_endian);

}  // namespace mutirao::formats::csv
