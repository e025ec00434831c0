/* SPDX-License-Identifier: MIT */
/* The worked example of docs/internals.md: one step of a small network, as the graph that was written, after each pass
 * of the compiler that changes it, and as the tile program of its largest fused group.
 *
 *     worked_example                 prints it, in blocks
 *     worked_example --check PAGE    exits 1 unless the page has these blocks, in this order, and no other node
 */
#include "base/text.h"
#include "compile/executor.h"
#include "cpu/group.h"

#include <latent/latent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const executor executor_cpu;

enum { MAX_BLOCKS = 16 };

typedef struct blocks {
    const char *title[MAX_BLOCKS];
    char *text[MAX_BLOCKS];
    int n;
} blocks;

/* What a pass is compared with: the graph as the pass before it left it. */
typedef struct observed {
    blocks *blocks;
    char *last;
} observed;

/* Adds the lines of `of`, indented by four spaces as Markdown has code. */
static void add_block(blocks *b, const char *title, const char *of)
{
    text indented = {0};
    for (const char *line = of; *line; line = strchr(line, '\n') + 1)
        text_format(&indented, "    %.*s\n", (int)strcspn(line, "\n"), line);
    b->title[b->n] = title;
    b->text[b->n++] = text_take(&indented);
}

/* A pass that changes nothing has no block; the last one makes groups. */
static void observe(const char *pass, const lt_program *p, void *user)
{
    observed *o = user;
    char *now = p->n_groups ? lt_program_dump(p) : program_dump_nodes(p);
    if (!o->last || strcmp(o->last, now) != 0)
        add_block(o->blocks, pass, now);
    free(o->last);
    o->last = now;
}

/* relu(x w + b), its mean squared distance from y, and a step of gradient descent on w. */
static int write_step(lt_graph *g, lt_node *targets[2])
{
    lt_node *x = lt_input(g, "x", lt_shape_2d(64, 20)), *y = lt_input(g, "y", lt_shape_2d(64, 10));
    lt_node *w = lt_variable(g, "w", lt_shape_2d(20, 10)), *b = lt_variable(g, "b", lt_shape_1d(10));
    lt_node *h = lt_relu(lt_add(lt_matmul(x, w), b));
    lt_node *loss = lt_name(lt_mean(lt_square(lt_sub(h, y))), "loss");
    targets[0] = loss;
    targets[1] = lt_assign(w, lt_sub(w, lt_scale(lt_grad(loss, w), .1)));
    return 2;
}

static int largest_group(const lt_program *p)
{
    int largest = 0;
    for (int u = 1; u < p->n_groups; u++)
        if (p->groups[u].fused && p->groups[u].n > p->groups[largest].n)
            largest = u;
    return largest;
}

static void add_tile_program(blocks *b, const lt_program *p)
{
    arena memory = {0};
    plan *m = plan_make(p, false);
    const fusion_group *u = &p->groups[largest_group(p)];
    char *program = group_dump(group_make(&memory, p, u, m), u);
    add_block(b, "tile program of the largest group", program);
    free(program);
    plan_free(m);
    arena_clear(&memory);
}

static void make_blocks(blocks *b)
{
    lt_graph *g = lt_graph_create();
    lt_node *targets[2];
    int n = write_step(g, targets);
    observed o = {.blocks = b};
    lt_program *p = program_compile_observed(g, targets, n, executor_cpu.target, observe, &o);
    if (!p) {
        fprintf(stderr, "worked_example: %s\n", lt_last_error());
        exit(1);
    }
    free(o.last);
    add_tile_program(b, p);
    lt_program_free(p);
    lt_graph_free(g);
}

/* Lines of code that are nodes: "    %4 = ...". */
static int count_nodes(const char *of)
{
    int n = 0;
    for (const char *at = of; (at = strstr(at, "\n    %")); at++)
        n++;
    return n;
}

static int check(const blocks *b, const char *page)
{
    const char *at = page;
    text all = {0};
    for (int i = 0; i < b->n; i++) {
        const char *found = strstr(at, b->text[i]);
        if (!found) {
            printf("the page does not have, or not in its order, %s:\n\n%s\n", b->title[i], b->text[i]);
            return 1;
        }
        at = found + strlen(b->text[i]);
        text_format(&all, "\n%s", b->text[i]);
    }
    bool is_more = count_nodes(page) > count_nodes(text_get(&all));
    if (is_more)
        printf("the page has lines of nodes that are not of the example\n");
    text_clear(&all);
    return is_more;
}

static char *read_page(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        exit(2);
    }
    text page = {0};
    char buffer[4096];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        text_append_bytes(&page, buffer, n);
    fclose(f);
    return text_take(&page);
}

int main(int argc, char **argv)
{
    blocks b = {0};
    int status = 0;
    make_blocks(&b);
    if (argc == 3 && strcmp(argv[1], "--check") == 0) {
        char *page = read_page(argv[2]);
        status = check(&b, page);
        free(page);
    } else {
        for (int i = 0; i < b.n; i++)
            printf("%s:\n\n%s\n", b.title[i], b.text[i]);
    }
    for (int i = 0; i < b.n; i++)
        free(b.text[i]);
    return status;
}
