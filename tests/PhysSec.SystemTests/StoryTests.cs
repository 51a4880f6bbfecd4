using PhysSec.Rig;
using PhysSec.Rig.Story;

namespace PhysSec.SystemTests;

public sealed class StoryTests(ITestOutputHelper output)
{
    [Theory(Timeout = 300_000)]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task The_scripted_day_comes_out_line_by_line(BrokerKind broker)
    {
        var cancel = TestContext.Current.CancellationToken;
        var children = TextWriter.Synchronized(new StreamWriter(Path.Combine(RunningRoom.Artefacts, $"story-{broker}.log")) { AutoFlush = true });
        await using var instance = await Instance.StartAsync(new InstanceOptions { Broker = broker, Ups = true, Say = children.WriteLine }, cancel);
        using var story = new StringWriter();

        var code = await DayStory.PlayAsync(instance, story, cancel);

        output.WriteLine(story.ToString());
        Assert.True(code == 0, story.ToString());
    }
}
