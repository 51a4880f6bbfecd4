using System.Globalization;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>A sample as a working paper (監査調書): how it was drawn, and for each entry its right, its rule, its proof and a box for the finding.</summary>
public sealed class AuditSamplePdf(HubHome home, People people, Doors doors, Checkpoints checkpoints, TimeProvider clock)
{
    private const int StepShown = 8;
    private const double BlockHeight = 296;
    private static readonly double[] _shares = [13, 34, 13, 40];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    internal void Write(AuditSample sample, Actor by, Stream target)
    {
        JapaneseFont.Need();
        var title = Both("sample.title");
        using var paper = new Paper(title, landscape: false);
        paper.Heading(title, 16);
        paper.Line($"{home.Configuration.Site}  {_time.Full(sample.From)} – {_time.Full(sample.To)}");
        paper.Line(Both("register.classification"));
        paper.Gap();
        paper.Heading(Both("sample.how-head"));
        paper.Line(Both("sample.population", ("n", sample.Population.ToString("N0", CultureInfo.InvariantCulture)), ("size", sample.Checkpoint.Value.Size)));
        paper.Line(Both("sample.how", ("n", sample.Entries.Count)));
        paper.Line($"{Both("sample.seed")}: {sample.Seed} ({Both(sample.SeedGiven ? "sample.seed-chosen" : "sample.seed-drawn")})");
        paper.Line(Both("sample.request", ("record", sample.Request)));
        paper.Line(Both("sample.earlier", ("n", sample.Earlier)));
        paper.Line(Both("sample.proof"));
        paper.Gap();
        paper.Keep(150);
        paper.Heading(Both("sheet.checkpoint-head"));
        paper.Code(sample.Checkpoint.Note, 96);
        paper.Verbatim(sample.Checkpoint.Note);
        paper.Verbatim(Both("evidence.key") + ":\n" + checkpoints.Key);
        paper.Gap(44);
        if (sample.Entries.Count == 0) paper.Line(Both("sample.none"));
        var persons = people.List().ToDictionary(it => it.Id);
        var names = doors.List().ToDictionary(it => it.Id, it => $"{it.NameJa} {it.NameEn}");
        foreach (var (it, i) in sample.Entries.Select((it, i) => (it, i)))
        {
            paper.Keep(BlockHeight);
            Entry(paper, it, i + 1, sample, persons, names);
        }

        paper.Gap();
        paper.Seals([Both("sample.auditor"), Both("sample.reviewer")]);
        paper.Save(target, $"{title} — {home.Configuration.Site} — {Both("register.classification")} — {Both("sheet.copy-of", ("who", by.Name), ("at", _time.Full(clock.GetUtcNow())))}");
    }

    private void Entry(Paper paper, SampledEntry it, int number, AuditSample sample, Dictionary<string, Person> persons, Dictionary<string, string> names)
    {
        var (granted, right, leaf) = (it.Granted, it.Right, it.Leaf);
        var person = persons.GetValueOrDefault(granted.Person.Value);
        var none = Both("sample.not-there");
        string[] head = [Both("sample.entry"), string.Create(CultureInfo.InvariantCulture, $"{number} / {sample.Entries.Count}"), Both("sample.record"), string.Create(CultureInfo.InvariantCulture, $"{it.Record}  (key {it.Key[..12]}…)")];
        paper.Table([.. head.Select((text, i) => new PaperColumn(text, _shares[i]))],
        [
            [Both("list.time"), it.At is { } at ? _time.Full(at) : Both("log.clock-unset"), Both("log.door"), names.GetValueOrDefault(granted.Door.Value, granted.Door.Value)],
            [Both("sheet.name"), person?.Name ?? granted.Person.Value, Both("people.department"), person?.Department ?? none],
            [Both("sample.application"), right?.ApplicationNumber ?? none, Both("right.purpose"), granted.Purpose ?? right?.Purpose ?? none],
            [Both("sample.applicant"), right?.Applicant ?? none, Both("sample.approver"), right?.Approver ?? none],
            [Both("register.escort"), granted.Escort is { } escort ? persons.GetValueOrDefault(escort.Value)?.Name ?? escort.Value : "—", Both("sheet.items"), granted.Items is { Count: > 0 } items ? string.Join("、", items) : "—"],
            [Both("record.rule"), granted.Rule, Both("record.policy"), string.Create(CultureInfo.InvariantCulture, $"{granted.PolicyVersion}  {granted.PolicyHash}")],
            [Both("sample.place"), string.Create(CultureInfo.InvariantCulture, $"{leaf.Source} / {leaf.Epoch} / {leaf.Stream} / {leaf.Seq}"), Both("sample.chain"), leaf.Hash],
            [Both("sample.leaf"), leaf.TreeHash.ToString(), Both("sample.path"), Path(it, sample.Checkpoint.Value.Size)],
        ]);
        paper.Box(Both("sample.finding"), 34);
        paper.Gap();
    }

    // Enough to tell one proof from another; the whole of it is in an evidence pack.
    private static string Path(SampledEntry it, long size) =>
        string.Create(CultureInfo.InvariantCulture, $"{it.Record - 1} @ {size}: ") + string.Join(" ", it.Path.Select(step => step.ToString()[..StepShown]));

    private static string Both(string key, params ReadOnlySpan<(string Name, object? Value)> blanks) => RegisterSheet.Both(key, blanks);
}
