#include "formats/archive/object_stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace mutirao::formats::archive {
namespace {

class ObjectStream : public ByteStream {
 public:
  ObjectStream(std::shared_ptr<const storage::Object> object, int64_t begin, int64_t end)
      : object_(std::move(object)), begin_(begin), position_(begin), end_(end) {}

  Result<int64_t> Read(std::span<std::byte> out) override {
    const int64_t wanted = std::min<int64_t>(static_cast<int64_t>(out.size()), end_ - position_);
    int64_t done = 0;
    while (done < wanted) {
      const int64_t count = MUTIRAO_TRY(
          object_->ReadAt(position_, out.subspan(static_cast<size_t>(done), static_cast<size_t>(wanted - done))));
      if (count == 0) {
        return Status::Io(
            fmt::format("{} became shorter while it was read: {} of {} bytes", object_->uri(), position_, end_));
      }
      position_ += count;
      done += count;
    }
    return done;
  }

  int64_t stored_position() const override { return position_ - begin_; }

 private:
  std::shared_ptr<const storage::Object> object_;
  int64_t begin_;
  int64_t position_;
  int64_t end_;
};

}  // namespace

std::unique_ptr<ByteStream> StreamObject(std::shared_ptr<const storage::Object> object, int64_t begin, int64_t end) {
  return std::make_unique<ObjectStream>(std::move(object), begin, end);
}

}  // namespace mutirao::formats::archive
