# Links what is ours with mold where it is installed (SSYNC_MOLD): a build links some forty programs with debug symbols.

include_guard(GLOBAL)
include(CheckLinkerFlag)

if(SSYNC_MOLD)
  check_linker_flag(CXX -fuse-ld=mold SSYNC_HAS_MOLD)
  if(SSYNC_HAS_MOLD)
    target_link_options(ssync_settings INTERFACE -fuse-ld=mold)
  endif()
endif()
