using System.Globalization;
using PhysSec.Hardware;

namespace PhysSec.Node.Commissioning;

/// <summary>What comes to a commissioning from the board or from the person at it.</summary>
public abstract record Signal;

/// <summary>A line that the person typed.</summary>
public sealed record Answered(string Text) : Signal;

/// <summary>A contact has settled; null = its line cannot be read, or is in the fault that Line names.</summary>
public sealed record ContactSeen(string Device, bool? Active, LineState? Line = null) : Signal;

/// <summary>A whole frame came. Its number goes no further than the reader.</summary>
public sealed record CardSeen(string Device, int Bits) : Signal;

/// <summary>A frame came that is no card.</summary>
public sealed record FrameSpoilt(string Device, string Fault) : Signal;

/// <summary>What a sensor said: (point, value with unit), or a fault instead of the value.</summary>
public sealed record Measured(string Device, IReadOnlyList<(string Point, string? Value, string? Fault)> Points) : Signal;

/// <summary>An output is off again, whoever switched it.</summary>
public sealed record SwitchedOff(string Device) : Signal;

/// <summary>What a commissioning asks of its shell.</summary>
public abstract record Act;

/// <summary>A sentence for the person.</summary>
public sealed record Say(string English, string Japanese) : Act;

/// <summary>On, and off again by a timer of the shell's own after the time, whatever happens meanwhile.</summary>
public sealed record SwitchOn(string Device, TimeSpan For) : Act;

/// <summary>Off before anything else.</summary>
public sealed record SwitchOff(string Device) : Act;

/// <summary>Ask the sensor now.</summary>
public sealed record Measure(string Device) : Act;

/// <summary>The results have grown: keep them.</summary>
public sealed record Keep : Act;

/// <summary>
/// Leads an installer from check to check: (signal, time) → acts. It touches nothing itself. A way out counts only when the leaf was seen to open while the
/// software had the lock switched off. Nothing is passed that was not seen, or, where nothing can see it, confirmed; whatever is left out carries its reason.
/// </summary>
public sealed class CommissioningRun
{
    /// <summary>How long the lock is released for the installer to open the leaf.</summary>
    public static readonly TimeSpan ReleaseTime = TimeSpan.FromSeconds(10);

    /// <summary>How long a lamp or a siren is on.</summary>
    public static readonly TimeSpan SignalTime = TimeSpan.FromSeconds(3);

    private readonly CommissioningPlan _plan;
    private readonly List<StepResult> _results;
    private readonly Dictionary<string, (bool? Active, LineState? Line)> _contacts = new(StringComparer.Ordinal);
    private readonly List<string> _seen = [];
    private readonly HashSet<bool> _states = [];
    private string? _on; // The output that is on.
    private bool _wasOn;
    private bool _answered;
    private bool _opened;
    private bool _pressed;

