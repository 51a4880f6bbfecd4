using System.Text.Json.Nodes;
using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The door page with a real node behind it: what is drawn is what the node does.</summary>
[Collection<ConsoleCollection>]
public sealed class DoorPageTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_double_click_releases_the_door_once_and_the_picture_follows()
    {
        var who = await visitor.OperatorAsync();
        var door = await OpenAsync(who.Page);
        await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
        await Expect(door.GetByTestId("door-lock")).ToContainTextAsync("から"); // Since when.
        var before = (await ActsAsync("door.release")).Count;

        await door.GetByTestId("door-release").DblClickAsync();
        await Expect(who.Page.GetByTestId("dialog")).ToHaveCountAsync(1);
        await who.Page.GetByTestId("dialog-reason").FillAsync("搬入の立会い");
        await who.Page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await who.Page.GetByTestId("dialog-confirm").DblClickAsync();

        await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "released");
        await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
        Assert.Equal(before + 1, (await ActsAsync("door.release")).Count);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_door_of_level_3_is_unlocked_for_a_time_by_two_persons_and_comes_back_when_the_order_is_ended()
    {
        var (who, second) = (await visitor.OperatorAsync(), visitor.Administrator);
        var door = await OpenAsync(who.Page);
        await door.GetByTestId("door-unlock").ClickAsync();
        await who.Page.GetByTestId("dialog-choice").SelectOptionAsync("15");
        await Expect(who.Page.GetByTestId("dialog-sentence")).ToContainTextAsync("15分間");
        await Browser.PictureAsync(who.Page, "door-unlock-dialog-1280");
        await SendAsync(who, "機器の搬入");
        await Expect(who.Page.GetByTestId("unlock-waiting")).ToContainTextAsync("機器の搬入");
        Assert.Equal(0, await who.Page.GetByTestId("unlock-agree").CountAsync()); // Nobody is an own second person.
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");

        // Who made the operator's account a moment ago is none either; a day later it is another person.
        await second.Page.GotoAsync("/doors");
        await AgreeAsync(second);
        await Expect(second.Page.GetByTestId("dialog-fault")).ToContainTextAsync("2人目");
        await second.Page.GetByTestId("dialog-cancel").ClickAsync();
        ConsoleVisitor.ADayPasses(visitor.Instance);
        await AgreeAsync(second);
        try
        {
            await Expect(door.GetByTestId("door-standing")).ToContainTextAsync($"{who.Name} + {second.Name}");
            await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "released");
            await Expect(door.GetByTestId("door-standing")).ToContainTextAsync("自動で終わります");
            await Browser.PictureAsync(who.Page, "door-unlocked-1280");
            await second.Page.GotoAsync("/");
            await Expect(second.Page.GetByTestId("door-standing")).ToContainTextAsync("機器の搬入"); // On the overview too.
            await Browser.PictureAsync(second.Page, "overview-unlocked-1280");

            await door.GetByTestId("door-override-end").ClickAsync();
            await SendAsync(who, "搬入が終わった");
            await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-mode", "normal");
            await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
        }
        finally
        {
            await visitor.Instance.Operator.TryAsync(HttpMethod.Post, "doors/door-a/override-end", new JsonObject { ["reason"] = "the test ends" }, CancellationToken.None);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task While_entry_is_blocked_no_release_is_offered_and_the_reason_is_said_in_both_languages_on_a_phone_in_the_dark()
    {
        var who = visitor.Administrator;
        var door = await OpenAsync(who.Page);
        await door.GetByTestId("door-block").ClickAsync();
        await SendAsync(who, "棚卸し");
        try
        {
            await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-mode", "blocked");
            await Expect(door.GetByTestId("door-why-not")).ToContainTextAsync("通路側");
            Assert.Equal(0, await door.GetByTestId("door-release").CountAsync() + await door.GetByTestId("door-unlock").CountAsync());
            await visitor.ShowAsync("alice", door.GetByTestId("door-last"), "入室停止中");
            await Browser.PictureAsync(who.Page, "door-blocked-1280");

            await who.Page.SetViewportSizeAsync(360, 740);
            await who.Page.GotoAsync("/theme/dark?back=/doors");
            await who.Page.GotoAsync("/language/en?back=/doors");
            await Expect(door.GetByTestId("door-why-not")).ToContainTextAsync("from the corridor");
            await Expect(door.GetByTestId("door-last")).ToContainTextAsync("entry is blocked");
            await Browser.PictureAsync(who.Page, "door-blocked-dark-en-360");
            Assert.Equal(360, await who.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
        finally
        {
            await who.Page.GotoAsync("/language/ja?back=/doors");
            await who.Page.GotoAsync("/theme/system?back=/doors");
            await who.Page.SetViewportSizeAsync(1280, 900);
            await visitor.Instance.Operator.TryAsync(HttpMethod.Post, "doors/door-a/override-end", new JsonObject { ["reason"] = "the test ends" }, CancellationToken.None);
        }

        await Expect(door.GetByTestId("door-picture")).ToHaveAttributeAsync("data-mode", "normal");
    }

    [Fact(Timeout = 180_000)]
    public async Task The_way_out_is_tested_by_whoever_stands_there_and_the_time_comes_from_the_record()
    {
        var who = visitor.Administrator;
        var door = await OpenAsync(who.Page);
        await visitor.Instance.ActAsync("badge alice", Cancel); // Whoever leaves has entered; from an empty room it would be an alarm.
        await Expect(door).ToHaveAttributeAsync("data-state", "released");
        await visitor.Instance.ActAsync("open", Cancel);
        await visitor.Instance.ActAsync("close", Cancel);
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");
        await door.GetByTestId("way-out-begin").ClickAsync();
        await Expect(door.GetByTestId("way-out-record")).ToBeDisabledAsync();
        await visitor.Instance.ActAsync("exit", Cancel);
        await visitor.Instance.ActAsync("push", Cancel);
        try
        {
            await Expect(door.GetByTestId("way-out-seconds")).ToBeVisibleAsync();
            await Browser.PictureAsync(who.Page, "way-out-1280");
        }
        finally
        {
            await visitor.Instance.ActAsync("close", CancellationToken.None);
            await visitor.Instance.Operator.TryAsync(HttpMethod.Post, "doors/door-a/reset-presence", new JsonObject { ["reason"] = "the test ends" }, CancellationToken.None);
        }

        await door.GetByTestId("way-out-record").ClickAsync();
        await who.Page.GetByTestId("dialog-reason").FillAsync("佐藤が試験、異常なし");
        await who.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(door.GetByTestId("way-out-test")).ToHaveCountAsync(0);
        var test = Assert.Single(await ActsAsync("door.release-path-tested"));
        Assert.InRange((double)test["after"]!["seconds"]!, 0, 60);
    }

    private static async Task<ILocator> OpenAsync(IPage page)
    {
        await page.GotoAsync("/doors");
        var door = page.Locator("[data-testid=door][data-door=door-a]");
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");
        return door;
    }

    private static async Task SendAsync(ConsolePerson who, string reason)
    {
        await who.Page.GetByTestId("dialog-reason").FillAsync(reason);
        await who.Page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await who.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(who.Page.GetByTestId("dialog")).ToHaveCountAsync(0);
    }

    private static async Task AgreeAsync(ConsolePerson who)
    {
        await who.Page.GetByTestId("unlock-agree").ClickAsync();
        await who.Page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await who.Page.GetByTestId("dialog-confirm").ClickAsync();
    }

    private async Task<IReadOnlyList<JsonNode>> ActsAsync(string verb) =>
        [.. HubApi.Items(await visitor.Instance.Auditor.GetAsync($"records?kind=hub.{verb}&limit=50", Cancel)).Where(it => (string?)it["kind"] == $"hub.{verb}").Select(HubApi.Fact)];
}
