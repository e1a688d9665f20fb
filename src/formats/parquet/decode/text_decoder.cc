#include "formats/parquet/decode/text_decoder.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <arrow/api.h>
#include <parquet/encoding.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/decode/delta_lengths.h"
#include "formats/parquet/decode/hybrid_reader.h"
#include "formats/parquet/decode/output_bits.h"

namespace mutirao::formats::parquet_decode {
namespace {

// So many bytes are copied at once: what is copied from and to has room for them.
constexpr size_t kSlack = 16;

struct Text {
  const uint8_t* bytes = nullptr;
  uint32_t length = 0;
};

class TextDecoder : public ValueDecoder {
 public:
  TextDecoder(const parquet::ColumnDescriptor& column, TypePtr type) : column_(column), type_(std::move(type)) {}

  Status SetDictionary(std::span<const uint8_t> bytes, int32_t count) override {
    // The page's memory is used again.
    dictionary_bytes_.assign(bytes.begin(), bytes.end());
    dictionary_bytes_.resize(bytes.size() + kSlack);
    dictionary_.clear();
    size_t at = 0;
    for (int32_t i = 0; i < count; ++i) {
      uint32_t length = 0;
      if (bytes.size() - at < 4) return Damaged();
      std::memcpy(&length, bytes.data() + at, 4);
      at += 4;
      if (length > bytes.size() - at) return Damaged();
      dictionary_.push_back({dictionary_bytes_.data() + at, length});
      at += length;
    }
    return Status::Ok();
  }

  Status SetPage(parquet::Encoding::type encoding, std::span<const uint8_t> bytes, int64_t values) override {
    encoding_ = encoding;
    decoder_ = nullptr;
    next_ = bytes.data();
    end_ = bytes.data() + bytes.size();
    if (encoding == parquet::Encoding::PLAIN) return Status::Ok();
    if (encoding == parquet::Encoding::RLE_DICTIONARY || encoding == parquet::Encoding::PLAIN_DICTIONARY) {
      if (bytes.empty() && values > 0) return Damaged();
      if (!bytes.empty()) indices_ = HybridReader(bytes.data() + 1, bytes.size() - 1, bytes[0]);
      return Status::Ok();
    }
    if (!LengthsFitPage(encoding, bytes, values)) return Damaged();
    decoder_ = parquet::MakeTypedDecoder<parquet::ByteArrayType>(encoding, &column_);
    decoder_->SetData(static_cast<int>(values), bytes.data(), static_cast<int>(bytes.size()));
    return Status::Ok();
  }

  Status Append(size_t count, std::span<const uint32_t> picks) override {
    valid_.Append(picks);
    if (encoding_ == parquet::Encoding::PLAIN) return AppendPlain(count, picks);
    if (decoder_ == nullptr) {
      MUTIRAO_TRY(ReadNumbers(count));
      return AppendTexts(picks.size(),
                         [&](size_t i) { return picks[i] == kNullPick ? Text{} : dictionary_[numbers_[picks[i]]]; });
    }
    MUTIRAO_TRY(Decode(count));
    return AppendTexts(picks.size(), [&](size_t i) { return picks[i] == kNullPick ? Text{} : Decoded(picks[i]); });
  }

  Status AppendAll(size_t count) override {
    valid_.AppendAll(count);
    if (encoding_ == parquet::Encoding::PLAIN) return AppendPlain(count);
    if (decoder_ == nullptr) {
      MUTIRAO_TRY(ReadNumbers(count));
      return AppendTexts(count, [&](size_t i) { return dictionary_[numbers_[i]]; });
    }
    MUTIRAO_TRY(Decode(count));
    return AppendTexts(count, [&](size_t i) { return Decoded(i); });
  }

  Result<ArrayPtr> Finish() override {
    const auto rows = static_cast<int64_t>(valid_.rows());
    const int64_t nulls = valid_.nulls();
    auto bitmap = MUTIRAO_TRY(valid_.Finish());
    MUTIRAO_TRY(MakeRoom(0, 0));
    MUTIRAO_TRY(offsets_->Resize((rows + 1) * 4, true));
    MUTIRAO_TRY(bytes_->Resize(static_cast<int64_t>(size_), capacity_ - size_ > capacity_ / 8 + 1024));
    auto data = arrow::ArrayData::Make(type_, rows, {std::move(bitmap), std::move(offsets_), std::move(bytes_)}, nulls);
    expected_ = size_ + size_ / 16 + kSlack;
    size_ = capacity_ = ends_ = 0;
    return arrow::MakeArray(std::move(data));
  }

 private:
  static Status Damaged() { return Status::Invalid("a page of texts is shorter than its lengths say"); }

  // Room for so many rows and bytes, and slack, behind what there is.
  Status MakeRoom(size_t rows, size_t bytes) {
    if (offsets_ == nullptr) {
      offsets_ = MUTIRAO_TRY(arrow::AllocateResizableBuffer(static_cast<int64_t>((rows + 1) * 4)));
      *offsets_of() = 0;
    } else if ((ends_ + rows + 1) * 4 > static_cast<size_t>(offsets_->size())) {
      MUTIRAO_TRY(offsets_->Resize(static_cast<int64_t>((ends_ + rows + 1) * 4), false));
    }
    if (bytes_ != nullptr && size_ + bytes + kSlack <= capacity_) return Status::Ok();
    if (size_ + bytes > INT32_MAX) return Status::Exhausted("the text of one column in one batch is over 2 GiB");
    capacity_ = std::max({size_ + bytes + kSlack, capacity_ * 2, expected_});
    if (bytes_ == nullptr) {
      bytes_ = MUTIRAO_TRY(arrow::AllocateResizableBuffer(static_cast<int64_t>(capacity_)));
    } else {
      MUTIRAO_TRY(bytes_->Resize(static_cast<int64_t>(capacity_), false));
    }
    return Status::Ok();
  }
  int32_t* offsets_of() { return reinterpret_cast<int32_t*>(offsets_->mutable_data()); }

