/* SPDX-License-Identifier: MIT */
/* Importing and exporting: weights of every type, mismatches, npy. */
#include "check.h"

#include "base/file.h"
#include "scratch.h"
#include "train/safetensors.h"

#include <latent/train.h>

#define WORDS                                                                                      \
    "data: {set: synthetic}\nmodel:\n  latent: 2\n  likelihood: gaussian 1\n"                      \
    "  encoder: [conv 3 kernel=2, batch_norm]\n  decoder: [linear image]\n"

static lt_model *model(void)
{
    lt_recipe *r = lt_recipe_parse("r.yaml", WORDS, NULL, 0);
    lt_model *m = r ? lt_model_create(r, (lt_image_size){3, 2, 1}) : NULL;
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

enum { MAX_TENSORS = 24, ROOM = 64 };

/* All tensors of the model, holding 1, 2, 3 ... as `type`. */
typedef struct foreign {
    safetensors_entry entries[MAX_TENSORS];
    double numbers[MAX_TENSORS][ROOM]; /* or narrower */
    int n;
} foreign;

static void put(safetensors_type type, void *at, int i, int value)
{
    switch (type) {
    case SAFETENSORS_F32:
        ((float *)at)[i] = (float)value;
        break;
    case SAFETENSORS_F64:
        ((double *)at)[i] = value;
        break;
    case SAFETENSORS_I64:
        ((int64_t *)at)[i] = -value;
        break;
    case SAFETENSORS_U64:
        ((uint64_t *)at)[i] = (uint64_t)value;
        break;
    case SAFETENSORS_U8:
        ((uint8_t *)at)[i] = (uint8_t)value;
        break;
    default: /* F16 and BF16 are only read: test_files */
        fail();
    }
}

static void fill(foreign *f, const lt_params *p, safetensors_type type)
{
    *f = (foreign){.n = lt_params_count(p)};
    assert_true(f->n < MAX_TENSORS);
    for (int i = 0; i < f->n; i++) {
        lt_param_info info = lt_params_info(p, i);
        f->entries[i] = (safetensors_entry){.name = info.name, .type = type,
                                            .rank = info.shape.rank, .data = f->numbers[i]};
        memcpy(f->entries[i].dims, info.shape.d, sizeof *info.shape.d * (size_t)info.shape.rank);
        assert_true(lt_shape_size(info.shape) <= ROOM);
        for (int k = 0; k < lt_shape_size(info.shape); k++)
            put(type, f->numbers[i], k, 1 + k % 7);
    }
}

static void write_foreign(const foreign *f)
{
    if (safetensors_write(in_dir("foreign"), f->entries, f->n, NULL, 0) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void weights_of_every_number_type_are_taken(void **state)
{
    (void)state;
    static const safetensors_type types[] = {SAFETENSORS_F32, SAFETENSORS_F64, SAFETENSORS_I64,
                                             SAFETENSORS_U64, SAFETENSORS_U8};
    lt_model *m = model();
    lt_params *p = lt_model_params(m);
    for (int t = 0; t < COUNT_OF(types); t++) {
        foreign f;
        fill(&f, p, types[t]);
        write_foreign(&f);
        if (lt_model_load(m, in_dir("foreign")) != LT_OK)
            fail_msg("%s", lt_last_error());
        float outside[ROOM];
        for (int i = 0; i < f.n; i++) {
            lt_params_export(p, i, lt_params_block(p), outside);
            for (int k = 0; k < lt_shape_size(lt_params_info(p, i).shape); k++)
                assert_true(outside[k] ==
                            (float)(types[t] == SAFETENSORS_I64 ? -1 - k % 7 : 1 + k % 7));
        }
    }
    lt_model_free(m);
}

static void assert_refused(const foreign *f, lt_model *m, const char *message)
{
    lt_params *p = lt_model_params(m);
    float before = lt_params_block(p)[0];
    write_foreign(f);
    assert_int_not_equal(lt_model_load(m, in_dir("foreign")), LT_OK);
    assert_text_has(lt_last_error(), message);
    assert_true(lt_params_block(p)[0] == before);
}

static void weights_that_do_not_fit_are_named(void **state)
{
    (void)state;
    lt_model *m = model();
    foreign f;
    fill(&f, lt_model_params(m), SAFETENSORS_F64);
    f.entries[0].name = "encoder.0.weigth";
    assert_refused(&f, m, "foreign: the model has no parameter \"encoder.0.weigth\"; it has "
                          "\"encoder.0.weight\"");
    fill(&f, lt_model_params(m), SAFETENSORS_F64);
    f.entries[0] = f.entries[--f.n];
    assert_refused(&f, m, "foreign: no tensor \"encoder.0.weight\"; there is \"encoder.1.weight\"");
    fill(&f, lt_model_params(m), SAFETENSORS_F64);
    f.entries[0].dims[0] = 1;
    f.entries[0].dims[1] = 3;
    assert_refused(&f, m, "foreign: tensor \"encoder.0.weight\": expected shape [3, 1, 2, 2], "
                          "found [1, 3, 2, 2]");
    lt_model_free(m);
}

/* What numpy.save writes for float32 of shape (2, 1, 3), and for (2,). */
static void npy_files_are_numpys(void **state)
{
    (void)state;
    static const char header[] = "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, "
                                 "'shape': (2, 1, 3), }";
    static const float numbers[] = {1, -2.5f, 3e-9f, 0, 5, 6};
    bytes b;
    assert_int_equal(lt_npy_write(in_dir("x.npy"), numbers, 3, (int64_t[]){2, 1, 3}), LT_OK);
    assert_int_equal(file_read(in_dir("x.npy"), 1000, &b), LT_OK);
    assert_int_equal(b.size, 128 + sizeof numbers);
    assert_memory_equal(b.data, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < 127; i++)
        assert_int_equal(b.data[i], ' ');
    assert_int_equal(b.data[127], '\n');
    assert_memory_equal(b.data + 128, numbers, sizeof numbers);
    bytes_clear(&b);
    assert_int_equal(lt_npy_write(in_dir("x.npy"), numbers, 1, (int64_t[]){2}), LT_OK);
    assert_int_equal(file_read(in_dir("x.npy"), 1000, &b), LT_OK);
    assert_int_equal(b.size, 128 + 2 * sizeof *numbers);
    assert_memory_equal(b.data + 51, "'shape': (2,), }", 16);
    bytes_clear(&b);
    assert_int_not_equal(lt_npy_write(in_dir("none/x.npy"), numbers, 1, (int64_t[]){2}), LT_OK);
}

/* ---- Files that are not checkpoints ---- */

/* The first bytes of files of other programs, as those programs write them. */
static void other_formats_are_called_by_name(void **state)
{
    (void)state;
#define ROW(bytes, what) {bytes, sizeof bytes - 1, what}
    static const struct {
        const char *bytes;
        size_t size;
        const char *what;
    } files[] = {
        ROW("PK\3\4........archive/data.pklPK", "a checkpoint of PyTorch"),
        ROW("PK\3\4........m/constants.pkl m/data.pkl", "TorchScript"),
        ROW("PK\3\4........x.npy", "NumPy in a zip"),
        ROW("PK\3\4........model.weights.h5", "Keras 3"),
        ROW("PK\3\4........readme.txt", "a zip file"),
        ROW("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "of an old PyTorch"),
        ROW("\x80\x04\x95\x1a\0\0\0\0\0\0\0}", "a pickle"),
        ROW("(dp0\nVa\np1\nI1\ns.", "a pickle"),
        ROW("\x89HDF\r\n\x1a\n\0\0\0\0", "HDF5"),
        ROW("GGUF\3\0\0\0\0\0\0\0", "GGUF"),
        ROW("\x08\x07\x12\x07pytorch\x1a\x05" "1.13.", "ONNX"),
        ROW("\0\0\0\0TFL3\0\0\0\0", "TensorFlow Lite"),
        ROW("\0\1\2\3\4\5\6\7\x57\xfb\x80\x8b\x24\x75\x47\xdb", "checkpoint of TensorFlow"),
        ROW("\x93NUMPY\1\0v\0{", "an array of NumPy"),
        ROW("\x89PNG\r\n\x1a\n....", "a PNG image"),
        ROW("\xff\xd8\xff\xe0....JFIF", "a JPEG image"),
        ROW("RIFF....WEBPVP8 ", "a WebP image"),
        ROW("\x1f\x8b\x08\0\0\0\0\0\0\3", "gzip"),
        ROW("version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ROW("<!DOCTYPE html><html>404", "HTML"),
        ROW("name: x\nmodel:\n  latent: 3\n", "a recipe"),
        ROW("{\"step\":4,\"epoch\":1}\n", "a log of a run"),
        ROW("{\"metadata\":{},\"weight_map\":{}}", "the index of safetensors"),
        ROW("", "an empty file"),
    };
#undef ROW
    lt_model *m = model();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = in_dir("other");
        assert_int_equal(file_write(path, files[i].bytes, files[i].size), LT_OK);
        assert_int_equal(lt_model_load(m, path), LT_FORMAT);
        assert_text_has(lt_last_error(), "expected safetensors, found ");
        assert_text_has(lt_last_error(), files[i].what);
        assert_text_has(lt_last_error(), path);
    }
    lt_model_free(m);
}

/* One number of one tensor, anywhere. */
static void numbers_that_are_none_are_named(void **state)
{
    (void)state;
    static foreign f;
    static const double strange[] = {NAN, INFINITY, -INFINITY, 1e300}; /* too large for f32 */
    static const char *const words[] = {" is nan", " is inf", " is -inf", " is inf"};
    lt_model *m = model();
    const lt_params *p = lt_model_params(m);
    for (int i = 0; i < lt_params_count(p); i++)
        for (int k = 0; k < 4; k++) {
            lt_shape shape = lt_params_info(p, i).shape;
            int64_t n = lt_shape_size(shape), at = n - 1;
            char name[96];
            fill(&f, p, SAFETENSORS_F64);
            f.numbers[i][at] = strange[k];
            assert_int_equal(safetensors_write(in_dir("strange"), f.entries, f.n, NULL, 0), LT_OK);
            assert_int_equal(lt_model_load(m, in_dir("strange")), LT_VALUE);
            snprintf(name, sizeof name, "%s%s", f.entries[i].name, shape.rank ? "[" : " is ");
            assert_text_has(lt_last_error(), name);
            assert_text_has(lt_last_error(), words[k]);
            if (shape.rank) { /* the last index is the largest of each dimension */
                snprintf(name, sizeof name, "%lld] is", (long long)shape.d[shape.rank - 1] - 1);
                assert_text_has(lt_last_error(), name);
            }
        }
    lt_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_every_number_type_are_taken),
        cmocka_unit_test(weights_that_do_not_fit_are_named),
        cmocka_unit_test(npy_files_are_numpys),
        cmocka_unit_test(other_formats_are_called_by_name),
        cmocka_unit_test(numbers_that_are_none_are_named),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
