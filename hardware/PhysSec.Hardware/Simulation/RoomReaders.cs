using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>The OSDP readers of a simulated room, each port of the board file under its own name, and what a person does to them.</summary>
internal sealed class RoomReaders
{
    public const string Help = "reader ID badge NAME|card FACILITY NUMBER|key 0123#*|tamper on|off|power on|off|cut|back|exchange fresh|keyed|status";

    private readonly Dictionary<string, (VirtualReaders Line, byte Address)> _readers = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<DeviceEntry> _devices;

    /// <summary>Opens a port for each line.</summary>
    /// <param name="devices">The room's wiring.</param>
    /// <param name="keys">Of readers that are installed already; the others are fresh from the factory.</param>
    /// <param name="keyTaken">Told of each that takes a new one.</param>
    /// <param name="clock">For the readers' timers.</param>
    /// <param name="switched">Called on a thread of the readers when one of their outputs was switched.</param>
    /// <exception cref="IOException">A port cannot be made.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The room closes its lines at its end.")]
    public RoomReaders(IReadOnlyList<DeviceEntry> devices, IReadOnlyDictionary<string, OsdpKey> keys, Action<string, OsdpKey>? keyTaken, TimeProvider clock, Action switched)
    {
        _devices = devices;
        try
        {
            foreach (var port in devices.OfType<OsdpEntry>().GroupBy(it => it.Line))
            {
                var settings = port.Select(it => new PeripheralSettings
                {
                    Address = it.Address,
                    Key = keys.GetValueOrDefault(it.Id),
                    Outputs = Terminals(devices.OfType<ReaderOutputEntry>().Where(of => of.Reader == it.Id).Select(of => of.Number)),
                    Inputs = Terminals(devices.OfType<ReaderInputEntry>().Where(of => of.Reader == it.Id).Select(of => of.Number)),
                    Identity = new PeripheralSettings { Address = it.Address }.Identity with { Serial = 1_000u + it.Address },
                });
                var line = new VirtualReaders([.. settings], port.Key.Baud, clock, port.Key.Port, switched);
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

    /// <summary>How the readers' outputs stand now: their own timers go on whatever the control side does.</summary>
    public IEnumerable<(string Device, bool On)> Outputs() => _devices.OfType<ReaderOutputEntry>().Select(it => (it.Id, At(it.Reader, (reader, now) => reader.Output(it.Number, now))));

    /// <summary>Tells the readers how their contacts stand.</summary>
    /// <param name="holds">Whether the word of a contact's role is true.</param>
    public void Sense(Func<ReaderInputEntry, bool> holds)
    {
        foreach (var it in _devices.OfType<ReaderInputEntry>())
        {
            var active = holds(it) == (it.Active == ReaderInputState.Active);
            At(it.Reader, (reader, _) =>
            {
                reader.SetInput(it.Number, active ? OsdpInput.Active : OsdpInput.Inactive);
                return true;
            });
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

    private static int Terminals(IEnumerable<byte> used) => Math.Max(2, used.Select(it => it + 1).DefaultIfEmpty().Max());

    private T At<T>(string id, Func<OsdpPeripheral, TimeSpan, T> act)
    {
        var (line, address) = _readers[id];
        return line.With((bus, now) => act(bus.Readers.First(it => it.Address == address), now));
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
