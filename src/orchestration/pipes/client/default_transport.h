#pragma once

#include <memory>
#include <string>

#include <mutirao/pipes.h>

namespace mutirao::pipes {

/// Gets contexts that are in a file ({"path"}) or in the parameter itself ({"data"}).
std::shared_ptr<ContextLoader> DefaultContextLoader();

/// Sends messages to a file ({"path"}) or a standard stream ({"stdio"}, {"buffered_stdio"}), as the parameter says.
std::shared_ptr<MessageWriter> DefaultMessageWriter();

}  // namespace mutirao::pipes
