/* SPDX-License-Identifier: MIT */
/* GIF: one palette if all frames together have few colors, else one for each frame if each has few, else one
   quantized palette. cgif packs the pixels. */
#include "image/median_cut.h"
#include "image/raster.h"

#include "base/loaded_gif.h"
#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>

enum { HUNDREDTHS = 100 };

/* cgif 0.4 and later drop a frame equal to the one before, without this flag; each has its own time. */
#ifndef CGIF_GEN_KEEP_IDENT_FRAMES
#define CGIF_GEN_KEEP_IDENT_FRAMES 0
#endif

/* cgif before 0.3 cannot play an animation only once. */
#ifdef CGIF_ATTR_NO_LOOP
enum { CAN_PLAY_ONCE = 1 };
#else
enum { CAN_PLAY_ONCE = 0 };
#define CGIF_ATTR_NO_LOOP 0
#endif

typedef struct gif_job {
    const lt_animation *animation;
    const int *ticks;
    bool has_own_palettes; /* one palette per frame */
    colors colors;
    palette palette;
    unsigned char *indices; /* palette indices of the pixels of one frame */
    text *file;
} gif_job;

static int append(void *user, const uint8_t *data, size_t size)
{
    text_append_bytes(user, (const char *)data, size);
    return 0;
}

static bool frames_have_few(gif_job *g)
{
    for (int i = 0; i < g->animation->n; i++)
        if (!colors_count(&g->colors, &g->animation->frames[i], 1, MAX_COLORS, 0))
            return false;
    return true;
}

/* A quantized palette leaves one index for unchanged pixels. */
static void choose_palette(gif_job *g)
{
    const lt_animation *a = g->animation;
    if (colors_count(&g->colors, a->frames, a->n, MAX_COLORS, 0))
        colors_keep(&g->colors, &g->palette);
    else if (frames_have_few(g))
        g->has_own_palettes = true;
    else
        colors_reduce(&g->colors, a->frames, a->n, MAX_COLORS - 1, &g->palette);
}

static CGIF *begin_gif(gif_job *g)
{
    const lt_animation *a = g->animation;
    CGIF_Config c = {.attrFlags = CGIF_ATTR_IS_ANIMATED,
                     .genFlags = CGIF_GEN_KEEP_IDENT_FRAMES,
                     .width = (uint16_t)a->frames[0].width,
                     .height = (uint16_t)a->frames[0].height,
                     .pGlobalPalette = g->palette.rgb,
                     .numGlobalPaletteEntries = (uint16_t)g->palette.n,
                     .pWriteFn = append, .pContext = g->file};
    if (g->has_own_palettes)
        c.attrFlags |= CGIF_ATTR_NO_GLOBAL_TABLE;
    if (a->loops == 1)
        c.attrFlags |= CGIF_ATTR_NO_LOOP;
    else if (a->loops > 1)
        c.numLoops = (uint16_t)(a->loops - 1); /* a GIF counts repetitions */
    return cgif_newgif(&c);
}

static int add_frame(gif_job *g, CGIF *gif, int i)
{
    const lt_image *f = &g->animation->frames[i];
    CGIF_FrameConfig c = {.pImageData = g->indices,
                          .genFlags = CGIF_FRAME_GEN_USE_DIFF_WINDOW,
                          .delay = (uint16_t)(g->ticks[i + 1] - g->ticks[i])};
    if (g->has_own_palettes) {
        colors_count(&g->colors, f, 1, MAX_COLORS, 0);
        colors_keep(&g->colors, &g->palette);
        c.attrFlags = CGIF_FRAME_ATTR_USE_LOCAL_TABLE;
        c.pLocalPalette = g->palette.rgb;
        c.numLocalPaletteEntries = (uint16_t)g->palette.n;
    }
    if (g->palette.n < MAX_COLORS)
        c.genFlags |= CGIF_FRAME_GEN_USE_TRANSPARENCY;
    colors_places(&g->colors, f, g->indices);
    return cgif_addframe(gif, &c);
}

static int add_frames(gif_job *g)
{
    CGIF *gif = begin_gif(g);
    int code = gif ? CGIF_OK : CGIF_EALLOC;
    for (int i = 0; i < g->animation->n && code == CGIF_OK; i++)
        code = add_frame(g, gif, i);
    int closed = gif ? cgif_close(gif) : CGIF_OK;
    code = code == CGIF_OK ? closed : code;
    return code == CGIF_OK ? LT_OK
                           : status_fail(LT_NO_MEMORY, "cannot make the GIF: error %d of cgif",
                                         code);
}

int encode_gif(const lt_animation *a, text *file)
{
    if (a->loops == 1 && !CAN_PLAY_ONCE)
        return status_fail(LT_UNSUPPORTED, "a GIF that is shown once needs cgif 0.3 or later, and latent "
                           "was built with an older one: write a .webp or .png, or let it repeat");
    LT_TRY(library_load(&gif_library));
    size_t pixels = (size_t)a->frames[0].width * (size_t)a->frames[0].height;
    gif_job g = {.animation = a, .file = file, .indices = tensor_alloc(pixels, "a frame of a GIF")};
    if (!g.indices)
        return LT_NO_MEMORY;
    int *ticks = animation_ticks(a, HUNDREDTHS);
    g.ticks = ticks;
    choose_palette(&g);
    int status = add_frames(&g);
    colors_clear(&g.colors);
    tensor_free(g.indices);
    free(ticks);
    return status;
}
