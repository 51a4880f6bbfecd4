using System.Security.Cryptography;
using PhysSec.Hardware;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Readers;

/// <summary>
/// The reader link alone, at work for an installer: it says what happens, installs or changes keys where it was told to, and counts. Events come on the line's thread.
/// </summary>
internal sealed class ReadersRun : IDisposable
{
    /// <summary>So long a reader on the default key may be given its own; one reader at a time.</summary>
    private static readonly TimeSpan _window = TimeSpan.FromSeconds(60);

    private readonly ReadersOptions _options;
    private readonly ReaderLog _log;
    private readonly TimeProvider _clock;
    private readonly ReaderKeyFile? _file;
    private readonly OsdpReaderStore _store;
    private readonly OsdpLine _line;
    private readonly FrameCapture? _capture;
    private readonly Queue<(byte Address, bool Replaces)> _toInstall = new();
    private readonly HashSet<byte> _changed = [];
    private readonly HashSet<byte> _accepted = [];
    private readonly HashSet<byte> _named = [];
    private readonly TimeSpan _start;
    private byte? _installing;

    /// <param name="options">Checked.</param>
    /// <param name="log">Where it says what happens.</param>
    /// <param name="clock">For the line.</param>
    /// <exception cref="ReaderKeysHeldException">Another program has the key file.</exception>
    /// <exception cref="IOException">The key file or the capture cannot be opened.</exception>
    /// <exception cref="InvalidDataException">The key file is spoilt.</exception>
    public ReadersRun(ReadersOptions options, ReaderLog log, TimeProvider clock)
    {
        (_options, _log, _clock, _start) = (options, log, clock, clock.GetElapsedTime(0));
        _file = options.KeyFile is { } file ? ReaderKeyFile.Open(file, Tpm.OfBoard) : null;
        _file?.Hold();
        _store = new GivenKeys(options.Key, _file);
        _capture = options.Capture is { } capture ? new FrameCapture(capture) : null;
        _line = new OsdpLine(options.Line, [.. options.Addresses.Select(it => new OsdpLineReader(Name(it), new OsdpLinkSettings(it)))], _store, clock);
        _line.Happened += OnEvent;
        _line.LineChanged += (fault, now) => _log.Write(now - _start, "line", ("up", fault is null), ("fault", fault));
        _line.Stored += (address, fault) =>
        {
            if (fault is not null) _log.Write(Elapsed, "key-not-kept", ("reader", Name(address)), ("fault", fault), ("remedy", "Make room or give rights; nothing was sent to the reader."));
        };
        if (_capture is { } tap)
        {
            _line.Tapped += (sent, bytes, now) =>
            {
                if (sent) tap.Sent(bytes.Span, now - _start);
                else tap.Received(bytes.Span, now - _start);
            };
        }
    }

    private TimeSpan Elapsed => _clock.GetElapsedTime(0) - _start;

    /// <summary>Works until stopped, then counts.</summary>
    /// <returns>Every reader was in a session at the end.</returns>
    public async Task<bool> RunAsync(CancellationToken stop)
    {
        _log.Write(Elapsed, "started", ("port", _options.Line.Port), ("baud", _options.Line.Baud), ("addresses", _options.Addresses.Select(Name).ToArray()), ("keyFile", _options.KeyFile));
        foreach (var it in _options.Replace) _toInstall.Enqueue((it, true));
        if (_options.Install)
            foreach (var it in await Task.Run(() => ToInstall(stop), CancellationToken.None)) _toInstall.Enqueue((it, false));
        InstallNext(_clock.GetElapsedTime(0));

        _line.Start();
        try
        {
            await Task.Delay(_options.Time ?? Timeout.InfiniteTimeSpan, _clock, stop);
        }
        catch (OperationCanceledException)
        {
            // Stopped by hand: what was counted is told all the same.
        }

        foreach (var it in _line.Links) _log.Write(Elapsed, it.Address, it.Statistics, State(it));
        return _line.Links.All(it => it.State == OsdpLinkState.Online);
    }