  Status ReadNumbers(size_t count) {
    numbers_.resize(count);
    if (!indices_.Read(numbers_.data(), count)) return Damaged();
    uint32_t largest = 0;
    for (const uint32_t number : numbers_) largest = std::max(largest, number);
    if (count > 0 && largest >= dictionary_.size()) return Status::Invalid("a value's number is not in the dictionary");
    return Status::Ok();
  }

  Status Decode(size_t count) {
    arrays_.resize(count);
    const int decoded = decoder_->Decode(arrays_.data(), static_cast<int>(count));
    return decoded == static_cast<int>(count) ? Status::Ok() : Damaged();
  }
  Text Decoded(size_t number) const { return {arrays_[number].ptr, arrays_[number].len}; }

  template <typename TextAt>
  Status AppendTexts(size_t count, TextAt&& text_at) {
    size_t total = 0;
    for (size_t i = 0; i < count; ++i) total += text_at(i).length;
    MUTIRAO_TRY(MakeRoom(count, total));
    int32_t* const offsets = offsets_of() + ends_ + 1;
    uint8_t* out = bytes_->mutable_data() + size_;
    auto size = static_cast<int32_t>(size_);
    // Only a dictionary's texts have slack behind them.
    const bool has_slack = decoder_ == nullptr;
    for (size_t i = 0; i < count; ++i) {
      const Text text = text_at(i);
      if (has_slack && text.length <= kSlack && text.bytes != nullptr) {
        std::memcpy(out, text.bytes, kSlack);
      } else if (text.length > 0) {
        std::memcpy(out, text.bytes, text.length);
      }
      out += text.length;
      size += static_cast<int32_t>(text.length);
      offsets[i] = size;
    }
    size_ += total;
    ends_ += count;
    return Status::Ok();
  }

  // The texts of a plain page, one after the other.
  struct PlainTexts {
    const uint8_t* next;
    const uint8_t* const end;

    // False when the next one is not whole.
    bool Next(Text* text) {
      if (end - next < 4) return false;
      std::memcpy(&text->length, next, 4);
      text->bytes = next + 4;
      if (text->length > static_cast<size_t>(end - text->bytes)) return false;
      next = text->bytes + text->length;
      return true;
    }
    void CopyTo(uint8_t* out, const Text& text) const {
      if (text.length <= kSlack && static_cast<size_t>(end - text.bytes) >= kSlack) {
        std::memcpy(out, text.bytes, kSlack);
      } else if (text.length > 0) {
        std::memcpy(out, text.bytes, text.length);
      }
    }
  };

  // Appends a plain page's texts as long as `choose` puts one there; it says no at the end, or where one is damaged.
  template <typename Choose>
  Status AppendPlainTexts(size_t most, PlainTexts& from, Choose&& choose) {
    MUTIRAO_TRY(MakeRoom(most, 0));
    int32_t* const offsets = offsets_of();
    uint8_t* out = bytes_->mutable_data();
    size_t size = size_;
    size_t row = ends_;
    Text text;
    while (choose(&text)) {
      if (size + text.length + kSlack > capacity_) {
        size_ = size;
        MUTIRAO_TRY(MakeRoom(0, text.length));
        out = bytes_->mutable_data();
      }
      from.CopyTo(out + size, text);
      size += text.length;
      offsets[++row] = static_cast<int32_t>(size);
    }
    size_ = size;
    ends_ = row;
    return Status::Ok();
  }

  Status AppendPlain(size_t count) {
    PlainTexts from{next_, end_};
    size_t at = 0;
    MUTIRAO_TRY(AppendPlainTexts(count, from, [&](Text* text) { return at < count && from.Next(text) && ++at > 0; }));
    next_ = from.next;
    return at == count ? Status::Ok() : Damaged();
  }

  Status AppendPlain(size_t count, std::span<const uint32_t> picks) {
    PlainTexts from{next_, end_};
    size_t at = 0;
    size_t picked = 0;
    MUTIRAO_TRY(AppendPlainTexts(picks.size(), from, [&](Text* text) {
      if (picked == picks.size()) return false;
      const uint32_t pick = picks[picked];
      if (pick == kNullPick) {
        *text = {from.end, 0};
      } else {
        for (; at <= pick; ++at) {
          if (!from.Next(text)) return false;
        }
      }
      ++picked;
      return true;
    }));
    for (Text text; at < count && from.Next(&text); ++at) continue;
    next_ = from.next;
    return picked == picks.size() && at == count ? Status::Ok() : Damaged();
  }

  const parquet::ColumnDescriptor& column_;
  const TypePtr type_;
  std::vector<uint8_t> dictionary_bytes_;
  std::vector<Text> dictionary_;

  // Of the page.
  parquet::Encoding::type encoding_ = parquet::Encoding::PLAIN;
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  HybridReader indices_;
  std::unique_ptr<parquet::ByteArrayDecoder> decoder_;

  // Of what was appended.
  ValidRows valid_;
  std::shared_ptr<arrow::ResizableBuffer> offsets_;
  std::shared_ptr<arrow::ResizableBuffer> bytes_;
  size_t ends_ = 0;  // rows with an end
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t expected_ = 4096;

  // Reused.
  std::vector<uint32_t> numbers_;
  std::vector<parquet::ByteArray> arrays_;
};

}  // namespace

std::unique_ptr<ValueDecoder> MakeTextDecoder(const parquet::ColumnDescriptor& column, TypePtr type) {
  return std::make_unique<TextDecoder>(column, std::move(type));
}

}  // namespace mutirao::formats::parquet_decode
