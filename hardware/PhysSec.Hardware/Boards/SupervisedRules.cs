using System.Globalization;

namespace PhysSec.Hardware;

/// <summary>What must hold of the supervised lines of a board file.</summary>
internal static class SupervisedRules
{
    public static void Check(BoardFile file, List<BoardFault> faults)
    {
        var inputs = new Dictionary<(int, int, int), string>();
        var references = new Dictionary<(int, int), int?>();
        for (var i = 0; i < file.Devices.Count; i++)
        {
            if (file.Devices[i] is not SupervisedEntry { Address: >= 0 } it) continue; // A faulty address is noted already.
            var where = string.Create(CultureInfo.InvariantCulture, $"devices[{i}]");
            if (it.Address is < 0x48 or > 0x4b)
                faults.Add(new($"{where}.address", $"No ADS1115 has the address 0x{it.Address:x2}.", "Write \"0x48\" to \"0x4b\"."));
            if (file.Devices.OfType<I2cEntry>().FirstOrDefault(other => (other.Bus, other.Address) == (it.Bus, it.Address)) is { } other)
                faults.Add(new($"{where}.address", $"The chip at 0x{it.Address:x2} is \"{other.Id}\" already.", "Give supervised lines a converter of their own: it is asked 40 times a second."));
            if (!inputs.TryAdd((it.Bus, it.Address, it.Channel), where))
                faults.Add(new($"{where}.channel", $"Input {it.Channel} of 0x{it.Address:x2} is already used by {inputs[(it.Bus, it.Address, it.Channel)]}.", "Wire each line to its own input."));
            if (!references.TryAdd((it.Bus, it.Address), it.Reference) && references[(it.Bus, it.Address)] != it.Reference)
                faults.Add(new($"{where}.reference", "The lines of one converter name different references.", "Name the same for all of them, or none."));
            if (it.Reference >= 0 && file.Devices.OfType<SupervisedEntry>().Any(line => (line.Bus, line.Address, line.Channel) == (it.Bus, it.Address, it.Reference)))
                faults.Add(new($"{where}.reference", $"Input {it.Reference} has a line of its own.", "Wire the excitation to an input that has none."));
            Resistors(it, where, faults);
        }
    }

    private static void Resistors(SupervisedEntry it, string where, List<BoardFault> faults)
    {
        if (it.Network.Series is null && it.Network.Parallel is null) return; // Noted already.
        try
        {
            it.Bands();
        }
        catch (ArgumentException unlike)
        {
            faults.Add(new($"{where}.network", unlike.Message.Split(" (Parameter", 2)[0], "Choose resistors that lie further apart, or another pullUpKohm."));
        }

        // What the contact says while nothing is wrong must never be what a short or a cut looks like.
        var normal = it.Active == LineContact.Open == (it.Role is not (DeviceRole.MainsPresent or DeviceRole.BoltFeedback or DeviceRole.BondFeedback)) ? LineContact.Closed : LineContact.Open;
        if (it.Network.Series is null && (normal == LineContact.Closed || Acts(it.Role)))
            faults.Add(new($"{where}.network", "A short of this line would read as its contact closed.", "Add a series resistor at the contact."));
        if (it.Network.Parallel is null && (normal == LineContact.Open || Acts(it.Role)))
            faults.Add(new($"{where}.network", "A cut of this line would read as its contact open.", "Add a resistor across the contact."));
    }

    /// <summary>Contacts that free a lock when they are active: neither of their states may be a fault of the wire.</summary>
    private static bool Acts(DeviceRole role) => role is DeviceRole.ExitButton or DeviceRole.FireRelease or DeviceRole.BreakGlass or DeviceRole.SeismicRelease;
}
