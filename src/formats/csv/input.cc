#include "formats/csv/input.h"

#include <fnmatch.h>

#include <utility>

#include <fmt/format.h>

namespace mutirao::formats::csv {

std::string Input::Name() const {
  return member ? fmt::format("{}({})", file.uri, member->name) : file.uri;
}

int64_t Input::StoredBytes() const {
  if (member) return member->stored_size;
  return end < 0 ? file.size : end - begin;
}

Json Input::ToJson() const {
  Json json = {{"file", file.uri},
               {"size", file.size},
               {"version", file.version},
               {"container", archive::ContainerName(container)}};
  if (member) {
    json["member"] = {{"name", member->name},
                      {"method", member->method},
                      {"flags", member->flags},
                      {"crc", member->crc},
                      {"stored_size", member->stored_size},
                      {"size", member->size},
                      {"offset", member->header_offset}};
  }
  if (end >= 0) {
    json["begin"] = begin;
    json["end"] = end;
  }
  return json;
}

Result<Input> Input::FromJson(const Json& json) {
  try {
    Input input{.file = {.uri = json.at("file"), .size = json.at("size"), .version = json.at("version")}};
    const std::string container = json.at("container");
    for (const auto kind : {archive::Container::kZip, archive::Container::kGzip, archive::Container::kZstd}) {
      if (container == archive::ContainerName(kind)) input.container = kind;
    }
    if (json.contains("member")) {
      const Json& member = json["member"];
      input.member = archive::ZipMember{.name = member.at("name"),
                                        .method = member.at("method"),
                                        .flags = member.at("flags"),
                                        .crc = member.at("crc"),
                                        .stored_size = member.at("stored_size"),
                                        .size = member.at("size"),
                                        .header_offset = member.at("offset")};
    }
    if (json.contains("end")) {
      input.begin = json.at("begin");
      input.end = json.at("end");
      if (input.begin < 0 || input.end < input.begin || input.end > input.file.size) {
        return Status::Invalid(fmt::format("split of {} lies outside the file", input.file.uri));
      }
    }
    return input;
  } catch (const Json::exception& error) {
    return Status::Invalid(fmt::format("split of a csv source is damaged: {}", error.what()));
  }
}

Result<std::vector<Input>> ListInputs(const std::vector<storage::ObjectInfo>& files,
                                      const std::string& member_pattern) {
  std::vector<Input> inputs;
  bool any_zip = false;
  bool any_match = false;
  for (const storage::ObjectInfo& file : files) {
    Input input{.file = file};
    const auto object = MUTIRAO_TRY(OpenFile(input));
    input.container = MUTIRAO_TRY(archive::DetectContainer(*object));
    if (input.container != archive::Container::kZip) {
      inputs.push_back(std::move(input));
      continue;
    }
    any_zip = true;
    std::vector<archive::ZipMember> members = MUTIRAO_TRY(archive::ListZip(*object));
    for (archive::ZipMember& member : members) {
      if (!member_pattern.empty() && !MatchesGlob(member_pattern, member.name)) continue;
      any_match = true;
      Input part = input;
      part.member = std::move(member);
      inputs.push_back(std::move(part));
    }
  }
  if (!member_pattern.empty() && any_zip && !any_match) {
    return Status::Invalid(fmt::format("no member of {} matches \"{}\"", files.front().uri, member_pattern));
  }
  if (!member_pattern.empty() && !any_zip) {
    return Status::Invalid(
        fmt::format("member \"{}\" is asked for, but {} is no zip", member_pattern, files.front().uri));
  }
  return inputs;
}

Result<std::shared_ptr<const storage::Object>> OpenFile(const Input& input, storage::Reading reading) {
  const storage::Store* store = MUTIRAO_TRY(storage::StoreFor(input.file.uri));
  std::shared_ptr<const storage::Object> object = MUTIRAO_TRY(store->Open(input.file.uri, reading));
  if (object->size() != input.file.size) {
    return Status::Invalid(fmt::format("{} changed while the job was running: {} bytes, it had {}", input.file.uri,
                                       object->size(), input.file.size))
        .Help("run again when the file is complete");
  }
  return object;
}

Result<std::unique_ptr<archive::ByteStream>> OpenContent(const Input& input, storage::Reading reading) {
  std::shared_ptr<const storage::Object> object = MUTIRAO_TRY(OpenFile(input, reading));
  if (input.member) return archive::OpenZipMember(std::move(object), *input.member);
  return archive::OpenContainer(std::move(object), input.container);
}

bool MatchesGlob(std::string_view pattern, std::string_view name) {
  return fnmatch(std::string(pattern).c_str(), std::string(name).c_str(), 0) == 0;
}

}  // namespace mutirao::formats::csv
