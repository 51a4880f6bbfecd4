using System.Text.Json.Nodes;
using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The readers' page with a real node and a reader on a pseudo-terminal behind it: keys are changed, readers replaced and accepted, and only fingerprints are seen.</summary>
[Collection<AnteroomCollection>]
public sealed class ReadersPageTests(AnteroomVisitor visitor)
{
    private const string Reader = "door-b.entry";

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_key_is_changed_a_reader_is_replaced_and_another_device_accepted_and_each_outcome_is_on_record()
    {
        var who = visitor.Administrator;
        var reader = await OpenAsync(who.Page);
        var key = await reader.GetByTestId("reader-key").InnerTextAsync();
        Assert.Contains($"key {key}", await visitor.Instance.ActAsync($"reader {Reader} status", Cancel), StringComparison.Ordinal);
        Assert.Equal(0, await reader.GetByTestId("reader-install").CountAsync() + await reader.GetByTestId("reader-accept").CountAsync());

        await OrderAsync(who, reader, "rotate", "定期の鍵の変更");
        await ExpectStepAsync(reader, "Done");
        var rotated = await reader.GetByTestId("reader-key-after").InnerTextAsync();
        Assert.NotEqual(key, rotated);
        Assert.Contains($"key {rotated}", await visitor.Instance.ActAsync($"reader {Reader} status", Cancel), StringComparison.Ordinal);
        await Browser.PictureAsync(who.Page, "reader-rotated-1280");

        // A fresh one is screwed on: nobody gives it a key before it is ordered.
        var fresh = await ExchangeAsync("fresh");
        await Expect(reader).ToHaveAttributeAsync("data-link", "Offline");
        await Browser.PictureAsync(who.Page, "reader-refused-1280");
        await visitor.Instance.ActAsync($"reader {Reader} cut", Cancel);
        await OrderAsync(who, reader, "replace", "故障したリーダの交換", "5", "reader-replace-dialog-1280");
        await ExpectStepAsync(reader, "Waiting");
        await Browser.PictureAsync(who.Page, "reader-waiting-1280");
        await who.Page.SetViewportSizeAsync(360, 740);
        await who.Page.GotoAsync("/theme/dark?back=/doors/door-b/readers");
        await who.Page.GotoAsync("/language/en?back=/doors/door-b/readers");
        await ExpectStepAsync(reader, "Waiting");
        await Browser.PictureAsync(who.Page, "reader-waiting-dark-en-360");
        Assert.Equal(360, await who.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await visitor.Instance.ActAsync($"reader {Reader} back", Cancel);
        await ExpectStepAsync(reader, "Done");
        await Expect(reader.GetByTestId("reader-device-after")).ToContainTextAsync($"serial {fresh}");
        var replaced = await reader.GetByTestId("reader-key-after").InnerTextAsync();
        Assert.NotEqual(rotated, replaced);
        await Browser.PictureAsync(who.Page, "reader-replaced-dark-en-360");
        Assert.Equal(360, await who.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await who.Page.GotoAsync("/language/ja?back=/doors/door-b/readers");
        await who.Page.GotoAsync("/theme/system?back=/doors/door-b/readers");
        await who.Page.SetViewportSizeAsync(1280, 900);

        // Somebody who knows the key puts another device there: it opens nothing until a person has accepted it.
        var keyed = await ExchangeAsync("keyed");
        await Expect(reader.GetByTestId("reader-other")).ToContainTextAsync(keyed);
        await Browser.PictureAsync(who.Page, "reader-other-1280");
        await OrderAsync(who, reader, "accept", "保守業者による基板交換を確認", picture: "reader-accept-dialog-1280");
        await ExpectStepAsync(reader, "Done");
        await Expect(reader).ToHaveAttributeAsync("data-link", "Online");
        await Expect(reader.GetByTestId("reader-device")).ToContainTextAsync(keyed);

        var facts = HubApi.Items(await visitor.Instance.Auditor.GetAsync("records?kind=reader.commissioned&limit=50", Cancel)).Select(HubApi.Fact).Take(7).Reverse().ToList();
        Assert.Equal(
            ["rotate begun", "rotate done", "replace begun", "replace done", "other-device refused", "accept begun", "accept done"],
            facts.Select(it => $"{(string?)it["act"]} {(string?)it["outcome"]}"));
        Assert.Equal((rotated, replaced, who.Name, "故障したリーダの交換"), (Text(facts, 3, "keyBefore"), Text(facts, 3, "keyAfter"), Text(facts, 3, "owner"), Text(facts, 3, "reason")));
    }

    [Fact(Timeout = 180_000)]
    public async Task A_window_is_ended_by_a_person_and_whoever_is_no_administrator_sees_no_button()
    {
        var who = visitor.Administrator;
        var reader = await OpenAsync(who.Page);
        await OrderAsync(who, reader, "replace", "間違い", "1");
        await OrderAsync(who, reader, "end", "間違えたため中止");
        await Expect(reader.GetByTestId("reader-fault")).ToContainTextAsync("受付が終わりました");
        await OrderAsync(who, reader, "install", "元のリーダを登録し直す", "5");
        await ExchangeAsync("fresh");
        await ExpectStepAsync(reader, "Done");
        await Expect(reader).ToHaveAttributeAsync("data-link", "Online");

        var other = await visitor.OperatorAsync();
        var seen = await OpenAsync(other.Page);
        await Expect(other.Page.GetByTestId("readers-look-only")).ToBeVisibleAsync();
        await Expect(seen.Locator("button")).ToHaveCountAsync(0);
        await other.Page.GotoAsync("/doors/door-a/readers");
        await Expect(other.Page.GetByTestId("reader").First).ToContainTextAsync("Wiegand");
        await Browser.PictureAsync(other.Page, "readers-wiegand-1280");
    }

    private static string? Text(List<JsonNode> facts, int index, string field) => (string?)facts[index][field];

    /// <summary>Somebody screws another reader on; its serial number.</summary>
    private async Task<string> ExchangeAsync(string how) => (await visitor.Instance.ActAsync($"reader {Reader} exchange {how}", Cancel)).Split(' ')[^1];

    private static async Task<ILocator> OpenAsync(IPage page)
    {
        await page.GotoAsync("/doors");
        await page.Locator("[data-testid=door][data-door=door-b]").GetByTestId("door-readers").ClickAsync();
        var reader = page.Locator("[data-testid=reader][data-side=entry]");
        await Expect(reader).ToHaveAttributeAsync("data-link", "Online");
        return reader;
    }

    private static Task ExpectStepAsync(ILocator reader, string step) => Expect(reader.GetByTestId("reader-act")).ToHaveAttributeAsync("data-step", step);

    private static async Task OrderAsync(ConsolePerson who, ILocator reader, string act, string reason, string? minutes = null, string? picture = null)
    {
        await reader.GetByTestId($"reader-{act}").ClickAsync();
        if (minutes is not null) await who.Page.GetByTestId("dialog-choice").SelectOptionAsync(minutes);
        await who.Page.GetByTestId("dialog-reason").FillAsync(reason);
        if (picture is not null) await Browser.PictureAsync(who.Page, picture);
        await who.Page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await who.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(who.Page.GetByTestId("dialog")).ToHaveCountAsync(0);
    }
}
