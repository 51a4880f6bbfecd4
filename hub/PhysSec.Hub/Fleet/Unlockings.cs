using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>A timed unlocking that waits for a second person. Account is the console's account of who asks; null for a program.</summary>
public sealed record UnlockRequest(string Id, string Door, int Minutes, string Reason, Actor By, string? Account, DateTimeOffset At)
{
    /// <summary>Whoever agrees later agrees to something else.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    public DateTimeOffset Until => At + Life;
}

/// <summary>
/// Timed unlockings, and those that wait for a second person. What waits lives in memory only: after a restart of the hub it is asked for anew. What runs is known by the
/// node alone, and ends there by itself.
/// </summary>
public sealed class Unlockings(HubHome state, DoorCommands commands, Doors doors, Zones zones, TimeProvider clock)
{
    public const string Waits = "waits";
    private const int AlwaysTwoFromLevel = 3;
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);
    private static readonly int[] _usual = [5, 15, 30, 60, 120, 240, 480, 1440];

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, UnlockRequest> _waiting = []; // By door; guarded by itself.

    /// <summary>The choices that a page offers, in minutes: those that are not too long.</summary>
    public IReadOnlyList<int> Choices => [.. _usual.Where(it => it <= LongestMinutes).DefaultIfEmpty(LongestMinutes)];

    private int LongestMinutes => state.Configuration.Doors.UnlockMinutesMax;

    /// <summary>Whether a second person has to agree: always from level 3 on, else when the order and what this person has ordered alone at this door within a day are longer together than one may.</summary>
    public bool NeedsSecond(string actor, string door, int minutes) =>
        LevelOf(door) >= AlwaysTwoFromLevel || minutes + MinutesAlone(actor, door) > state.Configuration.Doors.UnlockAloneMinutes;

    public IReadOnlyList<UnlockRequest> Waiting()
    {
        lock (_waiting)
        {
            foreach (var it in _waiting.Values.Where(it => it.Until <= clock.GetUtcNow()).ToList()) _waiting.Remove(it.Door);
            return [.. _waiting.Values.OrderBy(it => it.At)];
        }
    }

    /// <summary>Unlocks a door for so long, or lets the order wait for a second person.</summary>
    /// <exception cref="InputException">No reason, no such door, a time out of range, not within the scope, or another order waits for this door.</exception>
    public async Task<CommandResult> UnlockAsync(Actor actor, string? account, string door, int minutes, string? reason)
    {
        var why = DoorCommands.Reason(reason);
        if (minutes < 1 || minutes > LongestMinutes) throw new InputException("minutes", $"{minutes} min is outside 1–{LongestMinutes}", $"Give 1 to {LongestMinutes} min");
        var turn = _turns.GetOrAdd(door, _ => new SemaphoreSlim(1)); // Orders side by side would each count as the first.
        await turn.WaitAsync();
        try
        {
            if (!NeedsSecond(actor.Name, door, minutes)) return await commands.UnlockAsync(actor, door, minutes, why);
        }
        finally
        {
            turn.Release();
        }

        var now = clock.GetUtcNow();
        var request = new UnlockRequest(Guid.CreateVersion7(now).ToString("N"), door, minutes, why, actor, account, now);
        lock (_waiting)
        {
            if (_waiting.TryGetValue(door, out var other) && other.Until > now) throw new InputException("door", $"an order for {door} waits for a second person already", "Have it confirmed or withdrawn first");
            _waiting[door] = request;
        }

        try
        {
            await RecordAsync(request, actor, "door.unlock-requested");
        }
        catch
        {
            TryTake(request.Id);
            throw;
        }

        return new CommandResult(Waits, null);
    }

    /// <summary>A second person has agreed (who that may be was judged before): the order goes out, once.</summary>
    public async Task<CommandResult> ConfirmAsync(Actor second, string id)
    {
        ArgumentNullException.ThrowIfNull(second);
        var request = Take(id);
        return await commands.UnlockAsync(request.By, request.Door, request.Minutes, request.Reason, second);
    }

    /// <summary>Who asked takes it back, or somebody else says no.</summary>
    public async Task DropAsync(Actor by, string id)
    {
        var request = Take(id);
        await RecordAsync(request, by, "door.unlock-dropped");
    }

    /// <exception cref="InputException">It waits no longer.</exception>
    public UnlockRequest Find(string id) => Waiting().FirstOrDefault(it => it.Id == id) ?? throw Gone();

    private UnlockRequest Take(string id) => TryTake(id) ?? throw Gone();

    private UnlockRequest? TryTake(string id)
    {
        lock (_waiting)
        {
            var found = Waiting().FirstOrDefault(it => it.Id == id);
            if (found is not null) _waiting.Remove(found.Door);
            return found;
        }
    }

    private static InputException Gone() => new InputException("order", "this order waits no longer", "Look at the door, and order it anew if it is still needed");

    private int LevelOf(string door) => zones.Get(doors.Get(door)?.Zone ?? "")?.Level ?? throw new InputException("door", $"there is no door {door}", "choose one of the registered doors");

    // From the record, so that no restart forgets it. What was ordered counts whole, whatever became of it.
    private long MinutesAlone(string actor, string door) => state.Store.Read(it => it.Number(
        """
        select coalesce(sum(body ->> '$.fact.after.minutes'), 0) from ledger
        where door = $door and coalesce(at, received_at) > $since and kind = 'hub.door.unlock' and body ->> '$.fact.actor' = $actor and body ->> '$.fact.after.agreedBy' is null
        """,
        ("$door", door), ("$since", clock.GetUtcNow() - _day), ("$actor", actor)));

    private Task RecordAsync(UnlockRequest it, Actor by, string verb) => state.Store.WriteAsync(store =>
    {
        DoorCommands.Within(store, by, it.Door);
        Records.Act(store, new Act(by, verb, it.Door, it.Reason, null, new JsonObject { ["minutes"] = it.Minutes, ["askedBy"] = it.By.Name }, it.Door), clock.GetUtcNow());
    });
}
