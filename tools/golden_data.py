#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the hashes of seeds_keep_their_meaning in tests/test_data.c.

    python3 tools/golden_data.py

Shares nothing with the C code: Philox-4x32-10, the order of an epoch, synthetic images, dynamic
binarisation, all once more. Takes a second.
"""
import hashlib
import struct

N, HEIGHT, WIDTH, CHANNELS = 500, 13, 11, 3
SEED, EPOCH = 42, 7
SHUFFLE, DYNAMIC, SYNTHETIC = 0xDA7A00, 0xDA7A20, 0xDA7A30  # streams, of the train split
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Ten rounds: four words of 32 bits."""
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & MASK, (p0 >> 32) ^ c[3] ^ k1, p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c


def words(stream, step, first, n):
    """n words of a stream from number `first`, a multiple of 4."""
    out = []
    for block in range(first // 4, (first + n + 3) // 4):
        out += philox([block & MASK, stream ^ ((block >> 32) << 24), step & MASK, step >> 32],
                      (SEED & MASK, SEED >> 32))
    return out[:n]


def single(value):
    """Rounded to single precision, as after every operation in C."""
    return struct.unpack("f", struct.pack("f", value))[0]


def uniform(word):
    return single(((word >> 9) + .5) * 2**-23)


def between(low, width, u):
    return single(single(low) + single(single(width) * u))


def order():
    """Fisher-Yates from the end."""
    out, w = list(range(N)), words(SHUFFLE, EPOCH, 0, N)
    for i in range(N - 1, 0, -1):
        j = w[i] * (i + 1) >> 32
        out[i], out[j] = out[j], out[i]
    return out


def blobs(image):
    """Centre, radius, colour of one to four blobs."""
    w, side = words(SYNTHETIC, 0, image * 32, 32), min(HEIGHT, WIDTH)
    for b in range(1 + w[31] % 4):
        u = [uniform(x) for x in w[b * 7:b * 7 + 7]]
        yield (single(between(.1, .8, u[0]) * WIDTH), single(between(.1, .8, u[1]) * HEIGHT),
               single(1 + single(between(.15, .25, u[2]) * side)),
               [between(.4, .6, x) for x in u[3:3 + CHANNELS]])


def pixel(all_blobs, row, column):
    """Sum of (1 - r^2)^2 times the colour, at most 1, in 255ths."""
    value = [0.] * CHANNELS
    for x, y, radius, colour in all_blobs:
        dx = single(single(column + .5 - x) / radius)
        dy = single(single(row + .5 - y) / radius)
        rest = single(1 - single(single(dx * dx) + single(dy * dy)))
        bell = single(rest * rest) if rest > 0 else 0.
        value = [single(v + single(bell * c)) for v, c in zip(value, colour)]
    return [int(single(single(min(v, 1.) * 255) + .5)) for v in value]


def images():
    out = bytearray()
    for image in range(N):
        all_blobs = list(blobs(image))
        for row in range(HEIGHT):
            for column in range(WIDTH):
                out += bytes(pixel(all_blobs, row, column))
    return out


def draws(pixels):
    """Pixel u is 1 with probability u / 255; 16 bits each, low halves of the words first."""
    size = HEIGHT * WIDTH * CHANNELS
    stride, half, out = (size + 3) // 4 * 4, (size + 1) // 2, []
    for image in range(N):
        w = words(DYNAMIC, EPOCH, image * stride, half)
        for p in range(size):
            bits = w[p] & 0xFFFF if p < half else w[p - half] >> 16
            u = pixels[image * size + p]
            out.append(1. if bits < (u * 65536 * 2 + 255) // 510 else 0.)
    return out


def main():
    pixels = images()
    drawn = draws(pixels)
    print("images", hashlib.sha256(pixels).hexdigest())
    print("order ", hashlib.sha256(struct.pack(f"<{N}i", *order())).hexdigest())
    print("draws ", hashlib.sha256(struct.pack(f"<{len(drawn)}f", *drawn)).hexdigest())


if __name__ == "__main__":
    main()
