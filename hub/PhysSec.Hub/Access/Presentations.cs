using System.Security.Cryptography;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>What a console that waits for a card sees. State is waiting, taken or expired; Fault says why a taken card was not assigned.</summary>
public sealed record PresentationState(
    string Id, string Door, Direction Direction, string Use, string State, string? Token = null, string? Person = null, string? PersonName = null, string? Fault = null);

/// <summary>
/// "Hold the card to that reader": the next card there within a minute is assigned to somebody, or looked up. The door treats the read as any other, and it is recorded as usual.
/// </summary>
public sealed class Presentations(Store store, TimeProvider time, Credentials credentials, People people)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Waiting> _all = [];

    /// <summary>Begins to wait for a card.</summary>
    /// <param name="actor">Who waits; the act is recorded.</param>
    /// <param name="door">Where the reader is.</param>
    /// <param name="direction">Which of the door's readers.</param>
    /// <param name="use">assign or identify.</param>
    /// <param name="person">assign: who gets the card; null leaves that to a later call with the presentation.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InputException">The door or the person does not exist, the use is unknown, or another waits at that reader.</exception>
    public async Task<string> BeginAsync(Actor actor, string door, Direction direction, string use, string? person, CancellationToken cancel = default)
    {
        if (use is not ("assign" or "identify")) throw new InputException("use", $"\"{use}\" is unknown", "Use assign or identify");
        if (use == "identify" && person is not null) throw new InputException("person", "identifying asks who it is", "Leave the person out");
        if (person is not null && people.Find(person) is null) Input.Missing("person", "person", person);
        if (store.Read(Doors.All).All(it => it.Id != door)) Input.Missing("door", "door", door);
        var now = time.GetUtcNow();
        var waiting = new Waiting(actor, now, new("c-" + RandomNumberGenerator.GetHexString(16, lowercase: true), door, direction, use, "waiting", Person: person));
        lock (_lock)
        {
            foreach (var old in _all.Values.Where(it => it.Until + (10 * Patience) < now).ToList()) _all.Remove(old.State.Id);
            if (_all.Values.Any(it => it.State.State == "waiting" && now < it.Until && it.State.Door == door && it.State.Direction == direction))
                throw new InputException("door", "somebody already waits for a card at this reader", "Try again in a minute");
            _all.Add(waiting.State.Id, waiting);
        }

        await store.WriteAsync(it => Records.Act(it, new Act(actor, $"presentation.{use}", door, null, Door: door, Person: person), now), cancel);
        return waiting.State.Id;
    }

    /// <summary>A card was shown to a reader. Returns at once; whatever it sets off goes on by itself.</summary>
    /// <param name="door">Where.</param>
    /// <param name="direction">At which of the door's readers.</param>
    /// <param name="token">The card.</param>
    /// <param name="at">When, by the node's clock: one that was shown before somebody began to wait is somebody else's. Null while that clock is unset: it counts as now, so offer no backlog.</param>
    public void Offer(DoorId door, Direction direction, CredentialToken token, DateTimeOffset? at)
    {
        Waiting? taken;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            taken = _all.Values.FirstOrDefault(it =>
                it.State.State == "waiting" && !it.Taking && now < it.Until && (at ?? now) >= it.Since && it.State.Door == door.Value && it.State.Direction == direction);
            if (taken is null) return;
            taken.Taking = true;
        }

        _ = TakeAsync(taken, token);
    }

    /// <exception cref="InputException">There is no such presentation.</exception>
    public PresentationState Get(string id)
    {
        lock (_lock)
        {
            if (!_all.TryGetValue(id, out var it)) throw new InputException("presentation", "it does not exist", "Begin a new one");
            return it.State.State == "waiting" && !it.Taking && time.GetUtcNow() >= it.Until ? it.State with { State = "expired" } : it.State;
        }
    }

    /// <summary>The card of a taken presentation.</summary>
    /// <exception cref="InputException">No card was shown, or the presentation only looks up.</exception>
    public CredentialToken TokenOf(string id) => Get(id) is { State: "taken", Use: "assign", Token: { } token }
        ? new(token) : throw new InputException("presentation", "it has brought no card to assign", "Begin a new one and hold the card to the reader");

    /// <summary>Ends when a card was taken or the minute is over.</summary>
    /// <exception cref="InputException">There is no such presentation.</exception>
    public async Task<PresentationState> WaitAsync(string id, CancellationToken cancel)
    {
        Get(id);
        Waiting waiting;
        lock (_lock) waiting = _all[id];
        var left = waiting.Until - time.GetUtcNow();
        if (left > TimeSpan.Zero) await Task.WhenAny(waiting.Done.Task, Task.Delay(left, time, cancel));
        cancel.ThrowIfCancellationRequested();
        if (waiting.Taking) await waiting.Done.Task.WaitAsync(cancel);
        return Get(id);
    }

    private async Task TakeAsync(Waiting waiting, CredentialToken token)
    {
        var state = waiting.State with { State = "taken", Token = token.Value };
        try
        {
            var person = state.Use == "identify" ? credentials.Find(token.Value)?.Person : state.Person;
            if (state is { Use: "assign", Person: { } holder }) await credentials.AddAsync(waiting.Actor, holder, token);
            state = state with { Token = state.Use == "assign" ? token.Value : null, Person = person, PersonName = people.NameOf(person) };
        }
        catch (Exception fault) when (fault is InputException or Microsoft.Data.Sqlite.SqliteException)
        {
            state = state with { Token = null, Fault = fault.Message };
        }
        finally
        {
            lock (_lock) waiting.State = state;
            waiting.Done.TrySetResult();
        }
    }

    private sealed class Waiting(Actor actor, DateTimeOffset since, PresentationState state)
    {
        public Actor Actor { get; } = actor;

        public DateTimeOffset Since { get; } = since;

        public DateTimeOffset Until { get; } = since + Patience;

        public PresentationState State { get; set; } = state;

        public bool Taking { get; set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
