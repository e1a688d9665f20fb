#include "record.h"

#include "vocabulary.h"

namespace mutirao::datagen {

void Record::Add(std::string_view text) {
  if (!utf8_) {
    out_ += text;
    return;
  }
  for (unsigned char c : text) {
    if (c >= 0x80) out_ += static_cast<char>(0xC0 | (c >> 6));
    out_ += static_cast<char>(c < 0x80 ? c : (c & 0xBF));
  }
}

void Record::Digits(uint64_t value, int width) {
  char digits[20];
  for (int i = width - 1; i >= 0; --i, value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out_.append(digits, static_cast<size_t>(width));
}

void Record::Words(Random& random, int words) {
  constexpr uint32_t kAccentedPerMillion = 50'000;
  int accented = random.Chance(kAccentedPerMillion) ? static_cast<int>(random.Below(static_cast<uint32_t>(words))) : -1;
  for (int i = 0; i < words; ++i) {
    if (i > 0) out_ += ' ';
    Add(Pick(random, i == accented ? kAccentedWords : kWords));
  }
}

}  // namespace mutirao::datagen
