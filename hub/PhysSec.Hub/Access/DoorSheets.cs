using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>What an installer has proved of a door's board; Open names the checks that are not.</summary>
public sealed record SheetCommissioning(string Board, string Installer, DateTimeOffset Ended, bool Simulated, IReadOnlyList<string> Open);

/// <summary>Who has accepted a sheet of this hash as it was, and why.</summary>
public sealed record SheetSignature(string Hash, string By, string Role, string Reason, DateTimeOffset At);

/// <summary>
/// What remains at risk at a door, as settings, board and commissioning have it now. Readers, Unsupervised and the contacts are null where no board has said; Lock is null where there is none or
/// an older node did not say. LockAtReader: the side of the reader whose own output drives the lock; null where none does.
/// </summary>
public sealed record DoorSheet(
    string Door, string NameJa, string NameEn, string Zone, int Level, string Node, IReadOnlyList<ReaderDescription>? Readers, Assurance Claimed, Assurance Counted, Assurance Required,
    LockType? Lock, bool? ExitButton, bool? FireRelease, bool? BreakGlass, bool? Feedback, IReadOnlyList<string>? Unsupervised, double MaxAgeHours, JournalFaultRule OnJournalFault,
    AssuranceException? Exception, bool ExceptionOver, SheetCommissioning? Commissioning,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Direction? LockAtReader = null) // What was signed before anybody asked for it still holds.
{
    /// <summary>SHA-256 of the sheet as JSON, lower-case hex: what a person signs is what was shown.</summary>
    public string Digest() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(AccessJson.Text(this))));
}

/// <summary>A door's sheet and who has accepted it. Accepted: at level 1 always, else only while what was signed is what holds now.</summary>
public sealed record DoorSheetView(DoorSheet Sheet, string Hash, SheetSignature? Signature)
{
    public bool Accepted => Sheet.Level < 2 || Signature?.Hash == Hash;
}

/// <summary>The residual-risk sheets of all doors. Above level 1 a door is not commissioned until a person has accepted its sheet, and any change asks for that anew.</summary>
public sealed class DoorSheets(Store store, TimeProvider time)
{
    private const string SignaturePrefix = "door-sheet/";

    public IReadOnlyList<DoorSheetView> List() => store.Read(it => All(it, time.GetUtcNow()));

    public DoorSheetView? Get(string door) => List().FirstOrDefault(it => it.Sheet.Door == door);

    /// <summary>Accepts what remains at risk at a door.</summary>
    /// <param name="actor">Who answers for it.</param>
    /// <param name="door">Which.</param>
    /// <param name="hash">Of the sheet that was shown.</param>
    /// <param name="reason">Why it is acceptable.</param>
    /// <param name="cancel">Ends the waiting for the store.</param>
    /// <exception cref="InputException">The door does not exist, no reason is given, or the sheet has changed since it was shown.</exception>
    public async Task SignAsync(Actor actor, string door, string? hash, string? reason, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = Input.Filled("reason", reason);
        await store.WriteAsync(it =>
        {
            var now = time.GetUtcNow();
            var view = All(it, now).FirstOrDefault(view => view.Sheet.Door == door);
            if (view is null) Input.Missing("door", "door", door);
            if (view.Hash != hash) throw new InputException("hash", "the sheet has changed since it was shown", "Read it again, and sign what holds now");
            it.Execute("insert into meta values ($name, $body) on conflict (name) do update set value = $body",
                ("$name", SignaturePrefix + door), ("$body", AccessJson.Text(new SheetSignature(view.Hash, actor.Name, actor.Role, why, now))));
            Records.Act(it, new Act(actor, "door.risk-accepted", door, why, null, new JsonObject { ["hash"] = view.Hash, ["sheet"] = AccessJson.Node(view.Sheet) }, Door: door), now);
        }, cancel);
    }

    internal static List<DoorSheetView> All(SqliteConnection store, DateTimeOffset now) =>
    [
        .. DoorAssurance.All(store).Select(it =>
        {
            var sheet = Sheet(it, Commissioned(store, it.Door.Node), now);
            var signed = store.One("select value from meta where name = $name", row => AccessJson.Read<SheetSignature>(row.GetString(0)), ("$name", SignaturePrefix + it.Door.Id));
            return new DoorSheetView(sheet, sheet.Digest(), signed);
        }),
    ];

    private static DoorSheet Sheet(DoorAssurance it, SheetCommissioning? commissioning, DateTimeOffset now)
    {
        var (door, zone, board) = (it.Door, it.Zone, it.Board);
        return new(
            door.Id, door.NameJa, door.NameEn, door.Zone, zone?.Level ?? 3, door.Node, board?.Wiring?.Readers, door.ReaderAssurance, it.Counted, zone?.Required ?? Assurance.High,
            board?.Lock, board?.ExitButton, board?.FireRelease, board?.BreakGlass, board?.Feedback, board?.Wiring?.Unsupervised, zone?.MaxAgeHours ?? 0, zone?.OnJournalFault ?? JournalFaultRule.Refuse,
            door.Exception, door.Exception is { } exception && now >= exception.Expires, commissioning, board?.Wiring?.LockAtReader);
    }

    // The newest that the node has put on record. Its text may have been deleted at the end of its retention: then nothing is proved any more.
    private static SheetCommissioning? Commissioned(SqliteConnection store, string node)
    {
        var body = store.One(
            "select case when json_valid(body) then body -> '$.fact' end from ledger where kind = 'board.commissioned' and source = $node order by id desc limit 1",
            it => it.IsDBNull(0) ? "" : it.GetString(0), ("$node", node));
        if (string.IsNullOrEmpty(body)) return null;
        return JsonSerializer.Deserialize(body, WireJson.Plain.Fact) is BoardCommissioned fact ? new(fact.Board, fact.Installer, fact.Ended, fact.Simulated, fact.Open) : null;
    }
}
