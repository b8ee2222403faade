// The named counters of plan and sync:done: one table for writing, reading, checking and showing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "ssync/model/change.h"

namespace ssync::wire {

template <typename T>
struct Counter {
  std::string_view name;
  std::uint64_t T::*value;
};

inline constexpr std::array<Counter<PlanTotals>, 22> kPlanCounters = {{
    {"source_entries", &PlanTotals::source_entries},
    {"source_files", &PlanTotals::source_files},
    {"source_directories", &PlanTotals::source_directories},
    {"source_links", &PlanTotals::source_links},
    {"source_bytes", &PlanTotals::source_bytes},
    {"mirror_entries", &PlanTotals::mirror_entries},
    {"mirror_bytes", &PlanTotals::mirror_bytes},
    {"requests", &PlanTotals::requests},
    {"request_bytes", &PlanTotals::request_bytes},
    {"created", &PlanTotals::created},
    {"copies", &PlanTotals::copies},
    {"renames", &PlanTotals::renames},
    {"reused_bytes", &PlanTotals::reused_bytes},
    {"metadata", &PlanTotals::metadata},
    {"deletes", &PlanTotals::deletes},
    {"delete_bytes", &PlanTotals::delete_bytes},
    {"places", &PlanTotals::places},
    {"places_lost", &PlanTotals::places_lost},
    {"extras_kept", &PlanTotals::extras_kept},
    {"problems", &PlanTotals::problems},
    {"unchanged", &PlanTotals::unchanged},
    {"specials", &PlanTotals::specials},
}};

inline constexpr std::array<Counter<SyncStats>, 12> kSyncCounters = {{
    {"transferred_files", &SyncStats::transferred_files},
    {"transferred_bytes", &SyncStats::transferred_bytes},
    {"created", &SyncStats::created},
    {"copied", &SyncStats::copied},
    {"renamed", &SyncStats::renamed},
    {"reused_bytes", &SyncStats::reused_bytes},
    {"deleted", &SyncStats::deleted},
    {"metadata", &SyncStats::metadata},
    {"problems", &SyncStats::problems},
    {"vanished", &SyncStats::vanished},
    {"warnings", &SyncStats::warnings},
    {"deletes_withheld", &SyncStats::deletes_withheld},
}};

// A counter added to the model must be added here too.
static_assert(sizeof(PlanTotals) == kPlanCounters.size() * sizeof(std::uint64_t));
static_assert(sizeof(SyncStats) == sizeof(PlanTotals) + (kSyncCounters.size() + 1) * sizeof(std::uint64_t));

}  // namespace ssync::wire
