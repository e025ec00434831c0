# SPDX-License-Identifier: MIT
# Puts lt__ before every global name of an archive that does not begin with lt_, where it is defined and where it is
# used: whoever links the archive may call functions whatever they like. The library's files stay apart, so that a
# program gets those it needs.
#   cmake -DARCHIVE=liblatent.a -DNM=nm -DOBJCOPY=objcopy -P prefix_names.cmake

execute_process(COMMAND ${NM} -g --defined-only --format=posix ${ARCHIVE}
                OUTPUT_VARIABLE listing RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} cannot read ${ARCHIVE}")
endif()
string(REGEX MATCHALL "\n[A-Za-z_][A-Za-z0-9_.]* [A-Za-z] " symbols "${listing}")
list(REMOVE_DUPLICATES symbols)
set(map "")
foreach(symbol ${symbols})
  string(REGEX REPLACE "^\n([^ ]+) . $" "\\1" name "${symbol}")
  if(NOT name MATCHES "^(lt_|__)") # what begins with __ is the compiler's
    string(APPEND map "${name} lt__${name}\n")
  endif()
endforeach()
file(WRITE ${ARCHIVE}.names "${map}")
execute_process(COMMAND ${OBJCOPY} --redefine-syms=${ARCHIVE}.names ${ARCHIVE} RESULT_VARIABLE failed)
if(failed)
  file(REMOVE ${ARCHIVE})
  message(FATAL_ERROR "${OBJCOPY} cannot change names in ${ARCHIVE}")
endif()
