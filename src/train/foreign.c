/* SPDX-License-Identifier: MIT */
#include "train/foreign.h"

#include <latent/base.h>

#include <string.h>

#define SAVE(weights)                                                                              \
    "; in Python: from safetensors.torch import save_file; save_file(" weights                     \
    ", \"weights.safetensors\")"
#define TO_SAFETENSORS                                                                             \
    SAVE("torch.load(\"FILE\", map_location=\"cpu\")") ", of the state_dict in it if it holds more"
#define EXPORT "; write its weights as safetensors under the names of PyTorch"

/* ---- By the first bytes ---- */

/* `at`: offset of the bytes. Earlier rows win. */
static const struct {
    const char *bytes;
    size_t size, at;
    const char *what;
} beginnings[] = {
#define MAGIC(bytes, at, what) {bytes, sizeof bytes - 1, at, what},
    MAGIC("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 0,
          "a checkpoint of an old PyTorch (pickles)" TO_SAFETENSORS)
    MAGIC("\x80\x02", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("\x80\x03", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("\x80\x04", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("\x80\x05", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("}q", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("(dp", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("ccollections\nOrderedDict", 0, "a pickle of Python" TO_SAFETENSORS)
    MAGIC("\x89HDF\r\n\x1a\n", 0, "HDF5, as Keras writes it (.h5)" EXPORT)
    MAGIC("GGUF", 0, "GGUF, as llama.cpp reads it" EXPORT)
    MAGIC("TFL3", 4, "a model of TensorFlow Lite" EXPORT)
    MAGIC("\x93NUMPY", 0, "an array of NumPy (.npy)" EXPORT)
    MAGIC("\x08\x01\x12", 0, "a protocol buffer, as TensorFlow's saved_model.pb" EXPORT)
    MAGIC("\x89PNG", 0, "a PNG image; a checkpoint ends in .safetensors")
    MAGIC("\xff\xd8\xff", 0, "a JPEG image; a checkpoint ends in .safetensors")
    MAGIC("GIF8", 0, "a GIF image; a checkpoint ends in .safetensors")
    MAGIC("WEBP", 8, "a WebP image; a checkpoint ends in .safetensors")
    MAGIC("BM", 0, "a BMP image; a checkpoint ends in .safetensors")
    MAGIC("%PDF", 0, "a PDF; a checkpoint ends in .safetensors")
    MAGIC("\x1f\x8b", 0, "a file packed by gzip; unpack it with gunzip")
    MAGIC("BZh", 0, "a file packed by bzip2; unpack it with bunzip2")
    MAGIC("\xfd" "7zXZ", 0, "a file packed by xz; unpack it with unxz")
    MAGIC("\x28\xb5\x2f\xfd", 0, "a file packed by zstd; unpack it with unzstd")
    MAGIC("version https://git-lfs", 0,
          "a Git LFS pointer instead of the file; fetch it with git lfs pull")
    MAGIC("<!DOCTYPE", 0, "a page of HTML, perhaps what a download gave instead of the file")
    MAGIC("<!doctype", 0, "a page of HTML, perhaps what a download gave instead of the file")
    MAGIC("<html", 0, "a page of HTML, perhaps what a download gave instead of the file")
#undef MAGIC
};

static const char *by_beginning(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (size >= beginnings[i].at + beginnings[i].size &&
            memcmp(data + beginnings[i].at, beginnings[i].bytes, beginnings[i].size) == 0)
            return beginnings[i].what;
    return NULL;
}

/* ---- By names inside ---- */

static bool holds(const unsigned char *data, size_t size, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; n <= size && i <= size - n; i++)
        if (data[i] == (unsigned char)word[0] && memcmp(data + i, word, n) == 0)
            return true;
    return false;
}

/* A name that such a file contains. */
typedef struct marker {
    const char *word, *what;
} marker;

static const char *by_marker(const unsigned char *data, size_t size, const marker *list)
{
    for (; list->word; list++)
        if (holds(data, size, list->word))
            return list->what;
    return list->what;
}

/* A zip file lists its names at the end. */
static const marker zips[] = {
    {"constants.pkl",
     "TorchScript (a zip with code)" SAVE("torch.jit.load(\"FILE\").state_dict()")},
    {"data.pkl", "a checkpoint of PyTorch (a zip with pickles: .pt, .pth, .ckpt)" TO_SAFETENSORS},
    {"model.weights.h5", "a model of Keras 3 (.keras)" EXPORT},
    {".npy", "arrays of NumPy in a zip (.npz)" EXPORT},
    {NULL, "a zip file; unpack it, and pass a .safetensors"},
};

static const marker texts[] = {
    {"\"weight_map\"", "the index of safetensors in several files; join them into one"},
    {"\"step\":", "a log of a run (metrics.jsonl); give the run's directory"},
    {"model:", "a recipe, and weights come of training it: latent train FILE"},
    {NULL, NULL},
};

/* protocol buffers of ONNX begin with a version and the name of a producer */
static bool is_onnx(const unsigned char *data, size_t size)
{
    size_t head = size < 4096 ? size : 4096;
    return size > 8 && data[0] == 8 && data[2] == 0x12 &&
           (holds(data, head, "pytorch") || holds(data, head, "onnx") || holds(data, head, "ai."));
}

static bool is_text(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] == 0 || data[i] > 0x7e)
            return false;
    return size > 0;
}

const char *foreign_kind(const unsigned char *data, size_t size)
{
    static const unsigned char table_end[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    enum { LOOKED_AT = 1 << 16, TAR_MARK = 257 };
    size_t part = size < LOOKED_AT ? size : LOOKED_AT;
    if (size == 0)
        return "an empty file";
    if (is_onnx(data, size))
        return "a model of ONNX" EXPORT;
    if (size >= 4 && memcmp(data, "PK\3\4", 4) == 0)
        return by_marker(data + size - part, part, zips);
    if (size >= sizeof table_end &&
        memcmp(data + size - sizeof table_end, table_end, sizeof table_end) == 0)
        return "the index of a checkpoint of TensorFlow" EXPORT;
    if (size > TAR_MARK + 5 && memcmp(data + TAR_MARK, "ustar", 5) == 0)
        return "a tar archive, or a checkpoint of a very old PyTorch" TO_SAFETENSORS;
    const char *what = by_beginning(data, size);
    return what || !is_text(data, part) ? what : by_marker(data, part, texts);
}
