using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Review;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Tests.Web;

/// <summary>Both languages are first.</summary>
public sealed partial class WordsTests
{
    /// <summary>Keys that are put together from a family and a member that the system itself names.</summary>
    private static readonly string[] _families =
    [
        "role", "fault", "priority", "denial", "door-state", "door-mode", "emergency", "node-state", "alarm-event", "act", "kind", "clock", "visit", "card-state", "person-kind", "point", "quantity",
        "contact", "channel", "delivery", "input", "field", "witness", "gap", "retention-class", "retention-what", "clock-doubt", "extract-kind",
        "review-kind", "overdue", "pattern", "pattern-title", "assurance", "proof", "lock-type", "key-kind",
        "reader-act", "reader-outcome", "reader-link", "reader-offline", "reader-remedy", "reader-step", "reader-fault", "standing",
    ];

    [Fact]
    public void Every_text_stands_in_both_languages() =>
        Assert.All(Words.All, it =>
        {
            Assert.Equal(2, it.Value.Length);
            Assert.All(it.Value, text => Assert.False(string.IsNullOrWhiteSpace(text), it.Key));
        });

    [Fact]
    public void Both_languages_have_the_same_blanks() =>
        Assert.All(Words.All, it => Assert.Equal(Blanks(it.Value[0]), Blanks(it.Value[1])));

    [Fact]
    public void Japanese_texts_are_Japanese_and_English_texts_are_not() =>
        Assert.All(Words.All.Where(it => it.Key is not "list.separator"), it => Assert.False(Kana().IsMatch(it.Value[1]), it.Key));

    [Fact]
    public void Every_text_that_a_page_asks_for_is_there() =>
        Assert.All(
            Sources().SelectMany(it => Asked().Matches(it.Text).Select(match => (it.File, Key: match.Groups[1].Value))),
            it => Assert.True(Words.All.ContainsKey(it.Key), $"{it.File} asks for {it.Key}"));

    [Fact]
    public void Every_text_is_used()
    {
        var all = string.Concat(Sources().Select(it => it.Text));
        Assert.All(
            Words.All.Keys.Where(key => !_families.Any(family => key.StartsWith(family + ".", StringComparison.Ordinal))),
            key => Assert.Contains($"\"{key}\"", all, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_reason_state_and_role_that_the_system_can_name_has_words()
    {
        string[] needed =
        [
            .. Enum.GetValues<DenialReason>().Select(it => $"denial.{(int)it}"),
            .. Enum.GetNames<DoorPhase>().Select(it => $"door-state.{it.ToLowerInvariant()}"),
            .. Enum.GetValues<DoorMode>().Select(it => $"door-mode.{DoorModes.Word(it)}"),
            .. Enum.GetNames<EmergencySignal>().Select(it => $"emergency.{it.ToLowerInvariant()}"),
            .. Enum.GetNames<ReaderLink>().Select(it => $"reader-link.{it}"),
            .. Enum.GetNames<ReaderOffline>().SelectMany(it => new[] { $"reader-offline.{it}", $"reader-remedy.{it}" }),
            .. Enum.GetNames<ReaderStep>().Where(it => it != nameof(ReaderStep.Failed)).Select(it => $"reader-step.{it}"),
            .. Enum.GetNames<ReaderActFault>().Select(it => $"reader-fault.{it}"),
            .. new[] { ReaderActs.Install, ReaderActs.Rotate, ReaderActs.Replace, ReaderActs.Accept, ReaderActs.End, ReaderActs.Unordered, ReaderActs.OtherDevice }.Select(it => $"reader-act.{it}"),
            .. Enum.GetNames<AlarmPriority>().Select(it => $"priority.{it.ToLowerInvariant()}"),
            .. Enum.GetNames<ClockQuality>().Select(it => $"clock.{it}"),
            .. Enum.GetNames<CredentialState>().Select(it => $"card-state.{it.ToLowerInvariant()}"),
            .. Roles.All.Select(it => $"role.{it}"),
            .. Patterns.All.Concat(Matters.All).SelectMany(it => new[] { $"pattern.{it}", $"pattern-title.{it}" }),
            .. Enum.GetNames<KeyKind>().Select(it => $"key-kind.{it.ToLowerInvariant()}"),
            .. Enum.GetNames<ReviewKind>().Select(it => $"review-kind.{it}"),
            .. new[] { "online", "degraded", "updating", "offline", "lost", "never-seen", "revoked" }.Select(it => $"node-state.{it}"),
        ];
        Assert.All(needed, it => Assert.True(Words.All.ContainsKey(it), it));
    }

    [Theory]
    [InlineData("en", "ja", "en")]
    [InlineData("ja", "en", "ja")]
    [InlineData(null, "en-GB,en;q=0.9", "en")]
    [InlineData(null, "fr,ja;q=0.5", "ja")]
    [InlineData("<script>", null, "ja")]
    public void The_language_is_the_chosen_one_then_the_browsers_then_Japanese(string? cookie, string? header, string expected) =>
        Assert.Equal(expected, Words.Choose(cookie, header));

    [Theory]
    [InlineData("2026-11-23T00:00:00+09:00", "令和8年11月23日")]
    [InlineData("2019-05-01T00:00:00+09:00", "令和元年5月1日")]
    [InlineData("2019-04-30T23:59:59+09:00", "2019年4月30日")]
    public void Municipal_forms_carry_the_Japanese_era(string at, string expected) =>
        Assert.Equal(
            expected,
            new SiteTime(TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST"))
                .Wareki(DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture)));

    private static string[] Blanks(string text) => [.. Blank().Matches(text).Select(it => it.Value).Distinct().Order(StringComparer.Ordinal)];

    private static List<(string File, string Text)> Sources([CallerFilePath] string here = "")
    {
        var folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "hub", "PhysSec.Hub"));
        return
        [
            .. new[] { "Web", "Reports", "Access" }.SelectMany(it => Directory.EnumerateFiles(Path.Combine(folder, it), "*.*", SearchOption.AllDirectories))
                .Where(it => it.EndsWith(".cs", StringComparison.Ordinal) || it.EndsWith(".razor", StringComparison.Ordinal))
                .Select(it => (Path.GetFileName(it), File.ReadAllText(it))),
        ];
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Blank();

    [GeneratedRegex(@"[\u3040-\u30FF\u4E00-\u9FFF]")]
    private static partial Regex Kana();

    [GeneratedRegex("""\b(?:(?:W|words|Texts)(?:\[|\.Say\(\s*)|Both\()"([^"]+)"[\],)]""")]
    private static partial Regex Asked();
}
