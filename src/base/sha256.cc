#include "base/sha256.h"

#include <openssl/evp.h>
#include <string.h>

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/late_library.h"

namespace mutirao {
namespace {

// Only jobs with modules of C++ need it. Its functions hide those that would be linked.
constinit const LateLibrary libcrypto{"libcrypto.so.3", "libssl3"};
constinit const LateFunction<decltype(::EVP_Digest)> EVP_Digest{libcrypto, "EVP_Digest"};
constinit const LateFunction<decltype(::EVP_sha256)> EVP_sha256{libcrypto, "EVP_sha256"};

}  // namespace

Result<std::string> Sha256Hex(std::string_view bytes) {
  MUTIRAO_TRY(libcrypto.Load());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    return Status::Internal("libcrypto computes no SHA-256");
  }
  std::string digits;
  for (unsigned int i = 0; i < size; ++i) digits += fmt::format("{:02x}", digest[i]);
  return digits;
}

Result<std::string> Sha256OfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::NotFound(fmt::format("cannot open {}: {}", path, strerror(errno)));
  const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return Status::Io(fmt::format("cannot read {}", path));
  return Sha256Hex(content).Context(path);
}

}  // namespace mutirao
