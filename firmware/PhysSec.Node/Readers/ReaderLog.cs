using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PhysSec.Hardware;

namespace PhysSec.Node.Readers;

/// <summary>What happens at readers, a line each, for a person or as JSON. Keys show as fingerprints; of a card its length and a digest that is salted anew at each start; of a pressed key nothing but that it was.</summary>
/// <param name="output">Gets the lines.</param>
/// <param name="json">One JSON object each.</param>
/// <param name="showCards">Card numbers are printed: for a person who reads a card of his own.</param>
internal sealed class ReaderLog(TextWriter output, bool json, bool showCards)
{
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _gate = new();
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(32);

    /// <param name="at">Since the start.</param>
    /// <param name="name">Of the event.</param>
    /// <param name="fields">Numbers, truth values, texts and lists of texts, in this order.</param>
    public void Write(TimeSpan at, string name, params ReadOnlySpan<(string Name, object? Value)> fields)
    {
        lock (_gate)
        {
            output.WriteLine(json ? Json(at, name, fields) : Text(at, name, fields));
            output.Flush();
        }
    }

    public void Write(TimeSpan at, OsdpEvent what, OsdpKeyState keys)
    {
        (string, object?) address = ("address", (int)what.Address);
        switch (what)
        {
            case OsdpEvent.Online it:
                Write(at, "online", address, ("secured", it.Secure), ("key", it.Secure ? keys.Current?.Fingerprint : null));
                break;
            case OsdpEvent.Offline it:
                Write(at, "offline", address, ("reason", Name(it.Reason)), ("remedy", Remedy(it.Reason)));
                break;
            case OsdpEvent.CardRead { Card: { } card }:
                Write(at, "card", address, ("bits", card.Length), ("digest", Digest(card)), ("value", showCards ? card.Value.ToString("X", CultureInfo.InvariantCulture) : null));
                break;
            case OsdpEvent.CardRead it:
                Write(at, "card-fault", address, ("fault", Name(it.Fault)));
                break;
            case OsdpEvent.KeysPressed it:
                foreach (var _ in it.Keys.Keys) Write(at, "key", address);
                break;
            case OsdpEvent.OldReadsDiscarded it:
                Write(at, "old-reads-discarded", address, ("count", it.Count));
                break;
            case OsdpEvent.LocalStatus it:
                Write(at, "status", address, ("tamper", it.Status.Tamper), ("powerFault", it.Status.PowerFault));
                break;
            case OsdpEvent.Inputs it:
                Write(at, "inputs", address, ("states", it.States.Select(Name).ToArray()));
                break;
            case OsdpEvent.Outputs it:
                Write(at, "outputs", address, ("states", it.States.Select(on => on ? "on" : "off").ToArray()));
                break;
            case OsdpEvent.Heads it:
                Write(at, "heads", address, ("states", it.States.Select(Name).ToArray()));
                break;
            case OsdpEvent.Pinned it:
                Write(at, "identity", [address, .. Of(it.Pin.Identity), ("clientId", it.Pin.ClientId?.ToString("X16", CultureInfo.InvariantCulture)), ("key", keys.Current?.Fingerprint)]);
                break;
            case OsdpEvent.OtherDevice it:
                Write(at, "other-device", [address, .. Of(it.Pin.Identity), ("remedy", "If it belongs there: --accept with its address.")]);
                break;
            case OsdpEvent.KeyProgress it:
                Write(at, "key-step", address, ("step", Name(it.Step)));
                break;
            case OsdpEvent.Capabilities it:
                Write(at, "capabilities", address, ("functions", it.All.Select(one => string.Create(CultureInfo.InvariantCulture, $"{Name(one.Function)} {one.Level}/{one.Count}")).ToArray()));
                break;
            case OsdpEvent.KeysChanged it:
                Write(at, "key-kept", address, ("current", it.Keys.Current?.Fingerprint), ("pending", it.Keys.Pending?.Fingerprint));
                break;
            case OsdpEvent.KeyInstalled it:
                Write(at, "key-installed", address, ("key", it.Fingerprint), ("overDefaultKey", it.OverDefaultKey));
                break;
            case OsdpEvent.KeyChangeFailed it:
                Write(at, "key-change-failed", address, ("fault", Name(it.Fault)));
                break;
            case OsdpEvent.OrderDone it:
                Write(at, "order-done", address, ("order", it.Order.Command.ToString()));
                break;
            case OsdpEvent.OrderFailed it:
                Write(at, "order-failed", address, ("order", it.Order.Command.ToString()), ("fault", Name(it.Fault)));
                break;
            case OsdpEvent.Moved it:
                Write(at, "moved", address, ("to", (int)it.To.Address), ("baud", it.To.Baud));
                break;
            case OsdpEvent.Security it:
                Write(at, "security", address, ("kind", Name(it.Kind)), ("count", it.Count));
                break;
            default:
                Write(at, Name(what.GetType().Name), address);
                break;
        }
    }

