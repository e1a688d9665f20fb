#include "engine/memory/packed_batch.h"

#include <map>
#include <random>

#include <arrow/api.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::RandomTable;

using BufferPtr = std::shared_ptr<arrow::Buffer>;

constexpr auto kPackings = {Packing::kSmall, Packing::kMapped};

// As the bytes lie in a file.
BufferPtr Packed(const BatchPtr& batch, Packing packing = Packing::kSmall) {
  const PackedBatch packed = MUTIRAO_MUST(PackBatch(*batch, packing));
  BufferPtr bytes = MUTIRAO_MUST(arrow::AllocateBuffer(packed.bytes));
  uint8_t* next = bytes->mutable_data();
  for (const auto& piece : packed.pieces) {
    next = std::copy_n(reinterpret_cast<const uint8_t*>(piece.data()), piece.size(), next);
  }
  EXPECT_EQ(next, bytes->data() + bytes->size());
  return bytes;
}

BatchPtr BackAgain(const BatchPtr& batch, Packing packing = Packing::kSmall) {
  const auto packed = Packed(batch, packing);
  BatchPtr back = MUTIRAO_MUST(UnpackBatch(*packed, batch->num_rows(), batch->schema()));
  EXPECT_TRUE(back->ValidateFull().ok()) << back->ValidateFull().ToString();
  return back;
}

BatchPtr EveryForm() {
  return BatchOf({{"one_length", "string", R"(["0123", "4567", "89ab", "cdef"])"},
                  {"short", "string", R"(["a", null, "", "bcd"])"},
                  {"long", "binary", "[\"" + std::string(300, 'x') + R"(", "", null, "y"])"},
                  {"narrow", "decimal(18,2)", R"(["1.25", null, "-9999999999.99", "0.00"])"},
                  {"wide", "decimal(38,0)", R"(["1", null, "-99999999999999999999999999999999999999", "2"])"},
                  {"bool", "bool", "[true, null, false, true]"},
                  {"double", "float64", "[1.5, null, -0.0, 2]"},
                  {"list", "list<string>", R"([["a", null], null, [], ["b"]])"},
                  {"null", "int8", "[null, null, null, null]"}});
}

TEST(PackedBatch, GivesBackEveryTypeAndSlicesOfThem) {
  const BatchPtr batch = EveryForm();
  const BatchPtr many = RandomTable(1, 10000, 100);
  for (const Packing packing : kPackings) {
    for (int64_t from = 0; from <= 4; ++from) {
      for (int64_t rows = 0; rows <= 4 - from; ++rows) {
        const BatchPtr slice = batch->Slice(from, rows);
        EXPECT_TRUE(BackAgain(slice, packing)->Equals(*slice)) << from << " " << rows;
      }
    }
    for (const int64_t from : {0, 1, 7, 8, 4321}) {
      const BatchPtr slice = many->Slice(from, 5000);
      EXPECT_TRUE(BackAgain(slice, packing)->Equals(*slice)) << from;
    }
  }
}

TEST(PackedBatch, TextsPointToBytesThatHaveAnOwner) {
  const BatchPtr batch = EveryForm();
  BufferPtr packed = Packed(batch);
  const std::weak_ptr<arrow::Buffer> watched = packed;
  const uint8_t* const begin = packed->data();
  const uint8_t* const end = begin + packed->size();
  BatchPtr back = MUTIRAO_MUST(UnpackBatch(*packed, 4, batch->schema(), packed));
  packed.reset();
  EXPECT_TRUE(back->ValidateFull().ok());
  EXPECT_TRUE(back->Equals(*batch));
  for (const char* name : {"one_length", "short", "long"}) {
    const uint8_t* const texts = back->GetColumnByName(name)->data()->buffers[2]->data();
    EXPECT_TRUE(texts >= begin && texts < end) << name;
  }
  // Numbers lie at places that are theirs by chance only.
  const uint8_t* const numbers = back->GetColumnByName("double")->data()->buffers[1]->data();
  EXPECT_FALSE(numbers >= begin && numbers < end);
  EXPECT_FALSE(watched.expired());
  back.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(PackedBatch, MappedRowsPointToBytesThatHaveAnOwner) {
  const BatchPtr batch = EveryForm();
  BufferPtr packed = Packed(batch, Packing::kMapped);
  const std::weak_ptr<arrow::Buffer> watched = packed;
  const auto is_there = [begin = packed->data(), end = packed->data() + packed->size()](const BufferPtr& buffer) {
    return buffer->data() >= begin && buffer->data() + buffer->size() <= end;
  };
  BatchPtr back = MUTIRAO_MUST(UnpackBatch(*packed, 4, batch->schema(), packed));
  // What has no owner, or an owner at a place where numbers cannot lie, is copied.
  const BatchPtr copied = MUTIRAO_MUST(UnpackBatch(*packed, 4, batch->schema()));
  BufferPtr moved = MUTIRAO_MUST(arrow::AllocateBuffer(packed->size() + 1));
  std::copy_n(packed->data(), packed->size(), moved->mutable_data() + 1);
  const arrow::Buffer askew(moved->data() + 1, packed->size());
  const BatchPtr from_askew = MUTIRAO_MUST(UnpackBatch(askew, 4, batch->schema(), moved));
  packed.reset();
  EXPECT_TRUE(back->ValidateFull().ok());
  EXPECT_TRUE(back->Equals(*batch) && copied->Equals(*batch) && from_askew->Equals(*batch));
  for (const char* name : {"short", "long", "narrow", "wide", "double", "null"}) {
    const auto& buffers = back->GetColumnByName(name)->data()->buffers;
    for (size_t i = 1; i < buffers.size(); ++i) EXPECT_TRUE(is_there(buffers[i])) << name << " " << i;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffers[1]->data()) % kPackedAlignment, 0) << name;
    EXPECT_FALSE(is_there(copied->GetColumnByName(name)->data()->buffers[1])) << name;
  }
  back.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(PackedBatch, MostPiecesAreTheBatchsOwnMemory) {
  const BatchPtr batch = RandomTable(1, 10000, 100);
  const PackedBatch packed = MUTIRAO_MUST(PackBatch(*batch, Packing::kMapped));
  const auto* const made = static_cast<const arrow::Buffer*>(packed.owners.front().get());
  EXPECT_LT(made->size(), packed.bytes / 20);
  EXPECT_LE(packed.pieces.size(), static_cast<size_t>(batch->num_columns()) * 4);
}

