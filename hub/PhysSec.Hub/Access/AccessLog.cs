using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>What to look for; null asks for nothing. Person is an id or part of a name or reading. Kind may be a family like <c>access</c>. Cursor is the answer's Next. Limit 1–500. Searches shows also who searched for what: for auditors only.</summary>
public sealed record LogFilter(
    DateTimeOffset? From = null, DateTimeOffset? To = null, string? Person = null, string? Door = null, string? Outcome = null, string? Reason = null,
    string? Kind = null, string? Node = null, bool? Late = null, long? Cursor = null, int Limit = 100, bool Searches = false);

/// <summary>One record. At is null when the node's clock was unset; Body is the record's exact text.</summary>
public sealed record LogItem(
    long Id, string Node, long Epoch, string Stream, long Seq, DateTimeOffset? At, DateTimeOffset ReceivedAt, bool Late, string Kind, string? Door, string? Direction,
    string? Person, string? PersonName, string? Outcome, string? Reason, int? Code, string Body)
{
    /// <summary>When the text was deleted at the end of its retention, and the number of the record that certifies it; null: it is there.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    public long? Certificate { get; init; }
}

/// <summary>Newest first. Next is null at the end.</summary>
public sealed record LogPage(IReadOnlyList<LogItem> Items, long? Next);

/// <summary>Searches the records.</summary>
public sealed class AccessLog(Store store, TimeProvider time, People people)
{
    public const int LimitMax = 500;
    internal const string SearchedVerb = "log.searched";

    private static readonly string[] _header =
    [
        "番号 (id)", "ノード (node)", "世代 (epoch)", "系列 (stream)", "連番 (seq)", "日時 (at)", "受信日時 (receivedAt)", "遅着 (late)", "種類 (kind)", "扉 (door)",
        "向き (direction)", "登録者番号 (person)", "氏名 (personName)", "結果 (outcome)", "理由 (reason)", "理由番号 (code)", "記録 (fact)",
    ];

    /// <exception cref="InputException">The limit is outside 1–500, or the end is not after the beginning.</exception>
    public LogPage Search(LogFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        if (filter.Limit is < 1 or > LimitMax) throw new InputException("limit", $"{filter.Limit} is out of range", $"Give 1–{LimitMax}");
        if (filter.From is { } from && filter.To is { } to && from >= to) throw new InputException("to", "it is not after from", "Correct the period");

        var (where, values) = Where(filter);
        var items = store.Read(it => it.Query($"select * from ledger where {where} order by id desc limit $limit", Row, [.. values, ("$limit", filter.Limit + 1)]));
        if (items.Count <= filter.Limit) return new(items, null);
        items.RemoveAt(filter.Limit);
        return new(items, items[^1].Id);
    }

    /// <summary>Writes all that the filter finds, page by page, as UTF-8 with a byte order mark; a card is shown by the beginning of its token.</summary>
    /// <param name="target">Receives the file; it stays open.</param>
    /// <param name="filter">What to look for; its limit does not count.</param>
    /// <param name="cancel">Ends the writing.</param>
    public async Task WriteCsvAsync(Stream target, LogFilter filter, CancellationToken cancel = default)
    {
        await using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" }, leaveOpen: true);
        foreach (var name in _header) csv.WriteField(name);
        await csv.NextRecordAsync();
        long? cursor = filter.Cursor;
        do
        {
            var page = Search(filter with { Cursor = cursor, Limit = LimitMax });
            foreach (var it in page.Items)
            {
                foreach (var field in Fields(it)) csv.WriteField(CsvText.Safe(field));
                await csv.NextRecordAsync();
            }

            await csv.FlushAsync();
            await writer.FlushAsync(cancel);
            cursor = page.Next;
        }
        while (cursor is not null);
    }

    /// <summary>The numbers of all that the filter finds, newest first.</summary>
    internal static List<long> Ids(SqliteConnection connection, LogFilter filter)
    {
        var (where, values) = Where(filter);
        return connection.Query($"select id from ledger where {where} order by id desc", it => it.GetInt64(0), [.. values]);
    }

    /// <summary>Records that somebody searched, and for what.</summary>
    public Task SearchedAsync(Actor actor, LogFilter filter, CancellationToken cancel = default) =>
        store.WriteAsync(it => Records.Act(it, new Act(actor, SearchedVerb, null, null, After: AccessJson.Node(filter)), time.GetUtcNow()), cancel);

    private static (string Where, List<(string, object?)> Values) Where(LogFilter filter)
    {
        var (parts, values) = (new List<string> { "1 = 1" }, new List<(string, object?)>());
        void Add(string sql, string name, object? value)
        {
            if (value is null or "") return;
            parts.Add(sql);
            values.Add((name, value));
        }

        Add("coalesce(at, received_at) >= $from", "$from", filter.From);
        Add("coalesce(at, received_at) < $to", "$to", filter.To);
        Add("door = $door", "$door", filter.Door);
        Add("outcome = $outcome", "$outcome", filter.Outcome);
        Add("reason = $reason", "$reason", filter.Reason);
        Add("(kind = $kind or substr(kind, 1, length($kind) + 1) = $kind || '.')", "$kind", filter.Kind);
        Add("source = $node", "$node", filter.Node);
        Add("late = $late", "$late", filter.Late);
        if (!filter.Searches) parts.Add($"kind <> 'hub.{SearchedVerb}'");
        Add("id < $cursor", "$cursor", filter.Cursor);
        if (!string.IsNullOrWhiteSpace(filter.Person))
        {
            Add("person in (select id from people where id = $person or instr(name, $person) > 0 or instr(kana, $kana) > 0 union all select $person)", "$person", filter.Person.Trim());
            values.Add(("$kana", People.Reading(filter.Person)));
        }

        return (string.Join(" and ", parts), values);
    }

    private static IEnumerable<string?> Fields(LogItem it) =>
    [
        Number(it.Id), it.Node, Number(it.Epoch), it.Stream, Number(it.Seq), it.At?.ToString("O"), it.ReceivedAt.ToString("O"), it.Late ? "1" : "0", it.Kind, it.Door,
        it.Direction, it.Person, it.PersonName, it.Outcome, it.Reason, it.Code is { } code ? Number(code) : null, Fact(it.Body),
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    // The whole token belongs to the doors, not into a file.
    private static string? Fact(string body)
    {
        if (JsonNode.Parse(body)?["fact"] is not JsonObject fact) return null;
        if (fact["credential"] is JsonValue value && value.TryGetValue(out string? token)) fact["credential"] = new Core.CredentialToken(token).Prefix;
        return fact.ToJsonString(WireJson.Plain.Options);
    }

    private LogItem Row(SqliteDataReader it) => new(
        it.Whole("id"), it.Text("source")!, it.Whole("epoch"), it.Text("stream")!, it.Whole("seq"), it.Time("at"), it.Time("received_at")!.Value, it.Flag("late"),
        it.Text("kind")!, it.Text("door"), it.Text("direction"), it.Text("person"), people.NameOf(it.Text("person")), it.Text("outcome"), it.Text("reason"),
        it.Real("code") is { } code ? (int)code : null, it.Text("body")!)
    {
        DeletedAt = it.Time("deleted_at"),
        Certificate = it.Real("certificate") is { } certificate ? (long)certificate : null,
    };
}
