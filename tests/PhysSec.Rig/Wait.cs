namespace PhysSec.Rig;

/// <summary>Something that a person must read and can act on; no stack trace.</summary>
public sealed class RigException(string message) : Exception(message);

/// <summary>Bounded waits on conditions; never a fixed sleep.</summary>
public static class Wait
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Asks again and again until there is an answer.</summary>
    /// <exception cref="RigException">None came within <paramref name="limit"/>; names <paramref name="what"/>.</exception>
    public static async Task<T> ForAsync<T>(string what, Func<Task<T?>> probe, TimeSpan limit, CancellationToken cancel = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(probe);
        var begin = TimeProvider.System.GetTimestamp();
        var last = "";
        while (true)
        {
            try
            {
                if (await probe() is { } answer) return answer;
                last = "";
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException)
            {
                last = $" ({failure.Message})"; // The other side may be starting; the limit decides.
            }

            if (TimeProvider.System.GetElapsedTime(begin) > limit)
                throw new RigException($"waited {limit.TotalSeconds:0.#} s in vain for {what}{last}");
            await Task.Delay(_pause, TimeProvider.System, cancel);
        }
    }

    /// <summary>Asks again and again until it is so.</summary>
    /// <exception cref="RigException">It was not so within <paramref name="limit"/>.</exception>
    public static Task UntilAsync(string what, Func<Task<bool>> probe, TimeSpan limit, CancellationToken cancel = default) =>
        ForAsync(what, async () => await probe() ? what : null, limit, cancel);
}
