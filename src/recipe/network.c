/* SPDX-License-Identifier: MIT */
#include "recipe/network.h"

#include "base/status.h"
#include "nn/params.h"
#include "nn/shapes.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Searching ---- */

const network_line *network_find(const network *net, const char *layer)
{
    for (int i = 0; i < net->n; i++) {
        const network_line *line = &net->lines[i], *inner = network_find(&line->list, layer);
        for (const spec *s = &line->layer; s && s->row; s = s->inner)
            if (layer_is(s, layer))
                return line;
        if (inner)
            return inner;
    }
    return NULL;
}

bool network_has(const network *net, const char *layer) { return network_find(net, layer) != NULL; }

/* ---- Reading and printing ---- */

enum { MAX_DEPTH = 8 }; /* of nested lists */

static int read_lines(network *net, const yaml_node *list, int depth);

/* Parses a line. */
static int read_words(network_line *line, const yaml_node *node)
{
    LT_TRY(yaml_expect(node, YAML_IS_SCALAR));
    int status = spec_parse(&layer_table, node->text, &line->layer);
    if (status != LT_OK)
        return status_prefix(status, "%s:%d:%d", node->file, node->line, node->column);
    line->words = must_copy_text(node->text);
    line->file = must_copy_text(node->file);
    line->line = node->line;
    line->column = node->column;
    return LT_OK;
}

/* A map of one key, `- residual:`, with a list below it. */
static int read_nested(network_line *line, const yaml_node *map, int depth)
{
    if (map->n != 1 || map->first->kind != YAML_IS_LIST)
        return yaml_expect(map, YAML_IS_SCALAR);
    LT_TRY(read_words(line, map->first->key));
    if (!line->layer.row->has_list)
        return yaml_fail(map->first, "the layer %s does not take a list of layers", line->layer.row->name);
    if (depth == MAX_DEPTH)
        return yaml_fail(map->first, "lists are nested deeper than %d", MAX_DEPTH);
    return read_lines(&line->list, map->first, depth + 1);
}

static int read_line(network_line *line, const yaml_node *node, int depth)
{
    if (node->kind == YAML_IS_MAP)
        return read_nested(line, node, depth);
    LT_TRY(read_words(line, node));
    if (line->layer.row->has_list)
        return yaml_fail(node,
                         "%s: expected a list of layers: `- %s:` and the layers indented "
                         "below it",
                         line->words, line->layer.row->name);
    return LT_OK;
}

static int read_lines(network *net, const yaml_node *list, int depth)
{
    LT_TRY(yaml_expect(list, YAML_IS_LIST));
    net->lines = must_alloc(sizeof *net->lines * (size_t)list->n);
    for (const yaml_node *node = list->first; node; node = node->next)
        LT_TRY(read_line(&net->lines[net->n++], node, depth));
    return LT_OK;
}

int network_read(network *net, const yaml_node *list) { return read_lines(net, list, 0); }

void network_clear(network *net)
{
    for (int i = 0; i < net->n; i++) {
        network_clear(&net->lines[i].list);
        spec_clear(&net->lines[i].layer);
        free(net->lines[i].words);
        free(net->lines[i].file);
    }
    free(net->lines);
    *net = (network){0};
}

static void print_line(const network_line *line, text *out)
{
    text words = {0};
    spec_print(&line->layer, &words);
    yaml_print(&(yaml_node){.kind = YAML_IS_SCALAR, .text = text_get(&words)}, out);
    text_clear(&words);
}

void network_print(const network *net, int indent, const char *key, text *out)
{
    text_format(out, "%*s%s:%s\n", indent, "", key, net->n ? "" : " []");
    for (int i = 0; i < net->n; i++) {
        const network_line *line = &net->lines[i];
        text_format(out, "%*s- ", indent + 2, "");
        if (line->layer.row->has_list) {
            text inner = {0};
            network_print(&line->list, indent + 4, line->layer.row->name, &inner);
            text_append(out, text_get(&inner) + indent + 4);
            text_clear(&inner);
        } else {
            print_line(line, out);
        }
    }
}

/* ---- Building ---- */

/* vae.yaml:14:7: encoder, layer 3 (linear 256) at 7 x 7 x 64. Nullable: x. */
static void set_location(const network *net, int i, lt_scope *s, const lt_node *x)
{
    const network_line *line = &net->lines[i];
    char shape[LT_SHAPE_TEXT_SIZE] = "";
    if (x)
        row_shape_text(lt_node_shape(x), shape);
    char *location = must_format("%s:%d:%d: %s, layer %d (%s)%s%s", line->file, line->line,
                              line->column, scope_name(s), i, line->words, x ? " at " : "", shape);
    lt_graph_set_location(lt_scope_graph(s), location);
    free(location);
}

void network_blame_last(const network *net, lt_scope *s)
{
    if (net->n)
        set_location(net, net->n - 1, s, NULL);
    else
        lt_graph_set_location(lt_scope_graph(s), scope_name(s));
}

static void tell(const network_context *c, network_event event)
{
    event.depth = c->depth;
    if (c->observer)
        c->observer(c->user, &event);
}

/* Builds the list of a line, in the line's own scope. */
static lt_node *build_list(const network_line *line, const network_context *c, lt_scope *own,
                           const network_event *event, lt_node *x)
{
    network_context inner = *c;
    inner.depth++;
    network_event opening = *event;
    opening.out = event->in;
    opening.is_opening = true;
    tell(c, opening);
    return network_build(&line->list, &inner, own, x);
}

static lt_node *build_line(const network *net, int i, const network_context *c, lt_scope *s,
                           lt_node *x)
{
    const network_line *line = &net->lines[i];
    char index[16];
    snprintf(index, sizeof index, "%d", i);
    layer_context context = {.scope = s,
                             .name = index,
                             .is_training = c->is_training,
                             .init = c->init,
                             .image_size = c->image_size,
                             .image_channels = c->image_channels};
    text words = {0};
    spec_print_short(&line->layer, &words);
    network_event event = {
        .scope = scope_name(s), .index = index, .words = text_get(&words), .in = lt_node_shape(x)};
    if (line->layer.row->has_list) {
        context.own = lt_scope_enter(s, index);
        context.branch = build_list(line, c, context.own, &event, x);
        event.is_closing = true;
        set_location(net, i, s, x);
    }
    lt_node *y = layer_build(&line->layer, &context, x);
    event.out = lt_node_shape(y);
    tell(c, event);
    text_clear(&words);
    return y;
}

lt_node *network_build_lines(const network *net, int first, int end, const network_context *c,
                             lt_scope *s, lt_node *x)
{
    for (int i = first; i < end; i++) {
        set_location(net, i, s, x);
        x = build_line(net, i, c, s, x);
    }
    lt_graph_set_location(lt_scope_graph(s), NULL);
    return x;
}

lt_node *network_build(const network *net, const network_context *c, lt_scope *s, lt_node *x)
{
    return network_build_lines(net, 0, net->n, c, s, x);
}