    /// <param name="plan">What has to be proved.</param>
    /// <param name="done">Of an earlier run. What did not pass is asked again, what the plan does not know is forgotten.</param>
    public CommissioningRun(CommissioningPlan plan, IReadOnlyList<StepResult> done)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _plan = plan;
        var known = plan.Checks.Select(it => it.Id).ToHashSet(StringComparer.Ordinal);
        _results = [.. done.Where(it => it.Outcome == Outcome.Passed && known.Contains(it.Check)).DistinctBy(it => it.Check)];
    }

    public IReadOnlyList<StepResult> Results => _results;

    /// <summary>What is being proved now; null when all has an outcome.</summary>
    public Check? Current => _plan.Checks.FirstOrDefault(it => _results.TrueForAll(done => done.Check != it.Id));

    /// <summary>The first sentences.</summary>
    public IReadOnlyList<Act> Begin() => Next();

    /// <param name="signal">What came.</param>
    /// <param name="at">Time by the board's clock, for the record alone.</param>
    public IReadOnlyList<Act> Take(Signal signal, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(signal);
        if (signal is ContactSeen contact && Learnt(contact)) return []; // How it stands is no movement.
        if (Current is not { } check) return [];
        return signal switch
        {
            Answered it => Answer(check, it.Text.Trim(), at),
            ContactSeen it => Contact(check, it, at),
            CardSeen it when check.Kind == CheckKind.CardIsRead => it.Device == check.Device
                ? Pass(check, string.Create(CultureInfo.InvariantCulture, $"a card of {it.Bits} bits"), at)
                : [new Say($"That was the reader {it.Device}; hold the card to {check.Device}.", $"今のは {it.Device} です。{check.Device} にカードをかざしてください。")],
            FrameSpoilt it when check.Kind == CheckKind.CardIsRead && it.Device == check.Device =>
                Note($"spoilt: {it.Fault}", new Say($"The reader sent something that is no card ({it.Fault}). Try again.", $"カードとして読めませんでした({it.Fault})。もう一度かざしてください。")),
            Measured it when it.Device == check.Device => Values(it),
            SwitchedOff it when it.Device == check.Device => Off(check),
            _ => [],
        };
    }

    /// <summary>Keeps how a contact stands; true when that had not been known, or is what it was.</summary>
    private bool Learnt(ContactSeen contact)
    {
        var before = _contacts.GetValueOrDefault(contact.Device);
        _contacts[contact.Device] = (contact.Active, contact.Line);
        return before.Line == contact.Line && (before.Active is null || before.Active == contact.Active);
    }

    private IReadOnlyList<Act> Answer(Check check, string text, DateTimeOffset at)
    {
        var (word, reason) = text.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) switch
        {
            [] => ("", ""),
            [var only] => (only.ToLowerInvariant(), ""),
            [var first, var rest, ..] => (first.ToLowerInvariant(), rest),
        };
        switch (word)
        {
            case "n" or "s" when reason.Length == 0:
                return [new Say($"Say why, on the same line: {word} and the reason.", $"理由を同じ行に書いてください(例: {word} 部品待ち)。")];
            case "n":
                return End(check, Outcome.Failed, reason, at);
            case "s":
                return End(check, Outcome.Skipped, reason, at);
            case "r":
                return Start(check);
            case "" when Switched(check) is { } time && _on is null:
                (_on, _wasOn, _opened) = (check.Device, true, false);
                return [new SwitchOn(check.Device, time), new Say(
                    string.Create(CultureInfo.InvariantCulture, $"On for {time.TotalSeconds:0} s."), string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} 秒間オンにします。"))];
            case "y" or "はい" when IsConfirmed(check):
                if (check.Kind == CheckKind.LockHolds && LeafOf(check) is not false)
                    return [new Say("The door contact does not say that the leaf is shut. Shut it and answer again.", "扉接点が「閉」になっていません。扉を閉めてから答えてください。")];
                return Pass(check, reason.Length > 0 ? $"confirmed by a person: {reason}" : "confirmed by a person", at);
            case "y" or "はい":
                return [new Say("The board has not seen it yet, so it cannot be confirmed by word. Do it again, or type n or s with the reason.", "制御装置がまだ検知していません。もう一度行うか、n または s と理由を入力してください。")];
            default:
                return [CommissioningWords.Keys];
        }
    }

    private IReadOnlyList<Act> Contact(Check check, ContactSeen it, DateTimeOffset at)
    {
        switch (check.Kind)
        {
            case CheckKind.WireIsWatched or CheckKind.ShortIsWatched when it.Device == check.Device && LineFaultOf(check) is { } fault:
                return Wire(check, fault, it, at);
            case CheckKind.ContactMoves or CheckKind.WireIsWatched when it.Device == check.Device:
                if (it.Active is not { } active) return Note("unreadable", new Say("The line cannot be read.", "信号線を読み取れません。"));
                _states.Add(active);
                var all = _states.Count == 2 && (check.Kind == CheckKind.ContactMoves || active != CommissioningPlan.StateOfCutWire((ContactEntry)_plan.Device(check.Device)!));
                var state = CommissioningWords.State(_plan.Device(check.Device)!.Role, active);
                _seen.Add(state.English);
                return all ? Pass(check, string.Join(" → ", _seen), at) : [state];
            case CheckKind.LockReleases when it.Device == LeafId(check):
                return Released(check, it.Active, at);
            case CheckKind.ExitByButton or CheckKind.ExitByLever or CheckKind.ExitByBreakGlass or CheckKind.ExitByFireContact:
                if (it.Device == ButtonId(check) && it.Active == true) _pressed = true;
                return it.Device == LeafId(check) ? WayOut(check, it.Active, at) : [];
            default:
                return [];
        }
    }

    /// <summary>What was done to a supervised line's wires must have been seen as just that, and be undone again.</summary>
    private IReadOnlyList<Act> Wire(Check check, LineState expected, ContactSeen it, DateTimeOffset at)
    {
        if (it.Active is { } active)
        {
            var state = CommissioningWords.State(_plan.Device(check.Device)!.Role, active);
            return _states.Count > 0 ? Pass(check, $"{string.Join(" → ", _seen)} → {state.English}", at) : [state];
        }

        if (it.Line == expected) _states.Add(true);
        var line = CommissioningWords.Line(it.Line);
        return Note(line.English, line);
    }

    /// <summary>The fault of a supervised line that this check is about; null where the line cannot tell it from a state of its contact.</summary>
    private LineState? LineFaultOf(Check check) => (check.Kind, _plan.Device(check.Device)) switch
    {
        (CheckKind.ShortIsWatched, _) => LineState.Shorted,
        (CheckKind.WireIsWatched, SupervisedEntry { Network.Parallel: not null }) => LineState.Cut,
        _ => null,
    };

    private IReadOnlyList<Act> Released(Check check, bool? open, DateTimeOffset at)
    {
        switch (open)
        {
            case true when _on is not null:
                _opened = true;
                return [new Say("The leaf is open. Shut it.", "扉が開きました。閉めてください。")];
            case true:
                return Note("opened without a release", new Say(
                    "The leaf opened although the lock was not released. If nobody left by the exit, the lock does not hold: type n and what you saw.",
                    "解錠していないのに扉が開きました。室内から出た人がいなければ、錠が効いていません。n と状況を入力してください。"));
            case false when _opened:
                return Pass(check, "the leaf opened while the lock was released, and shut again", at);
            default:
                return [];
        }
    }

    /// <summary>Judged when the leaf has shut again: by then the button, whose contact may settle after the leaf's, has been seen as well.</summary>
    private IReadOnlyList<Act> WayOut(Check check, bool? open, DateTimeOffset at)
    {
        if (open == true)
        {
            _opened = true;
            return [new Say("Seen: the way out was open. Shut the leaf.", "退出を確認しました。扉を閉めてください。")];
        }

        if (open is null || !_opened) return [];
        var pressed = _pressed;
        (_opened, _pressed) = (false, false);
        if (check.Kind == CheckKind.ExitByButton == pressed) return Pass(check, "the leaf opened from inside with the lock's output off", at);
        return Note(pressed ? "the exit button was pressed" : "the exit button was not seen", pressed
            ? new Say("The exit button was pressed: this shows the button, not what is to be shown now. Try again without it.", "退室ボタンが押されました。ボタンを使わずにやり直してください。")
            : new Say("The press of the exit button was not seen. Try again.", "退室ボタンの操作を検知できませんでした。やり直してください。"));
    }

    private IReadOnlyList<Act> Values(Measured it)
    {
        var faults = it.Points.Where(point => point.Fault is not null).ToList();
        _seen.Clear();
        _seen.AddRange(it.Points.Select(point => $"{point.Point} {point.Value ?? point.Fault}"));
        if (faults.Count > 0 || it.Points.Count == 0)
        {
            _answered = false;
            return [new Say(
                $"No value: {string.Join(", ", faults.Select(point => $"{point.Point}: {point.Fault}"))}. Look at its wires and address; r asks again.",
                $"測定できません: {string.Join("、", faults.Select(point => $"{point.Point} {point.Fault}"))}。配線とアドレスを確認し、r で再測定してください。")];
        }

        _answered = true;
        return [new Say($"{string.Join(", ", _seen)}. Is that right, by your own instrument? y / n reason / r", $"{string.Join("、", _seen)}。手元の測定器と合っていますか。 y / n 理由 / r")];
    }

    private IReadOnlyList<Act> Off(Check check)
    {
        if (_on is null) return [];
        _on = null;
        if (check.Kind == CheckKind.OutputIsSeen)
            return [new Say("Off. Did it work, there where people are to notice it? y / n reason / Enter: once more", "オフにしました。必要な場所で確認できましたか。 y / n 理由 / Enter でもう一度")];
        return _opened ? [] : [new Say("Locked again, and the leaf was not opened. Enter: once more.", "再び施錠しました。扉は開きませんでした。Enter でもう一度。")];
    }

    private IReadOnlyList<Act> Note(string what, Say say)
    {
        if (_seen.Count < 20) _seen.Add(what);
        return [say];
    }

    private IReadOnlyList<Act> Pass(Check check, string seen, DateTimeOffset at)
    {
        var before = check.Kind == CheckKind.CardIsRead && _seen.Count > 0 ? string.Join(", ", _seen) + ", " : "";
        if (check.Kind == CheckKind.ValuesAreRight) before = string.Join(", ", _seen) + "; ";
        return End(check, Outcome.Passed, null, at, before + seen);
    }

    private IReadOnlyList<Act> End(Check check, Outcome outcome, string? reason, DateTimeOffset at, string? seen = null)
    {
        var passed = outcome == Outcome.Passed;
        _results.Add(new(check.Id, outcome, seen ?? (_seen.Count > 0 ? string.Join(", ", _seen) : null), reason, at));
        return [new Keep(), passed ? new Say("✓", "確認しました") : new Say($"✗ {reason}", outcome == Outcome.Failed ? "不合格として記録しました" : "未確認として記録しました"), .. Next()];
    }

    private List<Act> Next() => Current is { } check ? Start(check) : [];

    private List<Act> Start(Check check)
    {
        _seen.Clear();
        _states.Clear();
        (_wasOn, _answered, _opened, _pressed) = (false, false, false, false);
        var acts = new List<Act>();
        if (_on is { } left) acts.Add(new SwitchOff(left)); // A way out that is shown while the lock is released would show nothing.
        _on = null;
        acts.Add(CommissioningWords.Ask(_plan, check));
        if (check.Kind == CheckKind.ValuesAreRight) acts.Add(new Measure(check.Device));
        return acts;
    }

    /// <summary>Whether a person's word is enough now.</summary>
    private bool IsConfirmed(Check check) => check.Kind switch
    {
        CheckKind.LockHolds or CheckKind.ExitWithoutBoard or CheckKind.BoardIsProtected => true,
        CheckKind.OutputIsSeen => _wasOn,
        CheckKind.ValuesAreRight => _answered,
        _ => false,
    };

    private static TimeSpan? Switched(Check check) => check.Kind switch
    {
        CheckKind.OutputIsSeen => SignalTime,
        CheckKind.LockReleases => ReleaseTime,
        _ => null,
    };

    private string? LeafId(Check check) => _plan.Of(check.Door, DeviceRole.DoorContact);

    private string? ButtonId(Check check) => _plan.Of(check.Door, DeviceRole.ExitButton);

    private bool? LeafOf(Check check) => LeafId(check) is { } leaf ? _contacts.GetValueOrDefault(leaf).Active : null;
}
