using PhysSec.Core.Wire;
using PhysSec.Hub.Web.Desk;

namespace PhysSec.Tests.Web;

/// <summary>Where an act at a reader stands, as the page draws it: d done, n now, - to come.</summary>
public sealed class ReaderTextTests
{
    [Theory]
    [InlineData(ReaderActs.Install, ReaderStep.Waiting, "n----")]
    [InlineData(ReaderActs.Install, ReaderStep.DefaultKeyFound, "ddn--")]
    [InlineData(ReaderActs.Replace, ReaderStep.KeyTaken, "dddn-")]
    [InlineData(ReaderActs.Replace, ReaderStep.KeyProved, "ddddn")]
    [InlineData(ReaderActs.Install, ReaderStep.Done, "ddddd")]
    [InlineData(ReaderActs.Rotate, ReaderStep.Waiting, "n-")]
    [InlineData(ReaderActs.Rotate, ReaderStep.KeyTaken, "dn")]
    [InlineData(ReaderActs.Rotate, ReaderStep.Done, "dd")]
    [InlineData(ReaderActs.Accept, ReaderStep.Waiting, "n")]
    [InlineData(ReaderActs.Accept, ReaderStep.Done, "d")]
    public void What_is_done_comes_before_what_is_now_and_that_before_what_is_to_come(string name, ReaderStep step, string expected)
    {
        var act = new ReaderActLive(name, step, null, "Suzuki", "exchange", null, null, null, null, null);
        Assert.Equal(expected, string.Concat(ReaderText.Steps(act).Select(it => ReaderText.Standing(act, it) switch { "done" => "d", "now" => "n", _ => "-" })));
    }
}
