#pragma once

#include <optional>
#include <vector>

#include "orchestration/pipes/message.h"

namespace mutirao::orchestration::pipes {

/// What a program reported, kept until its op ends. Bounded: at most 10,000 results and 16 MiB of them.
class Results {
 public:
  /// Keep a message that is a result; others are passed over.
  /// Errors: kExhausted when there are too many; the result is not kept.
  Status Take(const Message& message);

  const std::vector<Materialization>& materializations() const { return materializations_; }
  const std::vector<AssetCheck>& checks() const { return checks_; }
  const std::vector<Json>& custom_messages() const { return custom_messages_; }
  const std::optional<Exception>& exception() const { return exception_; }

  /// {"materializations", "checks", "messages", "opened", "exception"}, as docs/formats/run-json.md says.
  Json ToJson() const;

 private:
  Status Count(const Json& result);
  Status AddBytes(const Json& value);

  std::vector<Materialization> materializations_;
  std::vector<AssetCheck> checks_;
  std::vector<Json> custom_messages_;
  std::optional<Exception> exception_;
  Json opened_ = Json::object();
  size_t bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace mutirao::orchestration::pipes
