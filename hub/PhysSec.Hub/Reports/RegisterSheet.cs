using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>The register of a month as it is handed over: its lines, whether the record behind them is whole, and the checkpoint that it rests on.</summary>
public sealed record RegisterMonth(
    string Site, DateTimeOffset From, DateTimeOffset To, DateTimeOffset MadeAt, string MadeBy, IReadOnlyList<Visit> Visits, Completeness Completeness, SignedCheckpoint Checkpoint, string Key)
{
    /// <summary>Records of the period that have lost their texts at the end of their retention.</summary>
    public long Deleted { get; init; }

    /// <summary>yyyy-MM, for a file's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Lines that lack a time or need a look.</summary>
    public int Open => Visits.Count(it => it.Note is not null);
}

/// <summary>Makes the month's register in the city's form (様式): 所属, 氏名, 目的, 入室, 退室, 立会者, 持込, 備考.</summary>
public sealed class RegisterSheet(HubHome home, Register register, Doors doors, Checkpoints checkpoints, TimeProvider clock)
{
    internal static readonly string[] Columns = ["sheet.number", "people.department", "sheet.name", "right.purpose", "log.door", "register.in", "register.out", "register.escort", "sheet.items", "register.note"];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    /// <param name="month">yyyy-MM in site time; null: the running month.</param>
    /// <param name="by">Whose copy it will be.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="InputException">That is no month.</exception>
    public async Task<RegisterMonth> OfAsync(string? month, Actor by, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        var now = clock.GetUtcNow();
        var (from, to) = Month(_time, month, now);
        var made = await checkpoints.MakeAsync(cancel); // First: it covers all that is read after it but what comes meanwhile.
        return new(home.Configuration.Site, from, to, now, by.Name, register.List(from, to), home.Store.Read(it => Completeness.Of(it, from, to)), made, checkpoints.Key.ToString())
        {
            Name = _time.Day(from)[..7],
            Deleted = home.Store.Read(it => RetentionBook.Deleted(it, from, to)),
        };
    }

    /// <exception cref="InputException">That is no month.</exception>
    internal static (DateTimeOffset From, DateTimeOffset To) Month(SiteTime time, string? month, DateTimeOffset now) =>
        time.Month(month ?? time.Day(now)[..7]) ?? throw new InputException("month", $"\"{month}\" is no month", "Write it like 2026-11");

    /// <summary>The lines' fields in the order of the columns, in both languages where a word stands in them.</summary>
    internal IEnumerable<string[]> Lines(RegisterMonth month)
    {
        var names = doors.List().ToDictionary(it => it.Id, it => it.NameJa);
        return month.Visits.Select((it, i) => new[]
        {
            (i + 1).ToString(CultureInfo.InvariantCulture), it.Department ?? "", it.PersonName ?? it.Person ?? Both("log.nobody-known"), it.Purpose ?? "", names.GetValueOrDefault(it.Door, it.Door),
            Time(it.In), Time(it.Out), it.Escort ?? "", string.Join("、", it.Items), Note(it),
        });
    }

    /// <summary>What the sheet says of itself, sentence by sentence.</summary>
    internal IEnumerable<string> Statements(RegisterMonth it)
    {
        yield return Both(it.Open == 0 ? "register.complete" : "register.incomplete", ("n", it.Visits.Count), ("open", it.Open));
        foreach (var stream in it.Completeness.Streams) yield return Both("sheet.stream", ("node", stream.Node), ("epoch", stream.Epoch), ("n", stream.Last), ("missing", stream.Missing));
        yield return Both("sheet.gaps", ("u", it.Completeness.Undeclared), ("k", it.Completeness.Declared.Count), ("d", it.Completeness.Diverged));
        foreach (var gap in it.Completeness.Declared) yield return $"・{_time.Full(gap.At)} {gap.Node}: {Both("gap." + gap.Kind)}";
        if (it.Deleted > 0) yield return Both("sheet.deleted", ("n", it.Deleted));
        yield return Both("sheet.rests-on", ("n", it.Checkpoint.Value.Size), ("at", _time.Full(it.Checkpoint.Value.At)));
    }

    internal string Period(RegisterMonth it) => _time.WarekiMonth(it.From);

    internal string Full(DateTimeOffset at) => _time.Full(at);

    /// <summary>A text in both languages.</summary>
    internal static string Both(string key, params ReadOnlySpan<(string Name, object? Value)> blanks)
    {
        var words = new Words();
        var ja = words.Say(key, blanks);
        words.Use(Words.English);
        return $"{ja} {words.Say(key, blanks)}";
    }

    /// <summary>Writes the month as UTF-8 with a byte order mark; below the lines what the sheet says of itself.</summary>
    public async Task WriteCsvAsync(RegisterMonth month, Stream target, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(month);
        await using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" }, leaveOpen: true);
        IEnumerable<string[]> rows =
        [
            [.. Columns.Select(it => Both(it))], .. Lines(month), [], .. Statements(month).Select(it => new[] { it }),
            .. month.Checkpoint.Note.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(it => new[] { it }),
            [Both("evidence.key"), month.Key], [Both("register.classification")], [Both("sheet.copy-of", ("who", month.MadeBy), ("at", _time.Full(month.MadeAt)))],
        ];
        foreach (var row in rows)
        {
            foreach (var field in row) csv.WriteField(CsvText.Safe(field));
            await csv.NextRecordAsync();
        }

        await csv.FlushAsync();
        await writer.FlushAsync(cancel);
    }

    private string Time(DateTimeOffset? at) => at is null ? Both("register.missing") : _time.Plain(at)[..16];

    private string Note(Visit it)
    {
        var notes = new List<string>();
        if (it.Note is not null) notes.Add(Both("visit." + it.Note));
        if (it.Late) notes.Add(Both("log.late"));
        if (it.Later is { } later) notes.Add($"{Both("register.entered-later")}: {later.By} {_time.Plain(later.At)[..16]} 「{later.Reason}」");
        return string.Join(" ", notes);
    }
}
