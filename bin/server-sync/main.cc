#include "server_program.h"

int main(int argc, char** argv) {
  return ssync::server_program::run_server(argc, argv, {});
}
