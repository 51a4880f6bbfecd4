using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Live;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Desk;

/// <summary>What the pages ask of the hub, within the scope of who asks. It keeps nothing.</summary>
public sealed class ConsoleDesk : IDisposable
{
    private readonly LiveBoard _live;
    private readonly Nodes _nodes;
    private readonly AlarmBoard _alarms;
    private readonly Doors _doors;
    private readonly NodeLink _link;
    private readonly NotificationLog _notifications;
    private readonly DeskOfAccess _access;
    private readonly Store _store;
    private readonly DiskWatch _disks;
    private readonly KeyRegister _keys;

    public ConsoleDesk(
        LiveBoard live, Nodes nodes, AlarmBoard alarms, Doors doors, NodeLink link, NotificationLog notifications, DeskOfAccess access, Store store, DiskWatch disks,
        KeyRegister keys)
    {
        (_live, _nodes, _alarms, _doors, _link, _notifications, _access, _store, _disks, _keys) = (live, nodes, alarms, doors, link, notifications, access, store, disks, keys);
        live.Changed += Tell;
        nodes.Changed += Tell;
        alarms.Changed += Tell;
    }

    /// <summary>Something that a page shows has changed.</summary>
    public event Action? Changed;

    /// <summary>Zones, people, cards, rights and records.</summary>
    public DeskOfAccess Access => _access;

    /// <summary>The doors within the scope; all of them for null.</summary>
    public IReadOnlyList<DoorCard> Doors(SignedIn? who)
    {
        var live = _live.Doors().ToDictionary(it => (it.Node, it.Door));
        var faults = _alarms.List(activeOnly: true).Where(it => it.Active && it.Class is (AlarmClasses.ReaderOffline or AlarmClasses.ReaderAttack or AlarmClasses.Tamper or AlarmClasses.ReaderFault or AlarmClasses.ReaderPower)).ToList();
        var levels = _access.Zones().ToDictionary(it => it.Id, it => it.Level);
        return
        [
            .. from it in _doors.List()
               where who?.Covers(it.Zone) ?? true
               let now = live.GetValueOrDefault((it.Node, it.Id))
               select new DoorCard(
                   it.Id, it.NameJa, it.NameEn, it.Zone, levels.GetValueOrDefault(it.Zone), it.Node, _live.State(new(it.Node)) ?? "never-seen", _live.StateSince(new(it.Node)), it.ReleaseTime,
                   it.Lockdown, now?.State, now?.Quality == "good", now?.Since, now?.ReceivedAt, Readers(it.Node, it.Id, faults, now?.State)),
        ];
    }

    /// <summary>Measured points and the contacts that are no part of a door.</summary>
    public IReadOnlyList<PointNow> Points() =>
        [.. _live.Points().Where(it => !_doors.List().Any(door => it.Point.StartsWith(door.Id + ".", StringComparison.Ordinal)))];

    /// <summary>What stands, worst first. A scope of zones sees the alarms of its nodes and of the hub itself.</summary>
    public IReadOnlyList<AlarmView> Alarms(SignedIn? who)
    {
        if (who is null or { Scope: "site" }) return _alarms.List(activeOnly: true);
        var nodes = Doors(who).Select(it => it.Node).ToHashSet(StringComparer.Ordinal);
        return [.. _alarms.List(who.Actor, activeOnly: true).Where(it => it.Node is null || nodes.Contains(it.Node))];
    }

    public IReadOnlyList<AlarmHistoryItem> AlarmHistory() => _alarms.History(200);

    /// <summary>Where an alarm comes from, in words. Two nodes may have a point or a door of the same name, so the node is said too.</summary>
    public string SourceName(Words words, string? node, string source)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(source);
        if (node is null) return _keys.LabelOf(source) ?? source;
        if (node == source) return source;
        var name = _doors.List().FirstOrDefault(it => it.Node == node && (it.Id == source || source.StartsWith(it.Id + ".", StringComparison.Ordinal))) is { } door
            ? words.Pick(door.NameJa, door.NameEn)
            : _live.Points().FirstOrDefault(it => it.Node == node && it.Point == source) is { } point ? PointText.Name(words, point) : source;
        return $"{name} ({node})";
    }

    public Task AcknowledgeAsync(SignedIn by, string key, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (Alarms(by).All(it => it.Key != key)) throw new Frame.NotAllowedException();
        return _alarms.AcknowledgeAsync(by.Actor, key, reason);
    }

    public IReadOnlyList<NodeView> Nodes() => _nodes.List();

    /// <summary>How full the disks are, the hub's first.</summary>
    public IReadOnlyList<DiskView> Disks() => _disks.List();

    public HubHealth Health() => new(_store.Writes, _link.Ready);

    public IReadOnlyList<NotificationView> Notifications() => _notifications.List(200);

    public void Dispose()
    {
        _live.Changed -= Tell;
        _nodes.Changed -= Tell;
        _alarms.Changed -= Tell;
    }

    // What a birth did not name may still have failed.
    private List<ReaderNow> Readers(string node, string door, IReadOnlyList<AlarmView> faults, Core.Wire.DoorLive? now)
    {
        var described = _live.Described(new(node), door);
        return [.. Side(Direction.In, "entry", described?.EntryReader == true), .. Side(Direction.Out, "exit", described?.ExitReader == true)];

        IEnumerable<ReaderNow> Side(Direction side, string name, bool there)
        {
            var fault = faults.Where(it => it.Node == node && it.Source == $"{door}.{name}").MaxBy(it => it.Class == AlarmClasses.ReaderOffline); // One that is gone tells nothing else.
            var live = now?.Readers?.FirstOrDefault(it => it.Side == side);
            if (there || fault is not null || live is not null)
                yield return new(side, fault?.Since, fault?.Detail, described?.Wiring?.Readers.FirstOrDefault(it => it.Side == side)?.Type, live);
        }
    }

    private void Tell() => Changed?.Invoke();
}
