/* SPDX-License-Identifier: MIT */
/* Grids with captions: every tile whole and where its captions say, text inside the page, the same
   bytes twice, and what cannot be drawn. */
#include "check.h"
#include "scratch.h"

#include "plot/view.h"

enum { ROWS = 4, COLUMNS = 3, TILES = ROWS * COLUMNS, H = 2, W = 3, ZOOM = 5 };

static float images[TILES * H * W * 3];
static char long_text[201];
static const char *const row_names[ROWS] = {"first", "second", NULL, "z₄, 1.25 nats"};
static const char *const column_names[COLUMNS] = {"−1", "0", "1"};

/* Tile i is of one color, that no other tile, no text and no page has. */
static unsigned tile_color(int i) { return 0xc80000u + 0x000a14u * (unsigned)i; }

static int make_images(void **state)
{
    for (int i = 0; i < TILES * H * W; i++)
        for (int k = 0; k < 3; k++)
            images[3 * i + k] =
                (float)(tile_color(i / (H * W)) >> (16 - 8 * k) & 255) / 255;
    memset(long_text, 'm', sizeof long_text - 1);
    return make_dir(state);
}

static lt_grid make_grid(void)
{
    return (lt_grid){.title = "Grid", .subtitle = "for a test", .images = images, .n = TILES,
                     .h = H, .w = W, .c = 3,
                     .layout = {.columns = COLUMNS, .zoom = ZOOM, .gap = 2,
                                .background = {255, 255, 255}},
                     .row_names = row_names, .column_names = column_names};
}

static lt_image must_draw(const lt_grid *g)
{
    lt_image out;
    if (lt_grid_render(g, &out) != LT_OK)
        fail_msg("%s", lt_last_error());
    return out;
}

/* Where a color is in a picture: the box around it, and how many pixels have it. */
typedef struct spot {
    int left, top, right, bottom, count;
} spot;

static spot find_color(const lt_image *p, unsigned color)
{
    spot s = {p->width, p->height, -1, -1, 0};
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const unsigned char *c = p->pixels + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
            if (((unsigned)c[0] << 16 | (unsigned)c[1] << 8 | c[2]) != color)
                continue;
            s.left = x < s.left ? x : s.left;
            s.top = y < s.top ? y : s.top;
            s.right = x + 1 > s.right ? x + 1 : s.right;
            s.bottom = y + 1 > s.bottom ? y + 1 : s.bottom;
            s.count++;
        }
    return s;
}

/* ---- Tiles ---- */

static void check_tiles(const lt_image *p, int group)
{
    spot first = find_color(p, tile_color(0)), last = first;
    for (int i = 0; i < TILES; i++) {
        spot s = find_color(p, tile_color(i));
        assert_int_equal(s.count, H * ZOOM * W * ZOOM);
        assert_int_equal(s.right - s.left, W * ZOOM);
        assert_int_equal(s.bottom - s.top, H * ZOOM);
        assert_int_equal(s.left, first.left + i % COLUMNS * (W * ZOOM + 2));
        if (i > 0 && i % COLUMNS == 0 && i / COLUMNS % group)
            assert_int_equal(s.top, last.bottom + 2);
        else if (i > 0 && i % COLUMNS == 0)
            assert_true(s.top > last.bottom + 4);
        last = s;
    }
}

static void tiles_are_whole_and_unsmoothed(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    lt_image p = must_draw(&g);
    check_tiles(&p, ROWS);
    lt_image_clear(&p);
    g.rows_in_group = 2;
    p = must_draw(&g);
    check_tiles(&p, 2);
    lt_image_clear(&p);
    g.rows_in_group = 3; /* the last group has one row */
    p = must_draw(&g);
    check_tiles(&p, 3);
    lt_image_clear(&p);
}

static void a_last_row_may_be_short(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    g.n = TILES - 1;
    lt_image p = must_draw(&g);
    assert_int_equal(find_color(&p, tile_color(TILES - 2)).count, H * ZOOM * W * ZOOM);
    assert_int_equal(find_color(&p, tile_color(TILES - 1)).count, 0);
    lt_image_clear(&p);
}

