using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>A period in numbers. Unread: passages of nobody known, as by the exit button. Missing: visits that lack an entry or an exit.</summary>
public sealed record MonthTotals(long Entries, long Exits, long Unread, long Denials, long Alarms, long Missing, long Later);

/// <summary>The review's report for the セキュリティ統括責任者 (R-LOG-14): totals, completeness, what stood out, who signed, what was instructed.</summary>
public sealed class ReviewReport(HubHome home, Reviews reviews, Register register, People people, Doors doors, Checkpoints checkpoints, TimeProvider clock)
{
    private static readonly string[] _totals = ["report.entries", "report.exits", "report.unread", "report.denials", "report.alarms", "report.missing", "report.later", "report.findings"];
    private static readonly PaperColumn[] _findings = [new(Both("list.time"), 15), new(Both("report.finding"), 45), new(Both("report.records"), 14), new(Both("review.note"), 26)];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    /// <summary>Writes the report as it stands now, signed or not yet.</summary>
    /// <exception cref="InputException">There is no such review.</exception>
    public async Task WriteAsync(string? id, Actor by, Stream target, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        JapaneseFont.Need();
        var sheet = await reviews.LookAsync(id, cancel);
        Write(reviews.Find(id), sheet, Totals(sheet.Task), by, target);
    }

    internal MonthTotals Totals(ReviewTask task)
    {
        var visits = register.List(task.From, task.To);
        return home.Store.Read(store =>
        {
            var counted = store.Query(
                """
                select kind, direction, person is null, count(*) from ledger
                where coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to and +kind in ('access.passage', 'access.denied') group by 1, 2, 3
                """,
                it => (Kind: it.GetString(0), Entry: !it.IsDBNull(1) && it.GetString(1) == "in", Unread: it.GetInt64(2) != 0, Count: it.GetInt64(3)), ("$from", task.From), ("$to", task.To));
            long Passed(Func<(string Kind, bool Entry, bool Unread, long Count), bool> which) => counted.Where(it => it.Kind == "access.passage" && which(it)).Sum(it => it.Count);
            return new MonthTotals(
                Passed(it => it is { Entry: true, Unread: false }), Passed(it => it is { Entry: false, Unread: false }), Passed(it => it.Unread),
                counted.Where(it => it.Kind == "access.denied").Sum(it => it.Count),
                store.Number("select count(*) from alarm_history where what = 'raised' and coalesce(at, recorded_at) >= $from and coalesce(at, recorded_at) < $to", ("$from", task.From), ("$to", task.To)),
                visits.Count(it => it.Note is "no-exit-recorded" or "no-entry-recorded" or "clock-unset"), visits.Count(it => it.Later is not null));
        });
    }

    private void Write(ReviewView view, ReviewSheet sheet, MonthTotals totals, Actor by, Stream target)
    {
        var title = $"{Both("report.title")} {_time.WarekiMonth(sheet.Task.From)}";
        using var paper = new Paper(title, landscape: false);
        paper.Heading(Both("report.title"), 16);
        paper.Line($"{home.Configuration.Site}  {_time.WarekiMonth(sheet.Task.From)} ({_time.Period(sheet.Task)})");
        paper.Line(Both("register.classification"));
        paper.Gap();
        paper.Heading(Both("report.totals"));
        paper.Table(
            [.. _totals.Select(it => new PaperColumn(Both(it), 1))],
            [[.. new[] { totals.Entries, totals.Exits, totals.Unread, totals.Denials, totals.Alarms, totals.Missing, totals.Later, sheet.Findings.Items.Count + sheet.Findings.Left }.Select(Number)]]);
        paper.Gap();
        paper.Heading(Both("sheet.complete-head"));
        foreach (var it in sheet.Completeness.Streams) paper.Line(Both("sheet.stream", ("node", it.Node), ("epoch", it.Epoch), ("n", it.Last), ("missing", it.Missing)));
        paper.Line(Both("sheet.gaps", ("u", sheet.Completeness.Undeclared), ("k", sheet.Completeness.Declared.Count), ("d", sheet.Completeness.Diverged)));
        foreach (var gap in sheet.Completeness.Declared) paper.Line($"・{_time.Full(gap.At)} {gap.Node}: {Both("gap." + gap.Kind)}");
        paper.Line(Both("sheet.rests-on", ("n", sheet.Checkpoint.Value.Size), ("at", _time.Full(sheet.Checkpoint.Value.At))));
        paper.Gap();
        Findings(paper, view, sheet);
        Signatures(paper, view, sheet);
        paper.Keep(190);
        paper.Heading(Both("sheet.checkpoint-head"));
        paper.Code(sheet.Checkpoint.Note, 96);
        paper.Verbatim(sheet.Checkpoint.Note);
        paper.Verbatim(Both("evidence.key") + ":\n" + checkpoints.Key);
        paper.Gap(40);
        paper.Seals([Both("sheet.seal-manager"), Both("sheet.seal-chief"), Both("sheet.seal-auditor")]);
        paper.Save(target, $"{title} — {home.Configuration.Site} — {Both("register.classification")} — {Both("sheet.copy-of", ("who", by.Name), ("at", _time.Full(clock.GetUtcNow())))}");
    }

