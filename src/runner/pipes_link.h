#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestration/config/project.h"
#include "orchestration/output/op_output.h"
#include "orchestration/pipes/message_file.h"
#include "orchestration/pipes/results.h"
#include "orchestration/pipes/session.h"
#include "orchestration/run/run.h"
#include "runner/command_op.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// The Pipes protocol between one attempt of an op and its program: a folder with the context and the messages, and
/// what becomes of each message. Results become events and part of the outcome, logs lines of the output.
///
/// Ownership: the folder goes with this. Threads: one at a time.
class PipesLink {
 public:
  /// All must outlive this. Errors: kIo.
  static Result<std::unique_ptr<PipesLink>> Make(const orchestration::LoadedJob& job, const orchestration::OpDef& op,
                                                 const BoundCommand& command, const orchestration::OpAttempt& attempt,
                                                 orchestration::OpOutput& output, RunEvents& events);
  ~PipesLink();
  PipesLink(const PipesLink&) = delete;
  PipesLink& operator=(const PipesLink&) = delete;

  /// What the program is started with.
  std::map<std::string, std::string> Variables() const;
  std::vector<std::string> Arguments() const;

  /// Take what came on a stream: messages out of the one that carries them, all else to the output.
  void TakeStream(orchestration::OutputStream stream, std::string_view bytes);
  /// Read the messages that came since, if they come by a file.
  Status Poll();
  /// The program has ended: read the rest, tell what was wrong.
  Status Finish();

  /// OK, or kFailed when messages could not be read, or none came though they were expected.
  Status Verdict() const;
  const orchestration::pipes::Results& results() const { return results_; }
  /// The "pipes" of the outcome; null when the program never spoke.
  Json Summary() const;
  /// What the op gives to others: the keys of mappings that it sent as custom messages, see OpOutputs.
  Json Outputs() const;

 private:
  PipesLink(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const BoundCommand& command,
            const orchestration::OpAttempt& attempt, orchestration::OpOutput& output, RunEvents& events);
  Status MakeFolder();
  Status WriteContext();
  Status Take(const orchestration::pipes::Message& message);
  std::string FaultText() const;
  void Emit(std::string_view type, Json data);

  const orchestration::LoadedJob& job_;
  const orchestration::OpDef& op_;
  const BoundCommand& command_;
  const orchestration::OpAttempt& attempt_;
  orchestration::OpOutput& output_;
  RunEvents& events_;
  std::string folder_;
  orchestration::pipes::Results results_;
  orchestration::pipes::Session session_;
  std::optional<orchestration::pipes::MessageFile> file_;
  std::optional<orchestration::pipes::LineCutter> stream_;
};

}  // namespace mutirao::runner
