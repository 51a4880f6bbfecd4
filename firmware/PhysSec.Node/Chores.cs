using Microsoft.Extensions.Logging;

namespace PhysSec.Node;

/// <summary>
/// The small works of every second. One that fails is named once an hour for each distinct fault, keeps none of the others from being done and is tried again at the next
/// turn: a bad disk or a bad network must not stop the doors.
/// </summary>
public sealed class Chores(TimeProvider clock, ILogger log)
{
    private const int FaultsMax = 100;
    private static readonly TimeSpan _again = TimeSpan.FromHours(1);

    private readonly Dictionary<string, long> _said = new(StringComparer.Ordinal);

    public void Do(Action chore)
    {
        ArgumentNullException.ThrowIfNull(chore);
        try
        {
            chore();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            if (IsNews(failure.Message)) log.LogError("{Kind}: {Fault}", failure.GetType().Name, failure.Message.ReplaceLineEndings(" "));
        }
    }

    private bool IsNews(string fault)
    {
        var now = clock.GetTimestamp();
        if (_said.TryGetValue(fault, out var last) && clock.GetElapsedTime(last, now) < _again) return false;
        if (_said.Count >= FaultsMax) _said.Clear(); // Texts that never repeat must not fill the memory.
        _said[fault] = now;
        return true;
    }
}
