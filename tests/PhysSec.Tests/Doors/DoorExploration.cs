using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

/// <summary>The machine that is walked: <see cref="DoorMachine.Step"/>, or one with a rule taken out.</summary>
internal delegate DoorStep Machine(DoorStatus status, DoorEvent what, DoorTimes times, TimeSpan uptime);

/// <summary>One step of a walk, and whether it led to a state that was not known; every deadline counts from the moment of the event.</summary>
internal sealed record Walked(DoorStatus Before, DoorEvent What, TimeSpan After, DoorStep Step, bool New, Machine Machine)
{
    internal DoorStatus State => Step.Status;

    internal DoorStep Then(DoorStatus door, DoorEvent what, TimeSpan later = default) => Machine(door, what, DoorExploration.Times, later);
}

/// <summary>
/// Breadth first over every state that the given events and the passing of time lead to. Times are whole units and states hold what is left of them, so that there are finitely many. Besides
/// a step of one unit there is a late look: everything that is due falls due at once.
/// </summary>
internal sealed class DoorExploration
{
    internal static readonly TimeSpan Unit = TimeSpan.FromMilliseconds(500);
    internal static readonly TimeSpan Late = 200 * Unit;

    internal static readonly DoorTimes Times =
        new(2 * Unit, 3 * Unit, 3 * Unit, Unit) { Grace = Unit, ButtonStuck = 3 * Unit, Confinement = 2 * Unit, Feedback = Unit };

    internal static readonly DoorEvent[] Passages =
    [
        new DoorEvent.Granted(Direction.In, new("p"), true), new DoorEvent.Granted(Direction.Out, new("p"), false), new DoorEvent.ReleasedByCommand(), new DoorEvent.ExitPressed(),
        new DoorEvent.ExitReleased(), new DoorEvent.LeafOpened(), new DoorEvent.LeafClosed(), new DoorEvent.LeafUnknown(), new DoorEvent.Withdrawn(),
    ];

    internal static readonly DoorEvent[] Orders =
    [
        new DoorEvent.LockdownOrdered(true), new DoorEvent.LockdownOrdered(false), new DoorEvent.OverrideOrdered(DoorMode.Unlocked, 2 * Unit),
        new DoorEvent.OverrideOrdered(DoorMode.Blocked, 2 * Unit), new DoorEvent.OverrideOrdered(DoorMode.Normal, default),
    ];

    internal static readonly DoorEvent[] Emergencies =
    [
        new DoorEvent.Signalled(EmergencySignal.Fire, true), new DoorEvent.Signalled(EmergencySignal.Fire, false), new DoorEvent.Signalled(EmergencySignal.Seismic, true),
        new DoorEvent.Signalled(EmergencySignal.Seismic, false), new DoorEvent.Signalled(EmergencySignal.Fire, null), new DoorEvent.Confirmed(),
        new DoorEvent.Resumed(EmergencySignals.BreakGlass | EmergencySignals.Seismic, EmergencySignals.BreakGlass | EmergencySignals.Seismic, EmergencySignals.None, 1),
    ];

    internal static readonly DoorEvent[] Feedback = [new DoorEvent.BoltSeen(true), new DoorEvent.BoltSeen(false), new DoorEvent.BoltSeen(null)];

    /// <summary>Leaving and the leaf, to go with the others.</summary>
    internal static readonly DoorEvent[] Leaving =
        [new DoorEvent.ExitPressed(true), new DoorEvent.ExitReleased(), new DoorEvent.LeafOpened(), new DoorEvent.LeafClosed(), new DoorEvent.Granted(Direction.In, new("p"), false)];

    internal static readonly DoorEvent[] Everything = [.. Passages, .. Orders, .. Emergencies, .. Feedback, new DoorEvent.ExitPressed(true), new DoorEvent.ExitUnknown()];

    private readonly Dictionary<string, IReadOnlyList<PendingPassage>> _pending = [];
    private readonly HashSet<DoorStatus> _seen = [];

    /// <summary>Different states found.</summary>
    internal int States => _seen.Count;

    internal long Transitions { get; private set; }

    /// <summary>Every state that this many events lead to has been left by every event.</summary>
    internal int Depth { get; private set; }

    /// <summary>There is nothing beyond that depth.</summary>
    internal bool Complete { get; private set; }

    /// <summary>Walks until there is nothing new, or this many states are known and the depth at hand is done.</summary>
    internal static DoorExploration Walk(LockType type, Machine machine, IReadOnlyList<DoorEvent> events, int statesMax, Action<Walked> look)
    {
        var walk = new DoorExploration();
        var start = machine(DoorStatus.Start with { Lock = type }, new DoorEvent.Started(), Times, TimeSpan.Zero).Status;
        List<DoorStatus> edge = [walk.Canonical(start, TimeSpan.Zero)];
        walk._seen.Add(edge[0]);
        List<(DoorEvent, TimeSpan)> moves = [.. events.Select(it => (it, TimeSpan.Zero)), (new DoorEvent.Tick(), Unit), (new DoorEvent.Tick(), Late)];
        while (edge.Count > 0 && walk.States < statesMax)
        {
            var next = new List<DoorStatus>();
            foreach (var before in edge)
            {
                foreach (var (what, after) in moves)
                {
                    var step = machine(before, what, Times, after);
                    var state = walk.Canonical(step.Status, after);
                    walk.Transitions++;
                    var isNew = walk._seen.Add(state);
                    if (isNew) next.Add(state);
                    look(new(before, what, after, step with { Status = state }, isNew, machine));
                }
            }

            walk.Depth++;
            edge = next;
        }

        walk.Complete = edge.Count == 0;
        return walk;
    }

    /// <summary>The same door seen from now on: deadlines become what is left, equal lists become one, and of a count it matters whether there is one.</summary>
    private DoorStatus Canonical(DoorStatus door, TimeSpan now)
    {
        var key = string.Join(' ', door.Pending);
        if (!_pending.TryGetValue(key, out var pending)) _pending.Add(key, pending = door.Pending);
        return door with
        {
            ReleaseUntil = door.ReleaseUntil - now,
            CoilUntil = door.CoilUntil - now,
            OverrideUntil = door.OverrideUntil - now,
            GraceUntil = door.GraceUntil - now,
            PreAlarmAt = door.PreAlarmAt - now,
            HeldAt = door.HeldAt - now,
            ButtonStuckAt = door.ButtonStuckAt - now,
            ConfinedAt = door.ConfinedAt - now,
            FeedbackAt = door.FeedbackAt - now,
            Unbadged = Math.Min(door.Unbadged, 1),
            Pending = pending,
        };
    }
}
