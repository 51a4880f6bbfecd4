using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace PhysSec.Hardware;

/// <summary>A reader of a line, and the name under which its keys are kept.</summary>
public sealed record OsdpLineReader(string Id, OsdpLinkSettings Settings);

/// <summary>
/// The readers of one serial port at work: a thread carries bytes between the port and the <see cref="OsdpBus"/>, which decides everything. An adapter that is pulled out is looked for
/// until it is back; a key is on the disk before the bus may send it.
/// </summary>
public sealed class OsdpLine : IDisposable
{
    private static readonly TimeSpan _reopenFirst = TimeSpan.FromMilliseconds(250), _reopenLast = TimeSpan.FromSeconds(5), _longest = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<(byte Address, OsdpLinkInput Input, TimeSpan At)> _told = new();
    private readonly AutoResetEvent _signal = new(false);
    private readonly byte[] _buffer = new byte[4_096];
    private readonly Dictionary<byte, string> _names;
    private readonly SerialSettings _settings;
    private readonly OsdpReaderStore _store;
    private readonly OsdpBus _bus;
    private readonly TimeProvider _clock;
    private readonly Thread _thread;
    private SerialLine? _line;
    private TimeSpan _reopenAt;
    private TimeSpan _reopenAfter = _reopenFirst;
    private string? _fault;
    private volatile bool _ending;

    /// <param name="settings">The port. It need not be there yet.</param>
    /// <param name="readers">Each with an address of its own.</param>
    /// <param name="store">Their keys.</param>
    /// <param name="clock">One that counts from the machine's start.</param>
    public OsdpLine(SerialSettings settings, IReadOnlyList<OsdpLineReader> readers, OsdpReaderStore store, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(readers);
        ArgumentNullException.ThrowIfNull(store);
        (_settings, _store, _clock) = (settings, store, clock);
        _names = readers.ToDictionary(it => it.Settings.Address, it => it.Id);
        _bus = new OsdpBus(settings.Baud, [.. readers.Select(it => Link(it, store.Of(it.Id)))]);
        _thread = new Thread(RunForEver) { IsBackground = true, Name = $"readers {settings.Port}" };
    }

    /// <summary>Raised on the line's thread, with the uptime: the subscriber only enqueues.</summary>
    public event Action<OsdpEvent, TimeSpan>? Happened;

    /// <summary>Raised on the line's thread: why the port is not open, or null once it is.</summary>
    public event Action<string?, TimeSpan>? LineChanged;

    /// <summary>Raised on the line's thread: what was to be kept of a reader (its address) is kept (null), or why not. A key that is not kept is not sent.</summary>
    public event Action<byte, string?>? Stored;

    /// <summary>Raised on the line's thread with every byte that goes out (true) or comes in. Secrets are among them.</summary>
    public event Action<bool, ReadOnlyMemory<byte>, TimeSpan>? Tapped;

    /// <summary>To look at: state, keys and statistics of each reader.</summary>
    public IReadOnlyList<OsdpLink> Links => _bus.Links;

    public void Start() => _thread.Start();

    /// <summary>A word to one reader; for any thread, and never waits.</summary>
    public void Tell(byte address, OsdpLinkInput input)
    {
        if (_ending) return;
        _told.Enqueue((address, input, Now));
        _signal.Set();
        lock (_gate) _line?.Wake();
    }

    public void Dispose()
    {
        if (_ending) return;
        _ending = true;
        _signal.Set();
        lock (_gate) _line?.Wake();
        if (_thread.IsAlive && Thread.CurrentThread != _thread) _thread.Join();
        lock (_gate) _line?.Dispose();
        _bus.Dispose();
        _signal.Dispose();
    }

    private TimeSpan Now => _clock.GetElapsedTime(0);

    private static OsdpLink Link(OsdpLineReader reader, OsdpReaderMemory kept) =>
        new(reader.Settings with { Pin = kept.Pin }, kept.Keys, RandomNumberGenerator.Fill);

