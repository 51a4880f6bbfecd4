using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>The OSDP readers of a simulated room, each port of the board file under its own name, and what a person does to them.</summary>
internal sealed class RoomReaders
{
    public const string Help = "reader ID badge NAME|card FACILITY NUMBER|key 0123#*|tamper on|off|power on|off|cut|back|exchange fresh|keyed|status";

    private readonly Dictionary<string, (VirtualReaders Line, byte Address)> _readers = new(StringComparer.Ordinal);

    /// <summary>Opens a port for each line.</summary>
    /// <param name="devices">The room's wiring.</param>
    /// <param name="keys">Of readers that are installed already; the others are fresh from the factory.</param>
    /// <param name="keyTaken">Told of each that takes a new one.</param>
    /// <param name="clock">For the readers' timers.</param>
    /// <exception cref="IOException">A port cannot be made.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The room closes its lines at its end.")]
    public RoomReaders(IReadOnlyList<DeviceEntry> devices, IReadOnlyDictionary<string, OsdpKey> keys, Action<string, OsdpKey>? keyTaken, TimeProvider clock)
    {
        try
        {
            foreach (var port in devices.OfType<OsdpEntry>().GroupBy(it => it.Line))
            {
                var settings = port.Select(it => new PeripheralSettings
                {
                    Address = it.Address,
                    Key = keys.GetValueOrDefault(it.Id),
                    Identity = new PeripheralSettings { Address = it.Address }.Identity with { Serial = 1_000u + it.Address },
                });
                var line = new VirtualReaders([.. settings], port.Key.Baud, clock, port.Key.Port);
                foreach (var it in port)
                {
                    _readers.Add(it.Id, (line, it.Address));
                    if (keyTaken is not null) line.With((bus, _) => bus.Readers.First(reader => reader.Address == it.Address).KeyTaken = key => keyTaken(it.Id, key));
                }
            }
        }
        catch
        {
            Close();
            throw;
        }
    }

    public bool Has(string id) => _readers.ContainsKey(id);

    /// <summary>Does it; the answer begins with ok or error.</summary>
    public string Take(string id, string[] words)
    {
        if (!_readers.TryGetValue(id, out var found)) return $"error: no OSDP reader is called \"{id}\"; known: {(_readers.Count == 0 ? "none" : string.Join(", ", _readers.Keys.Order(StringComparer.Ordinal)))}";
        return found.Line.With((bus, now) => Act(bus, bus.Readers.First(it => it.Address == found.Address), words, now));
    }

    public string Present(string id, CardBits card) => Take(id, ["card", card.Value.ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Unplugs every line.</summary>
    public void Close()
    {
        foreach (var it in _readers.Values.Select(it => it.Line).Distinct()) it.Dispose();
    }

    private static string Act(PeripheralBus bus, OsdpPeripheral reader, string[] words, TimeSpan now)
    {
        switch (words)
        {
            case ["card", var value]:
                reader.Present(new CardBits(ulong.Parse(value, CultureInfo.InvariantCulture), 26));
                return "ok card shown";
            case ["key", var keys] when keys.All(it => it is (>= '0' and <= '9') or '*' or '#'):
                foreach (var it in keys) reader.Press(it switch { '*' => OsdpKeys.Star, '#' => OsdpKeys.Hash, _ => it - '0' });
                return $"ok {keys.Length} keys pressed";
            case ["tamper", "on" or "off"]:
                reader.Status = reader.Status with { Tamper = words[1] == "on" };
                return $"ok reader tamper {words[1]}";
            case ["power", "on" or "off"]:
                reader.Status = reader.Status with { PowerFault = words[1] == "off" };
                return $"ok reader power {words[1]}";
            case ["cut"]:
                reader.Silent = true;
                return "ok the reader's cable is cut";
            case ["back"]:
                reader.Silent = false;
                bus.Restart(reader);
                return "ok the reader is back";
            case ["exchange", "fresh" or "keyed"]: // From the factory, or by somebody who knows the key.
                var settings = reader.Settings with { Key = words[1] == "keyed" ? reader.Key : null, Identity = reader.Settings.Identity with { Serial = reader.Settings.Identity.Serial + 1 } };
                bus.Exchange(reader, new(settings) { KeyTaken = reader.KeyTaken });
                return $"ok another reader is there, serial {settings.Identity.Serial:X8}";
            case ["status"]:
                return $"ok light {FieldReader.Camel(reader.Light(now))}, tone {(reader.Sounds(now) ? "on" : "off")}, {(bus.IsSecured(reader) ? "secured" : "not secured")}, {(reader.Key is { } key ? $"key {key.Fingerprint}" : "default key")}";
            default:
                return $"error: not known of a reader; {Help}";
        }
    }
}
