using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CsvHelper;
using CsvHelper.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A row of a file that was not taken. Row counts from 1, the header being row 1.</summary>
public sealed record RowFault(int Row, string Field, string Fault, string Remedy);

public sealed record ImportResult(int Added, int Changed, int Unchanged, IReadOnlyList<RowFault> Faults);

/// <summary>The people as a file that a spreadsheet opens: UTF-8 with a byte order mark, or code page 932.</summary>
public sealed class PeopleCsv(Store store, People people, TimeProvider time)
{
    private const int Email = 4, Note = 6; // Columns that a file may leave out.
    private const char Geta = '〓'; // Stands for what code page 932 does not have; it must not come back as a name.

    private static readonly (string Ja, string En)[] _columns =
        [("登録者番号", "id"), ("氏名", "name"), ("フリガナ", "kana"), ("所属", "department"), ("メール", "email"), ("区分", "kind"), ("備考", "note")];

    /// <summary>Writes everybody; that somebody took them is on record first.</summary>
    /// <param name="actor">Who takes them.</param>
    /// <param name="target">Receives the file; it stays open.</param>
    /// <param name="encoding">utf-8 or cp932. A character that cp932 lacks becomes 〓.</param>
    /// <param name="cancel">Ends the writing.</param>
    public async Task ExportAsync(Actor actor, Stream target, string encoding, CancellationToken cancel = default)
    {
        var bytes = Encode(encoding);
        await store.WriteAsync(it => Records.Act(it, new Act(actor, "people.exported", null, null, null, new JsonObject { ["encoding"] = encoding }), time.GetUtcNow()), cancel);
        await using var writer = new StreamWriter(target, bytes, leaveOpen: true);
        await using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" }, leaveOpen: true);
        foreach (var (ja, en) in _columns) csv.WriteField($"{ja} ({en})");
        await csv.NextRecordAsync();
        foreach (var it in people.List())
        {
            foreach (var field in new[] { it.Id, it.Name, it.Kana, it.Department, it.Email, it.Kind, it.Note }) csv.WriteField(CsvText.Safe(field));
            await csv.NextRecordAsync();
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Takes the good rows in one transaction and names the faults of the others. An empty id adds a person; a column that the file has not changes nobody.</summary>
    /// <exception cref="InputException">The file as a whole cannot be read.</exception>
    public async Task<ImportResult> ImportAsync(Actor actor, byte[] bytes, string encoding, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var text = Encode(encoding).GetString(bytes).TrimStart('\ufeff');
        var (rows, faults, without) = Parse(text);
        var (added, changed, unchanged) = (0, 0, 0);
        var saved = new List<Person>();
        await store.WriteAsync(connection =>
        {
            (added, changed, unchanged) = (0, 0, 0);
            foreach (var it in rows)
            {
                var before = People.Find(connection, it.Id);
                var after = before is null ? it : it with
                {
                    Extended = before.Extended,
                    Email = without.Contains(Email) ? before.Email : it.Email,
                    Note = without.Contains(Note) ? before.Note : it.Note,
                };
                if (before == after)
                {
                    unchanged++;
                    continue;
                }

                if (before is null) added++;
                else changed++;
                people.Save(connection, actor, before, after, "CSV");
                saved.Add(after);
            }
        }, cancel);
        if (saved.Count > 0) people.Committed(saved);
        return new(added, changed, unchanged, faults);
    }

    private static (List<Person> Rows, List<RowFault> Faults, int[] Without) Parse(string text)
    {
        using var csv = new CsvParser(new StringReader(text), new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            BadDataFound = null, // A stray quote reads as itself, and the row's own check judges it.
            IgnoreBlankLines = true,
        });
        if (!csv.Read()) throw new InputException("file", "it is empty", "Begin with the line of column names, as an export does");
        var header = csv.Record!.Select(Column).ToArray();
        foreach (var needed in new[] { 1, 2, 3, 5 })
        {
            if (!header.Contains(needed))
                throw new InputException("file", $"no column is named {_columns[needed].Ja} ({_columns[needed].En})", "Begin with the line of column names, as an export does, and choose the file's encoding");
        }

        var (rows, faults, ids) = (new List<Person>(), new List<RowFault>(), new HashSet<string>());
        for (var row = 2; csv.Read(); row++)
        {
            var fields = csv.Record!;
            if (fields.All(string.IsNullOrWhiteSpace)) continue;
            try
            {
                if (csv.RawRecord.Count('"') % 2 != 0 && csv.RawRecord.TrimEnd().AsSpan().ContainsAny('\r', '\n'))
                    throw new InputException("row", "a quotation mark opens a field that never ends; the lines after it were taken for a part of it", "Close it, or write it twice inside a quoted field");
                if (fields.Length != header.Length)
                    throw new InputException("row", $"it has {fields.Length} fields, the header has {header.Length}", "Separate the fields by commas, and quote a field that holds one");
                string? Field(int column) => Array.IndexOf(header, column) is >= 0 and var i ? CsvText.Plain(fields[i].Trim()) : null;
                foreach (var i in Enumerable.Range(0, header.Length).Where(i => header[i] >= 0 && fields[i].Contains(Geta)))
                    throw new InputException(_columns[header[i]].En, "〓 stands for a character that the encoding lacks", "Use the utf-8 file");
                var person = People.Checked(new Person(
                    Field(0) is { Length: > 0 } id ? id : People.NewId(), Field(1) ?? "", Field(2) ?? "", Field(3) ?? "", Field(4), Kind(Field(5)), Note: Field(6)));
                if (!ids.Add(person.Id)) throw new InputException("id", $"\"{person.Id}\" stands in an earlier row", "Keep one of the rows");
                rows.Add(person);
            }
            catch (InputException fault)
            {
                faults.Add(new(row, fault.Field, fault.Fault, fault.Remedy));
            }
        }

        return (rows, faults, [.. new[] { Email, Note }.Except(header)]);
    }

    // Accepts 氏名, name and 氏名 (name); −1 for a column that is none of ours.
    private static int Column(string name)
    {
        var parts = name.Split('(', '\uff08', ')', '\uff09').Select(it => it.Trim()).ToArray();
        return Array.FindIndex(_columns, it => parts.Contains(it.Ja) || parts.Contains(it.En, StringComparer.OrdinalIgnoreCase));
    }

    private static string Kind(string? text) => text switch
    {
        "職員" => "staff",
        "委託" or "委託業者" => "contractor",
        _ => text?.ToLowerInvariant() ?? "",
    };

    private static Encoding Encode(string encoding) => encoding switch
    {
        "utf-8" => new UTF8Encoding(encoderShouldEmitUTF8Identifier: true),
        "cp932" => CodePagesEncodingProvider.Instance.GetEncoding(932, new EncoderReplacementFallback("〓"), new DecoderReplacementFallback("\ufffd"))!,
        _ => throw new InputException("encoding", $"\"{encoding}\" is unknown", "Use utf-8 or cp932"),
    };
}

/// <summary>A spreadsheet runs a field that begins like a formula; an apostrophe before it keeps it text.</summary>
internal static class CsvText
{
    private const string Begins = "=+-@\t\r";

    public static string? Safe(string? text) => text is { Length: > 0 } && Begins.Contains(text[0]) ? "'" + text : text;

    public static string Plain(string text) => text.Length > 1 && text[0] == '\'' && Begins.Contains(text[1]) ? text[1..] : text;
}
