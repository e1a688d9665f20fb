#include "base/elf_platform.h"

#include <elf.h>
#include <string.h>
#include <sys/utsname.h>

#include <fstream>

#include <fmt/format.h>

namespace mutirao {
namespace {

// As uname names the machine.
const char* MachineName(uint16_t machine, bool is_64_bit) {
  switch (machine) {
    case EM_X86_64:
      return is_64_bit ? "x86_64" : "x32";
    case EM_386:
      return "i686";
    case EM_AARCH64:
      return "aarch64";
    case EM_ARM:
      return "armv7l";
    case EM_PPC64:
      return "ppc64le";
    case EM_S390:
      return "s390x";
    case EM_RISCV:
      return is_64_bit ? "riscv64" : "riscv32";
    default:
      return nullptr;
  }
}

}  // namespace

Result<std::string> PlatformOfLibrary(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::NotFound(fmt::format("cannot open {}: {}", path, strerror(errno)));
  Elf64_Ehdr header{};
  // The first members are the same for both sizes of words.
  file.read(reinterpret_cast<char*>(&header), offsetof(Elf64_Ehdr, e_entry));
  const bool whole = file.gcount() == static_cast<std::streamsize>(offsetof(Elf64_Ehdr, e_entry));
  if (!whole || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Status::Invalid(fmt::format("{} is no library (ELF)", path));
  }
  const char* machine = MachineName(header.e_machine, header.e_ident[EI_CLASS] == ELFCLASS64);
  return machine == nullptr ? fmt::format("linux-machine{}", header.e_machine) : fmt::format("linux-{}", machine);
}

std::string OwnPlatform() {
  utsname machine{};
  uname(&machine);
  return std::string("linux-") + machine.machine;
}

}  // namespace mutirao
