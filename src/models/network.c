/* SPDX-License-Identifier: MIT */
#include "models/network.h"

#include "base/status.h"
#include "nn/params.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Reading and printing ---- */

static int read_line(network_line *line, const yaml_node *node)
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

int network_read(network *net, const yaml_node *list)
{
    LT_TRY(yaml_expect(list, YAML_IS_LIST));
    net->lines = must_alloc(sizeof *net->lines * (size_t)list->n);
    for (const yaml_node *node = list->first; node; node = node->next)
        LT_TRY(read_line(&net->lines[net->n++], node));
    return LT_OK;
}

void network_clear(network *net)
{
    for (int i = 0; i < net->n; i++) {
        spec_clear(&net->lines[i].layer);
        free(net->lines[i].words);
        free(net->lines[i].file);
    }
    free(net->lines);
    *net = (network){0};
}

void network_print(const network *net, int indent, const char *key, text *out)
{
    text_format(out, "%*s%s:%s\n", indent, "", key, net->n ? "" : " []");
    for (int i = 0; i < net->n; i++) {
        text words = {0};
        spec_print(&net->lines[i].layer, &words);
        text_format(out, "%*s- ", indent + 2, "");
        yaml_print(&(yaml_node){.kind = YAML_IS_SCALAR, .text = text_get(&words)}, out);
        text_clear(&words);
    }
}

/* ---- Building ---- */

/* vae.yaml:14:7: encoder, layer 3 (linear 256) */
static void set_place(const network *net, int i, lt_scope *s)
{
    const network_line *line = &net->lines[i];
    char *place = must_format("%s:%d:%d: %s, layer %d (%s)", line->file, line->line, line->column,
                              scope_name(s), i, line->words);
    lt_graph_set_place(lt_scope_graph(s), place);
    free(place);
}

void network_blame_last(const network *net, lt_scope *s)
{
    if (net->n)
        set_place(net, net->n - 1, s);
    else
        lt_graph_set_place(lt_scope_graph(s), scope_name(s));
}

lt_node *network_build(const network *net, const network_context *c, lt_scope *s, lt_node *x)
{
    for (int i = 0; i < net->n; i++) {
        char index[16];
        snprintf(index, sizeof index, "%d", i);
        set_place(net, i, s);
        layer_context context = {.scope = s,
                                 .name = index,
                                 .is_training = c->is_training,
                                 .init = c->init,
                                 .image_size = c->image_size};
        lt_node *y = layer_build(&net->lines[i].layer, &context, x);
        if (c->observer)
            c->observer(c->user, scope_name(s), index, net->lines[i].words, lt_node_shape(x),
                        lt_node_shape(y));
        x = y;
    }
    lt_graph_set_place(lt_scope_graph(s), NULL);
    return x;
}
