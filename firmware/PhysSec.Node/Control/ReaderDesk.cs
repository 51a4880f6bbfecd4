using System.Globalization;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>
/// What is ordered of OSDP readers and what came of it: keys by their fingerprints, which device stands where, and one window for the whole node in which a reader may come with the key that everybody
/// knows. A window ends with its time, its first success, a word, or the node's restart.
/// </summary>
internal sealed class ReaderDesk
{
    /// <summary>The link ends a window by itself; so much later it counts as over, whatever was lost of that.</summary>
    internal static readonly TimeSpan LateWord = TimeSpan.FromSeconds(5);

    /// <summary>A device that is accepted is there already.</summary>
    internal static readonly TimeSpan AcceptWithin = TimeSpan.FromSeconds(60);

    private readonly List<Reader> _readers;

    internal ReaderDesk(IReadOnlyList<ReaderSetup> readers, IReadOnlyList<ReaderMemory> memory) =>
        _readers = [.. readers.Select(it => new Reader(it, memory.FirstOrDefault(kept => kept.Door == it.Door && kept.Direction == it.Direction)))];

    /// <summary>Null where there is no such reader.</summary>
    internal IReadOnlyList<ReaderMemory>? Memory => _readers.Count == 0 ? null : [.. _readers.Select(it => it.Memory)];

    /// <summary>A door's readers, for its live state; null where it has none of this kind.</summary>
    internal IReadOnlyList<ReaderLive>? Of(DoorId door) => _readers.Where(it => it.Setup.Door == door).Select(it => it.Live).ToList() is { Count: > 0 } all ? all : null;

    /// <summary>Whether there is something new to say of a door's readers.</summary>
    internal bool TakeNews(DoorId door)
    {
        var news = false;
        foreach (var it in _readers.Where(it => it.Setup.Door == door && it.News)) (it.News, news) = (false, true);
        return news;
    }

    internal void Pass(StepContext step)
    {
        foreach (var it in _readers)
        {
            if (it.Act is not { IsOpen: true } act || !(step.Uptime >= act.Deadline)) continue;
            if (act.Step == ReaderStep.KeyProved) Close(step, it, ReaderStep.Done, null); // It has its key; who it is will be noted.
            else Close(step, it, ReaderStep.Failed, ReaderActFault.TimeOver);
            if (act.IsWindow) step.Order(new(it.Setup.Door, it.Setup.Direction, ReaderActs.End, default, null));
        }
    }

    internal void Link(StepContext step, ReaderLinkChanged now)
    {
        if (Find(now.Door, now.Direction) is not { } it) return;
        var link = now.Fault is null ? ReaderLink.Online : ReaderLink.Offline;
        if (it.Link == link && it.Why == now.Why) return;
        if (it.Link != link) it.Since = step.SiteTime;
        (it.Link, it.Why, it.News) = (link, now.Why, true);
    }

    internal void Moved(ReaderKeyMoved now)
    {
        if (Find(now.Door, now.Direction) is not { Act: { IsOpen: true } act } it || now.Step <= act.Step) return;
        (it.Act, it.News) = (act with { Step = now.Step }, true);
    }

    internal void Failed(StepContext step, ReaderKeyFailed now)
    {
        if (Find(now.Door, now.Direction) is not { Act: { IsOpen: true, Name: not ReaderActs.Accept } act } it) return;
        Close(step, it, ReaderStep.Failed, now.Fault);
        if (act.IsWindow) step.Order(new(it.Setup.Door, it.Setup.Direction, ReaderActs.End, default, null)); // It may be the word of an act before: what is recorded as over is over at the reader too.
    }

    /// <summary>What cannot be recorded is not done: no window stays open, and what has not begun at the reader was called off by the shell.</summary>
    internal void JournalFailed(StepContext step)
    {
        foreach (var it in _readers.Where(it => it.Act is { IsOpen: true } act && (act.IsWindow || it.Seen is not { ChangePending: true })))
        {
            Close(step, it, ReaderStep.Failed, ReaderActFault.JournalFault);
            if (it.Act!.IsWindow) step.Order(new(it.Setup.Door, it.Setup.Direction, ReaderActs.End, default, null));
        }
    }

