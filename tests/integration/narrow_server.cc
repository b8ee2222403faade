// server-sync with room for one item in every queue, one open request and one open question.
#include "server_program.h"

int main(int argc, char** argv) {
  return ssync::server_program::run_server(argc, argv, {1, 1, 1, 1, 1, 1, 1, 1, 1});
}
