// Compiled inside MSBuild (see Directory.Build.targets), against .NET Standard 2.0 and C# as the SDK's task factory offers it.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Links or copies native libraries into an output folder and adapts libLibTorchSharp.so to an older libstdc++.</summary>
public class PlaceNativeLibraries : Task
{
    const string NewVersion = "GLIBCXX_3.4.32";
    const string Symbol = "_ZSt21ios_base_library_initv";
    const string Donor = "THSTensor_abs"; // its tail "abs" names libc's abs(int), a harmless function that exists everywhere

    [Required] public ITaskItem[] Libraries { get; set; }
    [Required] public string Folder { get; set; }
    [Output] public ITaskItem[] Placed { get; set; }

    [DllImport("libc", SetLastError = true)]
    static extern int link(string from, string to);

    public override bool Execute()
    {
        var placed = new List<ITaskItem>();
        Directory.CreateDirectory(Folder);
        foreach (var library in Libraries)
        {
            var from = library.ItemSpec;
            var to = Path.Combine(Folder, Path.GetFileName(from));
            try
            {
                if (Path.GetFileName(from) == "libLibTorchSharp.so" && !SystemHas(NewVersion)) PlaceAdapted(from, to);
                else PlaceAsIs(from, to);
            }
            catch (Exception e)
            {
                Log.LogError("Could not place the native library '{0}' in '{1}': {2}", from, Folder, e.Message);
                return false;
            }
            placed.Add(new TaskItem(to));
        }
        Placed = placed.ToArray();
        return true;
    }

    static void PlaceAsIs(string from, string to)
    {
        var source = new FileInfo(from);
        var target = new FileInfo(to);
        if (target.Exists && target.Length == source.Length && target.LastWriteTimeUtc == source.LastWriteTimeUtc) return;
        File.Delete(to); // never write through a link into the package cache
        if (link(from, to) == 0) return;
        File.Copy(from, to);
        File.SetLastWriteTimeUtc(to, source.LastWriteTimeUtc);
    }

    void PlaceAdapted(string from, string to)
    {
        var image = File.ReadAllBytes(from);
        if (!Adapt(image)) { PlaceAsIs(from, to); return; }
        if (File.Exists(to) && File.ReadAllBytes(to).SequenceEqual(image)) return;
        var beside = to + ".new";
        File.WriteAllBytes(beside, image);
        File.Delete(to);
        File.Move(beside, to);
        Log.LogMessage(MessageImportance.High, "libLibTorchSharp.so: this system's libstdc++ has no {0}; its one use was redirected in the output copy.", NewVersion);
    }

    static bool SystemHas(string version)
    {
        foreach (var folder in new[] { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib/x86_64-linux-gnu" })
        {
            var library = Path.Combine(folder, "libstdc++.so.6");
            if (File.Exists(library)) return IndexOf(File.ReadAllBytes(library), Encoding.ASCII.GetBytes(version + "\0"), 0) >= 0;
        }
        return true; // nothing to judge by: leave the library as it is
    }

    static int IndexOf(byte[] text, byte[] word, int start)
    {
        for (var i = start; i <= text.Length - word.Length; i++)
        {
            var same = text[i] == word[0];
            for (var j = 1; same && j < word.Length; j++) same = text[i + j] == word[j];
            if (same) return i;
        }
        return -1;
    }

    /// <summary>Edits a 64-bit little-endian ELF image in place; false when it holds nothing to adapt.</summary>
    static bool Adapt(byte[] elf)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[4] != 2 || elf[5] != 1) return false;
        var sections = (int)BitConverter.ToUInt64(elf, 0x28);
        int size = BitConverter.ToUInt16(elf, 0x3A), count = BitConverter.ToUInt16(elf, 0x3C);
        int symbols = -1, strings = -1, versions = -1, needs = -1;
        for (var i = 0; i < count; i++)
        {
            var header = sections + i * size;
            switch (BitConverter.ToUInt32(elf, header + 4))
            {
                case 11: // SHT_DYNSYM; sh_link is its string table
                    symbols = header;
                    strings = sections + (int)BitConverter.ToUInt32(elf, header + 40) * size;
                    break;
                case 0x6fffffff: versions = header; break; // SHT_GNU_versym
                case 0x6ffffffe: needs = header; break;    // SHT_GNU_verneed
            }
        }
        if (symbols < 0 || versions < 0 || needs < 0) return false;

        int Offset(int header) { return (int)BitConverter.ToUInt64(elf, header + 24); }
        int Length(int header) { return (int)BitConverter.ToUInt64(elf, header + 32); }
        string Text(int at)
        {
            var end = at;
            while (elf[end] != 0) end++;
            return Encoding.ASCII.GetString(elf, at, end - at);
        }

        var table = Offset(strings);
        var donor = IndexOf(elf, Encoding.ASCII.GetBytes("\0" + Donor + "\0"), table);
        if (donor < 0 || donor > table + Length(strings)) return false;
        var harmless = donor + 1 + Donor.Length - "abs".Length - table;

        var found = false;
        for (int i = 0, at = Offset(symbols); i < Length(symbols) / 24; i++, at += 24)
        {
            if (Text(table + (int)BitConverter.ToUInt32(elf, at)) != Symbol) continue;
            Array.Copy(BitConverter.GetBytes((uint)harmless), 0, elf, at, 4);              // st_name
            Array.Copy(BitConverter.GetBytes((ushort)1), 0, elf, Offset(versions) + 2 * i, 2); // VER_NDX_GLOBAL
            found = true;
        }
        if (!found) return false;

        // Elf64_Verneed chain, each with a chain of Elf64_Vernaux
        for (int need = Offset(needs), more = 1; more != 0;)
        {
            for (int aux = need + (int)BitConverter.ToUInt32(elf, need + 8), next = 1; next != 0;)
            {
                if (Text(table + (int)BitConverter.ToUInt32(elf, aux + 8)) == NewVersion)
                {
                    var flags = (ushort)(BitConverter.ToUInt16(elf, aux + 4) | 2);         // VER_FLG_WEAK
                    Array.Copy(BitConverter.GetBytes(flags), 0, elf, aux + 4, 2);
                }
                next = (int)BitConverter.ToUInt32(elf, aux + 12);
                aux += next;
            }
            more = (int)BitConverter.ToUInt32(elf, need + 12);
            need += more;
        }
        return true;
    }
}
