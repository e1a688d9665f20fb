#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/archive/byte_stream.h"
#include "formats/archive/container.h"
#include "formats/archive/zip_directory.h"
#include "formats/csv/dialect.h"
#include "storage/storage.h"

namespace mutirao::formats::csv {

/// A piece of the source that is read from its first byte to its last: a file, a member of an archive, or a range of a
/// plain file that is known to begin and end between records.
struct Input {
  storage::ObjectInfo file;
  archive::Container container = archive::Container::kPlain;
  std::optional<archive::ZipMember> member;
  /// Of a plain file; end < 0 means all of it, preamble included.
  int64_t begin = 0;
  int64_t end = -1;

  /// "a.csv" or "a.zip(b.csv)": how messages call it.
  std::string Name() const;
  std::string MemberName() const { return member ? member->name : ""; }
  int64_t StoredBytes() const;
  /// Can chunks of it be read in any order?
  bool Seekable(const Dialect& dialect) const {
    return container == archive::Container::kPlain && !IsUtf16(dialect.encoding);
  }

  Json ToJson() const;
  static Result<Input> FromJson(const Json& json);
};

/// List the inputs of some files: one a member in ZIPs, one a file otherwise. `member_pattern`, when not empty, is a
/// glob that member names must match; no match at all is an error.
Result<std::vector<Input>> ListInputs(const std::vector<storage::ObjectInfo>& files, const std::string& member_pattern);

/// Open the file of an input. Errors: kInvalid when its size is no longer what it was.
Result<std::shared_ptr<const storage::Object>> OpenFile(const Input& input, storage::Reading reading = {});

/// Read an input's content, unpacked but in its own encoding. REQUIRES: the whole input, no range.
Result<std::unique_ptr<archive::ByteStream>> OpenContent(const Input& input, storage::Reading reading = {});

/// Match a name against `*`, `?` and `[…]`; case matters.
bool MatchesGlob(std::string_view pattern, std::string_view name);

}  // namespace mutirao::formats::csv
