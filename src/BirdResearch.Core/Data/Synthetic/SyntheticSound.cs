using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Turns a plan into sound.</summary>
sealed class SyntheticSound(SyntheticBirdsSettings settings)
{
    readonly int _rate = settings.SampleRate;

    /// <summary>A bird close by, one after the other of its songs, with a little of the place and the recorder.</summary>
    public Waveform Make(FocalPlan plan)
    {
        var random = new CounterRandom(settings.Seed, CounterRandom.KeyOf("focal"), CounterRandom.KeyOf(plan.Id));
        var gear = new CounterRandom(settings.Seed, CounterRandom.KeyOf("gear"), CounterRandom.KeyOf(plan.Author));
        var (track, sent) = (new float[(int)(plan.Seconds * _rate)], new float[(int)(plan.Seconds * _rate)]);
        var metres = random.NextDouble(4, 18);
        var power = AddSongs(track, sent, plan.Species, plan.Author, plan.Calls, metres, 1, 0.2, random);
        if (plan.Background is { } other)
        {
            var (away, faint) = (random.NextDouble(50, 90), Math.Pow(10, random.NextDouble(-22, -14) / 20));
            AddSongs(track, sent, other, plan.Author, false, away, faint, 0.6, random);
        }
        new Room(_rate, random.NextDouble(0.25, 0.8), random).AddTo(track, sent);

        var noise = new float[track.Length];
        Backdrop.AddHush(noise, _rate, 1, gear.NextDouble(0.2, 0.95), random);
        if (random.NextInt(6) == 0) Backdrop.AddWind(noise, _rate, 2.5, random);
        if (random.NextInt(12) == 0 && settings.Noises.HasFlag(NoiseKinds.Insects)) Backdrop.AddInsects(noise, _rate, 0.8, random);
        AddAt(track, noise, power, Air.Power(Air.HighPassed(noise, _rate, 1000)), plan.SnrDb);
        return Levelled(track, Math.Pow(10, random.NextDouble(-14, -1) / 20));
    }

    /// <summary>Many birds at their distances over what else is heard at the place.</summary>
    public Waveform Make(SoundscapePlan plan)
    {
        var random = new CounterRandom(settings.Seed, CounterRandom.KeyOf("soundscape sound"), CounterRandom.KeyOf(plan.Id));
        var track = new float[plan.Seconds * _rate];
        Backdrop.AddHush(track, _rate, 1, random.NextDouble(0.5, 0.9), random);
        if (plan.Noises.HasFlag(NoiseKinds.Wind)) Backdrop.AddWind(track, _rate, random.NextDouble(1.5, 4), random);
        if (plan.Noises.HasFlag(NoiseKinds.Rain)) Backdrop.AddRain(track, _rate, random.NextDouble(0.8, 2), random);
        if (plan.Noises.HasFlag(NoiseKinds.Insects)) Backdrop.AddInsects(track, _rate, random.NextDouble(0.4, 1.2), random);
        if (plan.Noises.HasFlag(NoiseKinds.Stream)) Backdrop.AddStream(track, _rate, random.NextDouble(0.8, 2), random);

        var audible = Air.HighPassed(track, _rate, 1000);
        var sent = new float[track.Length];
        foreach (var song in plan.Events)
        {
            var sound = song.Song.Render(_rate, random);
            Air.Absorb(sound, _rate, song.Metres);
            var at = (int)(song.Start * _rate);
            var length = Math.Min(sound.Length, track.Length - at);
            var gain = GainFor(song.Song.Power(sound, _rate), Air.Power(audible.AsSpan(at, length)), song.SnrDb);
            Add(track.AsSpan(at, length), sound, gain);
            Add(sent.AsSpan(at, length), sound, gain * Wetness(song.Metres));
        }
        new Room(_rate, plan.ReverbSeconds, random).AddTo(track, sent);
        return Levelled(track, Math.Pow(10, random.NextDouble(-10, -3) / 20));
    }

    /// <summary>Songs from the start to the end of a track; their mean power.</summary>
    double AddSongs(
        Span<float> track, Span<float> sent, SyntheticSpecies species, string author, bool calls, double metres, double gain,
        double wetness, CounterRandom random)
    {
        var keys = (CounterRandom.KeyOf("individual"), CounterRandom.KeyOf(species.Code), CounterRandom.KeyOf(author));
        var singer = new Singer(species, new CounterRandom(settings.Seed, keys.Item1, keys.Item2, keys.Item3));
        var (power, songs) = (0.0, 0);
        for (var at = random.NextDouble(0.1, 1.2); songs == 0 || at * _rate < track.Length - 0.3 * _rate; songs++)
        {
            var song = calls ? singer.Call(random) : singer.Sing(random);
            var sound = song.Render(_rate, random);
            Air.Absorb(sound, _rate, metres);
            var from = (int)(at * _rate);
            var length = Math.Min(sound.Length, track.Length - from);
            var loud = gain * Math.Pow(10, random.NextGaussian() / 20);
            Add(track.Slice(from, length), sound, loud);
            Add(sent.Slice(from, length), sound, loud * wetness);
            power += song.Power(sound, _rate);
            at += song.Seconds + singer.Pause(random);
        }
        return power / songs;
    }

    double Wetness(double metres) => settings.Reverberation * 0.45 * Math.Sqrt(metres / 60);

    static double GainFor(double power, double noise, double snrDb) => Math.Sqrt(noise / Math.Max(power, 1e-20) * Math.Pow(10, snrDb / 10));

    static void AddAt(Span<float> track, ReadOnlySpan<float> noise, double power, double noisePower, double snrDb) =>
        Add(track, noise, 1 / GainFor(power, noisePower, snrDb));

    static void Add(Span<float> track, ReadOnlySpan<float> sound, double gain)
    {
        for (var i = 0; i < track.Length; i++) track[i] += (float)gain * sound[i];
    }

    Waveform Levelled(float[] track, double peak)
    {
        var highest = track.Max(Math.Abs);
        for (var i = 0; i < track.Length; i++) track[i] *= (float)(peak / highest);
        return new(track, _rate);
    }
}
