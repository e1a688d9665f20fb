#include "orchestration/pipes/session.h"

#include <algorithm>

#include <fmt/format.h>

#include "orchestration/pipes/wire_json.h"

namespace mutirao::orchestration::pipes {
namespace {

constexpr size_t kFaultsKept = 5;

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void Session::TakeLine(const LineCutter::Line& line) {
  if (line.oversized == 0 && IsBlank(line.text)) return;
  ++lines_;
  if (line.oversized > 0) {
    return Refuse(fmt::format("it has {} bytes, more than {}", line.oversized, kLongestMessage));
  }
  Parse(line);
}

bool Session::TakeStreamLine(const LineCutter::Line& line) {
  if (!LooksLikeMessage(line.text)) return false;
  if (line.oversized == 0) {
    // The name of the key alone makes no message: a program may print JSON that speaks of it.
    Result<Json> json = ParseWireJson(line.text);
    if (json.ok() && (!json->is_object() || !json->contains(kVersionKey))) return false;
  }
  TakeLine(line);
  return true;
}

void Session::Parse(const LineCutter::Line& line) {
  Result<Message> message = ParseMessage(line.text);
  if (!message.ok()) {
    return Refuse(message.status().ToString() + (line.ended ? "" : " (the program ended in the middle of it)"));
  }
  ++messages_;
  if (!message->IsKnownVersion()) {
    Warn("the program speaks another version of the Pipes protocol than 0.x; its messages are read as far as they fit");
  }
  // Pieces of output are still on their way when a client says that it is done.
  if (closed_ > 0 && !std::holds_alternative<StreamText>(message->body)) {
    Warn("the program sent messages after the one that says it is done");
  }
  if (std::holds_alternative<Opened>(message->body)) ++opened_;
  if (std::holds_alternative<Closed>(message->body)) ++closed_;
  Status taken = take_(*message);
  if (!taken.ok()) Refuse(taken.ToString());
}

void Session::Refuse(const std::string& why) {
  ++faults_;
  if (first_faults_.size() < kFaultsKept) first_faults_.push_back(fmt::format("message {}: {}", lines_, why));
}

void Session::Warn(std::string text) {
  if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end()) warnings_.push_back(std::move(text));
}

}  // namespace mutirao::orchestration::pipes
