using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Story;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class TurnedAwayPageTests(ConsoleVisitor visitor)
{
    [Fact(Timeout = 120_000)]
    public async Task A_message_that_nobody_understands_is_shown_with_its_reason_and_not_with_its_contents()
    {
        var cancel = TestContext.Current.CancellationToken;
        var page = (await visitor.AuditorAsync()).Page;
        await page.GotoAsync("/turned-away");
        using (var client = await Strangers.ConnectAsync(visitor.Instance, Instance.ToolNode, cancel))
        {
            Assert.NotNull(client);
            var topic = Topics.Journal(new SiteId(Instance.Site), new NodeId(Instance.ToolNode), Streams.Access);
            await client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload("{\"secret-7788").WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), cancel);
        }

        // Without a reload: the page follows.
        await Expect(page.GetByTestId("dead-letter").Filter(new() { HasText = Instance.ToolNode }).First).ToBeVisibleAsync();
        await Expect(page.GetByText("secret-7788")).ToHaveCountAsync(0);
        await Browser.PictureAsync(page, "turned-away-filled-1280");
        await page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(page, "turned-away-filled-360");
        await page.SetViewportSizeAsync(1280, 900);
    }
}
