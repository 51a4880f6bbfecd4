namespace PhysSec.Hardware.Simulation;

/// <summary>What a simulated OSDP reader is.</summary>
public sealed record PeripheralSettings
{
    /// <summary>0 to 126.</summary>
    public required byte Address { get; init; }

    /// <summary>Null: fresh from the factory, with the default key that everybody knows (install mode).</summary>
    public OsdpKey? Key { get; init; }

    public OsdpIdentity Identity { get; init; } = new(0x00_5053, 1, 2, 0x0001_0203, 0x01_0000);

    public int Outputs { get; init; } = 2;

    public int Inputs { get; init; } = 2;
}

/// <summary>
/// The body of a simulated OSDP reader: what it does with a command that has reached it, and what it has to tell. Framing, sequence and Secure Channel are
/// <see cref="PeripheralLink"/>'s. Time is an argument. Not for two threads.
/// </summary>
public sealed class OsdpPeripheral
{
    private const int EventsMax = 16;
    private static readonly TimeSpan _unit = TimeSpan.FromMilliseconds(100);

    private readonly Queue<PeripheralReply> _events = new();
    private readonly TimedOutput[] _outputs;
    private readonly OsdpInput[] _inputs;
    private OsdpLocalStatus _status;
    private bool _statusTold = true;
    private bool _inputsTold = true;
    private OsdpColour _steady = OsdpColour.Red;
    private (OsdpColour Colour, TimeSpan Until)? _passing;
    private TimeSpan _soundUntil;

    public OsdpPeripheral(PeripheralSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (Settings, Address, Key) = (settings, settings.Address, settings.Key);
        (_outputs, _inputs) = (new TimedOutput[settings.Outputs], new OsdpInput[settings.Inputs]);
    }

    public PeripheralSettings Settings { get; }

    public byte Address { get; internal set; }

    /// <summary>Null: the default key.</summary>
    public OsdpKey? Key { get; private set; }

    /// <summary>Told of each new key.</summary>
    internal Action<OsdpKey>? KeyTaken { get; set; }

    /// <summary>Without power, or its cable cut: it answers nothing.</summary>
    public bool Silent { get; set; }

    /// <summary>On its display.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Tamper and power; a change is the answer to the next poll.</summary>
    public OsdpLocalStatus Status
    {
        get => _status;
        set => (_status, _statusTold) = (value, _statusTold && _status == value);
    }

    /// <summary>What its light shows.</summary>
    public OsdpColour Light(TimeSpan now) => _passing is { } it && now < it.Until ? it.Colour : _steady;

    public bool Sounds(TimeSpan now) => now < _soundUntil;

    public bool Output(int number, TimeSpan now) => _outputs[number].At(now);

    public void SetInput(int number, OsdpInput state) => (_inputs[number], _inputsTold) = (state, _inputsTold && _inputs[number] == state);

    /// <summary>A card is held to the reader. With no power, or with the queue full, nobody notices.</summary>
    public void Present(CardBits card) => Happen(new(OsdpReply.CardBits, OsdpCardRead.Of(card).Data()));

    /// <summary>A key of the keypad: 0 to 9, <see cref="OsdpKeys.Star"/>, <see cref="OsdpKeys.Hash"/>.</summary>
    public void Press(int key) => Happen(new(OsdpReply.Keypad, new OsdpKeys(0, [key]).Data()));

    /// <summary>Power comes back: lights, tones and outputs are as at the start, the key stays.</summary>
    internal void Restart()
    {
        _events.Clear();
        Array.Clear(_outputs);
        (_steady, _passing, _soundUntil, Text) = (OsdpColour.Red, null, default, "");
        _statusTold = _status == default;
    }

    internal void Take(OsdpKey key)
    {
        Key = key;
        KeyTaken?.Invoke(key);
    }

    /// <summary>What was waiting for a control unit that has gone is not told to the next.</summary>
    internal void ForgetEvents() => _events.Clear();

