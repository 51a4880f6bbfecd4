using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;

namespace PhysSec.Node.Control;

/// <summary>
/// Takes cards and codes until what the zone asks for is there, and has the door answer. A code is looked at only when nothing but the code is missing, when the journal can count a wrong one,
/// and while there is room for a wrong one. A duress code is answered exactly as the right one: the same effects in the same step; its alarm is raised in the next one.
/// </summary>
internal sealed class FactorDesk(PinKey key, IReadOnlyList<GuessMemory>? guesses, IReadOnlyList<CodeMemory>? codes)
{
    private const string NodeBudget = "node";

    // PolicyCheck lets no empty token in, so this one is never known.
    private static readonly CredentialToken _nobody = new("");

    private readonly SortedDictionary<string, KeypadEntry> _entries = new(StringComparer.Ordinal);
    private readonly GuessBook _guesses = new(guesses);
    private readonly List<CodeMemory> _codes = [.. codes ?? []];

    internal IReadOnlyList<GuessMemory> Guesses(TimeSpan uptime) => _guesses.Memory(uptime);

    internal IReadOnlyList<CodeMemory> Codes => [.. _codes];

    internal void Start(TimeSpan uptime) => _guesses.Start(uptime);

    internal void Pass(StepContext step, AlarmBoard alarms, IEnumerable<DoorControl> doors)
    {
        foreach (var it in _codes.Where(it => it.Code == (int)PinMatch.Duress))
        {
            alarms.Clear(step, AlarmClasses.Duress, it.Door.Value); // The alarm of somebody before would swallow this one.
            alarms.RaiseFor(step, AlarmBoard.MomentaryFor, AlarmClasses.Duress, it.Door.Value, $"duress code of {it.Person}");
        }

        if (_codes.Count > 0) step.Remember = true;
        _codes.Clear();
        _guesses.Pass(step.Uptime);
        foreach (var door in doors)
        {
            if (!_entries.TryGetValue(door.Id.Value, out var entry) || entry.Pass(step.Uptime) is not { } late) continue;
            Lapse(step, alarms, door, late);
            door.Await(false);
        }
    }

    internal void Card(StepContext step, AlarmBoard alarms, DoorControl door, CardRead it)
    {
        var request = new AccessRequest(door.Id, it.Direction, it.Credential);
        if (it.Direction == Direction.Out)
        {
            Answer(step, alarms, door, request); // EGRESS: nothing but a card is ever asked for.
            return;
        }

        var entry = Entry(door);
        if (entry.Owed is { } owed)
        {
            if (owed.Credential == it.Credential) return; // Held before the reader, it is read again and again.
            if (owed.Reason == DenialReason.SecondCardRequired)
            {
                Second(step, alarms, door, entry, owed, it.Credential);
                return;
            }

            Lapse(step, alarms, door, owed); // Another came before the code.
        }

        entry.Settle();
        if (door.Decide(step, request) is AccessDecision.Denied { Reason: DenialReason.PinRequired or DenialReason.SecondCardRequired } missing)
            entry.Owes(it.Credential, missing, step.Uptime, missing.Reason == DenialReason.PinRequired ? KeypadEntry.PinTime : SecondCardTime(step, door));
        else Answer(step, alarms, door, request);
        door.Await(entry.Owed is not null);
    }

    /// <summary>Keys at a reader for leaving are nobody's.</summary>
    internal void Key(StepContext step, AlarmBoard alarms, DoorControl door, KeyPressed it)
    {
        if (it.Direction == Direction.Out) return;
        var entry = Entry(door);
        if (entry.Key(it.Key, step.Uptime) is not { } digits) return;
        if (entry.Owed is { Reason: DenialReason.PinRequired } owed)
        {
            entry.Settle();
            WithCard(step, alarms, door, owed, digits);
            door.Await(false);
        }
        else if (entry.Owed is null && Zone(step, door)?.Factors == FactorRule.PinOnly)
        {
            Alone(step, alarms, door, digits);
        }
    }

    private void WithCard(StepContext step, AlarmBoard alarms, DoorControl door, Owed owed, string digits)
    {
        var card = new AccessRequest(door.Id, Direction.In, owed.Credential);
        if (door.Decide(step, card) is not AccessDecision.Denied { Reason: DenialReason.PinRequired, Person: { } person } || person != owed.Person || step.Policy is not { } policy)
        {
            Lapse(step, alarms, door, owed); // The rules have changed meanwhile: what was presented under the old ones is presented again.
            return;
        }

        var pin = policy.Pins[owed.Person];
        Limit[] budgets =
        [
            new($"person:{owed.Person}:{pin.Salt[..8]}", policy.PinLimits.Person, DenialReason.PinBlocked, owed.Person.Value),
            new($"person-long:{owed.Person}:{pin.Salt[..8]}", policy.PinLimits.PersonLong, DenialReason.PinBlocked, owed.Person.Value),
            .. Shared(policy, door),
        ];
        if (Untried(step, budgets) is { } reason)
        {
            Refuse(step, alarms, door, card, reason);
            return;
        }

        var match = key.Match(pin, digits);
        if (match == PinMatch.None)
        {
            Wrong(step, alarms, budgets);
            Refuse(step, alarms, door, card, DenialReason.WrongPin);
            return;
        }

        _guesses.Forgive(budgets[0].Key);
        Taken(step, door, owed.Person, match);
        Answer(step, alarms, door, card with { Shown = FactorRule.CardAndPin });
    }

