#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the hashes of seeds_keep_their_meaning in tests/test_data.c and, where Pillow is installed
(made with 9.4.0), those of tests/test_transform.c. Where SciPy is installed (made with 1.10.1), writes
tests/golden/*.mat in the manner of SVHN; where NumPy is (1.24.2), *.npz in those of Keras and MedMNIST.

    /usr/bin/python3 tools/golden_data.py

Shares nothing with the C code: Philox-4x32-10, the order of an epoch, synthetic images, dynamic
binarization, all once more; pictures are resized and recolored by Pillow. Takes ten seconds.
"""
import hashlib
import os
import struct

N, HEIGHT, WIDTH, CHANNELS = 500, 13, 11, 3
SEED, EPOCH = 42, 7
# streams, of the train split
SHUFFLE, DYNAMIC, SYNTHETIC, FLIP = 0xDA7A00, 0xDA7A20, 0xDA7A30, 0xDA7A40
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Ten rounds: four words of 32 bits."""
    c, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & MASK, (p0 >> 32) ^ c[3] ^ k1, p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c


def words(stream, step, first, n, seed=SEED):
    """n words of a stream from number `first`, a multiple of 4."""
    out = []
    for block in range(first // 4, (first + n + 3) // 4):
        out += philox([block & MASK, stream ^ ((block >> 32) << 24), step & MASK, step >> 32],
                      (seed & MASK, seed >> 32))
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
    """Center, radius, color of one to four blobs."""
    w, side = words(SYNTHETIC, 0, image * 32, 32), min(HEIGHT, WIDTH)
    for b in range(1 + w[31] % 4):
        u = [uniform(x) for x in w[b * 7:b * 7 + 7]]
        yield (single(between(.1, .8, u[0]) * WIDTH), single(between(.1, .8, u[1]) * HEIGHT),
               single(1 + single(between(.15, .25, u[2]) * side)),
               [between(.4, .6, x) for x in u[3:3 + CHANNELS]])


def pixel(all_blobs, row, column):
    """Sum of (1 - r^2)^2 times the color, at most 1, in 255ths."""
    value = [0.] * CHANNELS
    for x, y, radius, color in all_blobs:
        dx = single(single(column + .5 - x) / radius)
        dy = single(single(row + .5 - y) / radius)
        rest = single(1 - single(single(dx * dx) + single(dy * dy)))
        bell = single(rest * rest) if rest > 0 else 0.
        value = [single(v + single(bell * c)) for v, c in zip(value, color)]
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


# ---- Pictures: h, w, c of the picture and of the image, and how the one is put into the other ----

PICTURES = [
    (28, 28, 1, 32, 32, 1, "none"), (28, 28, 1, 14, 14, 1, "none"), (37, 53, 3, 32, 32, 3, "none"),
    (375, 500, 3, 64, 64, 3, "none"), (1, 1, 1, 5, 5, 1, "none"), (5, 5, 3, 1, 1, 3, "none"),
    (7, 3, 3, 7, 9, 3, "none"), (7, 3, 1, 20, 3, 1, "none"), (100, 3, 3, 3, 100, 3, "none"),
    (16, 16, 3, 16, 16, 1, "none"), (64, 48, 3, 20, 20, 1, "none"), (9, 8, 1, 12, 12, 3, "none"),
    (375, 500, 3, 64, 64, 3, "center"), (53, 37, 1, 16, 24, 1, "center"),
    (375, 500, 3, 64, 64, 3, "fit"), (53, 37, 1, 48, 64, 3, "fit"), (3, 700, 1, 8, 8, 1, "fit"),
]


def noise(i, size):
    """The bytes of picture i."""
    return bytes(w >> 24 for w in words(0, i, 0, size, seed=1))


def box_within(h, w, like_h, like_w):
    """The largest box of a shape in h x w: its size, rounded, and its place in the middle."""
    box_h = min(h, max(1, (2 * w * like_h + like_w) // (2 * like_w)))
    box_w = min(w, max(1, (2 * h * like_w + like_h) // (2 * like_h)))
    return box_h, box_w, (h - box_h) // 2, (w - box_w) // 2


def transformed(Image, data, h, w, c, to_h, to_w, to_c, crop):
    image = Image.frombytes("L" if c == 1 else "RGB", (w, h), data)
    image = image.convert("L" if to_c == 1 else "RGB")
    if crop == "center":
        box_h, box_w, top, left = box_within(h, w, to_h, to_w)
        image = image.crop((left, top, left + box_w, top + box_h))
    if crop != "fit":
        return image.resize((to_w, to_h), Image.BILINEAR)
    box_h, box_w, top, left = box_within(to_h, to_w, h, w)
    whole = Image.new(image.mode, (to_w, to_h))
    whole.paste(image.resize((box_w, box_h), Image.BILINEAR), (left, top))
    return whole


def print_pictures(Image):
    for i, case in enumerate(PICTURES):
        h, w, c = case[:3]
        image = transformed(Image, noise(i, h * w * c), *case)
        print(case, hashlib.sha256(image.tobytes()).hexdigest())
    for i, (h, w, c, to_h, to_w, _, _) in enumerate(PICTURES[:2]):
        floats = struct.pack(f"<{h * w}f", *(b / 255 for b in noise(i, h * w)))
        image = Image.frombytes("F", (w, h), floats).resize((to_w, to_h), Image.BILINEAR)
        print((h, w, to_h, to_w), "floats", hashlib.sha256(image.tobytes()).hexdigest())


def flipped(pixels):
    """Rows reversed where the image's word has its highest bit; values are b / 255."""
    row, out = WIDTH * CHANNELS, []
    for image, w in enumerate(words(FLIP, EPOCH, 0, N)):
        for at in range(image * HEIGHT * row, (image + 1) * HEIGHT * row, row):
            line = [pixels[i:i + CHANNELS] for i in range(at, at + row, CHANNELS)]
            out += b"".join(reversed(line) if w >> 31 else line)
    return [single(b / 255) for b in out]


# ---- MAT files ----

def write_mat(directory):
    """X[h, w, c, n] and y as SVHN has them, among other variables, packed and plain."""
    import numpy
    from scipy.io import savemat
    h, w, c, n = numpy.indices((5, 4, 3, 6))
    x = (37 * h + 11 * w + 83 * c + 101 * n + h * w * n).astype(numpy.uint8)
    y = numpy.array([[10, 1, 9, 2, 3, 10]]).T
    for name, packed, labels in (("packed", True, y.astype(numpy.uint8)),
                                 ("plain", False, y.astype(float))):
        path = os.path.join(directory, f"svhn-{name}.mat")
        savemat(path, {"note": "not an image", "X": x, "more": {"a": 1.0, "b": "c"}, "y": labels,
                       "z": numpy.array([[1 + 2j]])}, do_compression=packed)
        with open(path, "r+b") as file:  # not the date
            file.write(b"MATLAB 5.0 MAT-file, by tools/golden_data.py".ljust(116))
        print(path, os.path.getsize(path), "bytes")


# ---- npz files ----

def write_npz(directory):
    """The arrays of Keras' mnist.npz, and those of a set of MedMNIST."""
    import numpy
    n, h, w, c = numpy.indices((4, 3, 5, 3))
    color = (59 * n + 31 * h + 7 * w + 83 * c).astype(numpy.uint8)
    gray, labels = color[..., 0], numpy.array([7, 0, 255, 3], numpy.uint8)
    keras, med = (os.path.join(directory, name) for name in ("keras.npz", "medmnist.npz"))
    numpy.savez_compressed(keras, x_test=gray[2:], x_train=gray, y_train=labels,
                           y_test=labels[2:].astype(numpy.int64))
    numpy.savez(med, train_images=color, val_images=color[1:2], test_images=color[2:],
                train_labels=labels[:, None], val_labels=labels[1:2, None],
                test_labels=labels[2:, None].astype(numpy.int16))
    for path in keras, med:
        print(path, os.path.getsize(path), "bytes")


def main():
    pixels = images()
    drawn = draws(pixels)
    turned = flipped(pixels)
    print("images", hashlib.sha256(pixels).hexdigest())
    print("order ", hashlib.sha256(struct.pack(f"<{N}i", *order())).hexdigest())
    print("draws ", hashlib.sha256(struct.pack(f"<{len(drawn)}f", *drawn)).hexdigest())
    print("flips ", hashlib.sha256(struct.pack(f"<{len(turned)}f", *turned)).hexdigest())
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/golden")
    try:
        write_npz(golden)
        write_mat(golden)
    except ImportError:
        print("no NumPy or no SciPy: not all of the files")
    try:
        from PIL import Image
    except ImportError:
        print("no Pillow, no pictures")
    else:
        print_pictures(Image)


if __name__ == "__main__":
    main()
