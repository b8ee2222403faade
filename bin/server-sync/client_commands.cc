#include "client_commands.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ssync/base/exit_code.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"
#include "ssync/fs/path.h"
#include "ssync/net/keys.h"

#include "client_files.h"
#include "invitation_line.h"
#include "json_report.h"
#include "own_keys.h"
#include "qr_code.h"
#include "words.h"

namespace ssync::server_program {
namespace {

using Now = std::chrono::system_clock;

int give_up(const Error& error, ExitCode code = ExitCode::file) {
  std::fprintf(stderr, "server-sync: %s\n", error.text().c_str());
  return to_int(code);
}

int flushed() {
  return std::fflush(stdout) == 0 ? to_int(ExitCode::ok) : to_int(ExitCode::file);
}

bool is_loopback_name(const std::string& address) {
  return address == "localhost" || address == "::1" || address == "[::1]" || address.starts_with("127.");
}

bool is_any_name(const std::string& address) {
  return address == "*" || address == "0.0.0.0" || address == "::" || address == "[::]";
}

/// What another machine calls this one: what was said, an address that the server listens on, or the host's
/// name.
std::string host_for_others(const Options& options) {
  if (!options.command.host.empty()) return options.command.host;
  for (const std::string& address : programs::split_list(options.address))
    if (!is_loopback_name(address) && !is_any_name(address)) return address;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "HOST";
  return name.data();
}

bool is_for_this_machine_only(const Options& options) {
  for (const std::string& address : programs::split_list(options.address))
    if (!is_loopback_name(address)) return false;
  return !options.require_keys;
}

int invite(const Options& options, const ClientFiles& files) {
  const ClientCommand& command = options.command;
  const auto own = programs::own_key(options.keys, "server.key")();
  if (!own) return give_up(own.error());
  std::array<std::byte, programs::InvitationLine::kTokenBytes> token{};
  fill_random(token);
  const Wiper wiper(token);
  const net::KeyPair shared = net::KeyPair::from_token(token);
  const Result<void> kept = files.invite(
      {command.name, shared.public_key, command.mirrors, command.rights, Now::now() + command.valid});
  if (!kept) return give_up(kept.error());
  programs::InvitationLine line{host_for_others(options), options.control_port, (*own)->public_key, token};
  const Wiper wipe_line(line.token);
  std::string text = "client-sync --join " + text_of(line);
  const Wiper wipe_text(std::as_writable_bytes(std::span(text)));
  if (options.command.qr) std::fputs(qr_code(text).c_str(), stdout);
  std::printf("%s\n", text.c_str());
  std::fprintf(stderr,
               "Type this on the other machine within %s. It works once; whoever sees it first can use it.\n",
               programs::text_of(command.valid).c_str());
  if (is_for_this_machine_only(options)) {
    std::fputs(
        "This server listens on this machine only: start it with --address '*', or with the address of "
        "a network.\n",
        stderr);
  }
  return flushed();
}

std::string shown(std::optional<Now::time_point> time, const char* otherwise) {
  return time ? programs::text_of(*time) : otherwise;
}

void show(const Options& options, const serve::Client& client, const ClientFiles& files) {
  const auto seen = files.last_seen(client.name);
  if (options.json) {
    std::printf("%s\n", programs::event_line("client", {{"name", client.name},
                                                        {"fingerprint", net::fingerprint(client.key)},
                                                        {"key", net::text_of(client.key)},
                                                        {"mirrors", client.rights.mirrors},
                                                        {"rights", text_of(client.rights)},
                                                        {"last_seen", shown(seen, "")},
                                                        {"expires", shown(client.rights.expires, "")}})
                            .c_str());
    return;
  }
  const std::string mirrors = client.rights.mirrors.empty()
                                  ? "all"
                                  : escape(fmt::format("{}", fmt::join(client.rights.mirrors, ",")));
  std::printf("%-20s %s  %-20s %-22s seen %-20s expires %s\n", client.name.c_str(),
              net::fingerprint(client.key).c_str(), mirrors.c_str(), text_of(client.rights).c_str(),
              shown(seen, "never").c_str(), shown(client.rights.expires, "never").c_str());
}

void show(const Options& options, const serve::Invitation& invitation) {
  const bool is_over = invitation.expires <= Now::now();
  if (options.json) {
    std::printf("%s\n",
                programs::event_line("invitation", {{"name", invitation.name},
                                                    {"valid_until", programs::text_of(invitation.expires)},
                                                    {"expired", is_over}})
                    .c_str());
    return;
  }
  std::printf("%-20s invited, %s %s\n", invitation.name.c_str(), is_over ? "expired" : "until",
              programs::text_of(invitation.expires).c_str());
}

int list(const Options& options, const ClientFiles& files) {
  const Result<ClientFiles::Loaded> loaded = files.load();
  if (!loaded) return give_up(loaded.error());
  for (const serve::Client& client : loaded->clients.clients)
    show(options, client, files);
  for (const serve::Invitation& invitation : loaded->clients.invitations)
    show(options, invitation);
  for (const std::string& problem : loaded->problems)
    std::fprintf(stderr, "server-sync: %s\n", problem.c_str());
  const int written = flushed();
  return written != 0 || loaded->problems.empty() ? written : to_int(ExitCode::partial);
}

int revoke(const Options& options, const ClientFiles& files) {
  const Result<void> done = files.revoke(options.command.name);
  if (!done)
    return give_up(done.error(), done.error().code == Errc::not_found ? ExitCode::usage : ExitCode::file);
  std::fprintf(stderr, "'%s' is not let in any more. A server that runs knows it within a second.\n",
               options.command.name.c_str());
  return to_int(ExitCode::ok);
}

}  // namespace

std::optional<int> run_client_command(const Options& options) {
  if (options.command.kind == ClientCommand::Kind::none) return std::nullopt;
  const Result<std::string> directory = programs::keys_directory(options.keys);
  if (!directory) return give_up(directory.error());
  const ClientFiles files(*directory);
  switch (options.command.kind) {
    case ClientCommand::Kind::invite:
      return invite(options, files);
    case ClientCommand::Kind::list:
      return list(options, files);
    case ClientCommand::Kind::revoke:
      return revoke(options, files);
    case ClientCommand::Kind::none:
      break;
  }
  return std::nullopt;
}

}  // namespace ssync::server_program
