namespace PhysSec.Hardware;

/// <summary>An output at an OSDP reader's own terminals; see <see cref="TimedOutput"/>. What the line cannot carry is seen here within seconds, because the reader's own word counts.</summary>
public sealed class ReaderOutput : BoardOutput
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(250), _lastWord = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _atRest = new(true);
    private readonly ReaderOutputEntry _entry;
    private readonly OsdpReader _reader;
    private readonly TimeProvider _clock;
    private readonly TimedOutput _output;
    private readonly ITimer _timer;
    private bool _disposed;

    internal ReaderOutput(ReaderOutputEntry entry, OsdpReader reader, TimeProvider clock)
        : base(entry)
    {
        (_entry, _reader, _clock) = (entry, reader, clock);
        _output = new(entry.Number, Now);
        reader.Happened += OnEvent;
        _timer = clock.CreateTimer(_ => With(it => it.Tick(Now)), null, _tick, _tick);
    }

    public override bool On => Look(it => it.On);

    public override string? Fault => Look(it => Words(it.Fault));

    public override long Failures => Look(it => it.Failures);

    public override string? LastFailure => Look(it => Words(it.LastFailure));

    public override bool IsKnown => Look(it => it.IsKnown);

    public override void Set(bool on)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            With(it => it.Set(on, Now));
        }
    }

    /// <summary>Orders off and waits half a second at most until the reader has taken it: after that its own timer is what is left.</summary>
    public override void Dispose()
    {
        MakeSafe();
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        _reader.Happened -= OnEvent;
        _timer.Dispose();
        _atRest.Dispose();
    }

    internal override void MakeSafe()
    {
        lock (_gate)
        {
            if (_disposed || _output.IsAtRest) return;
            With(it => it.Set(false, Now));
        }

        _atRest.Wait(_lastWord);
    }

    private TimeSpan Now => _clock.GetElapsedTime(0);

    private void OnEvent(OsdpReader reader, OsdpEvent what) => With(it => it.Take(what, Now));

    private string? Words(string? fault) => fault is null ? null : $"output {_entry.Number} of {_entry.Reader}: {fault}";

    private T Look<T>(Func<TimedOutput, T> what)
    {
        lock (_gate) return what(_output);
    }

    private void With(Func<TimedOutput, IReadOnlyList<OsdpLinkInput.Order>> act)
    {
        lock (_gate)
        {
            if (_disposed) return;
            foreach (var it in act(_output)) _reader.Order(it.What, it.Life);
            if (_output.IsAtRest) _atRest.Set();
            else _atRest.Reset();
        }
    }
}
