using PhysSec.Core.Wire;

namespace PhysSec.VmGuest;

/// <summary>One rule that the machine must show: what was seen from outside at once, and what the journal must hold of it, judged when the node has ended.</summary>
internal sealed class Scenario(string rule)
{
    private readonly List<string> _faults = [];
    private readonly List<string> _notes = [];

    public string Rule => rule;

    public TimeSpan From { get; init; }

    public TimeSpan To { get; set; } = TimeSpan.MaxValue;

    public Action<Scenario, IReadOnlyList<Fact>> Recorded { get; init; } = (_, _) => { };

    public IReadOnlyList<string> Faults => _faults;

    public string Notes => _notes.Count == 0 ? "" : $" ({string.Join("; ", _notes)})";

    public void Expect(bool so, string what)
    {
        if (!so) _faults.Add(what);
    }

    /// <summary>Exactly one such fact in this scenario's time.</summary>
    public void One<T>(IReadOnlyList<Fact> facts, Func<T, bool> such, string what) where T : Fact
    {
        var count = facts.OfType<T>().Count(such);
        if (count != 1) _faults.Add($"the journal has {count} records of: {what}");
    }

    public void None<T>(IReadOnlyList<Fact> facts, string what) where T : Fact
    {
        if (facts.OfType<T>().Any()) _faults.Add($"the journal has a record of: {what}");
    }

    /// <summary>Took place within the time, else a fault. The measured time is part of the line.</summary>
    public void Within(TimeSpan? took, string what)
    {
        if (took is { } time) _notes.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{what} after {time.TotalMilliseconds:F0} ms"));
        else _faults.Add($"never seen: {what}");
    }

    public void Note(string text) => _notes.Add(text);
}

/// <summary>Prints one line for each rule, in order.</summary>
internal sealed class Report
{
    private readonly List<Scenario> _waiting = [];

    public int Failed { get; private set; }

    /// <summary>Plays one scenario; it is judged with the journal.</summary>
    public void Play(string rule, Action<Scenario> act, Action<Scenario, IReadOnlyList<Fact>> recorded)
    {
        var scenario = new Scenario(rule) { From = Machine.Monotonic.Now, Recorded = recorded };
        _waiting.Add(scenario);
        try
        {
            act(scenario);
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException)
        {
            scenario.Expect(false, failure.Message);
        }

        scenario.To = Machine.Monotonic.Now;
    }

    /// <summary>Judges and prints everything played since the last time.</summary>
    public void Judge(Func<IReadOnlyList<JournalRecord>> read)
    {
        IReadOnlyList<JournalRecord> journal = [];
        string? unreadable = null;
        try
        {
            journal = read();
        }
        catch (Exception failure) when (failure is Node.Journal.JournalException or InvalidOperationException)
        {
            unreadable = failure.Message;
        }

        foreach (var it in _waiting)
        {
            if (unreadable is null) it.Recorded(it, [.. journal.Where(record => Within(record, it)).Select(record => record.Fact)]);
            else it.Expect(false, unreadable);
            Print(it);
        }

        _waiting.Clear();
    }

    private static bool Within(JournalRecord record, Scenario scenario) =>
        TimeSpan.FromMicroseconds(record.Up) is var up && up >= scenario.From && up <= scenario.To;

    private void Print(Scenario scenario)
    {
        if (scenario.Faults.Count == 0)
        {
            Console.WriteLine($"ok   {scenario.Rule}{scenario.Notes}");
            return;
        }

        Failed++;
        Console.WriteLine($"FAIL {scenario.Rule}: {string.Join("; ", scenario.Faults)}{scenario.Notes}");
    }
}
