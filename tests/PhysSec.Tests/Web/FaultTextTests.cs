using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using PhysSec.Hub.Access;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Tests.Web;

/// <summary>What a page answers to an input is Japanese for a Japanese reader.</summary>
public sealed partial class FaultTextTests
{
    /// <summary>What the console's pages call. The API alone reaches the other files.</summary>
    private static readonly string[] _behindPages =
        ["Access/People.cs", "Access/PeopleCsv.cs", "Access/Rights.cs", "Access/Input.cs", "Access/Presentations.cs", "Access/Credentials.cs", "Access/Pins.cs", "Access/KeyRegister.cs", "Alarms/AlarmBoard.cs", "Fleet/DoorCommands.cs", "Fleet/Unlockings.cs", "Fleet/ReleasePaths.cs", "Web/Desk/DoorDesk.cs", "Review/Reviews.cs", "Review/ReviewText.cs", "Web/Desk/ReviewDesk.cs",
        "Retention/LegalHolds.cs", "Retention/RetentionClock.cs"];

    /// <summary>Only the API can send these.</summary>
    private static readonly string[] _apiOnly = ["length", "facility", "number", "state", "use", "encoding"];

    [Fact]
    public void Every_fault_that_a_page_can_meet_has_Japanese_words()
    {
        var texts = _behindPages.SelectMany(it => Faults().Matches(File.ReadAllText(Path.Combine(HubFolder(), it))))
            .Where(it => !_apiOnly.Contains(it.Groups["field"].Value) && it.Groups["fault"].Value != "identifying asks who it is")
            .SelectMany(it => new[] { it.Groups["fault"].Value, it.Groups["remedy"].Value })
            .Select(Filled).Distinct().ToArray();
        Assert.True(texts.Length > 40, "the search finds the faults");
        Assert.All(texts, it => Assert.True(FaultText.Knows(it), it));
    }

    [Fact]
    public void What_a_node_says_is_wrong_with_it_has_Japanese_words()
    {
        var firmware = Path.Combine(HubFolder(), "..", "..", "firmware", "PhysSec.Node");
        var texts = new[] { "NodeReport.cs", "Field.cs" }.SelectMany(it => NodeFaults().Matches(File.ReadAllText(Path.Combine(firmware, it))))
            .Select(it => Filled(it.Groups["text"].Value)).ToArray();
        Assert.True(texts.Length >= 5, "the search finds the faults");
        Assert.All(texts, it => Assert.True(FaultText.Knows(it), it));
    }

    [Fact]
    public void What_would_have_allowed_a_refused_entry_has_Japanese_words()
    {
        var texts = Denials().Matches(File.ReadAllText(Path.Combine(HubFolder(), "..", "PhysSec.Core", "Access", "AccessRules.cs")))
            .SelectMany(it => Quoted().Matches(it.Groups["rest"].Value)).Select(it => Filled(it.Groups["text"].Value)).ToArray();
        Assert.True(texts.Length >= 15, "the search finds the texts");
        Assert.All(texts, it => Assert.True(FaultText.Knows(it), it));
    }

    [Fact]
    public void A_fault_is_said_with_the_field_s_name_and_what_was_given()
    {
        var words = new Words();
        words.Use(Words.Japanese);
        var fault = new InputException("kana", "\"tanaka\" is not katakana", "Write the reading in katakana, like アオキ リナ");
        const string Expected = "受け付けられませんでした。何も変更していません。フリガナ: 「tanaka」はカタカナではありません。カタカナで入力してください(例: アオキ リナ)。";
        Assert.Equal(Expected, words.Fault(fault));
        Assert.Equal(Expected, words.Fault(fault.Message));
    }

    [Fact]
    public void What_was_given_cannot_pose_as_a_blank_of_the_sentence()
    {
        var words = new Words();
        Assert.Contains("「{remedy}」", words.Fault(new InputException("kana", "\"{remedy}\" is not katakana", "Fill it in")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_that_the_words_do_not_hold_is_shown_as_it_is()
    {
        var words = new Words();
        Assert.Equal("something new went wrong", words.Part("something new went wrong"));
    }

    /// <summary>An interpolated text with a sample in each hole.</summary>
    private static string Filled(string source) => Hole().Replace(source, "7").Replace("\\\"", "\"", StringComparison.Ordinal);

    private static string HubFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "hub", "PhysSec.Hub"));

    [GeneratedRegex("""InputException\((?:"(?<field>[^"]*)"|[^,"]+), \$?"(?<fault>(?:[^"\\]|\\.)*)", \$?"(?<remedy>(?:[^"\\]|\\.)*)"\)""")]
    private static partial Regex Faults();

    [GeneratedRegex("""(?:faults\.Add\([^"\n]*|Faults => [^"\n]*)"(?<text>[^"\n]+)\x22""")]
    private static partial Regex NodeFaults();

    [GeneratedRegex(@"Deny\(DenialReason\.(?<rest>[^;]+);")]
    private static partial Regex Denials();

    [GeneratedRegex("""\x22(?<text>[^"]+)\x22""")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{[^{}]+\}")]
    private static partial Regex Hole();
}
