using System.Security.Cryptography;
using System.Text;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Signs messages, and tells those of the front-end from those of others. Signing may be done by any thread, accepting by one.</summary>
/// <param name="key">The secret of the connection file; empty where messages are not signed.</param>
public sealed class Signature(string key)
{
    /// <summary>The scheme that every front-end uses.</summary>
    public const string OnlyScheme = "hmac-sha256";

    const int Remembered = 65_536;   // as many as jupyter_client remembers

    readonly byte[] _key = Encoding.UTF8.GetBytes(key);
    readonly HashSet<string> _seen = [];
    readonly Queue<string> _order = new();

    /// <summary>Whether a scheme can be used; some front-ends leave it empty where there is no key.</summary>
    public static bool IsKnown(string scheme) => scheme is OnlyScheme or "";

    /// <summary>The signature of a message's four parts, as lower-case hexadecimal digits; empty without a key.</summary>
    public string Of(params ReadOnlySpan<byte[]> parts)
    {
        if (_key.Length == 0) return "";
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        foreach (var part in parts) hash.AppendData(part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Why a message is not to be trusted; null where it is. A signature is accepted once.</summary>
    public string? Refusal(byte[] signature, params ReadOnlySpan<byte[]> parts)
    {
        if (_key.Length == 0) return null;
        var wanted = Of(parts);
        if (signature.Length == 0) return "it is not signed";
        if (!CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(wanted))) return "its signature is wrong";
        if (!_seen.Add(wanted)) return "its signature was used before";
        _order.Enqueue(wanted);
        if (_order.Count > Remembered) _seen.Remove(_order.Dequeue());
        return null;
    }
}