TEST(PackedBatch, TakesLittleMoreThanItsValues) {
  const BatchPtr codes = BatchOf({{"code", "string", R"(["01234567", "01234567", "01234567", "01234567"])"}});
  EXPECT_LE(Packed(codes)->size(), 4 * 8 + 8);
}

TEST(PackedBatch, BatchesShareTheOffsetsOfTextsOfOneLength) {
  const auto codes = [](int64_t rows) {
    const BatchPtr one = BatchOf({{"code", "string", R"(["01234567"])"}});
    std::vector<ArrayPtr> all(static_cast<size_t>(rows), one->column(0));
    return arrow::RecordBatch::Make(one->schema(), rows, {MUTIRAO_MUST(arrow::Concatenate(all))});
  };
  const auto offsets = [](const BatchPtr& batch) { return batch->column_data(0)->buffers[1]; };
  const BatchPtr first = BackAgain(codes(2048)), fewer = BackAgain(codes(1025)), few = BackAgain(codes(100));
  EXPECT_EQ(offsets(first), offsets(fewer));
  EXPECT_LE(offsets(few)->size(), 101 * 4) << "a small batch keeps little";
  const BatchPtr more = BackAgain(codes(2049)), many = BackAgain(codes(70'000));
  EXPECT_NE(offsets(first), offsets(more));
  for (const auto& [batch, rows] :
       std::map<BatchPtr, int64_t>{{first, 2048}, {fewer, 1025}, {few, 100}, {more, 2049}, {many, 70'000}}) {
    EXPECT_TRUE(batch->Equals(*codes(rows))) << rows;
    EXPECT_TRUE(BackAgain(batch, Packing::kMapped)->Equals(*batch)) << rows;
  }
}

TEST(PackedBatch, RefusesBytesThatAreCut) {
  const BatchPtr batch = EveryForm();
  for (const Packing packing : kPackings) {
    const auto packed = Packed(batch, packing);
    for (int64_t size = 0; size < packed->size(); ++size) {
      const arrow::Buffer cut(packed->data(), size);
      EXPECT_FALSE(UnpackBatch(cut, 4, batch->schema()).ok()) << size;
    }
    EXPECT_EQ(UnpackBatch(*packed, 3, batch->schema()).status().code(), StatusCode::kIo);
  }
}

TEST(PackedBatch, RefusesAnotherNumberOfRowsInAnArrowColumn) {
  const BatchPtr batch = BatchOf({{"list", "list<string>", R"([["a", null], null, [], ["b"]])"}});
  const auto packed = Packed(batch);
  for (const int64_t rows : {0, 3, 5, 1000}) {
    EXPECT_EQ(UnpackBatch(*packed, rows, batch->schema()).status().code(), StatusCode::kIo) << rows;
  }
}

// Whatever the bytes are, the answer is an error or rows that can be read; a sanitizer sees what is read beside them.
TEST(PackedBatch, ChangedBytesGiveAnErrorOrWholeRows) {
  const BatchPtr batch = EveryForm();
  std::mt19937 random(3);
  for (const Packing packing : kPackings) {
    const auto packed = Packed(batch, packing);
    for (int64_t at = 0; at < packed->size(); ++at) {
      for (const uint8_t change : {uint8_t{0x01}, uint8_t{0x80}, static_cast<uint8_t>(1 + random() % 255)}) {
        BufferPtr changed = MUTIRAO_MUST(packed->CopySlice(0, packed->size()));
        changed->mutable_data()[at] ^= change;
        for (const BufferPtr& owner : {BufferPtr(), changed}) {
          const auto back = UnpackBatch(*changed, 4, batch->schema(), owner);
          if (back.ok()) {
            EXPECT_TRUE((*back)->Validate().ok()) << at;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace mutirao::engine
