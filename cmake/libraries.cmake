# SPDX-License-Identifier: MIT
# Libraries that are loaded when they are first needed, and the functions of theirs that are called: the one
# place that has them. What is not listed here does not link. docs/decisions/0021-libraries-on-demand.md

# latent_load(NAME MODULE what pkg-config calls it  FOR what cannot be done without it
#             HEADERS ... CALLS ...)
# makes base/loaded_NAME.h, to be included in place of the library's own headers: its functions are then those
# that library_load(&NAME_library) found; and a row in loaded.c.
function(latent_load name)
  cmake_parse_arguments(LOAD "" "MODULE;FOR" "HEADERS;CALLS" ${ARGN})
  string(TOUPPER LATENT_${name} prefix)
  pkg_check_modules(${prefix} REQUIRED ${LOAD_MODULE})
  latent_soname(${name} "${${prefix}_LINK_LIBRARIES}" soname)
  # Debian's name of the package: libcairo.so.2 is in libcairo2, libpng16.so.16 in libpng16-16.
  string(REGEX REPLACE "([0-9])[.]so[.]([0-9]+)$" "\\1-\\2" package ${soname})
  string(REGEX REPLACE "[.]so[.]([0-9]+)$" "\\1" package ${package})

  set(includes "")
  set(fields "")
  set(defines "")
  set(strings "")
  foreach(header ${LOAD_HEADERS})
    string(APPEND includes "#include <${header}>\n")
  endforeach()
  foreach(call ${LOAD_CALLS})
    string(APPEND fields "    __typeof__(${call}) *${call};\n")
    string(APPEND defines "#undef ${call}\n#define ${call} ${name}_calls.${call}\n")
    string(APPEND strings "    \"${call}\",\n")
  endforeach()
  latent_write(loaded_${name}.h "#ifndef LATENT_LOADED_${name}_H
#define LATENT_LOADED_${name}_H

#include \"base/library.h\"

${includes}
extern struct ${name}_calls {
${fields}} ${name}_calls;
extern library ${name}_library;

${defines}
#endif
")
  latent_write(loaded_${name}.c "#include \"base/loaded_${name}.h\"

struct ${name}_calls ${name}_calls;

static const char *const names[] = {
${strings}};

library ${name}_library = {
    .purpose = \"${LOAD_FOR}\", .soname = \"${soname}\", .package = \"${package}\",
    .n = sizeof names / sizeof names[0], .names = names, .calls = &${name}_calls};
_Static_assert(sizeof(struct ${name}_calls) == sizeof names, \"a pointer for each name\");
")
  set(LATENT_LOADED_SOURCES ${LATENT_LOADED_SOURCES} ${LATENT_GENERATED}/base/loaded_${name}.c
      PARENT_SCOPE)
  set(LATENT_LOADED_INCLUDES ${LATENT_LOADED_INCLUDES} ${${prefix}_INCLUDE_DIRS} PARENT_SCOPE)
endfunction()

# Leaves a file alone that has that content already: what includes it is not compiled again.
function(latent_write file content)
  set(made "/* Made by cmake/libraries.cmake: do not edit. */\n${content}")
  set(path ${LATENT_GENERATED}/base/${file})
  set(before "")
  if(EXISTS ${path})
    file(READ ${path} before)
  endif()
  if(NOT before STREQUAL made)
    file(WRITE ${path} "${made}")
  endif()
endfunction()

# The name by which a program that is linked with a library asks for it when it starts.
function(latent_soname name files result)
  list(GET files 0 file) # pkg-config's own comes first
  if(NOT DEFINED LATENT_SONAME_${name} OR NOT LATENT_SONAME_OF_${name} STREQUAL file)
    execute_process(COMMAND ${CMAKE_READELF} -d ${file} OUTPUT_VARIABLE dynamic ERROR_VARIABLE dynamic)
    if(NOT dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
      message(FATAL_ERROR "${name}: expected a shared library with a SONAME, found ${file}")
    endif()
    set(LATENT_SONAME_${name} ${CMAKE_MATCH_1} CACHE INTERNAL "")
    set(LATENT_SONAME_OF_${name} ${file} CACHE INTERNAL "")
  endif()
  set(${result} ${LATENT_SONAME_${name}} PARENT_SCOPE)
endfunction()

set(LATENT_GENERATED ${PROJECT_BINARY_DIR}/generated)
set(LATENT_LOADED_SOURCES "")
set(LATENT_LOADED_INCLUDES "")

# pangocairo needs cairo, pango, gobject and glib, so that their functions are found through it.
latent_load(drawing MODULE pangocairo FOR "charts and grids with text"
    HEADERS cairo.h cairo-pdf.h cairo-svg.h pango/pangocairo.h CALLS
    cairo_arc cairo_clip cairo_close_path cairo_create cairo_curve_to cairo_destroy cairo_fill
    cairo_fill_preserve cairo_font_options_create cairo_font_options_destroy
    cairo_font_options_set_antialias cairo_font_options_set_hint_metrics
    cairo_font_options_set_hint_style cairo_get_source cairo_get_target cairo_image_surface_create
    cairo_image_surface_create_for_data cairo_image_surface_get_data cairo_image_surface_get_height
    cairo_image_surface_get_stride cairo_image_surface_get_width cairo_line_to cairo_move_to
    cairo_new_path cairo_new_sub_path cairo_paint cairo_pattern_add_color_stop_rgb
    cairo_pattern_create_linear cairo_pattern_destroy cairo_pattern_set_filter
    cairo_pdf_surface_create_for_stream cairo_pdf_surface_restrict_to_version
    cairo_pdf_surface_set_metadata cairo_rectangle
    cairo_reset_clip cairo_restore cairo_save cairo_scale cairo_set_antialias cairo_set_dash
    cairo_set_line_cap cairo_set_line_join cairo_set_line_width cairo_set_source
    cairo_set_source_rgba cairo_set_source_surface cairo_status cairo_status_to_string cairo_stroke
    cairo_stroke_preserve cairo_surface_destroy cairo_surface_finish cairo_surface_flush
    cairo_surface_get_type cairo_surface_mark_dirty cairo_surface_status
    cairo_svg_surface_create_for_stream cairo_translate
    g_free g_object_unref g_strchomp g_strconcat g_utf8_make_valid g_utf8_offset_to_pointer
    g_utf8_strlen g_utf8_substring
    pango_attr_font_features_new pango_attr_list_insert pango_attr_list_new pango_attr_list_unref
    pango_cairo_context_set_font_options pango_cairo_font_map_get_default pango_cairo_layout_path
    pango_cairo_show_layout pango_cairo_update_context pango_context_set_language
    pango_context_set_round_glyph_positions pango_font_description_free
    pango_font_description_from_string pango_font_description_set_absolute_size
    pango_font_description_set_weight pango_font_map_create_context pango_language_from_string
    pango_layout_get_baseline pango_layout_get_extents pango_layout_get_unknown_glyphs_count
    pango_layout_is_ellipsized pango_layout_new pango_layout_set_attributes
    pango_layout_set_auto_dir pango_layout_set_ellipsize pango_layout_set_font_description
    pango_layout_set_height pango_layout_set_single_paragraph_mode pango_layout_set_text
    pango_layout_set_width pango_layout_set_wrap)

latent_load(curl MODULE libcurl FOR "downloads" HEADERS curl/curl.h CALLS
    curl_easy_cleanup curl_easy_init curl_easy_perform curl_easy_setopt curl_easy_strerror
    curl_global_init)

latent_load(zip MODULE libzip FOR "zip files" HEADERS zip.h CALLS
    zip_discard zip_error_code_zip zip_error_fini zip_error_init_with_code zip_error_strerror zip_fclose
    zip_file_get_error zip_fopen_index zip_fread zip_get_error zip_get_num_entries zip_open
    zip_stat_index)

latent_load(png MODULE libpng FOR "PNG pictures" HEADERS png.h CALLS
    png_create_info_struct png_create_read_struct png_destroy_read_struct png_error png_get_PLTE
    png_get_channels png_get_color_type png_get_error_ptr png_get_image_height png_get_image_width
    png_get_io_ptr png_get_rowbytes png_get_tRNS png_image_free png_image_write_to_memory
    png_longjmp png_read_end png_read_info png_read_row png_read_update_info
    png_set_check_for_invalid_index png_set_expand png_set_interlace_handling
    png_set_keep_unknown_chunks png_set_longjmp_fn png_set_packing png_set_read_fn png_set_scale_16
    png_set_user_limits)

latent_load(jpeg MODULE libturbojpeg FOR "JPEG pictures" HEADERS turbojpeg.h CALLS
    tjCompress2 tjDecompress2 tjDecompressHeader3 tjDestroy tjFree tjGetErrorCode tjGetErrorStr2
    tjInitCompress tjInitDecompress)

# Some of libwebp's functions are compiled into their callers; image/webp.h has them.
latent_load(webp MODULE libwebpmux FOR "WebP pictures"
    HEADERS webp/decode.h webp/encode.h webp/mux.h CALLS
    WebPAnimEncoderAdd WebPAnimEncoderAssemble WebPAnimEncoderDelete WebPAnimEncoderGetError
    WebPAnimEncoderNewInternal WebPAnimEncoderOptionsInitInternal WebPConfigInitInternal
    WebPConfigLosslessPreset WebPDecode WebPEncodeLosslessRGB WebPFree WebPFreeDecBuffer
    WebPGetFeaturesInternal WebPInitDecoderConfigInternal WebPPictureFree WebPPictureImportRGB
    WebPPictureInitInternal)

latent_load(gif MODULE cgif FOR "GIF pictures" HEADERS cgif.h CALLS
    cgif_addframe cgif_close cgif_newgif)

list(REMOVE_DUPLICATES LATENT_LOADED_INCLUDES)