    private void Findings(Paper paper, ReviewView view, ReviewSheet sheet)
    {
        paper.Heading(Both("review.findings", ("n", sheet.Findings.Items.Count + sheet.Findings.Left)));
        if (sheet.Origin != ListOrigin.Now) paper.Line(Both(FindingText.Origin(sheet.Origin)));
        if (sheet.Findings.Items.Count == 0) paper.Line(Both("review.nothing"));
        var names = doors.List().ToDictionary(it => it.Id);
        foreach (var pattern in sheet.Findings.Items.GroupBy(it => it.Pattern))
        {
            var note = view.Signature?.Contents.Notes.GetValueOrDefault(pattern.Key) ?? "";
            paper.Keep(70);
            paper.Line($"{Of(it => it.Member("pattern-title", pattern.Key))} ({Number(pattern.Count())})");
            paper.Table(_findings, pattern.Select((it, i) => (IReadOnlyList<string>)
                [_time.When(it).Replace(" – ", "\n– ", StringComparison.Ordinal), Of(words => words.Sentence(it, id => people.NameOf(id) ?? id, id => names.TryGetValue(id, out var door) ? words.Pick(door.NameJa, door.NameEn) : id), "\n"), FindingText.Numbers(it), i == 0 ? note : ""]));
            paper.Gap();
        }

        if (sheet.Findings.Left > 0) paper.Line(Both("review.left", ("n", sheet.Findings.Left)));
    }

    private void Signatures(Paper paper, ReviewView view, ReviewSheet sheet)
    {
        paper.Keep(60);
        paper.Heading(Both("review.signed-head"));
        if (view.Signature is not { } signature)
        {
            paper.Line(Both("report.unsigned"));
            return;
        }

        paper.Line(Both("review.signed-by", ("who", signature.By), ("role", Of(it => it.Member("role", signature.Role), " / ")), ("at", _time.Full(signature.At)), ("record", signature.Record)));
        paper.Line($"{Both("review.verdict")}: {Both(signature.Contents.Finding ? "review.with-findings" : "review.without-findings")}");
        if (signature.Statement.Length > 0) paper.Line(signature.Statement);
        foreach (var (pattern, note) in sheet.NotesBeside(signature)) paper.Line($"{Of(it => it.Member("pattern-title", pattern))}: {note}");
        paper.Line(Both("review.signed-rests", ("n", signature.Contents.Size), ("shown", signature.Contents.Shown), ("own", signature.Contents.Own)));
        paper.Verbatim($"{signature.Contents.Digest}\n{signature.Contents.Origin}\n{signature.Contents.Size}\n{signature.Contents.Root}");
        if (reviews.Since(signature) is > 0 and var since) paper.Line(Both("review.since", ("n", since)));
        if (view.Acknowledged is { } seen)
        {
            paper.Gap();
            paper.Heading(Both("review.chief-head"));
            paper.Line(Both("review.acknowledged-by", ("who", seen.By), ("at", _time.Full(seen.At)), ("record", seen.Record)));
            if (seen.Remark.Length > 0) paper.Line(seen.Remark);
            if (seen.Instruction is { } given)
            {
                paper.Line($"{Both("review.instruction")}: {given.Text}");
                paper.Line(Both("review.instruction-for", ("owner", given.Owner), ("due", given.Due.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture))));
                if (seen.Closed is { } closed) paper.Line(Both("review.closed-by", ("who", closed.By), ("at", _time.Full(closed.At)), ("note", closed.Note)));
            }
        }

        paper.Gap();
    }

    private static string Number(long value) => value.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);

    private static string Number(int value) => Number((long)value);

    private static string Both(string key, params ReadOnlySpan<(string Name, object? Value)> blanks) => RegisterSheet.Both(key, blanks);

    private static string Of(Func<Words, string> say, string between = " ")
    {
        var words = new Words();
        var ja = say(words);
        words.Use(Words.English);
        return ja + between + say(words);
    }
}
