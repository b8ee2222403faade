# ssync_settings: what every target of our own code is compiled with. INTERFACE and linked PRIVATE, so that it never
# reaches third-party code.

include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

add_library(ssync_settings INTERFACE)
target_compile_features(ssync_settings INTERFACE cxx_std_20)
target_compile_definitions(ssync_settings INTERFACE _FILE_OFFSET_BITS=64)
target_compile_options(ssync_settings INTERFACE
  -Wall
  -Wextra
  -Wpedantic
  -Wshadow
  -Wconversion
  -Wsign-conversion
  -Wold-style-cast
  -Wnon-virtual-dtor
  -Woverloaded-virtual
  $<$<BOOL:${SSYNC_WERROR}>:-Werror>
  # Reads the annotations of ssync/base/mutex.h.
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 12 sees both where nothing is (std::optional, std::string at -O3; GCC bugs 80635 and 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-maybe-uninitialized>
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # Designated initializers that leave members at their defaults are how option structs are written here.
  -Wno-missing-field-initializers)
