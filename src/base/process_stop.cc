#include "base/process_stop.h"

#include <csignal>
#include <optional>
#include <thread>

namespace mutirao {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kTick{50};

// Sends the group one signal after the other as their times come.
class Escalation {
 public:
  Escalation(const ChildProcess& child, const StopDelays& delays) : child_(child), delays_(delays) {}

  void Step(bool force) {
    const Steady::time_point now = Steady::now();
    if (force && sent_ != SIGKILL) return Send(SIGKILL, now);
    if (sent_ == 0) return Send(SIGINT, now + delays_.interrupt);
    if (now < next_) return;
    if (sent_ == SIGINT)
      Send(SIGTERM, now + delays_.terminate);
    else
      Send(SIGKILL, now + delays_.terminate);
  }
  int sent() const { return sent_; }

 private:
  void Send(int signal, Steady::time_point next) {
    child_.Signal(signal);
    sent_ = signal;
    next_ = next;
  }

  const ChildProcess& child_;
  const StopDelays& delays_;
  int sent_ = 0;
  Steady::time_point next_{};
};

// The leader is gone; its group follows.
Status EndGroup(ChildProcess& child, const StopDelays& delays, bool stopping, const std::stop_token& stop,
                const std::atomic<bool>& force, const std::function<Status()>& tick) {
  const Steady::time_point patience = Steady::now() + (stopping ? milliseconds(0) : delays.linger);
  auto hurry = [&] { return force || stop.stop_requested(); };
  while (!hurry() && !child.GroupIsGone() && Steady::now() < patience) {
    MUTIRAO_TRY(child.DrainUntil(std::min(patience, Steady::now() + kTick)));
    MUTIRAO_TRY(tick());
    // They hold no stream any more: nothing of them can be waited for.
    const bool quiet = MUTIRAO_TRY(child.DrainUntil(Steady::now()));
    if (quiet) break;
  }
  for (int signal : {SIGTERM, SIGKILL}) {
    if (child.GroupIsGone()) break;
    if (force && signal == SIGTERM) continue;
    child.Signal(signal);
    const Steady::time_point until = Steady::now() + delays.terminate;
    while (!child.GroupIsGone() && Steady::now() < until && (signal == SIGKILL || !force)) {
      const bool quiet = MUTIRAO_TRY(child.DrainUntil(Steady::now() + kTick));
      if (quiet) std::this_thread::sleep_for(milliseconds(5));
      MUTIRAO_TRY(tick());
    }
  }
  // What they wrote last; a process that left the group may hold the streams for ever and is not waited for.
  MUTIRAO_TRY(child.DrainUntil(Steady::now() + milliseconds(1)));
  return tick();
}

}  // namespace

Result<WatchedExit> WaitOrStop(ChildProcess& child, const StopDelays& delays, const std::stop_token& stop,
                               const std::atomic<bool>& force, const std::function<Status()>& tick) {
  Escalation escalation(child, delays);
  while (true) {
    auto exit = MUTIRAO_TRY(child.WaitUntil(Steady::now() + kTick));
    MUTIRAO_TRY(tick());
    if (exit) {
      MUTIRAO_TRY(EndGroup(child, delays, escalation.sent() != 0, stop, force, tick));
      return WatchedExit{*exit, escalation.sent()};
    }
    if (stop.stop_requested()) escalation.Step(force);
  }
}

}  // namespace mutirao