static void without_text_it_is_the_tiles(void **state)
{
    (void)state;
    lt_image p, want;
    float gray[6] = {0, 0.2f, 0.4f, 0.6f, 0.8f, 1};
    lt_grid g = {.images = gray, .n = 6, .h = 1, .w = 1, .c = 1,
                 .layout = {.columns = 2, .gap = 1}};
    p = must_draw(&g);
    assert_int_equal(lt_image_grid(gray, 6, 1, 1, 1, &g.layout, &want), LT_OK);
    assert_int_equal(p.channels, 1);
    assert_int_equal(p.width, want.width);
    assert_int_equal(p.height, want.height);
    assert_memory_equal(p.pixels, want.pixels, (size_t)p.width * (size_t)p.height);
    lt_image_clear(&p);
    lt_image_clear(&want);
    g.title = "gray";
    p = must_draw(&g); /* 0.4 and 0.8, rounded; no text has such a gray by chance in all pixels */
    assert_true(find_color(&p, 0x666666).count >= 16 * 16);
    assert_true(find_color(&p, 0xcccccc).count >= 16 * 16);
    lt_image_clear(&p);
}

static void nan_is_magenta(void **state)
{
    (void)state;
    float x[2] = {0.5f, NAN};
    lt_grid g = {.title = "NaN", .images = x, .n = 2, .h = 1, .w = 1, .c = 1, .layout.zoom = 7};
    lt_image p = must_draw(&g);
    assert_int_equal(find_color(&p, 0xff00ff).count, 7 * 7);
    lt_image_clear(&p);
}

/* ---- Captions ---- */

static const drawn_text *find_text(const canvas *c, const char *words)
{
    for (int i = 0; i < c->n_texts; i++)
        if (strcmp(c->texts[i].text, words) == 0)
            return &c->texts[i];
    fail_msg("no text \"%s\"", words);
    return NULL;
}

static void captions_stand_beside_what_they_name(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    g.rows_in_group = 2;
    g.layout.zoom = 20; /* every caption has room */
    canvas c = {0};
    lt_image p = {0};
    assert_int_equal(grid_draw(&c, PAGE_RASTER, &g, &p), LT_OK);
    for (int i = 0; i < ROWS; i++) {
        if (!row_names[i])
            continue;
        const drawn_text *t = find_text(&c, row_names[i]);
        spot s = find_color(&p, tile_color(i * COLUMNS));
        assert_true(2 * t->ink.right < s.left && t->ink.left > 0);
        assert_true(2 * t->ink.top > s.top && 2 * t->ink.bottom < s.bottom);
        assert_false(t->is_shortened);
    }
    for (int i = 0; i < COLUMNS; i++) {
        const drawn_text *t = find_text(&c, column_names[i]);
        spot s = find_color(&p, tile_color(i));
        assert_true(2 * t->ink.bottom < s.top);
        assert_true(fabs(t->ink.left + t->ink.right - (s.left + s.right) / 2.0) < 3);
    }
    assert_true(find_text(&c, "Grid")->ink.bottom < find_text(&c, "for a test")->ink.top);
    assert_true(find_text(&c, "for a test")->ink.bottom < find_text(&c, "0")->ink.top);
    lt_image_clear(&p);
    canvas_clear(&c);
}

static void titles_take_two_lines(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    g.title = "A title that says what was trained, and on which images";
    canvas c = {0};
    lt_image p = {0};
    assert_int_equal(grid_draw(&c, PAGE_RASTER, &g, &p), LT_OK);
    const drawn_text *t = find_text(&c, g.title);
    assert_false(t->is_shortened);
    assert_true(t->ink.bottom < find_text(&c, g.subtitle)->ink.top);
    assert_true(find_text(&c, g.subtitle)->ink.bottom < find_text(&c, "1")->ink.top);
    lt_image_clear(&p);
    canvas_clear(&c);
}

