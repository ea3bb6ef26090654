"""Small files that PyTorch writes (Debian: python3-torch, 1.13), with the values that they hold.

python3 torch_files.py writes beside itself checkpoint.pth (torch.save of today: a zip), checkpoint.legacy.pth (the format before
PyTorch 1.6), checkpoint.protocol5.pth (a newer pickle), module.pth (the state dictionary of a module, as published models are) and values.txt."""
import collections
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


def tensors():
    grid = torch.arange(-4, 8).reshape(3, 4)
    out = collections.OrderedDict()
    for t in TYPES:
        out[f"grid {t}"] = (grid.abs() if t in (torch.uint8, torch.bool) else grid).to(t)
    base = torch.arange(24, dtype=torch.float32) / 4
    out["turned"] = base.reshape(4, 6).t()
    out["every second"] = base[1::2]
    out["middle"] = base.reshape(2, 3, 4)[:, 1:, ::2]
    out["channels last"] = base.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    out["repeated"] = base[3:4].expand(5)
    out["scalar"] = torch.tensor(7)
    out["nothing"] = torch.zeros(0, 3)
    out["parameter"] = torch.nn.Parameter(base[:3].clone())
    return out


def checkpoint():
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 12, "arch": "tiny", "metric": 0.25, "best": None, "version": (1, 2, 3), "names": ["a", "ü"], "seed": 2**63 + 1, "size": torch.Size([2, 3]),
        "dtype": torch.float16, "optimizer": optimizer.state_dict(), "state_dict": tensors(),
    }


def module():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()


def described(entries):
    return {
        key: {"type": str(t.dtype).split(".")[1], "shape": list(t.shape), "values": t.detach().double().reshape(-1).tolist()} for key, t in entries.items()
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    whole = checkpoint()
    torch.save(whole, os.path.join(HERE, "checkpoint.pth"))
    torch.save(whole, os.path.join(HERE, "checkpoint.legacy.pth"), _use_new_zipfile_serialization=False)
    torch.save(whole, os.path.join(HERE, "checkpoint.protocol5.pth"), pickle_protocol=5)
    torch.save(module(), os.path.join(HERE, "module.pth"))
    with open(os.path.join(HERE, "values.txt"), "w") as file:
        json.dump({"checkpoint": described(whole["state_dict"]), "module": described(module())}, file, indent=1)
