#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the hashes of cifar_is_what_pillow_makes_of_it in tests/test_folder.c: a zip file of labeled
pictures as Pillow (made with 9.4.0) decodes and resizes them, in latent's order.

    /usr/bin/python3 tools/golden_pictures.py ../shared/data/cifar10-jpeg/test.zip
"""
import hashlib
import io
import sys
import zipfile

from PIL import Image

archive = zipfile.ZipFile(sys.argv[1])
classes = {}
for name in sorted(n for n in archive.namelist() if n.endswith(".jpg")):
    classes.setdefault(name.split("/")[-2], []).append(name)

# the k-th picture of a class of n lies (k + 1/2) / n of the way through the set
order = sorted((((k + 0.5) / len(names), label, name)
                for label, (_, names) in enumerate(sorted(classes.items()))
                for k, name in enumerate(names)))
pictures = [Image.open(io.BytesIO(archive.read(name))) for _, _, name in order]


def show(what, parts):
    print("%-16s %s" % (what, hashlib.sha256(b"".join(parts)).hexdigest()))


show("labels", [bytes([label]) for _, label, _ in order])
show("as they are", [p.convert("RGB").tobytes() for p in pictures])
show("resize=20", [p.resize((20, 20), Image.BILINEAR).tobytes() for p in pictures])
