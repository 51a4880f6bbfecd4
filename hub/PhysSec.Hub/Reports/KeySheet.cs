using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>A month of the 鍵管理簿 as a file.</summary>
public sealed class KeySheet(HubHome home, KeyRegister register, AccessLog log, Doors doors, TimeProvider clock)
{
    /// <summary>As what looking into the register of keys stands among the searches.</summary>
    internal const string Searched = "key-register";

    private static readonly string[] _columns =
        ["sheet.number", "keys.label", "log.door", "sheet.name", "people.department", "right.purpose", "keys.lent-at", "keys.entered-at", "keys.lent-by", "keys.due", "keys.returned-at", "keys.returned-to", "register.note"];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    /// <summary>Writes the loans of which some part lies in the month, as UTF-8 with a byte order mark; the last lines say how many, how the file is classified and whose copy it is. Puts on record that it was taken.</summary>
    /// <param name="month">yyyy-MM in site time; null: the running month.</param>
    /// <param name="by">Whose copy it is; loans outside the scope are left out.</param>
    /// <param name="target">Receives the file; it stays open.</param>
    /// <param name="cancel">Ends the writing.</param>
    /// <returns>The month, for the file's name.</returns>
    /// <exception cref="InputException">That is no month.</exception>
    public async Task<string> WriteCsvAsync(string? month, Actor by, Stream target, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        var now = clock.GetUtcNow();
        var (from, to) = RegisterSheet.Month(_time, month, now);
        await log.SearchedAsync(by, new(from, to, Kind: Searched), "csv", cancel);
        var loans = register.Loans(by, from, to);
        var names = doors.List().ToDictionary(it => it.Id, it => it.NameJa);
        await using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" }, leaveOpen: true);
        IEnumerable<string[]> rows =
        [
            [.. _columns.Select(it => RegisterSheet.Both(it))], .. loans.Select(it => Line(it, names, now)), [], [RegisterSheet.Both("keys.count", ("n", loans.Count))],
            [RegisterSheet.Both("register.classification")], [RegisterSheet.Both("sheet.copy-of", ("who", by.Name), ("at", _time.Full(now)))],
        ];
        foreach (var row in rows)
        {
            foreach (var field in row) csv.WriteField(CsvText.Safe(field));
            await csv.NextRecordAsync();
        }

        await csv.FlushAsync();
        await writer.FlushAsync(cancel);
        return _time.Day(from)[..7];
    }

    private string[] Line(KeyLoan it, Dictionary<string, string> names, DateTimeOffset now) =>
    [
        it.Id.ToString(CultureInfo.InvariantCulture), it.Label, names.GetValueOrDefault(it.Door, it.Door), it.PersonName ?? it.Person, it.Department, it.Purpose,
        Time(it.LentAt), Time(it.EnteredAt), it.LentBy, Time(it.DueAt), it.Lost || it.EndedAt is null ? "" : Time(it.EndedAt.Value), it.Lost ? "" : it.EndedBy ?? "",
        it.Lost ? RegisterSheet.Both("keys.lost") : it.IsOverdue(now) ? RegisterSheet.Both("keys.overdue") : it.EndedAt is null ? RegisterSheet.Both("keys.out") : "",
    ];

    private string Time(DateTimeOffset at) => _time.Plain(at)[..16];
}