    /// <summary>Told again after inputs were lost; what is not new changes nothing.</summary>
    internal void Kept(StepContext step, AlarmBoard alarms, ReaderKeptSeen now)
    {
        if (Find(now.Door, now.Direction) is not { } it) return;
        alarms.Hold(step, now.StoreFault is not null, AlarmClasses.ReaderKeys, ReaderBoard.Source(now.Door, now.Direction), now.StoreFault);
        var (before, first) = (it.Seen, it.Seen is null);
        if (before == now) return;
        var (key, device) = (it.Key, it.Device);
        (it.Seen, it.Key, it.Device, it.News) = (now, now.Key, now.Device, true);
        if (now.Other is not null && now.Other != before?.Other)
            step.Record(new ReaderCommissioned(now.Door, now.Direction, ReaderActs.OtherDevice, "refused", null, now.Key, now.Key, now.Device, now.Other, null, null, null));
        if (it.Act is { IsOpen: true } act)
        {
            step.Remember |= key != now.Key || device != now.Device;
            Follow(step, it, act, now, first);
        }
        else if (key != now.Key || device != now.Device)
        {
            step.Remember = true;
            step.Record(new ReaderCommissioned(now.Door, now.Direction, ReaderActs.Unordered, "done", null, key, now.Key, device, now.Device, null, null, null));
        }
    }

    /// <summary>Null: begun, and recorded. Otherwise why not.</summary>
    internal string? Execute(StepContext step, Command command)
    {
        string? Argument(string name) => command.Arguments.GetValueOrDefault(name);
        if (Argument("door") is not { } door) return "door is missing; name the door";
        if (Argument("side") is not ("entry" or "exit")) return "side is missing; say entry or exit";
        if (Find(new(door), Argument("side") == "exit" ? Direction.Out : Direction.In) is not { } it) return $"door {door} has no reader there that this node speaks with";
        if (string.IsNullOrWhiteSpace(command.Actor) || string.IsNullOrWhiteSpace(command.Reason)) return "an act at a reader needs its owner and a reason";
        var act = Argument("act");
        if (act == ReaderActs.End) return End(step, it, command);
        if (!step.JournalHealthy) return "the journal cannot record it; repair it first";
        if (it.Act is { IsOpen: true } running && !(running.Name == ReaderActs.Rotate && act == ReaderActs.Replace)) return "something is under way at this reader already; wait for it, or end it";
        return act switch
        {
            ReaderActs.Install or ReaderActs.Replace => OpenWindow(step, it, command, act, Argument("minutes")),
            ReaderActs.Rotate when it.Link != ReaderLink.Online => "this reader is not online, and a key is only changed within a session",
            ReaderActs.Rotate when it.Seen is not { Key: not null, ChangePending: false } => "a change of this reader's key is not over yet",
            ReaderActs.Rotate => Begin(step, it, command, act, null, null),
            ReaderActs.Accept when it.Seen?.Other is not { } other || other.Mark() != Argument("device") => "the device that you saw does not stand there now; look again",
            ReaderActs.Accept => Begin(step, it, command, act, null, Argument("device")),
            _ => $"act is missing; say {ReaderActs.Install}, {ReaderActs.Rotate}, {ReaderActs.Replace}, {ReaderActs.Accept} or {ReaderActs.End}",
        };
    }

