#include <iostream>

#include <mutirao/pipes.h>

namespace mutirao::pipes {

int Run(int argc, char** argv, const std::function<Status(Session&)>& body, SessionOptions options) {
  options.arguments.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
  Result<Session> session = Session::Open(std::move(options));
  if (!session.ok()) {
    std::cerr << "error: " << session.status().ToString() << "\n";
    return 1;
  }
  Status done;
  Status closed;
  try {
    done = body(*session);
    closed = session->Close(done);
  } catch (const std::exception& error) {
    done = Status::Failed(error.what());
    closed = session->Close(std::current_exception());
  } catch (...) {
    done = Status::Failed("an exception that is no std::exception");
    closed = session->Close(std::current_exception());
  }
  if (!done.ok()) std::cerr << "error: " << done.ToString() << "\n";
  if (!closed.ok()) std::cerr << "error: " << closed.ToString() << "\n";
  if (!done.ok()) return 1;
  return closed.ok() ? 0 : kExitMessagesLost;
}

}  // namespace mutirao::pipes