    /// <summary>Does what a command says.</summary>
    /// <param name="command">Its code.</param>
    /// <param name="data">In clear.</param>
    /// <param name="now">Monotonic.</param>
    /// <param name="secured">Within a Secure Channel: nothing that happens at the reader is told outside of one.</param>
    internal PeripheralReply Do(OsdpCommand command, ReadOnlySpan<byte> data, TimeSpan now, bool secured) => command switch
    {
        OsdpCommand.Poll => secured ? Next(now) : PeripheralReply.Done,
        OsdpCommand.Id => new(OsdpReply.Id, Settings.Identity.Data()),
        OsdpCommand.Capabilities => new(OsdpReply.Capabilities, OsdpCapability.Data(Capabilities())),
        OsdpCommand.LocalStatus => LocalStatus(),
        OsdpCommand.InputStatus => InputStatus(),
        OsdpCommand.OutputStatus => OutputStatus(now),
        OsdpCommand.ReaderStatus => new(OsdpReply.ReaderStatus, OsdpStatus.Data([OsdpReaderHead.Normal])),
        OsdpCommand.Output => SetOutputs(OsdpOrder.Output.Parse(data), now),
        OsdpCommand.Led => SetLight(OsdpOrder.Led.Parse(data), now),
        OsdpCommand.Buzzer => Sound(OsdpOrder.Buzzer.Parse(data), now),
        OsdpCommand.Text => Show(OsdpOrder.Text.Parse(data)),
        OsdpCommand.CommunicationSet => Move(OsdpCommunication.Parse(data)),
        OsdpCommand.KeySet => SetKey(data, secured),
        OsdpCommand.Abort => PeripheralReply.Done,
        OsdpCommand.ReceiveSize or OsdpCommand.KeepActive => data.Length == 2 ? PeripheralReply.Done : PeripheralReply.BadLength,
        _ => PeripheralReply.Refused(OsdpNak.UnknownCommand),
    };

    /// <summary>Which 8 bytes it calls itself by in the handshake.</summary>
    internal byte[] ClientId() => Settings.Identity.Data()[..8];

    private void Happen(PeripheralReply it)
    {
        if (!Silent && _events.Count < EventsMax) _events.Enqueue(it);
    }

    private PeripheralReply Next(TimeSpan now)
    {
        if (!_statusTold) return LocalStatus();
        if (!_inputsTold) return InputStatus();
        for (var i = 0; i < _outputs.Length; i++)
            if (_outputs[i].HasJustEnded(now)) return OutputStatus(now);
        return _events.TryDequeue(out var it) ? it : PeripheralReply.Done;
    }

    private OsdpCapability[] Capabilities() =>
    [
        new(OsdpFunction.ContactStatus, 1, (byte)Settings.Inputs), new(OsdpFunction.OutputControl, 4, (byte)Settings.Outputs), new(OsdpFunction.CardFormat, 1, 0),
        new(OsdpFunction.Led, 4, 1), new(OsdpFunction.Audible, 2, 1), new(OsdpFunction.Text, 1, 1), new(OsdpFunction.CheckCharacter, 1, 0),
        new(OsdpFunction.CommunicationSecurity, 1, (byte)(Key is null ? 1 : 0)), new(OsdpFunction.ReceiveSize, 0, 2), new(OsdpFunction.Readers, 0, 1), new(OsdpFunction.Version, 2, 0),
    ];

    private PeripheralReply LocalStatus()
    {
        _statusTold = true;
        return new(OsdpReply.LocalStatus, _status.Data());
    }

    private PeripheralReply InputStatus()
    {
        _inputsTold = true;
        return new(OsdpReply.InputStatus, OsdpStatus.Data(_inputs));
    }

    private PeripheralReply OutputStatus(TimeSpan now) => new(OsdpReply.OutputStatus, OsdpStatus.Data(_outputs.Select(it => it.At(now))));

    private PeripheralReply SetOutputs(IReadOnlyList<OsdpOrder.Output>? orders, TimeSpan now)
    {
        if (orders is null) return PeripheralReply.BadLength;
        if (orders.Any(it => it.Number >= _outputs.Length || it.Action > OsdpOutputAction.TemporaryOff)) return PeripheralReply.Refused(OsdpNak.UnableToProcess);
        foreach (var it in orders) _outputs[it.Number].Set(it.Action, now, _unit * it.Time);
        return OutputStatus(now);
    }