    // Whoever is still there presents the card again: what the rules would say of it by now lets nobody in, for nobody may be there.
    private static void Lapse(StepContext step, AlarmBoard alarms, DoorControl door, Owed owed)
    {
        var request = new AccessRequest(door.Id, Direction.In, owed.Credential);
        door.Refuse(step, alarms, request, door.Decide(step, request) as AccessDecision.Denied ?? new(owed.Reason, owed.Person, "what was missing, in time"));
    }

    private void Alone(StepContext step, AlarmBoard alarms, DoorControl door, string digits)
    {
        var nobody = new AccessRequest(door.Id, Direction.In, _nobody, FactorRule.PinOnly);
        if (door.Decide(step, nobody) is not AccessDecision.Denied { Reason: DenialReason.UnknownCredential } || step.Policy is not { } policy)
        {
            Answer(step, alarms, door, nobody);
            return;
        }

        var budgets = Shared(policy, door);
        if (Untried(step, budgets) is { } reason)
        {
            Refuse(step, alarms, door, nobody, reason);
            return;
        }

        if (policy.Alone(key.Tag(digits)) is not { } known)
        {
            Wrong(step, alarms, budgets);
            Refuse(step, alarms, door, nobody, DenialReason.WrongPin);
            return;
        }

        // Under duress the guard must know, whether the door opens or not.
        Taken(step, door, policy.Credentials[known.Token].Person, known.Match);
        Answer(step, alarms, door, nobody with { Credential = known.Token });
    }

    private static void Second(StepContext step, AlarmBoard alarms, DoorControl door, KeypadEntry entry, Owed first, CredentialToken card)
    {
        var request = new AccessRequest(door.Id, Direction.In, card, FactorRule.TwoCards);
        if (door.Decide(step, request) is not AccessDecision.Granted second)
        {
            Answer(step, alarms, door, request); // The first goes on waiting: it is not their fault.
            return;
        }

        if (second.Person == first.Person)
        {
            Refuse(step, alarms, door, request, DenialReason.SecondCardSamePerson);
            return;
        }

        entry.Settle();
        door.Await(false);
        var before = new AccessRequest(door.Id, Direction.In, first.Credential, FactorRule.TwoCards);
        if (door.Decide(step, before) is AccessDecision.Granted one)
        {
            door.Grant(step, alarms, before, one, second.Person);
            door.Grant(step, alarms, request, second, one.Person);
            return;
        }

        Answer(step, alarms, door, before);
        Refuse(step, alarms, door, request, DenialReason.SecondCardRequired);
    }

    // The first budget without room, or a journal that cannot count.
    private DenialReason? Untried(StepContext step, Limit[] budgets)
    {
        if (!step.JournalHealthy) return DenialReason.JournalFault;
        foreach (var it in budgets)
            if (_guesses.Blocked(it.Key, it.Budget, step.Uptime) > TimeSpan.Zero) return it.Reason;
        return null;
    }

    private void Wrong(StepContext step, AlarmBoard alarms, Limit[] budgets)
    {
        step.Remember = true; // Durable before the answer is shown.
        foreach (var it in budgets)
        {
            _guesses.Wrong(it.Key, it.Budget, step.Uptime);
            var time = _guesses.Blocked(it.Key, it.Budget, step.Uptime);
            if (time > TimeSpan.Zero) alarms.RaiseFor(step, time, AlarmClasses.PinGuessing, it.Source, $"too many wrong PINs: {it.Reason}");
        }
    }

    private void Taken(StepContext step, DoorControl door, PersonId person, PinMatch match)
    {
        step.Remember = true; // Of the right code as of the other, so that both take the same way to the disk.
        _codes.Add(new(door.Id, person, (int)match));
    }

    private static void Answer(StepContext step, AlarmBoard alarms, DoorControl door, AccessRequest request)
    {
        var decision = door.Decide(step, request);
        if (decision is AccessDecision.Granted granted) door.Grant(step, alarms, request, granted, null);
        else door.Refuse(step, alarms, request, (AccessDecision.Denied)decision);
    }

    // Nothing but the second factor was missing, and this is what is wrong with it.
    private static void Refuse(StepContext step, AlarmBoard alarms, DoorControl door, AccessRequest request, DenialReason reason) =>
        door.Refuse(step, alarms, request, new(reason, step.Policy?.Credentials.GetValueOrDefault(request.Credential)?.Person, reason switch
        {
            DenialReason.JournalFault => "a journal that can count wrong PINs",
            DenialReason.WrongPin => "the right PIN",
            DenialReason.SecondCardSamePerson => "the card of another person",
            DenialReason.SecondCardRequired => "a first card that still holds",
            _ => "the end of the block after wrong PINs",
        }));

    private static Limit[] Shared(PolicyIndex policy, DoorControl door) =>
    [
        new($"reader:{door.Id}", policy.PinLimits.Reader, DenialReason.ReaderPinBlocked, ReaderBoard.Source(door.Id, Direction.In)),
        new(NodeBudget, policy.PinLimits.Node, DenialReason.SitePinBlocked, NodeBudget),
    ];

    private KeypadEntry Entry(DoorControl door)
    {
        if (!_entries.TryGetValue(door.Id.Value, out var entry)) _entries.Add(door.Id.Value, entry = new());
        return entry;
    }

    private static TimeSpan SecondCardTime(StepContext step, DoorControl door) => TimeSpan.FromSeconds(Zone(step, door)?.SecondCardTime ?? 0);

    private static ZonePolicy? Zone(StepContext step, DoorControl door) =>
        step.Policy?.Doors.TryGetValue(door.Id, out var it) == true ? step.Policy.Zones[it.Zone] : null;

    /// <summary>A budget, what is said when it is used up, and of whom.</summary>
    private sealed record Limit(string Key, GuessBudget Budget, DenialReason Reason, string Source);
}
