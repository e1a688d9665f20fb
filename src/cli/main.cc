#include "cli/command.h"

int main(int argc, char** argv) {
  return mutirao::cli::Main(argc, argv);
}