    private void RunForEver()
    {
        var received = 0;
        while (!_ending)
        {
            var now = Now;
            if (_line is null && now >= _reopenAt) Open(now);
            if (received > 0) Tapped?.Invoke(false, _buffer.AsMemory(0, received), now);
            var step = _bus.Step(_buffer.AsSpan(0, received), now);
            var wait = step.Next - now;
            if (Handle(step.Events, now) | Carry(now)) wait = TimeSpan.Zero;
            if (step.Send.Length > 0)
            {
                Tapped?.Invoke(true, step.Send, now);
                if (_line is not null && !_line.Write(step.Send.Span)) Lose("the port takes nothing any more", now);
            }

            received = Wait(wait < _longest ? wait : _longest);
        }
    }

    /// <summary>Carries out what was told.</summary>
    private bool Carry(TimeSpan now)
    {
        var any = false;
        while (_told.TryDequeue(out var it))
        {
            any = true;
            var input = it.Input is OsdpLinkInput.Order order ? order with { Waited = now - it.At } : it.Input; // A thread that wrote a key meanwhile makes no order younger.
            Handle(_bus.Tell(it.Address, input, now), now);
        }

        return any;
    }

    /// <returns>The bus has been told something.</returns>
    private bool Handle(IReadOnlyList<OsdpEvent> events, TimeSpan now)
    {
        var told = false;
        foreach (var it in events)
        {
            if (it is OsdpEvent.KeysChanged keys)
            {
                var kept = Keep(it.Address, memory => new(keys.Keys, keys.ForgetsDevice ? null : memory.Pin));
                told = true;
                Handle(_bus.Tell(it.Address, kept ? new OsdpLinkInput.KeysStored(keys.Keys) : new OsdpLinkInput.KeysNotStored(keys.Keys), now), now);
            }

            if (it is OsdpEvent.Pinned pinned) Keep(it.Address, memory => memory with { Pin = pinned.Pin });
            Happened?.Invoke(it, now);
        }

        return told;
    }

    private bool Keep(byte address, Func<OsdpReaderMemory, OsdpReaderMemory> change)
    {
        var reader = _names[address];
        try
        {
            _store.Store(reader, change(_store.Of(reader)));
            Stored?.Invoke(address, null);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Stored?.Invoke(address, failure.Message);
            return false;
        }
    }

    /// <returns>How many bytes came.</returns>
    private int Wait(TimeSpan time)
    {
        if (_line is not { } line)
        {
            var until = _reopenAt - Now;
            var least = until < time ? until : time;
            if (least > TimeSpan.Zero) _signal.WaitOne(least);
            return 0;
        }

        switch (line.Wait(time))
        {
            case SerialWait.Received:
                var read = line.Read(_buffer);
                if (read < 0) Lose("the port is gone: the adapter was pulled out, or its other end", Now);
                return Math.Max(0, read);
            case SerialWait.Gone:
                Lose("the port is gone: the adapter was pulled out, or its other end", Now);
                return 0;
            default:
                return 0;
        }
    }

    private void Open(TimeSpan now)
    {
        try
        {
            var line = SerialLine.Open(_settings);
            lock (_gate) _line = line;
            Say(null, now);
            _reopenAfter = _reopenFirst;
            foreach (var it in _bus.Links) Handle(_bus.Tell(it.Address, new OsdpLinkInput.RetryNow(), now), now);
        }
        catch (IOException failure)
        {
            Say(failure.Message, now);
            _reopenAt = now + _reopenAfter;
            _reopenAfter = _reopenAfter * 2 < _reopenLast ? _reopenAfter * 2 : _reopenLast;
        }
    }

    private void Lose(string fault, TimeSpan now)
    {
        SerialLine? lost;
        lock (_gate) (lost, _line) = (_line, null);
        lost?.Discard(); // A port that takes nothing any more would wait on its way out, and whoever orders something would wait for it.
        lost?.Dispose();

        _reopenAt = now + _reopenAfter;
        Say(fault, now);
    }

    private void Say(string? fault, TimeSpan now)
    {
        if (fault == _fault && fault is not null) return;
        _fault = fault;
        LineChanged?.Invoke(fault, now);
    }
}
