using System.Runtime.CompilerServices;

namespace BirdResearch.Data;

/// <summary>What is heard at a place besides birds; every layer adds to a track.</summary>
static class Backdrop
{
    /// <summary>The hush of a place or a recorder: noise at an rms level, from white (<paramref name="tilt"/> 0) to rumbling (1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // runs a few times only, each for long: no time to warm up
    public static void AddHush(Span<float> track, int sampleRate, double level, double tilt, CounterRandom random)
    {
        var noise = new WhiteNoise(random);
        var (keep, low) = (Air.Kept(300, sampleRate), 0.0);
        var layer = new float[track.Length];
        for (var i = 0; i < layer.Length; i++)
        {
            var white = noise.Next();
            low += (1 - keep) * (white - low);
            layer[i] = (float)((1 - tilt) * white + 6 * tilt * low);
        }
        Mix(track, layer, level);
    }

    /// <summary>Rumble below some hundred Hz that swells and dies in gusts of a few seconds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddWind(Span<float> track, int sampleRate, double level, CounterRandom random)
    {
        var noise = new WhiteNoise(random);
        var (narrow, wide) = (Air.Kept(random.NextDouble(120, 260), sampleRate), Air.Kept(random.NextDouble(350, 900), sampleRate));
        var gusts = new Swell(random, random.NextDouble(1.5, 4), sampleRate);
        var (a, b, c) = (0.0, 0.0, 0.0);
        var layer = new float[track.Length];
        for (var i = 0; i < layer.Length; i++)
        {
            var (white, gust) = (noise.Next(), gusts.Next());
            a += (1 - narrow) * (white - a);
            b += (1 - narrow) * (a - b);
            c += (1 - wide) * (white - c);
            layer[i] = (float)(gust * gust * (b * 3 + c * 0.5 * gust));   // a stronger gust is a brighter one
        }
        Mix(track, layer, level);
    }

    /// <summary>Hiss and single drops: short resonances between 1.5 and 10 kHz.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRain(Span<float> track, int sampleRate, double level, CounterRandom random)
    {
        var noise = new WhiteNoise(random);
        var shower = new Swell(random, 6, sampleRate);
        var (keep, low) = (Air.Kept(1800, sampleRate), 0.0);
        var layer = new float[track.Length];
        for (var i = 0; i < layer.Length; i++)
        {
            var white = noise.Next();
            low += (1 - keep) * (white - low);
            layer[i] = (float)((0.35 + 0.65 * shower.Next()) * (0.16 * (white - low) + 0.5 * low));
        }
        var perSecond = random.NextDouble(15, 90);
        for (var at = 0.0; at < layer.Length; at += -Math.Log(1 - random.NextDouble()) * sampleRate / perSecond)
        {
            var step = 2 * Math.PI * random.NextDouble(1500, 10_000) / sampleRate;
            var decay = Math.Exp(-1 / (random.NextDouble(0.0006, 0.003) * sampleRate));
            var loud = 0.35 * Math.Pow(random.NextDouble(), 3) + 0.03;
            var end = Math.Min(layer.Length, (int)at + (int)(0.012 * sampleRate));
            for (int i = (int)at, k = 0; i < end; i++, k++)
            {
                layer[i] += (float)(loud * Math.Sin(step * k));
                loud *= decay;
            }
        }
        Mix(track, layer, level);
    }

    /// <summary>One to three insects: chirping crickets, scratching bush-crickets, droning cicadas.</summary>
    public static void AddInsects(Span<float> track, int sampleRate, double level, CounterRandom random)
    {
        var layer = new float[track.Length];
        for (var (insect, count) = (0, random.NextInt(1, 4)); insect < count; insect++)
        {
            AddInsect(layer, sampleRate, random.NextDouble(0.3, 1), random.NextInt(3), random);
        }
        Mix(track, layer, level);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddInsect(Span<float> layer, int sampleRate, double gain, int kind, CounterRandom random)
    {
        var noise = new WhiteNoise(random);
        var ceiling = 0.44 * sampleRate;
        var (carrier, width, pulses) = kind switch
        {
            0 => (random.NextDouble(3800, 5600), 15.0, random.NextDouble(22, 38)),                         // cricket: nearly a pure tone
            1 => (Math.Min(random.NextDouble(7000, 11_000), ceiling), 900.0, random.NextDouble(9, 18)),      // bush-cricket: a noisy band
            _ => (random.NextDouble(4500, 7500), 350.0, random.NextDouble(60, 120)),                       // cicada: a drone
        };
        var (on, off) = kind switch
        {
            0 => (3.6 / pulses, random.NextDouble(0.2, 0.6)),
            1 => (random.NextDouble(0.8, 3), random.NextDouble(0.6, 2)),
            _ => (8.0, 1.0),
        };
        var swell = new Swell(random, 8, sampleRate);
        var (phase, drift) = (0.0, 0.0);
        var (perSample, pulse) = (2 * Math.PI / sampleRate, new Turning(Math.PI * pulses / sampleRate, 0));
        var (time, until, sings) = (0.0, random.NextDouble(0, on + off), random.NextInt(2) == 0);
        var edge = 0.0;
        for (var i = 0; i < layer.Length; i++, time += 1.0 / sampleRate)
        {
            if (time >= until)
            {
                sings = !sings;
                until = time + (sings ? on : off * random.NextDouble(0.8, 1.25));
                if (sings) pulse = new(Math.PI * pulses / sampleRate, 0);
            }
            edge += 0.004 * ((sings ? 1 : 0) - edge);
            var loud = swell.Next();
            if (edge < 1e-4) continue;
            drift += 0.05 * (noise.Next() * 4 * width - drift);
            phase += (carrier + drift) * perSample;
            if (phase > Math.PI) phase -= 2 * Math.PI;
            pulse.Step();
            var beat = pulse.Sin * pulse.Sin;
            layer[i] += (float)(gain * edge * (0.4 + 0.6 * loud) * (kind == 2 ? 0.5 + 0.5 * beat : beat) * Math.Sin(phase));
        }
    }

    /// <summary>Running water: a wide band around one kHz with slow eddies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddStream(Span<float> track, int sampleRate, double level, CounterRandom random)
    {
        var noise = new WhiteNoise(random);
        var eddies = new Swell(random, 0.4, sampleRate);
        var (upper, lower) = (Air.Kept(random.NextDouble(1500, 3500), sampleRate), Air.Kept(350, sampleRate));
        var (a, b) = (0.0, 0.0);
        var layer = new float[track.Length];
        for (var i = 0; i < layer.Length; i++)
        {
            a += (1 - upper) * (noise.Next() - a);
            b += (1 - lower) * (a - b);
            layer[i] = (float)((0.7 + 0.3 * eddies.Next()) * (a - b));
        }
        Mix(track, layer, level);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Mix(Span<float> track, ReadOnlySpan<float> layer, double level)
    {
        var gain = (float)(level / Math.Sqrt(Math.Max(Air.Power(layer), 1e-20)));
        for (var i = 0; i < track.Length; i++) track[i] += gain * layer[i];
    }

    /// <summary>A smooth random curve in [0, 1] that turns about once per period.</summary>
    sealed class Swell(CounterRandom random, double periodSeconds, int sampleRate)
    {
        readonly int _period = Math.Max(2, (int)(periodSeconds * sampleRate));
        double _from = random.NextDouble(), _to = random.NextDouble();
        int _at;

        public double Next()
        {
            if (++_at >= _period) (_at, _from, _to) = (0, _to, random.NextDouble());
            var share = (double)_at / _period;
            return _from + (_to - _from) * share * share * (3 - 2 * share);
        }
    }
}
