#include "orchestration/resource/secret_kind.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/log.h"

namespace mutirao::orchestration {
namespace {

constexpr size_t kMostBytes = 64 << 10;

constexpr const char* kSchema = R"JSON({
  "title": "the config of a secret",
  "description": "A text that commands get as a variable and that nothing ever shows.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "env": {"type": "string", "minLength": 1, "description": "The variable (of the environment or .env) that holds it."},
    "file": {"type": "string", "minLength": 1, "description": "The file that holds it; a line end at its end is left out."},
    "as": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "x-expects": "a variable's name",
           "description": "The variable that commands find it in; default: the resource's name in capitals."}
  }
})JSON";

std::string VariableFor(const std::string& resource) {
  std::string name;
  for (unsigned char c : resource) name += std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
  return name;
}

class Secret : public Resource {
 public:
  Secret(std::string variable, std::string value) : variable_(std::move(variable)), value_(std::move(value)) {}
  Json facts() const override { return {{"variable", variable_}}; }
  std::map<std::string, std::string> environment() const override { return {{variable_, value_}}; }
  Status Release(Outcome /*outcome*/, std::chrono::steady_clock::time_point /*deadline*/) override {
    return Status::Ok();
  }

 private:
  std::string variable_;
  std::string value_;
};

Result<std::string> ReadSecretFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::NotFound(fmt::format("the file {} of the secret cannot be read", path));
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kMostBytes) return Status::Invalid(fmt::format("the file {} is too big for a secret", path));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

class SecretKind : public ResourceKind {
 public:
  std::string name() const override { return "secret"; }
  std::string description() const override { return "A text that commands get as a variable and nothing shows."; }
  const Json& config_schema() const override {
    static const Json schema = Json::parse(kSchema);
    return schema;
  }
  void CheckConfig(const Json& config, Diagnostics& errors) const override {
    if (config.contains("env") == config.contains("file")) {
      errors.Add("", "a secret comes from either env: NAME or file: PATH");
    }
  }
  bool leaves_traces(const Json& /*config*/) const override { return false; }

  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    std::string value = MUTIRAO_TRY(Read(context));
    if (value.empty()) return Status::Invalid(fmt::format("the secret {} is empty", context.resource));
    Redactor::Global().Add(value);
    return std::make_unique<Secret>(context.config.value("as", VariableFor(context.resource)), std::move(value));
  }
  Status Reap(const Lease& /*lease*/) override { return Status::Ok(); }

 private:
  static Result<std::string> Read(const AcquireContext& context) {
    if (context.config.contains("file")) {
      std::filesystem::path path(context.config["file"].get<std::string>());
      return ReadSecretFile(path.is_absolute() ? path.string() : context.project_root + "/" + path.string());
    }
    const std::string name = context.config["env"].get<std::string>();
    const std::string* found = context.environment == nullptr ? nullptr : context.environment->Find(name);
    if (found == nullptr) {
      return Status::NotFound(fmt::format("the environment has no variable \"{}\"", name))
          .Help(fmt::format("set it, or write {}=value into .env", name));
    }
    return *found;
  }
};

}  // namespace

std::unique_ptr<ResourceKind> MakeSecretKind() {
  return std::make_unique<SecretKind>();
}

}  // namespace mutirao::orchestration