    public void Write(TimeSpan at, byte address, OsdpStatistics it, string state) => Write(at, "statistics",
        ("address", (int)address), ("state", state), ("polls", it.Polls), ("replies", it.Replies), ("missed", it.Missed), ("damaged", it.Damaged), ("stale", it.Stale), ("refused", it.Refused),
        ("busy", it.Busy), ("sessions", it.Sessions), ("sessionsLost", it.SessionsLost), ("readsDiscarded", it.ReadsDiscarded),
        ("naks", it.Naks.OrderBy(nak => nak.Key).Select(nak => string.Create(CultureInfo.InvariantCulture, $"{Name(nak.Key)} {nak.Value}")).ToArray()),
        ("roundTripLastMs", Math.Round(it.RoundTripLast.TotalMilliseconds, 1)), ("roundTripMaxMs", Math.Round(it.RoundTripMax.TotalMilliseconds, 1)));

    /// <summary>Who a reader says it is.</summary>
    public static (string, object?)[] Of(OsdpIdentity it) =>
    [
        ("vendor", it.Vendor.ToString("X6", CultureInfo.InvariantCulture)), ("model", (int)it.Model), ("version", (int)it.Version), ("serial", it.Serial.ToString("X8", CultureInfo.InvariantCulture)),
        ("firmware", it.FirmwareText),
    ];

    private static string Remedy(OsdpOffline reason) => reason switch
    {
        OsdpOffline.NoReply => "Check power, cable, polarity, address and baud; --discover asks every address at every speed.",
        OsdpOffline.NoKey => "Install a key: --key install, with the reader in its install mode.",
        OsdpOffline.KeyRefused => "Give the key that this reader has, or put it into its install mode and install a new one.",
        OsdpOffline.IdentityChanged => "Another device has taken the reader's place. Find out why before you accept it (--accept).",
        OsdpOffline.Unusable => "The reader answers outside the standard; --capture shows what it says.",
    };

    private static string Name<T>(T value)
        where T : notnull
    {
        var name = value.ToString()!;
        return string.Concat(name[..1].ToLowerInvariant(), name.AsSpan(1));
    }

    private string Digest(CardBits card) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_salt, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{card.Length}:{card.Value}"))).AsSpan(0, 4));

    private static string Json(TimeSpan at, string name, ReadOnlySpan<(string Name, object? Value)> fields)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, _plain))
        {
            writer.WriteStartObject();
            writer.WriteNumber("at", Math.Round(at.TotalSeconds, 3));
            writer.WriteString("event", name);
            foreach (var (field, value) in fields)
            {
                if (value is null) continue;
                writer.WritePropertyName(field);
                switch (value)
                {
                    case bool it: writer.WriteBooleanValue(it); break;
                    case int it: writer.WriteNumberValue(it); break;
                    case long it: writer.WriteNumberValue(it); break;
                    case double it: writer.WriteNumberValue(it); break;
                    case string[] all:
                        writer.WriteStartArray();
                        foreach (var it in all) writer.WriteStringValue(it);
                        writer.WriteEndArray();
                        break;
                    default: writer.WriteStringValue(value.ToString()); break;
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string Text(TimeSpan at, string name, ReadOnlySpan<(string Name, object? Value)> fields)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds,9:F3} {name}"));
        foreach (var (field, value) in fields)
        {
            if (value is null) continue;
            text.Append(' ').Append(field).Append('=').Append(value switch
            {
                string[] all => string.Join(',', all),
                bool it => it ? "yes" : "no",
                _ => Convert.ToString(value, CultureInfo.InvariantCulture),
            });
        }

        return text.ToString();
    }
}
