"""librosa's per-channel energy normalisation, written from its formula over scipy's filter, for known values.

python3 pcen.py > values.txt (Debian: python3-scipy). librosa 0.10's `pcen` for max_size = 1 and an axis of frames: the time constant gives b,
scipy.signal.lfilter runs with the state of lfilter_zi as it is (not times the first frame, so that the mean starts at 1), and
    (bias ** power) * expm1(power * log1p(S * exp(-gain * (log(eps) + log1p(M / eps))) / bias)).
A case with "start": "first_frame" gives the filter the state of a first frame that has lasted for ever."""
import json

import numpy
import scipy.signal


def pcen(S, frame_seconds, gain=0.98, bias=2.0, power=0.5, time_constant=0.4, eps=1e-6, b=None, start="one"):
    if b is None:
        t = time_constant / frame_seconds
        b = (numpy.sqrt(1 + 4 * t**2) - 1) / (2 * t**2)
    zi = numpy.broadcast_to(scipy.signal.lfilter_zi([b], [1, b - 1]), (S.shape[0], 1))
    if start == "first_frame":
        zi = zi * S[:, :1]
    M, _ = scipy.signal.lfilter([b], [1, b - 1], S, zi=zi, axis=-1)
    smooth = numpy.exp(-gain * (numpy.log(eps) + numpy.log1p(M / eps)))
    return (bias**power) * numpy.expm1(power * numpy.log1p(S * smooth / bias))


def case(name, rows, frames, level, frame_seconds, scale, **settings):
    random = numpy.random.default_rng(len(name))
    S = level * random.random((rows, frames)) ** 4 * numpy.exp(3 * numpy.sin(numpy.arange(frames) / 5))
    return {
        "name": name, "frame_seconds": frame_seconds, "scale": scale, **settings, "energies": S.tolist(),
        "normalised": pcen(S * scale, frame_seconds, **settings).tolist(),
    }


if __name__ == "__main__":
    cases = [
        case("librosa's defaults at its scale", 3, 41, 1e-3, 500 / 32000, 2.0**31, start="one"),
        case("librosa's defaults from the first frame", 3, 40, 1e-3, 500 / 32000, 2.0**31, start="first_frame"),
        case("energies below eps, without a scale", 2, 33, 1e-7, 1000 / 32000, 1.0, start="first_frame"),
        case("bioacoustics: Lostanlen et al. 2019", 2, 37, 1e-2, 0.01, 2.0**31, gain=0.8, bias=10.0, power=0.25, time_constant=0.06, start="one"),
        case("a given smoothing", 2, 29, 1.0, 0.01, 1.0, gain=1.0, bias=0.5, power=1.0, eps=1e-3, b=0.025, start="first_frame"),
    ]
    print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
