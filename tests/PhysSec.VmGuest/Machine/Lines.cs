using Microsoft.Win32.SafeHandles;

namespace PhysSec.VmGuest.Machine;

/// <summary>The other end of every GPIO line: what hangs on an input, what is seen at an output.</summary>
internal sealed class Lines(string bank)
{
    private readonly Dictionary<int, SafeFileHandle> _pulls = [];
    private readonly Dictionary<int, bool> _contacts = [];
    private readonly Lock _gate = new();

    /// <summary>The level at the line, whoever drives it.</summary>
    public bool this[int line] => File.ReadAllText($"{bank}/sim_gpio{line}/value").StartsWith('1');

    /// <summary>A pulse or a level from outside.</summary>
    public void Drive(int line, bool high)
    {
        lock (_gate)
        {
            if (!_pulls.TryGetValue(line, out var pull))
                _pulls[line] = pull = File.OpenHandle($"{bank}/sim_gpio{line}/pull", FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(pull, high ? "pull-up"u8 : "pull-down"u8, 0);
        }
    }

    /// <summary>A contact: closed it ties the line to ground, open it leaves the line to the pull-up.</summary>
    public void Contact(int line, bool closed)
    {
        lock (_gate) _contacts[line] = closed;
        Drive(line, !closed);
    }

    /// <summary>
    /// gpio-sim has one pull for both ends, so a program that asks for a pull-up moves even a line that a closed contact ties to ground. A real one stays.
    /// </summary>
    public void HoldContacts()
    {
        List<int> moved;
        lock (_gate) moved = [.. _contacts.Where(it => it.Value && this[it.Key]).Select(it => it.Key)];
        foreach (var line in moved) Drive(line, high: false);
    }
}
