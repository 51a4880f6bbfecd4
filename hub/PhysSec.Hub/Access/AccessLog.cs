using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>Searches the records.</summary>
public sealed class AccessLog(Store store, TimeProvider time, People people)
{
    public const int LimitMax = 500;
    internal const string SearchedVerb = "log.searched";
    internal const string EvidenceVerb = "evidence.made";
    private const int SaltLength = 16;

    /// <summary>Kinds of records that say what somebody looked for: for auditors only.</summary>
    internal static IReadOnlyList<string> AuditorsActs { get; } = ["hub." + SearchedVerb, "hub." + EvidenceVerb, "hub." + AuditSamples.AskedVerb, "hub." + AuditSamples.DrawnVerb];

    /// <summary>The same as a list in SQL.</summary>
    internal static string AuditorsActsListed { get; } = string.Join(", ", AuditorsActs.Select(it => $"'{it}'"));

    private static readonly string[] _header =
    [
        "番号 (id)", "ノード (node)", "世代 (epoch)", "系列 (stream)", "連番 (seq)", "日時 (at)", "受信日時 (receivedAt)", "遅着 (late)", "種類 (kind)", "扉 (door)",
        "向き (direction)", "登録者番号 (person)", "氏名 (personName)", "結果 (outcome)", "理由 (reason)", "理由番号 (code)", "記録 (fact)",
    ];

    /// <exception cref="InputException">The filter is wrong; see <see cref="LogFilter.Checked"/>.</exception>
    public LogPage Search(LogFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var its = filter.Checked();
        return store.Read(it =>
        {
            var places = LogSearch.Newest(it, its, its.Limit + 1);
            var rows = it.Query(
                "select * from ledger where id in (select value from json_each($ids))", Row, ("$ids", JsonSerializer.Serialize(places.Take(its.Limit).Select(place => place.Id)))).ToDictionary(row => row.Id);
            return new LogPage([.. places.Take(its.Limit).Select(place => rows[place.Id])], places.Count > its.Limit ? places[its.Limit - 1].Id : null);
        });
    }

    /// <summary>
    /// Writes all that the filter finds, page by page, as UTF-8 with a byte order mark; a card is shown by the beginning of its token. The last lines say how many records these are, what was asked
    /// for, whose copy it is and how it is classified: a file without them is not whole.
    /// </summary>
    /// <param name="target">Receives the file; it stays open.</param>
    /// <param name="filter">What to look for; its limit does not count.</param>
    /// <param name="by">Whose copy it is.</param>
    /// <param name="cancel">Ends the writing.</param>
    public async Task WriteCsvAsync(Stream target, LogFilter filter, Actor by, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(filter);
        await using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" }, leaveOpen: true);
        await LineAsync(_header);
        var (cursor, count) = (filter.Cursor, 0L);
        do
        {
            var page = Search(filter with { Cursor = cursor, Limit = LimitMax });
            foreach (var it in page.Items) await LineAsync(Fields(it));
            await csv.FlushAsync();
            await writer.FlushAsync(cancel);
            (cursor, count) = (page.Next, count + page.Items.Count);
        }
        while (cursor is not null);

        await LineAsync([]);
        await LineAsync([RegisterSheet.Both("log.copy-count", ("n", count))]);
        await LineAsync([RegisterSheet.Both("log.copy-scope", ("scope", Scope(filter)))]);
        await LineAsync([RegisterSheet.Both("log.classification")]);
        await LineAsync([RegisterSheet.Both("sheet.copy-of", ("who", by.Name), ("at", time.GetUtcNow().ToString("O")))]);
        await csv.FlushAsync();
        await writer.FlushAsync(cancel);

        async Task LineAsync(IEnumerable<string?> fields)
        {
            foreach (var field in fields) csv.WriteField(CsvText.Safe(field));
            await csv.NextRecordAsync();
        }
    }

    /// <summary>The numbers of all that the filter finds, newest first.</summary>
    internal static IReadOnlyList<long> Ids(SqliteConnection connection, LogFilter filter) => [.. LogSearch.Newest(connection, filter.Checked(), int.MaxValue).Select(it => it.Id)];

    /// <summary>Records that somebody searched, and for what.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="filter">For what.</param>
    /// <param name="file">They took it away as such a file; null: they looked at it.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="InputException">The filter is wrong; nothing was recorded.</exception>
    public Task SearchedAsync(Actor actor, LogFilter filter, string? file = null, CancellationToken cancel = default)
    {
        var after = Asked(filter);
        if (file is not null) after["file"] = file;
        return store.WriteAsync(it => Records.Act(it, new Act(actor, SearchedVerb, null, null, After: after), time.GetUtcNow()), cancel);
    }

    /// <summary>What was looked for, as a record keeps it. Salted: the digest of a record is shown to those who may not read it, and whom it is about could be guessed from that.</summary>
    internal static JsonObject Asked(LogFilter filter)
    {
        var asked = AccessJson.Node(filter.Checked())!.AsObject();
        asked["salt"] = Salt();
        return asked;
    }

    internal static string Salt() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SaltLength));

    /// <summary>The conditions in the words of the search.</summary>
    internal static string Scope(LogFilter it)
    {
        (string Name, object? Value)[] parts =
        [
            ("from", it.From?.ToString("O", CultureInfo.InvariantCulture)), ("until", it.To?.ToString("O", CultureInfo.InvariantCulture)), ("person", it.Person), ("credential", it.Credential),
            ("door", it.Door), ("zone", it.Zone), ("outcome", it.Outcome), ("reason", it.Reason), ("kind", it.Kind), ("alarm", it.Alarm), ("node", it.Node), ("late", it.Late),
        ];
        var given = parts.Where(part => part.Value is not null).Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name} = {part.Value}")).ToArray();
        return given.Length == 0 ? "すべて (everything)" : string.Join(", ", given);
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
