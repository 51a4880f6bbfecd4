using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading.Channels;
using PhysSec.Hardware;
using PhysSec.Node.Enrolment;

namespace PhysSec.Node.Commissioning;

/// <summary>
/// One installer at one open board. Whatever switches an output on also starts the timer that switches it off, and every end, a signal's too, switches all of them
/// off before anything else.
/// </summary>
internal sealed class CommissioningSession : IDisposable
{
    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(2); // Longer than any contact's debounce; one that cannot be read is told at its check.
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(20);

    private readonly TimeProvider _clock;
    private readonly CommissioningFolder _folder;
    private readonly EnrolmentFolder _enrolment;
    private readonly BoardFile _file;
    private readonly string _boardHash;
    private readonly string _installer;
    private readonly CommissioningRun _run;
    private readonly int _checks;
    private readonly DateTimeOffset _started;
    private readonly Board _board;
    private readonly ECDsa _key;
    private readonly Channel<Signal?> _signals = Channel.CreateUnbounded<Signal?>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<string, ITimer> _offs = new(StringComparer.Ordinal);
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Lock _gate = new();
    private TextWriter _to = TextWriter.Null;
    private bool _ended;

    /// <param name="boardPath">The board file.</param>
    /// <param name="installer">Who stands here.</param>
    /// <param name="folder">Keeps progress and result.</param>
    /// <param name="enrolment">Holds the board's key, or will.</param>
    /// <param name="readers">Keys of the OSDP readers.</param>
    /// <param name="anew">Forget what was reached before.</param>
    /// <param name="clock">Time.</param>
    public CommissioningSession(string boardPath, string installer, CommissioningFolder folder, EnrolmentFolder enrolment, OsdpReaderStore readers, bool anew, TimeProvider clock)
    {
        (_folder, _enrolment, _installer, _clock) = (folder, enrolment, installer, clock);
        _file = BoardFile.Load(boardPath);
        _boardHash = CommissioningFolder.BoardHash(boardPath);
        var before = anew ? null : folder.Load();
        if (before?.BoardHash != _boardHash) before = null; // Another wiring: nothing of the old one counts.
        _started = before?.Started ?? clock.GetUtcNow();
        var plan = CommissioningPlan.For(_file);
        (_run, _checks) = (new CommissioningRun(plan, before?.Steps ?? []), plan.Checks.Count);
        _key = enrolment.Key(anew: false);
        _board = Board.Open(_file with { Calibrations = folder.Calibrations() }, readers, clock);
        foreach (var it in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]) _registrations.Add(PosixSignalRegistration.Create(it, OnEnd));
    }

    /// <returns>Null: stopped, to be gone on with later; else whether every check passed.</returns>
    public async Task<bool?> RunAsync(TextReader from, TextWriter to)
    {
        _to = to;
        foreach (var it in _board.Inputs)
        {
            it.Changed += (input, active, _) => Post(new ContactSeen(input.Id, active));
            it.BecameUnknown += (input, _) => Post(new ContactSeen(input.Id, null));
        }

        foreach (var it in _board.Lines) it.Changed += (line, state) => Post(SeenAt(line, state));
        foreach (var it in _board.ReaderInputs) it.Changed += (input, state) => Post(new ContactSeen(input.Entry.Id, input.ActiveIn(state)));
        foreach (var it in _board.Readers) it.FrameRead += frame => Post(SeenAt(it.Id, frame));
        foreach (var it in _board.OsdpReaders)
        {
            it.Happened += (reader, what) =>
            {
                if (SeenAt(reader.Entry.Id, what) is { } seen) Post(seen); // Null would end the run.
            };
        }

        _board.StartReaders();
        await WelcomeAsync();
        var opened = _clock.GetTimestamp();
        while ((_board.Inputs.Any(it => it.Active is null) || _board.Lines.Any(it => it.State is null)) && _clock.GetElapsedTime(opened) < _settled) await Task.Delay(_look, _clock);
        foreach (var it in _board.Inputs.Where(it => it.Active is not null)) Carry(_run.Take(new ContactSeen(it.Id, it.Active), _clock.GetLocalNow()), keep: false);
        foreach (var it in _board.Lines.Where(it => it.State is not null)) Carry(_run.Take(SeenAt(it, it.State!.Value), _clock.GetLocalNow()), keep: false);
        if (_run.Current is not null) Carry(_run.Begin(), keep: true);
        _ = Task.Factory.StartNew(() => Read(from), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (_run.Current is not null)
        {
            if (await _signals.Reader.ReadAsync() is not { } signal)
            {
                await _to.WriteLineAsync("Stopped; the same command goes on here. 中断しました。同じコマンドで続きから始まります。");
                return null;
            }

            Carry(_run.Take(signal, _clock.GetLocalNow()), keep: true);
        }

        return await FinishAsync();
    }

    public void Dispose()
    {
        End();
        foreach (var it in _registrations) it.Dispose();
        foreach (var it in _offs.Values) it.Dispose();
        _board.Dispose();
        _key.Dispose();
    }

    private static ContactSeen SeenAt(SupervisedInput line, LineState state) =>
        new(line.Entry.Id, line.ActiveIn(state), line.ActiveIn(state) is null ? state : null);

    private static Signal? SeenAt(string reader, ReaderFrame frame) =>
        frame.Card is { } card ? new CardSeen(reader, card.Length) : new FrameSpoilt(reader, frame.Fault == ReaderFault.None ? "Key" : frame.Fault.ToString());

    private static Signal? SeenAt(string reader, OsdpEvent what) => what switch
    {
        OsdpEvent.CardRead { Card: { } card } => new CardSeen(reader, card.Length),
        OsdpEvent.CardRead it => new FrameSpoilt(reader, it.Fault.ToString()),
        OsdpEvent.KeysPressed => new FrameSpoilt(reader, "Key"),
        OsdpEvent.Offline it => new FrameSpoilt(reader, it.Reason.ToString()),
        _ => null,
    };

    private async Task WelcomeAsync()
    {
        await _to.WriteLineAsync($"Board {_file.Name}, {_checks} checks, {_checks - _run.Results.Count} to do{(_board.Simulated ? "; SIMULATED 模擬" : "")}.");
        await _to.WriteLineAsync($"設置確認を始めます: 全 {_checks} 項目、残り {_checks - _run.Results.Count} 項目。");
        await _to.WriteLineAsync($"{CommissioningWords.Keys.English}\n{CommissioningWords.Keys.Japanese}");
    }

    private void Read(TextReader from)
    {
        while (from.ReadLine() is { } line)
        {
            if (line.Trim() is "q" or "Q") break;
            Post(new Answered(line));
        }

        Post(null); // No person any more: what is done is kept.
    }

    private void Post(Signal? signal) => _signals.Writer.TryWrite(signal);

    private void Carry(IReadOnlyList<Act> acts, bool keep)
    {
        foreach (var act in acts)
        {
            switch (act)
            {
                case SwitchOff it:
                    Output(it.Device).Set(false);
                    break;
                case SwitchOn it:
                    On(it);
                    break;
                case Measure it:
                    Post(Sampled(_board.Sensors.First(sensor => sensor.Id == it.Device)));
                    break;
                case Keep when keep:
                    _folder.Keep(new CommissioningProgress(_boardHash, _installer, _started, _run.Results));
                    break;
                case Say it when keep:
                    _to.WriteLine($"{it.English}\n  {it.Japanese}");
                    break;
                default:
                    break;
            }
        }
    }

    private void On(SwitchOn it)
    {
        lock (_gate)
        {
            if (_ended) return; // A signal has ended this: what was typed before it comes too late.
            if (_offs.Remove(it.Device, out var old)) old.Dispose();
            _offs[it.Device] = _clock.CreateTimer(_ => Off(it.Device), null, it.For, Timeout.InfiniteTimeSpan); // Before the output is on.
            Output(it.Device).Set(true);
        }
    }

    private void Off(string device)
    {
        lock (_gate)
        {
            if (_ended) return;
            var output = Output(device);
            output.Set(false);
            if (output.Role == DeviceRole.Lock) // One that stays as it is without power is locked by a pulse, which ends by itself.
                foreach (var it in _board.Outputs.Where(it => it.Role == DeviceRole.Relock && it.Door == output.Door)) it.Set(true);
        }

        Post(new SwitchedOff(device));
    }

    /// <summary>Every output off, for good.</summary>
    private void End()
    {
        lock (_gate)
        {
            if (_ended) return;
            _ended = true;
            foreach (var it in _board.Outputs) it.Set(false);
        }
    }

    private BoardOutput Output(string id) => _board.Outputs.First(it => it.Id == id);

    private static Measured Sampled(Sensor sensor)
    {
        var units = sensor.Points.ToDictionary(it => it.Id, it => it.Unit, StringComparer.Ordinal);
        return new(sensor.Id, [.. sensor.Sample().Select(it => (
            it.Point, it.Value is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value:0.##} {units[it.Point]}") : null, it.Value is null ? it.Fault.ToString() : null))]);
    }

    private async Task<bool> FinishAsync()
    {
        var (site, node) = _enrolment.Identity();
        var complete = _run.Results.All(it => it.Outcome == Outcome.Passed);
        var order = CommissioningPlan.For(_file).Checks.Select(it => it.Id).ToList();
        var result = new CommissioningResult(
            CommissioningResult.Version, site, node, _file.Name, _boardHash, _board.Simulated, Firmware.Version, _installer, _started, _clock.GetLocalNow(), complete,
            [.. _run.Results.OrderBy(it => order.IndexOf(it.Check))]);
        var publicKey = _key.ExportSubjectPublicKeyInfo();
        var path = _folder.Finish(result, result.Sign(_key), publicKey);
        await _to.WriteLineAsync($"\n{CommissioningFolder.Text(result, publicKey)}\n\n{path}");
        return complete;
    }

    private void OnEnd(PosixSignalContext context)
    {
        context.Cancel = true; // In order, and the outputs first.
        End();
        Post(null);
    }
}
