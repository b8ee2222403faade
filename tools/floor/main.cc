#include <string_view>

#include <fmt/format.h>

#include "floor.h"

int main(int argc, char** argv) {
  const std::string_view command = argc == 4 ? argv[1] : "";
  if (command == "scan") {
    ssync::floor::scan(argv[2], argv[3]);
  } else if (command == "copy") {
    ssync::floor::copy(argv[2], argv[3], ssync::floor::Promises::none);
  } else if (command == "safe-copy") {
    ssync::floor::copy(argv[2], argv[3], ssync::floor::Promises::kept);
  } else {
    fmt::print(stderr,
               "usage: ssync_floor scan TREE TREE\n       ssync_floor copy|safe-copy SOURCE MIRROR\n");
    return 1;
  }
  return 0;
}
