using System.Diagnostics;
using System.Security.Cryptography;

namespace PhysSec.Hardware.Simulation;

/// <summary>
/// Simulated OSDP readers at the other end of a pseudo-terminal, for a demo, for tests and for an installer without hardware: the control side comes through the
/// same serial calls as to a real reader. They answer at their own speed only, and take the time that the bytes would need on a wire.
/// </summary>
public sealed class VirtualReaders : IDisposable
{
    private const int BitsPerByte = 10;
    private static readonly TimeSpan _turnRound = TimeSpan.FromMilliseconds(3); // What readers usually take.
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _end = new();
    private readonly PseudoTerminal _cable;
    private readonly PeripheralBus _bus;
    private readonly Action? _switched;
    private readonly TimeProvider _clock;
    private readonly int _baud;
    private readonly Thread _thread;

    /// <param name="readers">Each with an address of its own.</param>
    /// <param name="baud">Of the line.</param>
    /// <param name="clock">For their timers.</param>
    /// <param name="link">A name for the port that is known beforehand.</param>
    /// <param name="switched">Called on the readers' thread when the control side has switched an output.</param>
    /// <exception cref="IOException">The kernel gives no pseudo-terminal.</exception>
    public VirtualReaders(IReadOnlyList<PeripheralSettings> readers, int baud, TimeProvider clock, string? link = null, Action? switched = null)
    {
        ArgumentNullException.ThrowIfNull(clock);
        (_baud, _clock, _switched) = (baud, clock, switched);
        _bus = new PeripheralBus(readers, it => RandomNumberGenerator.Fill(it));
        _cable = new PseudoTerminal(link);
        _thread = new Thread(AnswerForEver) { IsBackground = true, Name = $"readers at {_cable.Path}" };
        _thread.Start();
    }

    /// <summary>Raised on the readers' thread with every byte that is about to go out (true) or has come in. Secrets are among them.</summary>
    public event Action<bool, ReadOnlyMemory<byte>>? Tapped;

    /// <summary>The port to open.</summary>
    public string Port => _cable.Path;

    /// <summary>Looks at the readers, or does something at them.</summary>
    /// <param name="act">Gets the readers and their time.</param>
    public T With<T>(Func<PeripheralBus, TimeSpan, T> act)
    {
        lock (_gate) return act(_bus, _clock.GetElapsedTime(0));
    }

    /// <summary>Pulls the plug.</summary>
    public void Dispose()
    {
        _end.Set();
        _cable.Line.Wake();
        if (Thread.CurrentThread != _thread) _thread.Join();
        _cable.Dispose();
        _end.Dispose();
    }

    private static bool[] Outputs(PeripheralBus bus, TimeSpan now) => [.. bus.Readers.SelectMany(it => Enumerable.Range(0, it.Settings.Outputs).Select(number => it.Output(number, now)))];

    private void AnswerForEver()
    {
        var buffer = new byte[OsdpFrame.LengthMax];
        while (!_end.IsSet)
        {
            if (_cable.Line.Wait(_look) != SerialWait.Received) continue;
            var read = _cable.Line.Read(buffer);
            if (read <= 0 || _cable.Baud != _baud) continue; // At another speed it is noise.

            var came = Stopwatch.GetTimestamp();
            Tapped?.Invoke(false, buffer.AsMemory(0, read));
            var before = With(Outputs);
            var answer = With((bus, now) => bus.Take(buffer.AsSpan(0, read), now));
            if (!With(Outputs).SequenceEqual(before)) _switched?.Invoke();
            if (answer.Length == 0) continue;
            PauseUntil(came, _turnRound + TimeSpan.FromSeconds((double)(read + answer.Length) * BitsPerByte / _baud));
            Tapped?.Invoke(true, answer);
            _cable.Line.Write(answer);
        }
    }

    /// <summary>By the kernel's own call: the runtime's waits count in whole milliseconds, and a frame at 115,200 baud takes three.</summary>
    private void PauseUntil(long since, TimeSpan time)
    {
        var nobody = default(GpioUapi.PollPair);
        for (var left = time; left > TimeSpan.Zero && !_end.IsSet; left = time - Stopwatch.GetElapsedTime(since)) _ = SerialUapi.Poll(ref nobody, 0, new(left), 0);
    }
}
