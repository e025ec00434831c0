/* SPDX-License-Identifier: MIT */
/* generator.h: decode, encode, reconstruct and sample. A generator stays open between calls, so that one image takes
 * microseconds; the functions without one open a generator, use it once and free it.
 * The generator reads the model's parameters in place; the model must outlive it.
 *
 *     lt_generator *g;
 *     lt_generator_open(model, 1, NULL, &g);           // one image at a time
 *     while (read_slider(z))
 *         lt_generator_decode(g, 1, z, image);
 *     lt_generator_free(g);
 */
#ifndef LATENT_GENERATOR_H
#define LATENT_GENERATOR_H

#include <latent/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A generator that stays open ----
 * Arrays are f32: images n x h x w x c, codes n x latent. E[x|z] stands for the median if the likelihood has no
 * formula for the mean.
 *
 * Row i of a result has the same bits for every n and every number of threads. Another `batch` may change the
 * last bits of encoded or decoded values, because kernels are chosen by shape. Functions that sample noise always
 * work on 64 rows at a time, so a seed gives the same images in every generator.
 *
 * A generator always uses the current parameters: after a training step, lt_model_copy or lt_model_load, the next
 * call uses the new ones. It reads them without a lock: do not call it while another thread writes them; give it a
 * copy of the model instead (lt_model_copy). Make one call at a time; two threads may use two generators of one
 * model. */

typedef struct lt_generator lt_generator;

/* Zero means default. */
typedef struct lt_generator_options {
    lt_run_options run; /* progress: after each batch of a call; a call that it stops returns LT_INTERRUPTED */
} lt_generator_options;

enum { LT_GENERATOR_BATCH = 64, LT_GENERATOR_MAX_BATCH = 1 << 16 };

/* Opens a generator that works on `batch` rows at a time (0: LT_GENERATOR_BATCH). The first call of a function
   compiles it; later calls allocate nothing. Returns LT_VALUE for a batch or threads out of range. *out is NULL on
   failure. Nullable: o. */
LT_API int lt_generator_open(lt_model *m, int batch, const lt_generator_options *o, lt_generator **out);
LT_API void lt_generator_free(lt_generator *g); /* Nullable: g */

/* Returns the model whose parameters it reads; borrowed. */
LT_API lt_model *lt_generator_model(const lt_generator *g);

/* The following functions return LT_VALUE for n < 0 or a class out of range; LT_GRAPH for a model that cannot do
   this; LT_NO_MEMORY. */

/* Writes mean and log variance of q(z|x) for n images. Nullable: logvar. */
LT_API int lt_generator_encode(lt_generator *g, int n, const float *images, float *mean, float *logvar);

/* Writes E[x|z] for n codes. A model with classes samples one for each code. */
LT_API int lt_generator_decode(lt_generator *g, int n, const float *z, float *images);

/* Writes E[x|z] for n codes of the given classes, n whole numbers from 0 to lt_model_classes - 1. */
LT_API int lt_generator_decode_class(lt_generator *g, int n, const float *z, const int32_t *labels,
                                     float *images);

/* Writes E[x|z] at the posterior mean of each of n images. */
LT_API int lt_generator_reconstruct(lt_generator *g, int n, const float *images, float *reconstructions);

/* Writes images first ... first + n - 1 of the infinite sequence of a model and a seed: E[x|z], z sampled from the
   prior. Returns LT_VALUE for first < 0. */
LT_API int lt_generator_sample(lt_generator *g, int first, int n, uint64_t seed, float *images);

/* Like lt_generator_sample, of one class, from 0 to lt_model_classes - 1, with the same codes. */
LT_API int lt_generator_sample_class(lt_generator *g, int label, int first, int n, uint64_t seed, float *images);

/* Writes the codes of these images. */
LT_API int lt_generator_sample_codes(lt_generator *g, int first, int n, uint64_t seed, float *z);

/* Writes a sample of p(x|z) for each of n codes. Values may lie outside [0, 1] if the likelihood allows them. */
LT_API int lt_generator_decode_sample(lt_generator *g, int n, const float *z, uint64_t seed, float *images);

/* ---- One call: these open a generator with the default batch, call its function and free it ---- */

LT_API int lt_encode(lt_model *m, int n, const float *images, int threads, float *mean, float *logvar);
LT_API int lt_decode(lt_model *m, int n, const float *z, int threads, float *images);
LT_API int lt_decode_class(lt_model *m, int n, const float *z, const int32_t *labels, int threads, float *images);
LT_API int lt_reconstruct(lt_model *m, int n, const float *images, int threads, float *reconstructions);
LT_API int lt_sample(lt_model *m, int n, uint64_t seed, int threads, float *images);
LT_API int lt_sample_class(lt_model *m, int label, int n, uint64_t seed, int threads, float *images);
LT_API int lt_sample_codes(lt_model *m, int n, uint64_t seed, int threads, float *z);
LT_API int lt_decode_sample(lt_model *m, int n, const float *z, uint64_t seed, int threads, float *images);

#ifdef __cplusplus
}
#endif
#endif
