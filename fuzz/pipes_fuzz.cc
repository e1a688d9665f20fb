// Any bytes as the messages of a program: they are read the same however they are cut, and what is understood keeps
// its shape.
#include <string>

#include "choices.h"
#include "orchestration/pipes/results.h"
#include "orchestration/pipes/session.h"

namespace {

using namespace mutirao::orchestration::pipes;

struct Read {
  Results results;
  Session session{[this](const Message& message) { return results.Take(message); }};

  // What can be told apart from outside.
  std::string ToString() const {
    std::string text = results.ToJson().dump(-1, ' ', true);
    for (const std::string& fault : session.first_faults()) text += "\n" + fault;
    for (const std::string& warning : session.warnings()) text += "\n" + warning;
    return text + "\n" + std::to_string(session.faults()) + " " + std::to_string(session.messages());
  }
};

std::string ReadInPieces(std::string_view text, size_t piece, size_t longest) {
  Read read;
  LineCutter cutter(longest, [&](const LineCutter::Line& line) { read.session.TakeLine(line); });
  for (size_t at = 0; at < text.size(); at += piece) cutter.Add(text.substr(at, piece));
  cutter.Finish();
  return read.ToString();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mutirao;
  fuzz::Choices choices(data, size, 2);
  const size_t piece = static_cast<size_t>(choices.Below(250)) + 1;
  const size_t longest = choices.Flag() ? 64 : kLongestMessage;
  const std::string_view text = choices.text();
  const std::string whole = ReadInPieces(text, text.size() + 1, longest);
  fuzz::Require(ReadInPieces(text, piece, longest) == whole, "pieces are read as the whole");

  const std::string line(text.substr(0, text.find('\n')));
  Result<Message> message = ParseMessage(line);
  fuzz::Require(message.ok() || !message.status().message().empty(), "a line that is refused is told why");
  Read stream;
  const bool taken = stream.session.TakeStreamLine({.text = line});
  fuzz::Require(taken == (stream.session.messages() + stream.session.faults() > 0) || line.empty(),
                "a line of a stream is a message, a fault or output");
  return 0;
}