    private string? OpenWindow(StepContext step, Reader it, Command command, string act, string? text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes is < 1 or > ReaderActs.MinutesMax)
            return $"minutes is missing; say how long, 1 to {ReaderActs.MinutesMax}";
        if (act == ReaderActs.Install && it.Key is not null) return "this reader has a key already; change the key, or replace the reader";
        if (_readers.Find(other => other.Act is { IsOpen: true, IsWindow: true }) is { } open)
            return $"a window is open at {ReaderBoard.Source(open.Setup.Door, open.Setup.Direction)}; end it first, or wait";
        if (it.Act is { IsOpen: true }) Close(step, it, ReaderStep.Failed, ReaderActFault.Overtaken);
        return Begin(step, it, command, act, minutes, null);
    }

    private static string? Begin(StepContext step, Reader it, Command command, string act, int? minutes, string? device)
    {
        var time = TimeSpan.FromMinutes(minutes ?? 0);
        TimeSpan? deadline = minutes is not null ? step.Uptime + time + LateWord : act == ReaderActs.Accept ? step.Uptime + AcceptWithin : null;
        it.Act = new(act, command.Actor, command.Reason, it.Key, it.Device, device, deadline, minutes is null ? null : step.SiteTime + time);
        (it.News, step.Remember) = (true, true);
        step.Record(Fact(it, it.Act, "begun", minutes is null ? null : time.TotalSeconds));
        step.Order(new(it.Setup.Door, it.Setup.Direction, act, step.Uptime + time, device));
        return null;
    }

    private static string? End(StepContext step, Reader it, Command command)
    {
        if (it.Act is not { IsOpen: true, IsWindow: true }) return "no window is open at this reader";
        step.Record(new ReaderCommissioned(it.Setup.Door, it.Setup.Direction, ReaderActs.End, "done", null, null, null, null, null, command.Actor, command.Reason, null));
        Close(step, it, ReaderStep.Failed, ReaderActFault.WindowClosed);
        step.Order(new(it.Setup.Door, it.Setup.Direction, ReaderActs.End, default, null));
        return null;
    }

    private static void Follow(StepContext step, Reader it, Act act, ReaderKeptSeen now, bool first)
    {
        var hasNewKey = now.Key is not null && now.Key != act.KeyBefore;
        switch (act.Name)
        {
            case ReaderActs.Accept:
                if (now.Device?.Mark() == act.Wanted) Close(step, it, ReaderStep.Done, null);
                else if (first) Close(step, it, ReaderStep.Failed, ReaderActFault.Restarted);
                else if (now.Other is { } other && other.Mark() != act.Wanted) Close(step, it, ReaderStep.Failed, ReaderActFault.OtherDevice);
                break;
            case ReaderActs.Rotate:
                if (hasNewKey) Close(step, it, ReaderStep.Done, null);
                else if (first && !now.ChangePending) Close(step, it, ReaderStep.Failed, ReaderActFault.BrokenOff);
                break;
            default:
                if (hasNewKey && now.Device is not null) Close(step, it, ReaderStep.Done, null);
                else if (hasNewKey && !first) it.Act = act with { Step = ReaderStep.KeyProved };
                else if (first) Close(step, it, ReaderStep.Failed, ReaderActFault.Restarted);
                break;
        }
    }

    private static void Close(StepContext step, Reader it, ReaderStep end, ReaderActFault? fault)
    {
        var act = it.Act! with { Step = end, Fault = fault, KeyAfter = it.Key, DeviceAfter = it.Device };
        (it.Act, it.News, step.Remember) = (act, true, true);
        step.Record(Fact(it, act, end == ReaderStep.Done ? "done" : "failed", null));
    }

    private static ReaderCommissioned Fact(Reader it, Act act, string outcome, double? seconds) => new(
        it.Setup.Door, it.Setup.Direction, act.Name, outcome, act.Fault, act.KeyBefore, act.KeyAfter, act.DeviceBefore, act.DeviceAfter, act.Owner, act.Reason, seconds);

    private Reader? Find(DoorId door, Direction direction) => _readers.Find(it => it.Setup.Door == door && it.Setup.Direction == direction);

    private sealed record Act(
        string Name, string Owner, string Reason, string? KeyBefore, ReaderDevice? DeviceBefore, string? Wanted, TimeSpan? Deadline = null, DateTimeOffset? Until = null,
        ReaderStep Step = ReaderStep.Waiting, ReaderActFault? Fault = null, string? KeyAfter = null, ReaderDevice? DeviceAfter = null)
    {
        public bool IsOpen => Step < ReaderStep.Done;

        public bool IsWindow => Name is ReaderActs.Install or ReaderActs.Replace;
    }

    /// <summary>Key and device begin with what was put on record last: what was done while the node was away is news.</summary>
    private sealed class Reader(ReaderSetup setup, ReaderMemory? memory)
    {
        public ReaderSetup Setup { get; } = setup;

        public ReaderLink Link { get; set; }

        public ReaderOffline? Why { get; set; }

        public DateTimeOffset? Since { get; set; }

        public ReaderKeptSeen? Seen { get; set; }

        public string? Key { get; set; } = memory?.Key;

        public ReaderDevice? Device { get; set; } = memory?.Device;

        public Act? Act { get; set; } = memory?.Order is { } it ? new(it.Act, it.Owner, it.Reason, it.KeyBefore, it.DeviceBefore, it.Wanted) : null;

        public bool News { get; set; }

        public ReaderMemory Memory => new(
            Setup.Door, Setup.Direction, Key, Device, Act is { IsOpen: true } it ? new(it.Name, it.Owner, it.Reason, it.KeyBefore, it.DeviceBefore, it.Wanted) : null);

        public ReaderLive Live => new(
            Setup.Direction, Link, Why, Since, Seen?.Key, Seen?.ChangePending ?? false, Seen?.Device, Seen?.Other, Seen?.StoreFault,
            Act is { } it ? new(it.Name, it.Step, it.Fault, it.Owner, it.Reason, it.Until, it.KeyBefore, it.KeyAfter, it.DeviceBefore, it.DeviceAfter) : null);
    }
}
