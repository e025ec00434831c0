# SPDX-License-Identifier: MIT
# Makes a C file that holds the presets:
#   cmake -DOUTPUT=presets.c "-DRECIPES=a.yaml;b.yaml" -P embed.cmake
# Text goes in as bytes: C limits the length of its string literals.

set(arrays "")
set(rows "")
set(count 0)
list(TRANSFORM RECIPES REPLACE "[.]yaml$" "") # "a" stands before "a-b"
list(SORT RECIPES)
foreach(path ${RECIPES})
  set(recipe ${path}.yaml)
  get_filename_component(name ${path} NAME)
  file(READ ${recipe} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REPLACE "0x0a," "0x0a,\n    " bytes "${bytes}")
  file(STRINGS ${recipe} summary REGEX "^summary: " LIMIT_COUNT 1)
  string(REGEX REPLACE "^summary: *" "" summary "${summary}")
  string(REGEX REPLACE "[\"\\]" "\\\\\\0" summary "${summary}")
  string(APPEND arrays "static const unsigned char text_${count}[] = {\n    ${bytes}0};\n\n")
  string(APPEND rows "    {\"${name}\", \"${summary}\", (const char *)text_${count}},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE ${OUTPUT} "/* Made by cmake/embed.cmake from recipes/: do not edit. */
#include \"recipe/recipe.h\"

${arrays}const preset presets[] = {
${rows}};

const int preset_count = ${count};
")
