#pragma once

#include <stop_token>

#include "orchestration/config/environment.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

struct Delivery {
  int sent = 0;
  int failed = 0;    ///< will be tried again
  int given_up = 0;  ///< will not
};

/// Tries of one message: after the last, some two and a half hours after the first, it is given up.
inline constexpr int kMostHookTries = 12;

/// When a message that failed `attempts` times is tried again: 5 s, doubling, at most an hour.
Duration HookDelay(int attempts);

/// Send every message that is due. A message leaves at least once: who dies between sending and saying so leaves it to
/// be sent again.
/// Errors: those of the store.
Result<Delivery> DeliverDue(Store& store, const Clock& clock, const Environment& environment, std::stop_token stop);

/// Send one. Errors: kInvalid and kNotFound when trying again is of no use; others may be tried again.
Status DeliverOne(const OutboxRow& message, const Environment& environment, std::stop_token stop);

}  // namespace mutirao::orchestration
