using PhysSec.Core.Access;

namespace PhysSec.Node.Control;

/// <summary>
/// Wrong codes not yet forgiven, per person, per reader and for the node. A budget is kept as the moment at which it would be whole again: each wrong code moves that on by one refill, and there must be room
/// for one more before a code is looked at. That is a bound on any stretch of time (<see cref="PinRules.GuessesIn"/>). Only uptime forgives: no clock that somebody sets, no time without power, no restart.
/// </summary>
internal sealed class GuessBook
{
    private readonly SortedDictionary<string, TimeSpan> _wholeAt = new(StringComparer.Ordinal);
    private IReadOnlyList<GuessMemory>? _kept;

    internal GuessBook(IReadOnlyList<GuessMemory>? kept) => _kept = kept;

    /// <summary>The first step's uptime: what was kept counts from here.</summary>
    internal void Start(TimeSpan uptime)
    {
        foreach (var it in _kept ?? []) _wholeAt[it.Key] = uptime + TimeSpan.FromSeconds(it.Seconds);
        _kept = null;
    }

    internal IReadOnlyList<GuessMemory> Memory(TimeSpan uptime) =>
        [.. _wholeAt.Where(it => it.Value > uptime).Select(it => new GuessMemory(it.Key, (it.Value - uptime).TotalSeconds))];

    /// <summary>Zero when another code may be tried; otherwise how long nothing is looked at.</summary>
    internal TimeSpan Blocked(string key, GuessBudget budget, TimeSpan uptime)
    {
        if (!_wholeAt.TryGetValue(key, out var whole)) return TimeSpan.Zero;
        var room = whole - TimeSpan.FromSeconds(budget.RefillSeconds) * (budget.Burst - 1);
        return room > uptime ? room - uptime : TimeSpan.Zero;
    }

    internal void Wrong(string key, GuessBudget budget, TimeSpan uptime)
    {
        var from = _wholeAt.TryGetValue(key, out var whole) && whole > uptime ? whole : uptime;
        _wholeAt[key] = from + TimeSpan.FromSeconds(budget.RefillSeconds);
    }

    internal void Forgive(string key) => _wholeAt.Remove(key);

    /// <summary>What is whole again takes no room.</summary>
    internal void Pass(TimeSpan uptime)
    {
        foreach (var key in _wholeAt.Where(it => it.Value <= uptime).Select(it => it.Key).ToList()) _wholeAt.Remove(key);
    }
}