    public void Dispose()
    {
        _line.Dispose();
        _file?.Dispose();
        _capture?.Dispose();
    }

    private string Name(byte address) => _options.Names[address];

    private static string State(OsdpLink it) => it.State switch
    {
        OsdpLinkState.Connecting => "connecting",
        OsdpLinkState.Online => "online",
        OsdpLinkState.Offline => "offline",
    };

    private void OnEvent(OsdpEvent what, TimeSpan now)
    {
        var known = what.Address == OsdpEvent.Line ? OsdpReaderMemory.None : _store.Of(Name(what.Address));
        if (what is OsdpEvent.Online && known.Pin is { } pin && _named.Add(what.Address)) _log.Write(now - _start, new OsdpEvent.Pinned(what.Address, pin), known.Keys);
        if (what is OsdpEvent.Pinned) _named.Add(what.Address);
        _log.Write(now - _start, what, known.Keys);
        switch (what)
        {
            case OsdpEvent.Online when _options.ChangesKey && _changed.Add(what.Address):
                if (_store.Of(Name(what.Address)).Keys.Pending is null) _line.Tell(what.Address, new OsdpLinkInput.ChangeKey(_options.NewKey ?? OsdpKey.Make(RandomNumberGenerator.Fill)));
                break;
            case OsdpEvent.OtherDevice it when _options.Accept.Contains(what.Address) && _accepted.Add(what.Address):
                _line.Tell(what.Address, new OsdpLinkInput.AcceptIdentity(it.Pin));
                break;
            case OsdpEvent.KeyInstalled or OsdpEvent.KeyChangeFailed when _installing == what.Address:
                _installing = null;
                InstallNext(now);
                break;
            default:
                break;
        }
    }

    /// <summary>Readers without a key of ours; first those that are there and wait for one, for a window is open for one reader at a time.</summary>
    private List<byte> ToInstall(CancellationToken stop)
    {
        List<byte> without = [.. _options.Addresses.Where(it => _store.Of(Name(it)).Keys.Current is null && !_options.Replace.Contains(it))];
        try
        {
            var waiting = OsdpDiscovery.Search(_options.Line, [_options.Line.Baud], without, _clock, stop).Where(it => it.OnDefaultKey is not false).Select(it => it.Address).ToHashSet();
            return [.. without.OrderByDescending(waiting.Contains)];
        }
        catch (IOException)
        {
            return without; // The line looks for its port itself, and says so.
        }
    }

    /// <summary>A key that an interrupted installation may have left in the reader is the one that is brought in again.</summary>
    private void InstallNext(TimeSpan now)
    {
        if (!_toInstall.TryDequeue(out var next)) return;
        _installing = next.Address;
        var interrupted = next.Replaces ? null : _store.Of(Name(next.Address)).Keys.Pending;
        var key = interrupted ?? OsdpKey.Make(RandomNumberGenerator.Fill);
        _log.Write(now - _start, "install-window", ("address", (int)next.Address), ("seconds", _window.TotalSeconds), ("replaces", next.Replaces), ("key", key.Fingerprint));
        _line.Tell(next.Address, new OsdpLinkInput.OpenInstallation(key, now + _window, next.Replaces));
    }

    /// <summary>A key given by hand goes before what is kept; what is to be kept goes to the file.</summary>
    private sealed class GivenKeys(OsdpKey? given, ReaderKeyFile? file) : OsdpReaderStore
    {
        private readonly Dictionary<string, OsdpReaderMemory> _seen = new(StringComparer.Ordinal);

        public override OsdpReaderMemory Of(string reader)
        {
            lock (_seen)
            {
                if (_seen.TryGetValue(reader, out var it)) return it;
                var kept = file?.Of(reader) ?? OsdpReaderMemory.None;
                return _seen[reader] = given is null || given.Equals(kept.Keys.Current) || given.Equals(kept.Keys.Pending) ? kept : kept with { Keys = new(given, null) };
            }
        }

        public override void Store(string reader, OsdpReaderMemory memory)
        {
            file?.Store(reader, memory);
            lock (_seen) _seen[reader] = memory;
        }
    }
}
