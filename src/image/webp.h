/* SPDX-License-Identifier: MIT */
/* libwebp, loaded on first use. Redefines some inline functions of its headers, whose calls would have to be
   linked. */
#ifndef LATENT_WEBP_H
#define LATENT_WEBP_H

#include "base/loaded_webp.h"

#define WebPAnimEncoderNew(w, h, options)                                                          \
    WebPAnimEncoderNewInternal(w, h, options, WEBP_MUX_ABI_VERSION)
#define WebPAnimEncoderOptionsInit(o) WebPAnimEncoderOptionsInitInternal(o, WEBP_MUX_ABI_VERSION)
#define WebPConfigInit(c)                                                                          \
    WebPConfigInitInternal(c, WEBP_PRESET_DEFAULT, 75, WEBP_ENCODER_ABI_VERSION)
#define WebPDataClear(data) WebPFree((void *)(data)->bytes)
#define WebPGetFeatures(bytes, size, f)                                                            \
    WebPGetFeaturesInternal(bytes, size, f, WEBP_DECODER_ABI_VERSION)
#define WebPInitDecoderConfig(c) WebPInitDecoderConfigInternal(c, WEBP_DECODER_ABI_VERSION)
#define WebPPictureInit(p) WebPPictureInitInternal(p, WEBP_ENCODER_ABI_VERSION)

#endif
