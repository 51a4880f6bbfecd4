using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PhysSec.Tests.Uplink;

/// <summary>For what another thread does and nobody announces.</summary>
internal static class Eventually
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static async Task TrueAsync(Func<bool> condition)
    {
        var (clock, start) = (TimeProvider.System, TimeProvider.System.GetTimestamp());
        while (!condition())
        {
            Assert.True(clock.GetElapsedTime(start) < _patience, "it did not come true");
            await Task.Delay(TimeSpan.FromMilliseconds(10), clock, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>Keeps what was logged.</summary>
internal sealed class LineLog : ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue(formatter(state, exception));
}
