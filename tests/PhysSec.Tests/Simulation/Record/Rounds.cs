namespace PhysSec.Tests.Simulation.Record;

/// <summary>Runs rounds and says what came of them.</summary>
internal static class Rounds
{
    /// <summary>In memory where there is such a place: a round flushes thousands of times.</summary>
    public static string Folder { get; } = Made();

    /// <summary>The findings of the round with this seed.</summary>
    public static IReadOnlyList<string> Play(int seed, Tally tally, Removed? removed = null, Action<string>? say = null)
    {
        using var round = new Round(Path.Combine(Folder, $"{seed}-{Environment.CurrentManagedThreadId}"), seed, tally, removed, say);
        return round.Run();
    }

    private static string Made()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"physsec-record-{Environment.ProcessId}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
