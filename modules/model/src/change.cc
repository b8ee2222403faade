#include "ssync/model/change.h"

#include <type_traits>
#include <utility>

namespace ssync {

std::string_view guard_name(Guard guard) noexcept {
  switch (guard) {
    case Guard::none:
      return "none";
    case Guard::over_half:
      return "over_half";
    case Guard::source_empty:
      return "source_empty";
    case Guard::never_synced:
      return "never_synced";
    case Guard::max_delete:
      return "max_delete";
  }
  return "?";
}

std::string_view op_name(Op op) noexcept {
  switch (op) {
    case Op::make_directory:
      return "make_directory";
    case Op::make_link:
      return "make_link";
    case Op::make_empty:
      return "make_empty";
    case Op::copy:
      return "copy";
    case Op::rename:
      return "rename";
    case Op::rename_directory:
      return "rename_directory";
    case Op::exchange:
      return "exchange";
    case Op::stage_rename:
      return "stage_rename";
    case Op::stage_copy:
      return "stage_copy";
    case Op::publish_staged:
      return "publish_staged";
    case Op::remove:
      return "remove";
    case Op::remove_directory:
      return "remove_directory";
    case Op::request:
      return "request";
    case Op::set_metadata:
      return "set_metadata";
  }
  return "?";
}

// op() takes the number from the place in the variant.
template <Op op, typename Step>
constexpr bool kIsStepOf =
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(op) - 1, Change::Step>, Step>;
static_assert(std::variant_size_v<Change::Step> == static_cast<std::size_t>(Op::set_metadata));
static_assert(kIsStepOf<Op::make_directory, Change::MakeDirectory> &&
              kIsStepOf<Op::make_link, Change::MakeLink> && kIsStepOf<Op::make_empty, Change::MakeEmpty> &&
              kIsStepOf<Op::copy, Change::Copy> && kIsStepOf<Op::rename, Change::Rename> &&
              kIsStepOf<Op::rename_directory, Change::RenameDirectory> &&
              kIsStepOf<Op::exchange, Change::Exchange> && kIsStepOf<Op::stage_rename, Change::StageRename> &&
              kIsStepOf<Op::stage_copy, Change::StageCopy> &&
              kIsStepOf<Op::publish_staged, Change::PublishStaged> && kIsStepOf<Op::remove, Change::Remove> &&
              kIsStepOf<Op::remove_directory, Change::RemoveDirectory> &&
              kIsStepOf<Op::request, Change::Request> && kIsStepOf<Op::set_metadata, Change::SetMetadata>);

const Change::From* Change::from() const noexcept {
  return std::visit(
      [](const auto& one) -> const From* {
        if constexpr (requires { one.from; }) return &one.from;
        if constexpr (requires { one.scanned_at; }) return one.scanned_at ? &*one.scanned_at : nullptr;
        return nullptr;
      },
      step);
}

Change::From* Change::from() noexcept {
  return const_cast<From*>(std::as_const(*this).from());
}

std::string_view Change::target() const noexcept {
  if (const auto* link = std::get_if<MakeLink>(&step)) return link->target;
  if (const auto* metadata = std::get_if<SetMetadata>(&step)) return metadata->target;
  return {};
}

bool Change::is(SetMetadata::Purpose purpose) const noexcept {
  const auto* metadata = std::get_if<SetMetadata>(&step);
  return metadata != nullptr && metadata->purpose == purpose;
}

bool Change::respells() const noexcept {
  const auto* rename = std::get_if<Rename>(&step);
  return rename != nullptr && rename->respells;
}

}  // namespace ssync
