"""Weights in the published formats, at full size, with known values: FILL.md's rule over the state dictionary of a reference file.

python3 published.py REFERENCE.json OUT.pth|OUT.safetensors ... writes each OUT, .pth with torch.save (Debian: python3-torch) and
.safetensors by the published layout, as files of timm lie on the hub: flat, without a prefix."""
import collections
import json
import math
import struct
import sys

import numpy
import torch


def values(name, count):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & (1 << 64) - 1
    z = numpy.uint64(h) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    z ^= z >> numpy.uint64(31)
    return 2 * ((z >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24) - 1


def filled(name, shape, fill):
    leaf, v = name.split(".")[-1], values(fill.get("seed", "") + name, math.prod(shape))
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if leaf == "running_var":
        v = 1 + 0.25 * v
    elif leaf == "running_mean":
        v = 0.1 * v
    elif leaf == "gain" or (leaf == "weight" and len(shape) == 1):
        v = 1 + 0.1 * v
    elif leaf == "bias":
        v = 0.05 * v
    else:
        v = math.sqrt((fill.get("g4", 6) if len(shape) == 4 else fill.get("g2", 3)) / math.prod(shape[1:])) * v
    return torch.from_numpy(v.astype(numpy.float32)).reshape(shape)


def write_safetensors(tensors, path):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        t = tensors[name]
        size = t.numel() * t.element_size()
        header[name] = {"dtype": {torch.float32: "F32", torch.int64: "I64"}[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(tensors[name].contiguous().numpy().tobytes())


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        reference = json.load(file)
    weights = collections.OrderedDict((name, filled(name, shape, reference.get("fill", {}))) for name, shape, _ in reference["state_dict"])
    for path in sys.argv[2:]:
        write_safetensors(weights, path) if path.endswith(".safetensors") else torch.save(weights, path)