static void no_text_leaves_the_page(void **state)
{
    (void)state;
    const char *rows[ROWS], *columns[COLUMNS];
    for (int i = 0; i < TILES; i++) {
        rows[i % ROWS] = long_text;
        columns[i % COLUMNS] = long_text;
    }
    for (int zoom = 1; zoom <= 100; zoom *= 10) {
        lt_grid g = make_grid();
        g.title = g.subtitle = long_text;
        g.row_names = rows;
        g.column_names = columns;
        g.layout.zoom = zoom;
        canvas c = {0};
        lt_image p = {0};
        assert_int_equal(grid_draw(&c, PAGE_RASTER, &g, &p), LT_OK);
        assert_true(c.n_texts >= 2);
        assert_true(zoom < 100 || c.width < 1.7 * COLUMNS * W * zoom / 2); /* captions: half */
        for (int i = 0; i < c.n_texts; i++) {
            box b = c.texts[i].ink;
            if (b.right <= b.left)
                continue; /* no room for a letter */
            assert_true(b.left >= 0 && b.top >= 0 && b.right <= c.width && b.bottom <= c.height);
        }
        lt_image_clear(&p);
        canvas_clear(&c);
    }
}

/* 40 columns of 3 x 1 pixels have no room for 40 numbers: those that are drawn do not touch. */
static void captions_of_narrow_columns_are_thinned(void **state)
{
    (void)state;
    enum { MANY = 40 };
    float x[MANY * 3] = {0};
    char words[MANY][16];
    const char *names[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(words[i], sizeof words[i], "%.2f", i / 7.0);
        names[i] = words[i];
    }
    lt_grid g = {.images = x, .n = MANY, .h = 1, .w = 3, .c = 1,
                 .layout = {.columns = MANY, .zoom = 4}, .column_names = names};
    canvas c = {0};
    lt_image p = {0};
    assert_int_equal(grid_draw(&c, PAGE_RASTER, &g, &p), LT_OK);
    assert_true(c.n_texts >= 5 && c.n_texts < MANY);
    for (int i = 0; i < c.n_texts; i++) {
        assert_false(c.texts[i].is_shortened);
        assert_true(i == 0 || c.texts[i].ink.left > c.texts[i - 1].ink.right);
    }
    lt_image_clear(&p);
    canvas_clear(&c);
}

/* ---- Files ---- */

/* Seven numbers above columns of four units: some are shown, whole, on the page. */
static void captions_of_few_narrow_columns_are_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {"−1.64", "−0.84", "−0.39", "0", "0.39", "0.84", "1.64"};
    float x[7 * 40 * 8] = {0};
    lt_grid g = {.images = x, .n = 7, .h = 40, .w = 8, .c = 1,
                 .layout = {.columns = 7, .zoom = 1}, .column_names = names};
    canvas c = {0};
    lt_image p = {0};
    assert_int_equal(grid_draw(&c, PAGE_RASTER, &g, &p), LT_OK);
    assert_true(c.n_texts >= 2);
    for (int i = 0; i < c.n_texts; i++) {
        box b = c.texts[i].ink;
        assert_false(c.texts[i].is_shortened);
        assert_true(b.left >= 0 && b.right <= c.width);
        assert_true(i == 0 || b.left > c.texts[i - 1].ink.right);
    }
    lt_image_clear(&p);
    canvas_clear(&c);
}

static void same_grid_same_bytes(void **state)
{
    (void)state;
    static const char *const ends[] = {"png", "svg", "pdf"};
    static const char *const starts[] = {"\x89PNG", "<?xml", "%PDF-"};
    lt_grid g = make_grid();
    g.rows_in_group = 2;
    for (int i = 0; i < 3; i++) {
        char name[2][16];
        bytes file[2];
        for (int k = 0; k < 2; k++) {
            snprintf(name[k], sizeof name[k], "grid%d.%s", k, ends[i]);
            assert_int_equal(lt_grid_write(in_dir(name[k]), &g), LT_OK);
            assert_int_equal(file_read(in_dir(name[k]), 1 << 20, &file[k]), LT_OK);
        }
        assert_int_equal(file[0].size, file[1].size);
        assert_memory_equal(file[0].data, file[1].data, file[0].size);
        assert_memory_equal(file[0].data, starts[i], strlen(starts[i]));
        bytes_clear(&file[0]);
        bytes_clear(&file[1]);
    }
}

