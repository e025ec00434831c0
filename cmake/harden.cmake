# SPDX-License-Identifier: MIT
# What makes faults of ours harder to use against whoever runs us: canaries on stacks, checked copies,
# addresses that change, tables that cannot be written to. Not with sanitizers, which do more, nor in debug
# builds, where FORTIFY has no optimizer to work with.

include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

macro(latent_harden_compiler flag)
  string(MAKE_C_IDENTIFIER "LATENT_HAS${flag}" has_flag)
  set(CMAKE_REQUIRED_FLAGS -Werror) # clang takes flags of other processors, with a warning
  check_c_compiler_flag(${flag} ${has_flag})
  unset(CMAKE_REQUIRED_FLAGS)
  if(${has_flag})
    add_compile_options(${flag})
  endif()
endmacro()

# Level 3 needs gcc 12 or clang 15, and glibc 2.34; an older one warns or takes it for 2.
macro(latent_fortify)
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Werror")
  check_c_source_compiles("#include <string.h>
#if __USE_FORTIFY_LEVEL < 3
#error
#endif
int main(void) { return 0; }" LATENT_HAS_FORTIFY_3)
  unset(CMAKE_REQUIRED_FLAGS)
  if(LATENT_HAS_FORTIFY_3)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  else()
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endmacro()

macro(latent_harden_linker)
  foreach(option relro now noexecstack)
    set(CMAKE_REQUIRED_LINK_OPTIONS "-Wl,-z,${option}")
    check_c_source_compiles("int main(void) { return 0; }" LATENT_LINKS_${option})
    unset(CMAKE_REQUIRED_LINK_OPTIONS)
    if(LATENT_LINKS_${option})
      add_link_options("-Wl,-z,${option}")
    endif()
  endforeach()
endmacro()

check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
latent_harden_linker()
latent_fortify()
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection
             -mbranch-protection=standard)
  latent_harden_compiler(${flag})
endforeach()
