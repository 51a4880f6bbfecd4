using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Story;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>A month that nobody looked at, from the overdue alarm to the chief's closed instruction and the papers for the archive: a hub of its own, which has been there for two months.</summary>
public sealed class ReviewTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _offset = TimeSpan.FromHours(9);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 420_000)]
    public async Task A_month_is_reviewed_signed_acknowledged_and_printed_and_the_overdue_alarm_goes_out_by_mail_and_ends()
    {
        var today = TimeProvider.System.GetUtcNow().ToOffset(_offset);
        var month = new DateTimeOffset(today.Year, today.Month, 1, 0, 0, 0, _offset).AddMonths(-1);
        var id = month.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        await using var instance = await Instance.StartAsync(new InstanceOptions { Review = new JsonObject { ["since"] = id + "-01", ["monthDueDay"] = 1 } }, Cancel);
        await using var browser = await Browser.StartAsync();
        var first = await ConsolePerson.JoinAsync(await browser.VisitAsync(instance.Console, 1280, 900), instance.FirstSignIn!, "kanri");
        var second = await ConsolePerson.JoinAsync(await browser.VisitAsync(instance.Console, 1280, 900), await InvitedAsync(first.Page), "tokatsu");
        await SendAsync(instance, month);

        await Wait.UntilAsync("the mail about the overdue review", () => Task.FromResult(instance.Mail.Mails().Any(it => it.Subject.Contains("記録の点検が期限を過ぎています", StringComparison.Ordinal))), _limit, Cancel);
        Assert.Contains("weekly", await OverdueAsync(instance));

        // The queue: what is late is loud. A verdict comes before a signature.
        await first.Page.GotoAsync("/review");
        await PicturesAsync(first.Page, "review-queue");
        await first.Page.Locator("[data-testid=review-row][data-overdue=sign][data-review*='-W'] [data-testid=review-open]").First.ClickAsync();
        await Expect(first.Page.GetByTestId("review-complete")).ToBeVisibleAsync();
        await first.Page.GetByTestId("review-sign").ClickAsync();
        await Expect(first.Page.GetByText("先に点検結果")).ToBeVisibleAsync();
        await SignAsync(first, finding: false);

        // The month.
        await first.Page.GotoAsync($"/review/{id}");
        foreach (var pattern in new[] { "opened-without-release", "denial-burst", "first-door", "out-of-hours", "inside-twice" })
            await Expect(first.Page.Locator($"[data-testid=review-pattern][data-pattern={pattern}]")).ToBeVisibleAsync();
        await PicturesAsync(first.Page, "review-month");
        await first.Page.Locator("[data-pattern=out-of-hours] [data-testid=finding-open]").First.ClickAsync();
        await Expect(first.Page.GetByTestId("log-row").First).ToBeVisibleAsync(); // The records behind it.
        await first.Page.GotoAsync($"/review/{id}");
        await first.Page.Locator("[data-pattern=out-of-hours] [data-testid=review-note]").FillAsync("当直の巡回であることを確認した");
        if (today.Day > 1) Assert.Contains("monthly", await OverdueAsync(instance));
        await SignAsync(first, finding: true, "扉の鍵の管理簿と照合する");
        Assert.DoesNotContain("monthly", await OverdueAsync(instance));
        await Expect(first.Page.GetByTestId("review-signed-by")).ToContainTextAsync("kanri");
        await Expect(first.Page.GetByTestId("review-chief")).ToContainTextAsync("点検者自身は確認できません");

        await second.Page.GotoAsync($"/review/{id}");
        await second.Page.GetByTestId("chief-instruction").FillAsync("鍵の保管箱を交換すること");
        await second.Page.GetByTestId("chief-owner").FillAsync("施設管理課");
        await second.Page.GetByTestId("chief-due").FillAsync(today.AddDays(20).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        await second.Page.GetByTestId("chief-acknowledge").ClickAsync();
        await second.Page.GetByTestId("dialog-code").FillAsync(await second.NextCodeAsync());
        await second.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(second.Page.GetByTestId("dialog-fault")).ToContainTextAsync("24時間"); // Made by the reviewer a moment ago.
        ConsoleVisitor.ADayPasses(instance);
        await second.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(second.Page.GetByTestId("review-acknowledged")).ToContainTextAsync("tokatsu");
        await PicturesAsync(second.Page, "review-signed");
        await PapersAsync(second.Page, id, month);

        await second.Page.GotoAsync($"/review/{id}");
        await second.Page.GetByTestId("review-close").ClickAsync();
        await second.Page.GetByTestId("dialog-reason").FillAsync("交換を確認した");
        await second.Page.GetByTestId("dialog-code").FillAsync(await second.NextCodeAsync());
        await second.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(second.Page.GetByTestId("review-closed")).ToContainTextAsync("交換を確認した");
        await second.Page.GotoAsync("/review");
        await Expect(second.Page.Locator($"[data-testid=review-signed][data-review='{id}']")).ToBeVisibleAsync();
        await Expect(second.Page.Locator($"[data-testid=review-row][data-review='{id}']")).ToHaveCountAsync(0);

        // A program reads, and signs nothing.
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => instance.Auditor.PostAsync($"reviews/{id}/sign", new JsonObject { ["code"] = "000000", ["finding"] = false }, Cancel));
        Assert.Contains("403", fault.Message, StringComparison.Ordinal);
    }

    private static async Task PapersAsync(IPage page, string id, DateTimeOffset month)
    {
        var report = await PrintedPaper.LookAsync(await TakenAsync(page, "review-pdf"), "review-report");
        foreach (var needed in new[] { "月次点検報告書", "扉の鍵の管理簿と照合する", "当直の巡回であることを確認した", "鍵の保管箱を交換すること", "取扱注意", "青木里奈" }) Assert.Contains(needed, report, StringComparison.Ordinal);

        await page.GotoAsync("/evidence");
        await PicturesAsync(page, "audit-sample");
        await page.GetByTestId("sample-from").FillAsync($"{id}-01");
        await page.GetByTestId("sample-to").FillAsync(month.AddMonths(1).AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        await page.GetByTestId("sample-count").FillAsync("5");
        await page.GetByTestId("sample-seed").FillAsync("令和監査");
        await page.GetByTestId("sample-seed").BlurAsync();
        await Expect(page.GetByTestId("sample-take")).ToHaveAttributeAsync("href", new Regex("count=5.*seed="));
        var one = await PrintedPaper.LookAsync(await TakenAsync(page, "sample-take"), "audit-sample-paper");
        var two = await PrintedPaper.LookAsync(await TakenAsync(page, "sample-take"), "audit-sample-again");
        foreach (var needed in new[] { "監査調書", "令和監査", "青木里奈", "R8-1001", "包含証明", "所見", "母集団", "8件" }) Assert.Contains(needed, one, StringComparison.Ordinal);
        Assert.NotEqual(Keys(one), Keys(two)); // The checkpoint of each request decides: a seed cannot be tried.
        Assert.Equal(5, Keys(one).Length);
        Assert.Contains("請求された抽出:0件", one, StringComparison.Ordinal);
        Assert.Contains("請求された抽出:1件", two, StringComparison.Ordinal);
    }

    private static string[] Keys(string text) => [.. Regex.Matches(text, @"key([0-9a-f]{12})").Select(it => it.Value)];

    private static async Task<string> TakenAsync(IPage page, string link) => await (await page.RunAndWaitForDownloadAsync(() => page.GetByTestId(link).ClickAsync())).PathAsync();

    private static async Task SignAsync(ConsolePerson by, bool finding, string? statement = null)
    {
        await by.Page.GetByTestId(finding ? "verdict-findings" : "verdict-none").CheckAsync();
        if (statement is not null) await by.Page.GetByTestId("review-statement").FillAsync(statement);
        await by.Page.GetByTestId("review-sign").ClickAsync();
        await by.Page.GetByTestId("dialog-code").FillAsync("000000");
        await by.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(by.Page.GetByTestId("dialog-fault")).ToBeVisibleAsync();
        await by.Page.GetByTestId("dialog-code").FillAsync(await by.NextCodeAsync());
        await by.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(by.Page.GetByTestId("review-signature")).ToBeVisibleAsync();
    }

    private static async Task<string> InvitedAsync(IPage page)
    {
        await page.GotoAsync("/accounts");
        await page.GetByTestId("invite-role").SelectOptionAsync("administrator");
        await page.GetByTestId("invite-reason").FillAsync("統括責任者");
        await page.GetByTestId("invite-submit").ClickAsync();
        return await page.GetByTestId("invitation-link").InnerTextAsync();
    }

    private static async Task<List<string>> OverdueAsync(Instance instance) =>
        [.. (await instance.Auditor.GetAsync("alarms?state=active", Cancel)).AsArray().Where(it => (string?)it!["class"] == "review-overdue" && (bool)it["active"]!).Select(it => ((string)it!["source"]!).Split(' ')[0])];

    /// <summary>On a desk in Japanese, on a phone in English.</summary>
    private static async Task PicturesAsync(IPage page, string name)
    {
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Browser.PictureAsync(page, name + "-1280");
        await page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(page, name + "-360");
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 360, name);
        await page.SetViewportSizeAsync(1280, 900);
        var back = page.Url;
        await page.GotoAsync("/language/en");
        await page.GotoAsync(back);
        await Expect(page.Locator("h1").First).ToBeVisibleAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Browser.PictureAsync(page, name + "-en-1280");
        await page.GotoAsync("/language/ja");
        await page.GotoAsync(back);
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
    }

    /// <summary>What a board that was long without a network sends of that month: visits, a forced door, refusals.</summary>
    private static async Task SendAsync(Instance instance, DateTimeOffset month)
    {
        var (door, alice, token, day) = (new DoorId(Instance.Door), new PersonId("p-alice"), new CredentialToken(new string('5', 64)), month.AddDays(12));
        var right = (string)(await instance.Administrator.GetAsync("rights?person=p-alice", Cancel)).AsArray()[0]!["id"]!;
        var facts = new List<(DateTimeOffset At, Fact Fact)>();
        for (var i = 0; i < 8; i++)
        {
            var at = day.AddDays(i).AddHours(i % 2 == 0 ? 10 : 22);
            facts.Add((at, new AccessGranted(door, Direction.In, token, alice, new RightId(right), 1, new string('c', 64), 30, $"right {right}, schedule always", Assurance.Low, "空調設備の定期点検", new PersonId("p-carol"))));
            facts.Add((at.AddSeconds(4), new Passage(door, Direction.In, alice, 1)));
            if (i != 3) facts.Add((at.AddMinutes(25), new Passage(door, Direction.Out, alice, 0)));
        }

        facts.Add((day.AddDays(9), new DoorChanged(door, DoorPhase.Locked, DoorPhase.Forced, "contact")));
        for (var i = 0; i < 6; i++) facts.Add((day.AddDays(10).AddMinutes(i), new AccessDenied(door, Direction.In, token, null, DenialReason.UnknownCredential, (int)DenialReason.UnknownCredential, null, 1, new string('c', 64), 30)));
        var (bodies, heads) = (new List<JsonElement>(), new List<string> { Chain.Genesis });
        foreach (var (at, fact) in facts)
        {
            var body = JsonSerializer.Serialize(new JournalRecord(1, Streams.Access, bodies.Count + 1, at, (bodies.Count + 1) * 1000, "boot", ClockQuality.Synced, LinkState.Down, fact), WireJson.Plain.JournalRecord);
            bodies.Add(JsonDocument.Parse(body).RootElement);
            heads.Add(Chain.Next(heads[^1], body));
        }

        var (site, node) = (new SiteId(Instance.Site), new NodeId(Instance.ToolNode));
        using var key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(Path.Combine(instance.State, "tool", "node.key"), Cancel));
        var batch = new JournalBatch(1, Streams.Access, 1, bodies.Count, Chain.Genesis, heads[^1], bodies, "");
        batch = batch with { Signature = Signing.Sign(key, Signing.BatchText(site, node, batch)) };
        using var client = await Strangers.ConnectAsync(instance, Instance.ToolNode, Cancel);
        Assert.NotNull(client);
        await client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(Topics.Journal(site, node, Streams.Access))
            .WithPayload(JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Plain.JournalBatch)).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), Cancel);
        await Wait.UntilAsync("the late records to be stored", async () =>
            (await instance.Auditor.GetAsync($"records?node={Instance.ToolNode}&kind=door.changed", Cancel))["items"]!.AsArray().Count == 1, _limit, Cancel);
    }
}
