using System.Globalization;
using System.IO.Compression;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>
/// All that the hub holds about one person, for that person (本人開示): who they are to it, cards, rights, visits, and every record that names them. Others are masked, and
/// what would tell how a door decides (rules, policies, hashes, tokens) is left out. What an auditor looked for, and that a record is held, is no record about the person.
/// </summary>
public sealed class SubjectExtract(HubHome home, People people, Credentials credentials, Rights rights, Register register, Zones zones, Hub.Access.Doors doors, TimeProvider clock)
{
    internal const string Verb = "person.extract-made";
    private const int PaperMax = 3_000;

    private static readonly string[] _personHead = ["extract.what", "extract.value"];
    private static readonly string[] _visitHead = ["log.door", "register.in", "register.out", "right.purpose", "register.escort", "register.note"];
    private static readonly string[] _recordHead = ["sheet.number", "list.time", "extract.what", "log.door", "extract.value"];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    /// <summary>Puts on record who made it and why, and writes it as a ZIP file: person.csv, visits.csv, records.csv, and all of it on paper.</summary>
    /// <exception cref="InputException">Nobody has the id, or no reason is given.</exception>
    public async Task WriteAsync(Actor actor, string person, string reason, Stream target, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = Input.Filled("reason", reason);
        if (people.Find(person) is not { } subject) throw new InputException("person", $"person {person} does not exist", "Name one that exists");
        var now = clock.GetUtcNow();
        await home.Store.WriteAsync(store => Records.Act(store, new Act(actor, Verb, person, why, Person: person), now), cancel);

        var mask = home.Store.Read(store => ThirdParties.Of(store, subject, RegisterSheet.Both("extract.third-party")));
        var names = doors.List().ToDictionary(it => it.Id, it => $"{it.NameJa} {it.NameEn}");
        using var zip = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true);
        List<string[]> facts = [.. Person(subject, mask), .. Cards(person), .. RightsOf(person, mask)];
        Write(zip, "person.csv", _personHead, facts);
        List<string[]> onPaper = [], visitsOnPaper = [];
        Write(zip, "visits.csv", _visitHead, Shown(Visits(person, names, mask, cancel), visitsOnPaper));
        home.Store.Read(store =>
        {
            Write(zip, "records.csv", _recordHead, Shown(AllRecords(store, person, names, mask, cancel), onPaper));
            return 0;
        });
        await using var pdf = await zip.CreateEntry("extract.pdf", CompressionLevel.Fastest).OpenAsync(cancel);
        using var made = new MemoryStream();
        Paper(made, subject, facts, visitsOnPaper, onPaper, actor, now);
        made.Position = 0;
        await made.CopyToAsync(pdf, cancel);
    }

    // What goes into the file row by row; the first ones stay for the paper.
    private static IEnumerable<string[]> Shown(IEnumerable<string[]> rows, List<string[]> first)
    {
        foreach (var it in rows)
        {
            if (first.Count < PaperMax) first.Add(it);
            yield return it;
        }
    }

    private static void Write(ZipArchive zip, string name, string[] head, IEnumerable<string[]> rows)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name, CompressionLevel.Fastest).Open(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        using var csv = new CsvWriter(writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\r\n" });
        foreach (var row in rows.Prepend([.. head.Select(it => RegisterSheet.Both(it))]).Append([RegisterSheet.Both("register.classification")]))
        {
            foreach (var field in row) csv.WriteField(CsvText.Safe(field));
            csv.NextRecord();
        }
    }

    private static IEnumerable<string[]> Person(Person it, ThirdParties mask)
    {
        foreach (var (label, value) in new[]
        {
            ("field.id", it.Id), ("people.name", it.Name), ("people.kana", it.Kana), ("people.department", it.Department), ("people.email", it.Email ?? ""),
            ("people.kind", RegisterSheet.Both("person-kind." + it.Kind)), ("register.note", mask.Mask(it.Note ?? "")),
        }) yield return [RegisterSheet.Both(label), value];
    }

    private IEnumerable<string[]> Cards(string person) => credentials.List(person).Select(it => new[]
    {
        RegisterSheet.Both("record.card"), $"{it.Prefix}… {RegisterSheet.Both("card-state." + it.State.ToString().ToLowerInvariant())} {_time.Full(it.Since)}",
    });

    private IEnumerable<string[]> RightsOf(string person, ThirdParties mask)
    {
        var names = zones.List().ToDictionary(it => it.Id, it => $"{it.NameJa} {it.NameEn}");
        return rights.List(person, removed: true).Select(it => new[]
        {
            RegisterSheet.Both("record.right"),
            $"{names.GetValueOrDefault(it.Zone, it.Zone)}; {_time.Day(it.ValidFrom)} – {_time.Day(it.ValidTo.AddSeconds(-1))}; {mask.Mask(it.Purpose)}; "
                + $"{RegisterSheet.Both("right.applicant")}, {RegisterSheet.Both("right.approver")}: {RegisterSheet.Both("extract.third-party")}",
        });
    }

    // Month by month, so that no life of entries has to lie in memory.
    private IEnumerable<string[]> Visits(string person, Dictionary<string, string> names, ThirdParties mask, CancellationToken cancel)
    {
        var later = home.Store.Read(LateEntries.All).Values;
        var days = home.Store.Read(store => store.Query(
            "select distinct coalesce(at, received_at) / 86400000000 from ledger where person = $person order by 1", it => DateTimeOffset.UnixEpoch.AddDays(it.GetInt64(0)), ("$person", person)));
        // A day in UTC may lie in two of the site's months, and a visit as well; a later entry says itself when it was.
        var times = days.SelectMany(it => new[] { it, it.AddDays(1).AddTicks(-1) })
            .Concat(later.Where(it => it.Value.Person == person || mask.IsOwn(it.Value.Name)).SelectMany(it => new[] { it.Value.In, it.Value.Out }.OfType<DateTimeOffset>()));
        var told = new HashSet<long>();
        foreach (var month in times.Select(_time.MonthOf).Distinct().Order())
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var it in register.List(month, _time.MonthOf(month.AddDays(32))).Where(it => (it.Person == person || Alike(it)) && told.Add(it.Id)))
            {
                yield return
                [
                    names.GetValueOrDefault(it.Door, it.Door), _time.Full(it.In), _time.Full(it.Out), mask.Mask(it.Purpose ?? ""),
                    it.Escort is null ? "" : RegisterSheet.Both("extract.third-party"), it.Later is null ? "" : RegisterSheet.Both("register.entered-later") + (Alike(it) ? " " + RegisterSheet.Both("extract.confirm") : ""),
                ];
            }
        }

        // Written later by name alone: the subject, or somebody who is called alike.
        bool Alike(Visit it) => it.Person is null && it.Later is not null && mask.IsOwn(it.PersonName);
    }

    // By the fields that name somebody: in a text an id may be any word. A paper form has names alone, and a line's completion only the number of the line.
    // What a reviewer thought of a list in which the person stands is said to nobody in it.
    private IEnumerable<string[]> AllRecords(SqliteConnection store, string person, Dictionary<string, string> names, ThirdParties mask, CancellationToken cancel)
    {
        using var command = store.Command(
            $"""
            select id, coalesce(at, received_at) as at, kind, door, code, body,
              coalesce(person, (select person from ledger line where line.id = case when it.kind = $late and json_valid(it.body) then it.body ->> '$.fact.after.line' end)) as person
            from ledger it
            where (person = $person or kind = $late
              or (instr(body, $named) > 0 and json_valid(body) and exists (
                select 1 from json_tree(it.body, '$.fact') named where named.atom = $person and named.key in ('person', 'escort', 'applicant', 'approver', 'actor'))))
              and kind not in ({AccessLog.AuditorsActsListed}) and kind not like 'hub.retention.%' and kind not like 'hub.review.%' order by id
            """,
            ("$person", person), ("$named", $"\"{person}\""), ("$late", "hub." + LateEntries.Verb));
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            cancel.ThrowIfCancellationRequested();
            var (kind, code, body, holder) = (row.Text("kind")!, row.Real("code"), row.Text("body")!, row.Text("person"));
            if (kind == "hub." + LateEntries.Verb && holder != person && !SubjectRecord.IsNamedLater(body, person, holder, mask)) continue;
            yield return
            [
                row.Whole("id").ToString(CultureInfo.InvariantCulture), _time.Full(row.Time("at")), SubjectRecord.Kind(kind),
                row.Text("door") is { } door ? names.GetValueOrDefault(door, door) : "",
                SubjectRecord.Content(kind, body, person, holder, code is { } number ? (int)number : null, mask),
            ];
        }
    }

    private void Paper(Stream target, Person subject, List<string[]> facts, List<string[]> visits, List<string[]> records, Actor actor, DateTimeOffset now)
    {
        var title = $"{RegisterSheet.Both("extract.title")} {subject.Id}";
        using var paper = new Paper(title, landscape: true);
        paper.Heading(RegisterSheet.Both("extract.title"), 16);
        paper.Line(RegisterSheet.Both("extract.head", ("site", home.Configuration.Site), ("name", subject.Name), ("at", _time.Wareki(now))));
        paper.Line(RegisterSheet.Both("register.classification"));
        paper.Line(RegisterSheet.Both("extract.text"));
        foreach (var (head, columns, shares, rows) in new[]
        {
            ("extract.person", _personHead, (double[])[2, 8], facts), ("extract.visits", _visitHead, (double[])[4, 4, 4, 5, 3, 3], visits),
            ("extract.records", _recordHead, (double[])[2, 4, 5, 4, 9], records),
        })
        {
            paper.Gap();
            paper.Heading(RegisterSheet.Both(head));
            if (rows.Count == 0) paper.Line(RegisterSheet.Both("extract.none"));
            else paper.Table([.. columns.Select((it, i) => new PaperColumn(RegisterSheet.Both(it), shares[i]))], rows);
            if (rows.Count == PaperMax) paper.Line(RegisterSheet.Both("extract.more"));
        }

        paper.Save(
            target,
            $"{title} — {home.Configuration.Site} — {RegisterSheet.Both("register.classification")} — {RegisterSheet.Both("sheet.copy-of", ("who", actor.Name), ("at", _time.Full(now)))}");
    }
}
