#include "orchestration/pipes/bootstrap.h"

#include <zlib.h>

#include "base/base64.h"

namespace mutirao::orchestration::pipes {
namespace {

constexpr size_t kLongestValue = 64 << 20;

Result<std::string> Inflate(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return Status::Exhausted("zlib got no memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  char piece[16384];
  int state = Z_OK;
  while (state == Z_OK && text.size() <= kLongestValue) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof(piece);
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(piece, sizeof(piece) - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END) return Status::Invalid("it is not packed by zlib, or too long");
  return text;
}

}  // namespace

std::string EncodeParameter(const Json& value) {
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string packed(size, '\0');
  const int state = compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                             reinterpret_cast<const Bytef*>(text.data()), static_cast<uLong>(text.size()));
  MUTIRAO_CHECK(state == Z_OK);
  packed.resize(size);
  return Base64Encode(packed);
}

Result<Json> DecodeParameter(std::string_view text) {
  std::optional<std::string> packed = Base64Decode(text);
  if (!packed) return Status::Invalid("it is not base64");
  std::string json = MUTIRAO_TRY(Inflate(*packed));
  return ParseJson(json);
}

}  // namespace mutirao::orchestration::pipes
