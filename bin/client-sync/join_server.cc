#include "join_server.h"

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "ssync/base/exit_code.h"
#include "ssync/base/secret.h"
#include "ssync/base/text.h"
#include "ssync/source/join.h"
#include "ssync/source/mirrors.h"

#include "invitation_line.h"
#include "known_servers.h"

namespace ssync::client_program {
namespace {

using programs::InvitationLine;

int give_up(const std::string& text, ExitCode code) {
  std::fprintf(stderr, "client-sync: %s\n", escape_text(text).c_str());
  return to_int(code);
}

Result<InvitationLine> read_line(const std::string& said) {
  if (said != "-") return programs::parse_invitation_line(said);
  std::string line;
  std::getline(std::cin, line);
  const Wiper wiper(std::as_writable_bytes(std::span(line)));
  return programs::parse_invitation_line(line);
}

source::Options ask_options(const Options& options, const InvitationLine& line) {
  source::Options out;
  out.program = "client-sync " SSYNC_VERSION;
  out.server = line.host;
  out.control_port = line.control_port;
  out.server_key = line.server;
  out.connect = std::chrono::milliseconds(static_cast<std::int64_t>(options.contimeout_s * 1000));
  return out;
}

std::string host_text(const InvitationLine& line) {
  const std::string host = line.host.find(':') == line.host.npos ? line.host : "[" + line.host + "]";
  return line.control_port == wire::kControlPort ? host : fmt::format("{}:{}", host, line.control_port);
}

/// What to type now: with the mirrors that this client may use.
void say_what_is_next(const source::Options& asking, const InvitationLine& line) {
  const source::ListedMirrors listed = source::list_mirrors(asking);
  if (listed.code != ExitCode::ok) {
    std::fprintf(stderr, "client-sync: its mirrors could not be asked for: %s\n",
                 escape_text(listed.text).c_str());
    return;
  }
  if (listed.mirrors.empty()) std::printf("It has no mirror for this client yet.\n");
  for (const wire::MirrorRow& mirror : listed.mirrors) {
    const std::string name = mirror.name.empty() ? "" : "::" + escape(mirror.name);
    std::printf("  client-sync DIR %s%s\n", host_text(line).c_str(), name.c_str());
  }
}

}  // namespace

int join_server(const Options& options, const net::OwnKey& own_key) {
  Result<InvitationLine> line = read_line(*options.join);
  if (!line) return give_up(line.error().text(), ExitCode::usage);
  const Wiper wipe_token(line->token);
  const Result<std::string> directory = programs::keys_directory(options.keys);
  if (!directory) return give_up(directory.error().text(), ExitCode::file);
  const auto own = own_key();
  if (!own) return give_up(own.error().text(), ExitCode::file);
  const auto known = programs::find_server(*directory, line->host, line->control_port);
  if (!known) return give_up(known.error().text(), ExitCode::file);
  if (*known && (*known)->key != line->server) {
    const Result<void> refused =
        programs::add_server(*directory, line->host, line->control_port, {line->server, {}, {}});
    return give_up(refused ? "" : refused.error().text(), ExitCode::start);
  }
  source::Options asking = ask_options(options, *line);
  asking.own_key = [&]() -> Result<std::shared_ptr<const net::KeyPair>> {
    return std::make_shared<const net::KeyPair>(net::KeyPair::from_token(line->token));
  };
  const source::JoinedServer joined = source::join(asking, (*own)->public_key);
  if (joined.code != ExitCode::ok) return give_up(joined.text, joined.code);
  const Result<void> noted = programs::add_server(*directory, line->host, line->control_port,
                                                  {line->server, joined.data_port, joined.name});
  if (!noted) return give_up(noted.error().text(), ExitCode::file);
  std::printf("Joined %s as '%s'. Now type, with your directory:\n", host_text(*line).c_str(),
              escape(joined.name).c_str());
  asking.own_key = own_key;
  say_what_is_next(asking, *line);
  return std::fflush(stdout) == 0 ? to_int(ExitCode::ok) : to_int(ExitCode::file);
}

}  // namespace ssync::client_program
