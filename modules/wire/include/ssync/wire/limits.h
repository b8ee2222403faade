// Numbers that both peers keep. proto-spec/01 §5, proto-spec/04 (flow), proto-spec/05 (timers).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssync::wire {

inline constexpr std::uint8_t kVersion = 1;  ///< the only version so far
inline constexpr std::uint16_t kControlPort = 7101;
inline constexpr std::uint16_t kDataPort = 7100;

inline constexpr std::size_t kHeadBytesMax =
    192 * 1024;  ///< of a control message's head frame (hello: source id and ancestry)
inline constexpr std::size_t kBodyBytesTarget = 256 * 1024;  ///< a sender closes a batch at this size
inline constexpr std::size_t kRowBytesMax =
    2 * 64 * 1024 + 4096;  ///< of one row: two paths and what is beside them
inline constexpr std::size_t kBodyBytesMax =
    kBodyBytesTarget + kRowBytesMax;  ///< so a row always fits into a batch below its target
inline constexpr std::size_t kSourceIdBytesMax = 64 * 1024 + 256;
inline constexpr std::size_t kRowsMax = 4096;            ///< rows in one control message
inline constexpr std::uint32_t kListWindow = 8;          ///< filelist messages without their filelist:ok
inline constexpr std::uint32_t kListWindowMax = 64;      ///< the most that a server may grant
inline constexpr std::size_t kTextBytesMax = 1024;       ///< of a human-readable text on the wire
inline constexpr std::size_t kNotesMax = 16;             ///< texts in a welcome
inline constexpr std::size_t kMirrorNameBytesMax = 255;  ///< of a mirror's name
inline constexpr std::size_t kMirrorRowsMax =
    256;  ///< in one `mirrors`: with the longest names and comments they fit into a body

inline constexpr std::size_t kChunkBytesMax = 512 * 1024;  ///< payload of one data message
inline constexpr std::size_t kChunkBytesMin = 4096;        ///< the least that a server may ask for
inline constexpr std::size_t kTableBytesMax = 128 * 1024;  ///< header and segment table of one data message
inline constexpr std::size_t kDataHeaderBytes = 32;
inline constexpr std::size_t kSegmentBytes = 24;  ///< of a segment in the table, and
inline constexpr std::size_t kEndingBytes = 36;   ///< the ending after it when it is a file's last
inline constexpr std::size_t kMessageCharge =
    1024;  ///< credit that every data message costs on top of its frames' bytes
inline constexpr std::uint64_t kWindowBytes =
    16 * 1024 * 1024;  ///< the most that is on its way or waits to be written, of all sessions of a server,
                       ///< beside kWindowBytesLeast of each
inline constexpr std::uint64_t kWindowBytesLeast =
    2 * 1024 * 1024;  ///< credit that a session starts with, and has however much waits
static_assert(kWindowBytesLeast >= kChunkBytesMax + kTableBytesMax + kMessageCharge);

inline constexpr std::chrono::milliseconds kHeartbeat{2000};  ///< a `next` is answered at least this often
inline constexpr std::chrono::milliseconds kHeartbeatMax{
    60000};                                                   ///< the longest that a server may announce, and
inline constexpr std::chrono::milliseconds kIdleMax{600000};  ///< the same of its idle time
inline constexpr std::chrono::milliseconds kIdle{15000};    ///< a peer that says nothing for so long is gone
inline constexpr std::chrono::milliseconds kAttach{10000};  ///< from welcome to the data socket's attach
inline constexpr std::chrono::milliseconds kNoProgress{
    60000};  ///< a session ends in which credit or a request is open and nothing moves for so long

}  // namespace ssync::wire
