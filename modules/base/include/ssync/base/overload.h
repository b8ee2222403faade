#pragma once

namespace ssync {

/// One callable made of several, each for a type: `std::visit(Overload{[](A) {...}, [](B) {...}}, variant)`.
template <typename... F>
struct Overload : F... {
  using F::operator()...;
};
template <typename... F>
Overload(F...) -> Overload<F...>;

}  // namespace ssync
