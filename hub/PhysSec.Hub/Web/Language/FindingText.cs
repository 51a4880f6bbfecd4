using PhysSec.Hub.Review;

namespace PhysSec.Hub.Web.Language;

/// <summary>Findings and reviews in words.</summary>
internal static class FindingText
{
    /// <summary>So many record numbers are named; the others are behind the link.</summary>
    private const int NumbersShown = 8;

    /// <summary>What stands out, in one sentence.</summary>
    public static string Sentence(this Words words, Finding it, Func<string, string> personName, Func<string, string> doorName) => words.Say(
        "pattern." + it.Pattern,
        ("person", it.Person is { } person ? personName(person) : it.Subject is { } card ? words.Say("finding.card", ("card", card)) : words["log.nobody-known"]),
        ("door", it.Door is { } door ? doorName(door) : "—"), ("other", it.Other is { } other ? doorName(other) : "—"), ("n", it.Count), ("subject", it.Subject ?? "—"),
        ("act", it.Act is { } act ? words.Member(it.Pattern == Matters.Declared ? "gap" : "act", act) : "—"));

    /// <summary>When: a moment, or from when until when.</summary>
    public static string When(this SiteTime time, Finding it) => it.First == it.Last ? time.Plain(it.First) : $"{time.Plain(it.First)} – {time.Plain(it.Last)}";

    /// <summary>The first of its records' numbers; empty for none.</summary>
    public static string Numbers(Finding it) =>
        it.Records.Count == 0 ? "" : string.Join(", ", it.Records.Take(NumbersShown)) + (it.Count > NumbersShown ? " …" : "");

    /// <summary>The key of the sentence that says what list of findings a signed review shows.</summary>
    public static string Origin(ListOrigin origin) => origin switch
    {
        ListOrigin.SameAnew => "review.list-same",
        ListOrigin.OtherAnew => "review.list-differs",
        _ => "review.list-signed",
    };

    /// <summary>For example 月次(入退室) 2026-11.</summary>
    public static string Name(this Words words, ReviewTask it) => $"{words.Member("review-kind", it.Kind.ToString())} {it.Id}";

    /// <summary>2026-11-01 – 2026-11-30</summary>
    public static string Period(this SiteTime time, ReviewTask it) => time.Day(it.From) == time.Day(it.To.AddTicks(-1)) ? time.Day(it.From) : $"{time.Day(it.From)} – {time.Day(it.To.AddTicks(-1))}";
}
