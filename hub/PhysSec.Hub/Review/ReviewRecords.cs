using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Review;

/// <summary>What a reviewer signs: the period, whether the record is whole, the checkpoint that this rests on, and the list that was shown, which stands whole in the record beside it.</summary>
/// <param name="Kind">Which review.</param>
/// <param name="From">The period.</param>
/// <param name="To">Its end.</param>
/// <param name="Finding">The reviewer's verdict: false, nothing is to be done; true, something is.</param>
/// <param name="Notes">What the reviewer says of a pattern.</param>
/// <param name="Digest">SHA-256 of the list that was shown.</param>
/// <param name="Shown">How many findings it had.</param>
/// <param name="Own">How many of the acts in it are the reviewer's own.</param>
/// <param name="Records">How many access records there are, over all boards.</param>
/// <param name="Undeclared">How many numbers are missing without a declaration.</param>
/// <param name="Declared">How many losses are declared in the period.</param>
/// <param name="Diverged">How many records of the period came with two contents.</param>
/// <param name="Origin">The ledger.</param>
/// <param name="Size">Its records.</param>
/// <param name="Root">Their root.</param>
public sealed record SignedContents(
    ReviewKind Kind, DateTimeOffset From, DateTimeOffset To, bool Finding, IReadOnlyDictionary<string, string> Notes, string Digest, long Shown, long Own,
    long Records, long Undeclared, long Declared, long Diverged, string Origin, long Size, string Root);

/// <summary>A signed review. Record is the number of its own record.</summary>
public sealed record SignedReview(long Record, DateTimeOffset At, string By, string Role, string Statement, SignedContents Contents);

/// <summary>What the chief wants done, by whom and until when.</summary>
public sealed record Instruction(string Text, string Owner, DateOnly Due);

/// <summary>The chief has seen the report; Closed tells how an instruction ended.</summary>
public sealed record Acknowledgement(long Record, DateTimeOffset At, string By, string Remark, Instruction? Instruction, Closing? Closed = null);

public sealed record Closing(long Record, DateTimeOffset At, string By, string Note);

/// <summary>The state of the reviews, read from the ledger and from nowhere else: there is no table that could say something other than the record.</summary>
internal static class ReviewRecords
{
    public const string Began = "review.began";
    public const string Signed = "review.signed";
    public const string Acknowledged = "review.acknowledged";
    public const string Closed = "review.instruction-closed";

    /// <summary>When the queue began; null: it has not.</summary>
    public static DateTimeOffset? Since(SqliteConnection store) =>
        store.One("select coalesce(at, received_at) from ledger where kind = $kind order by id limit 1", it => Tuple.Create(Rows.FromStored(it.GetInt64(0))), ("$kind", "hub." + Began))?.Item1;

    /// <summary>When the newest review was signed whose text is gone by the end of its retention; null: none is.</summary>
    public static DateTimeOffset? GoneUntil(SqliteConnection store) =>
        store.Number("select max(received_at) from ledger where kind = $kind and body = '{}'", ("$kind", "hub." + Signed)) is > 0 and var at ? Rows.FromStored(at) : null;

    /// <summary>By the review's id.</summary>
    public static Dictionary<string, (SignedReview Signed, Acknowledgement? Acknowledged)> All(SqliteConnection store)
    {
        var all = new Dictionary<string, (SignedReview Signed, Acknowledgement? Acknowledged)>();
        foreach (var (record, at, kind, body) in store.Query(
            "select id, coalesce(at, received_at), kind, json_remove(body, '$.fact.after.list') from ledger where kind in ($signed, $acknowledged, $closed) and json_valid(body) order by id",
            it => (it.GetInt64(0), Rows.FromStored(it.GetInt64(1)), it.GetString(2)[4..], it.GetString(3)),
            ("$signed", "hub." + Signed), ("$acknowledged", "hub." + Acknowledged), ("$closed", "hub." + Closed)))
        {
            if (JsonNode.Parse(body)?["fact"] is not JsonObject fact || (string?)fact["target"] is not { } id) continue;
            var (by, text) = ((string?)fact["actor"] ?? "", (string?)fact["reason"] ?? "");
            if (kind == Signed)
            {
                if (fact["after"].Deserialize<SignedContents>(AccessJson.Options) is { } contents) all.TryAdd(id, (new(record, at, by, (string?)fact["role"] ?? "", text, contents), null));
            }
            else if (!all.TryGetValue(id, out var before)) continue;
            else if (kind == Acknowledged) all[id] = (before.Signed, new(record, at, by, text, fact["after"].Deserialize<Instruction>(AccessJson.Options)));
            else if (before.Acknowledged is { } acknowledged) all[id] = (before.Signed, acknowledged with { Closed = new(record, at, by, text) });
        }

        return all;
    }

    /// <summary>The list that was shown to the reviewer; null: the signature is of an older program, which kept its digest alone.</summary>
    public static FindingList? ListOf(SqliteConnection store, long record) =>
        store.One("select body -> '$.fact.after.list' from ledger where id = $id", it => Tuple.Create(it.IsDBNull(0) ? null : it.GetString(0)), ("$id", record)) is { Item1: { } text } && text != "null"
            ? AccessJson.Read<FindingList>(text) : null;

    /// <summary>What a signature puts on record.</summary>
    public static JsonNode After(SignedContents contents, FindingList list)
    {
        var after = AccessJson.Node(contents)!;
        after["list"] = AccessJson.Node(list);
        return after;
    }

    public static void Act(SqliteConnection store, Actor actor, string verb, string? id, string? text, JsonNode? after, DateTimeOffset now) =>
        Records.Act(store, new Act(actor, verb, id, text, After: after), now);
}
