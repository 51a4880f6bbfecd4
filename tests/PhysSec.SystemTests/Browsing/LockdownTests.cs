using System.Text.Json.Nodes;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class LockdownTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task An_operator_locks_a_door_down_with_a_reason_and_an_own_code_and_nobody_is_let_in_until_it_ends()
    {
        var who = await visitor.OperatorAsync();
        var page = who.Page;
        await page.GotoAsync("/doors");
        var door = page.Locator("[data-testid=door][data-door=door-a]");
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");
        await door.GetByTestId("door-lockdown").ClickAsync();
        await Expect(page.GetByTestId("dialog-sentence")).ToContainTextAsync("退室はいつでもできます");

        // No reason, then no right code: nothing happens.
        await page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(page.GetByTestId("dialog-fault")).ToContainTextAsync("理由");
        await page.GetByTestId("dialog-reason").FillAsync("不審者の通報");
        await page.GetByTestId("dialog-code").FillAsync("000000");
        await page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(page.GetByTestId("dialog-fault")).ToContainTextAsync("コード");
        await Browser.PictureAsync(page, "lockdown-dialog-1280");
        await page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(page, "lockdown-dialog-360");
        await page.SetViewportSizeAsync(1280, 900);
        Assert.Empty(await ActsAsync("door.lockdown"));

        await page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await page.GetByTestId("dialog-confirm").ClickAsync();
        try
        {
            await Expect(door.GetByTestId("door-state")).ToContainTextAsync("緊急施錠中");
            await visitor.ShowAsync("alice", door.GetByTestId("door-last"), "青木 里奈さんを拒否しました。理由: 緊急施錠中");
            await Browser.PictureAsync(page, "lockdown-1280");
            var act = Assert.Single(await ActsAsync("door.lockdown"));
            Assert.Equal(who.Name, (string?)act["actor"]);
            Assert.Equal("不審者の通報", (string?)act["reason"]);

            await door.GetByTestId("door-lockdown-end").ClickAsync();
            await page.GetByTestId("dialog-reason").FillAsync("安全を確認した");
            await page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
            await page.GetByTestId("dialog-confirm").ClickAsync();
            await Expect(door.GetByTestId("door-lockdown")).ToBeVisibleAsync();
            await Expect(door.GetByTestId("door-state")).Not.ToContainTextAsync("緊急施錠中");
        }
        finally
        {
            await visitor.Instance.Operator.TryAsync(
                HttpMethod.Post, "doors/door-a/lockdown", new JsonObject { ["on"] = false, ["reason"] = "the test ends" }, CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<JsonNode>> ActsAsync(string verb) =>
        [.. HubApi.Items(await visitor.Instance.Auditor.GetAsync($"records?kind=hub.{verb}&limit=10", Cancel)).Select(HubApi.Fact)];
}