    private PeripheralReply SetLight(IReadOnlyList<OsdpOrder.Led>? orders, TimeSpan now)
    {
        if (orders is null) return PeripheralReply.BadLength;
        foreach (var it in orders)
        {
            if (it.CancelTemporary) _passing = null;
            if (it.Temporary is { } passing) _passing = (passing.OnColour, now + (_unit * it.Time));
            if (it.Permanent is { } steady) _steady = steady.OnColour;
        }

        return PeripheralReply.Done;
    }

    private PeripheralReply Sound(OsdpOrder.Buzzer? order, TimeSpan now)
    {
        if (order is null) return PeripheralReply.BadLength;
        _soundUntil = order switch
        {
            { Tone: OsdpTone.Off } => default,
            { Tone: OsdpTone.None } => _soundUntil,
            { Count: 0 } => TimeSpan.MaxValue,
            _ => now + (_unit * ((order.OnTime + order.OffTime) * order.Count)),
        };
        return PeripheralReply.Done;
    }

    private PeripheralReply Show(OsdpOrder.Text? order)
    {
        if (order is null) return PeripheralReply.BadLength;
        Text = order.Characters;
        return PeripheralReply.Done;
    }

    private static PeripheralReply Move(OsdpCommunication? to) => to switch
    {
        null or { Address: > 126 } => PeripheralReply.BadLength,
        { } it when !SerialSettings.BaudRates.Contains(it.Baud) => PeripheralReply.Refused(OsdpNak.UnableToProcess),
        { } it => new(OsdpReply.Communication, it.Data()) { Moved = it }, // The answer goes out at the old address and speed yet.
    };

    private static PeripheralReply SetKey(ReadOnlySpan<byte> data, bool secured) => !secured ? PeripheralReply.Refused(OsdpNak.EncryptionRequired)
        : data is not [1, OsdpKey.Length, ..] || data.Length != 2 + OsdpKey.Length ? PeripheralReply.BadLength
        : OsdpKey.Create(data[2..], out var key) != OsdpKeyFault.None ? PeripheralReply.Refused(OsdpNak.UnableToProcess)
        : PeripheralReply.Done with { NewKey = key };

    /// <summary>An output with what it returns to once its time is over.</summary>
    private struct TimedOutput
    {
        private bool _steady;
        private bool _passing;
        private TimeSpan? _until;

        public readonly bool At(TimeSpan now) => _until is { } it && now < it ? _passing : _steady;

        /// <summary>Its time is over, and nobody was told.</summary>
        public bool HasJustEnded(TimeSpan now)
        {
            if (_until is not { } it || now < it) return false;
            _until = null;
            return true;
        }

        public void Set(OsdpOutputAction action, TimeSpan now, TimeSpan time)
        {
            if (action is OsdpOutputAction.PermanentOff or OsdpOutputAction.PermanentOn) (_steady, _until) = (action == OsdpOutputAction.PermanentOn, null);
            if (action is OsdpOutputAction.OffAfterTime or OsdpOutputAction.OnAfterTime) _steady = action == OsdpOutputAction.OnAfterTime;
            if (action is OsdpOutputAction.TemporaryOn or OsdpOutputAction.TemporaryOff)
                (_passing, _until) = (action == OsdpOutputAction.TemporaryOn, time == TimeSpan.Zero ? TimeSpan.MaxValue : now + time);
        }
    }
}

/// <summary>What a simulated reader answers, before it is framed. It prints without its data: a card or a key may be in it.</summary>
internal sealed record PeripheralReply(OsdpReply Code, byte[] Data)
{
    public static PeripheralReply Done { get; } = new(OsdpReply.Ack, []);

    public static PeripheralReply BadLength { get; } = Refused(OsdpNak.CommandLength);

    public OsdpCommunication? Moved { get; init; }

    public OsdpKey? NewKey { get; init; }

    public static PeripheralReply Refused(OsdpNak reason) => new(OsdpReply.Nak, [(byte)reason]);

    public override string ToString() => $"{Code}";
}
