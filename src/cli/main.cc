#include "cli/command.h"
#include "columnar/memory_pool.h"

int main(int argc, char** argv) {
  mutirao::ChooseMemoryPool();
  return mutirao::cli::Main(argc, argv);
}
