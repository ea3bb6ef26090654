using System.Runtime.InteropServices;

namespace BirdResearch.Audio;

/// <summary>The entry points of the system's libsndfile, found when the first sound file is touched.</summary>
static unsafe class SndFileLibrary
{
    static readonly Lazy<Entries> Loaded = new(() => new(Load()));

    public static nint OpenVirtual(VirtualIo* io, int mode, Info* info, nint user) => Loaded.Value.Open(io, mode, info, user);

    public static int Close(nint file) => Loaded.Value.Close(file);

    public static long ReadFrames(nint file, float* buffer, long frames) => Loaded.Value.Read(file, buffer, frames);

    public static long WriteFrames(nint file, float* buffer, long frames) => Loaded.Value.Write(file, buffer, frames);

    public static long Seek(nint file, long frames, int whence) => Loaded.Value.Seek(file, frames, whence);

    public static int Command(nint file, int command, void* data, int size) => Loaded.Value.Command(file, command, data, size);

    /// <summary>The error of an open file, or of the last open that failed when <paramref name="file"/> is zero; null for none.</summary>
    public static string? Error(nint file) =>
        Loaded.Value.Error(file) == 0 ? null : Marshal.PtrToStringUTF8(Loaded.Value.Message(file))?.TrimEnd('.', ' ');

    public static string Version => Marshal.PtrToStringUTF8(Loaded.Value.Version()) ?? "libsndfile";

    static nint Load()
    {
        string[] names =
            OperatingSystem.IsWindows() ? ["sndfile.dll", "libsndfile-1.dll", "libsndfile.dll"]
            : OperatingSystem.IsMacOS() ? ["libsndfile.1.dylib", "libsndfile.dylib", "/opt/homebrew/lib/libsndfile.dylib"]
            : ["libsndfile.so.1", "libsndfile.so"];
        foreach (var name in names)
        {
            if (NativeLibrary.TryLoad(name, typeof(SndFileLibrary).Assembly, null, out var handle)) return handle;
        }
        var remedy =
            OperatingSystem.IsWindows() ? "vcpkg install libsndfile:x64-windows   (and put its bin folder on the PATH)"
            : OperatingSystem.IsMacOS() ? "brew install libsndfile"
            : "sudo apt-get install -y libsndfile1   (Debian, Ubuntu) or   sudo dnf install -y libsndfile   (Fedora, RHEL)";
        throw new DllNotFoundException(
            $"libsndfile, which reads and writes sound files, was not found (looked for {string.Join(", ", names)}). Type: {remedy}");
    }

    /// <summary>SF_INFO.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Info
    {
        public long Frames;
        public int SampleRate, Channels, Format, Sections, Seekable;
    }

    /// <summary>SF_VIRTUAL_IO: libsndfile reads and writes through these instead of opening a path.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct VirtualIo
    {
        public delegate* unmanaged<nint, long> Length;
        public delegate* unmanaged<long, int, nint, long> Seek;
        public delegate* unmanaged<byte*, long, nint, long> Read;
        public delegate* unmanaged<byte*, long, nint, long> Write;
        public delegate* unmanaged<nint, long> Tell;
    }

    // Function pointers rather than DllImport: an assembly can hold one import resolver only, and this floor leaves it free.
    sealed class Entries(nint library)
    {
        public readonly delegate* unmanaged<VirtualIo*, int, Info*, nint, nint> Open =
            (delegate* unmanaged<VirtualIo*, int, Info*, nint, nint>)Find(library, "sf_open_virtual");
        public readonly delegate* unmanaged<nint, int> Close =
            (delegate* unmanaged<nint, int>)Find(library, "sf_close");
        public readonly delegate* unmanaged<nint, float*, long, long> Read =
            (delegate* unmanaged<nint, float*, long, long>)Find(library, "sf_readf_float");
        public readonly delegate* unmanaged<nint, float*, long, long> Write =
            (delegate* unmanaged<nint, float*, long, long>)Find(library, "sf_writef_float");
        public readonly delegate* unmanaged<nint, long, int, long> Seek =
            (delegate* unmanaged<nint, long, int, long>)Find(library, "sf_seek");
        public readonly delegate* unmanaged<nint, int, void*, int, int> Command =
            (delegate* unmanaged<nint, int, void*, int, int>)Find(library, "sf_command");
        public readonly delegate* unmanaged<nint, int> Error =
            (delegate* unmanaged<nint, int>)Find(library, "sf_error");
        public readonly delegate* unmanaged<nint, nint> Message =
            (delegate* unmanaged<nint, nint>)Find(library, "sf_strerror");
        public readonly delegate* unmanaged<nint> Version =
            (delegate* unmanaged<nint>)Find(library, "sf_version_string");

        static nint Find(nint library, string name) => NativeLibrary.GetExport(library, name);
    }
}
