using System.Device.I2c;

namespace PhysSec.Hardware;

/// <summary>
/// One ADS1115 whose inputs are supervised lines: a thread of its own asks all of them every 25 ms, at 475 conversions a second, so that three equal samples of
/// four lines take 50 to 100 ms. A bus that hangs makes every line unreadable within a second and a quarter.
/// </summary>
internal sealed class LineScanner : IDisposable
{
    private const double NominalVolts = 3.3;
    private const double ExcitationMin = 2.5; // Less is no excitation to judge a line by.
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan _watch = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _silent = TimeSpan.FromSeconds(1);

    private readonly AnalogConverter _converter;
    private readonly TimeProvider _clock;
    private readonly int? _reference;
    private readonly CancellationTokenSource _stop = new();
    private ITimer? _watchdog;
    private Thread? _thread;
    private long _heard;

    /// <param name="inputs">Of one chip, with the same reference.</param>
    /// <param name="chip">The converter; the scanner owns it.</param>
    /// <param name="clock">Time.</param>
    public LineScanner(IReadOnlyList<SupervisedInput> inputs, I2cDevice chip, TimeProvider clock)
    {
        (Inputs, _clock) = (inputs, clock);
        _converter = new AnalogConverter(chip, ConversionRate.PerSecond475, clock);
        _reference = inputs[0].Entry.Reference;
        _heard = clock.GetTimestamp();
    }

    public IReadOnlyList<SupervisedInput> Inputs { get; }

    public void Start()
    {
        _watchdog = _clock.CreateTimer(_ => Watch(), null, _watch, _watch);
        _thread = new Thread(Run) { IsBackground = true, Name = "supervised lines" };
        _thread.Start();
    }

    /// <summary>One round. Blocks on the bus.</summary>
    internal void Scan()
    {
        var excitation = Excitation();
        foreach (var it in Inputs) it.Take(Ratio(it.Entry, excitation), _clock.GetElapsedTime(0));
        Interlocked.Exchange(ref _heard, _clock.GetTimestamp());
    }

    internal void Watch()
    {
        if (_clock.GetElapsedTime(Interlocked.Read(ref _heard)) <= _silent) return;
        foreach (var it in Inputs) it.Lost();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _watchdog?.Dispose();
        _thread?.Join();
        _stop.Dispose();
        _converter.Dispose();
    }

    private void Run()
    {
        while (!_stop.IsCancellationRequested)
        {
            var begin = _clock.GetTimestamp();
            Scan();
            var rest = _period - _clock.GetElapsedTime(begin);
            if (rest > TimeSpan.Zero) Task.Delay(rest, _clock, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }
    }

    private double? Excitation() => _reference is { } channel ? Volts(channel) : NominalVolts;

    private double? Ratio(SupervisedEntry entry, double? excitation) => excitation >= ExcitationMin ? Volts(entry.Channel) / excitation : null;

    private double? Volts(int channel)
    {
        var (volts, fault) = _converter.Read(channel);
        return fault switch
        {
            SensorFault.None => volts,
            SensorFault.OutOfRange => AnalogConverter.FullScaleVolts, // That or more: a foreign voltage.
            _ => null,
        };
    }
}
