# SPDX-License-Identifier: MIT
# Makes a C file that holds a text as a string called NAME:
#   cmake -DOUTPUT=out.c -DINPUT=text.css -DNAME=style -P embed_text.cmake
# Text goes in as bytes: C limits the length of its string literals.

file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPLACE "0x0a," "0x0a,\n    " bytes "${bytes}")
get_filename_component(file ${INPUT} NAME)
file(WRITE ${OUTPUT} "/* Made by cmake/embed_text.cmake from ${file}: do not edit. */
extern const char *const ${NAME};
static const unsigned char bytes[] = {
    ${bytes}0};
const char *const ${NAME} = (const char *)bytes;
")
