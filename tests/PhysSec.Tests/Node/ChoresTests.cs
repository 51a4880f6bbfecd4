using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Node;

namespace PhysSec.Tests.Node;

/// <summary>What goes wrong beside the doors stays beside the doors.</summary>
public sealed class ChoresTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Lines _log = new();

    [Fact]
    public void A_chore_that_fails_keeps_no_other_from_being_done()
    {
        var chores = new Chores(_clock, _log);
        var done = 0;
        foreach (var fault in new Exception[] { new IOException("a"), new SqliteException("b", 11), new ObjectDisposedException("c"), new UnauthorizedAccessException("d"), new InvalidCastException("e") })
        {
            chores.Do(() => throw fault);
            chores.Do(() => done++);
        }

        Assert.Equal((5, 5), (done, _log.Said.Count));
    }

    [Fact]
    public void Faults_that_take_turns_are_named_once_an_hour_each()
    {
        var chores = new Chores(_clock, _log);
        for (var second = 0; second < 3600; second++, _clock.Advance(TimeSpan.FromSeconds(1)))
        {
            var fault = second % 2 == 0 ? "no space left" : "locked";
            if (second % 3 != 0) chores.Do(() => throw new IOException(fault));
            else chores.Do(() => { });
        }

        Assert.Equal(["IOException: locked", "IOException: no space left"], _log.Said);
        _clock.Advance(TimeSpan.FromHours(1));
        chores.Do(() => throw new IOException("locked"));
        Assert.Equal(3, _log.Said.Count);
    }

    private sealed class Lines : ILogger
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add(formatter(state, exception));
    }
}
