# SPDX-License-Identifier: MIT
# oneDNN as the target DNNL::dnnl: by its own package, by pkg-config, or by paths.
# The package of version 2 is not asked: that of Debian 12 names a library that is not there, and ends the
# configuration with an error. Debian has no .pc file; installations from elsewhere may.

if(NOT TARGET DNNL::dnnl)
  find_package(dnnl 3 CONFIG QUIET)
  if(TARGET DNNL::dnnl) # also for a project that we are part of
    set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endif()
if(NOT TARGET DNNL::dnnl)
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(PC_DNNL QUIET dnnl)
  endif()
  find_path(DNNL_INCLUDE dnnl.h HINTS ${PC_DNNL_INCLUDE_DIRS} REQUIRED)
  find_library(DNNL_LIBRARY dnnl HINTS ${PC_DNNL_LIBRARY_DIRS} REQUIRED)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${DNNL_LIBRARY}
                        INTERFACE_INCLUDE_DIRECTORIES ${DNNL_INCLUDE} IMPORTED_GLOBAL TRUE)
endif()