static void tiles_of_an_svg_are_bitmaps_that_stay_sharp(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    g.rows_in_group = 2;
    canvas c = {0};
    lt_image none = {0};
    assert_int_equal(grid_draw(&c, PAGE_SVG, &g, &none), LT_OK);
    int n = 0;
    for (const char *at = text_get(&c.file); (at = strstr(at, "<image ")) != NULL; at++, n++)
        assert_memory_equal(at + 7, "style=\"image-rendering:pixelated\"", 33);
    assert_int_equal(n, 2);
    canvas_clear(&c);
}

/* PNG and WebP are what was drawn; JPEG is near. */
static void rasters_show_what_is_drawn(void **state)
{
    (void)state;
    static const char *const names[] = {"g.png", "g.webp", "g.jpg"};
    lt_grid g = make_grid();
    g.layout.zoom = 16;
    lt_image want = must_draw(&g);
    size_t n = (size_t)want.width * (size_t)want.height * 3;
    for (int k = 0; k < COUNT_OF(names); k++) {
        lt_image found;
        double sum = 0;
        assert_int_equal(lt_grid_write(in_dir(names[k]), &g), LT_OK);
        assert_int_equal(lt_image_read(in_dir(names[k]), &found), LT_OK);
        assert_int_equal(found.width, want.width);
        assert_int_equal(found.height, want.height);
        assert_int_equal(found.channels, 3);
        for (size_t i = 0; i < n; i++)
            sum += abs(found.pixels[i] - want.pixels[i]);
        assert_true(k == 2 ? sum > 0 && sum < 2 * (double)n : sum == 0);
        lt_image_clear(&found);
    }
    lt_image_clear(&want);
}

static void check_refused(const lt_grid *g, const char *name, const char *words)
{
    const char *path = in_dir(name);
    int status = lt_grid_write(path, g);
    if (status != LT_VALUE || !strstr(lt_last_error(), words) || file_exists(path))
        fail_msg("expected \"%s\", found %s: %s", words, lt_status_name(status), lt_last_error());
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    check_refused(&g, "grid.gif",
                  "grid.gif: pictures are written as .png, .jpg, .webp, .svg or .pdf");
    g.n = 0;
    check_refused(&g, "x.png", "without images");
    g = make_grid();
    g.c = 2;
    check_refused(&g, "x.svg", "expected images of 1 or 3 channels");
    g = make_grid();
    g.rows_in_group = -1;
    check_refused(&g, "x.pdf", "-1 rows in a group");
    g = make_grid();
    g.layout.zoom = 6000;
    check_refused(&g, "x.png", "pixels");
    g = (lt_grid){.images = images};
    check_refused(&g, "x.png", "without images");
}

static bool allow_some(void *left, size_t size)
{
    (void)size;
    return (*(int *)left)-- > 0;
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    lt_grid g = make_grid();
    g.rows_in_group = 1;
    int n = 0, status = LT_NO_MEMORY;
    for (; status == LT_NO_MEMORY && n < 50; n++) {
        int left = n;
        lt_image out;
        lt_set_allow_memory(allow_some, &left);
        status = lt_grid_render(&g, &out);
        lt_set_allow_memory(NULL, NULL);
        assert_true((status == LT_OK) == (out.pixels != NULL));
        lt_image_clear(&out);
    }
    assert_int_equal(status, LT_OK);
    assert_int_equal(n, ROWS + 2); /* a raster for each group, and the picture */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_are_whole_and_unsmoothed),
        cmocka_unit_test(a_last_row_may_be_short),
        cmocka_unit_test(without_text_it_is_the_tiles),
        cmocka_unit_test(nan_is_magenta),
        cmocka_unit_test(captions_stand_beside_what_they_name),
        cmocka_unit_test(titles_take_two_lines),
        cmocka_unit_test(no_text_leaves_the_page),
        cmocka_unit_test(captions_of_narrow_columns_are_thinned),
        cmocka_unit_test(captions_of_few_narrow_columns_are_numbers),
        cmocka_unit_test(same_grid_same_bytes),
        cmocka_unit_test(tiles_of_an_svg_are_bitmaps_that_stay_sharp),
        cmocka_unit_test(rasters_show_what_is_drawn),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_images, remove_dir);
}
