"""Reference values of resnet18 from torchvision (Debian: python3-torchvision), whose keys and numbers timm's resnet18 shares.

python3 resnet18.py writes resnet18.eval_131x157.json and resnet18.train_128x160.json beside itself. The fill rule is that of FILL.md:
every number is a pure function of a name and an index."""
import json
import math
import os

import torch
import torchvision

MASK = (1 << 64) - 1


def values(name, count):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    out = []
    for i in range(count):
        z = (h + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        out.append(2 * ((z >> 40) * 2.0**-24) - 1)
    return torch.tensor(out, dtype=torch.float64)


def tensor(name, shape):
    return values(name, math.prod(shape)).reshape(shape).float().double()


def filled(name, shape, g2, g4):
    leaf = name.split(".")[-1]
    v = values(name, math.prod(shape)).reshape(shape)
    if leaf == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    if leaf == "running_var":
        v = 1 + 0.25 * v
    elif leaf == "running_mean":
        v = 0.1 * v
    elif leaf == "bias":
        v = 0.05 * v
    elif leaf == "weight" and len(shape) == 1:
        v = 1 + 0.1 * v
    else:
        v = math.sqrt((g4 if len(shape) == 4 else g2) / math.prod(shape[1:])) * v
    return v.float().double()


def probes(count, wanted):
    wanted = min(wanted, count)
    return [round(i * (count - 1) / max(1, wanted - 1)) for i in range(wanted)]


def figures(t, wanted=8):
    flat = t.detach().reshape(-1)
    at = probes(flat.numel(), wanted)
    return {
        "shape": list(t.shape), "mean": flat.mean().item(), "std": flat.std(unbiased=False).item(), "min": flat.min().item(),
        "max": flat.max().item(), "probe_index": at, "probe_value": [flat[i].item() for i in at],
    }


def gradient(name, g):
    flat = g.reshape(-1)
    at = probes(flat.numel(), 4)
    return {"name": name, "l2": flat.norm().item(), "sum": flat.sum().item(), "shape": list(g.shape), "probe_index": at,
            "probe_value": [flat[i].item() for i in at]}


def case(name, mode, shape, classes, g4):
    model = torchvision.models.resnet18(num_classes=classes)
    model.conv1 = torch.nn.Conv2d(shape[1], 64, 7, 2, 3, bias=False)
    entries = [[key, list(value.shape), str(value.dtype).split(".")[1]] for key, value in model.state_dict().items()]
    model.double()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            value.copy_(filled(key, list(value.shape), 3.0, g4))
    model.train(mode == "train")
    features = []
    for path in ["conv1", "bn1", "layer1", "layer2.0", "layer2", "layer3", "layer4.1", "layer4"]:
        model.get_submodule(path).register_forward_hook(lambda m, i, o, path=path: features.append({"name": path, **figures(o)}))
    x = tensor("input", shape).requires_grad_()
    vector = tensor("loss", [shape[0], classes])
    logits = model(x)
    loss = (logits * vector).sum()
    loss.backward()
    parameters = dict(model.named_parameters())
    grads = [gradient("<input>", x.grad)] + [
        gradient(k, parameters[k].grad)
        for k in ["conv1.weight", "bn1.weight", "layer1.0.conv2.weight", "layer2.0.downsample.0.weight", "layer3.1.bn2.bias",
                  "layer4.0.conv1.weight", "layer4.1.bn2.weight", "fc.weight", "fc.bias"]]
    record = {
        "case": name, "model": "resnet18", "mode": mode, "create": {"in_chans": shape[1], "num_classes": classes, "drop_rate": 0, "drop_path_rate": 0},
        "fill": {"seed": "", "g4": g4, "g2": 3.0}, "input": {"name": "input", "shape": shape, "scale": 1, "offset": 0},
        "loss_vector": {"name": "loss", "shape": [shape[0], classes]}, "num_parameters": sum(p.numel() for p in model.parameters()),
        "dtype_note": f"float64 run of the fp32-rounded parameters; torch {torch.__version__}, torchvision {torchvision.__version__}",
        "tolerance": {"float64_rel": 2e-08, "float32_logits_rel": 2e-4, "float32_grad_rel": 0.1, "grad_floor": 0.005},
        "logits_shape": list(logits.shape), "logits": logits.detach().reshape(-1).tolist(), "loss": loss.item(),
        "features": features, "grads": grads, "state_dict": entries,
    }
    if mode == "train":
        record["buffers_after"] = [{"name": k, **figures(model.state_dict()[k])} for k in ["bn1.running_mean", "bn1.running_var", "layer4.1.bn2.running_var"]]
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json"), "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in record.items()) + "\n}\n")



case("resnet18.eval_131x157", "eval", [1, 1, 131, 157], 182, 3.0)
case("resnet18.train_128x160", "train", [4, 3, 128, 160], 10, 3.0)
