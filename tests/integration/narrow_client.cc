// client-sync with room for one item in every queue.
#include "client_main.h"

int main(int argc, char** argv) {
  return ssync::client_program::run_client(argc, argv, {1, 1, 1, 1, 1});
}
