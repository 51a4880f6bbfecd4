using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>A key is lent, the door is opened with it, and whoever looks at the alarm sees who has it.</summary>
[Collection<ConsoleCollection>]
public sealed class KeyTests(ConsoleVisitor visitor)
{
    private const string Label = "サーバ室 副2";

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 240_000)]
    public async Task An_opening_with_a_lent_key_names_its_holder_at_the_alarm_until_the_key_is_back()
    {
        var administrator = visitor.Administrator.Page;
        await administrator.GotoAsync("/keys");
        await administrator.GetByTestId("add-door").SelectOptionAsync(Instance.Door);
        await administrator.GetByTestId("add-label").FillAsync(Label);
        await administrator.GetByTestId("add-kind").SelectOptionAsync("Spare");
        await administrator.GetByTestId("add-reason").FillAsync("納品");
        await administrator.GetByTestId("add-save").ClickAsync();
        await Expect(Key(administrator)).ToContainTextAsync("保管中");

        // An operator lends it; without a borrower nothing happens and what was typed stands.
        var page = (await visitor.OperatorAsync()).Page;
        await page.GotoAsync("/keys");
        Assert.Equal(0, await page.GetByTestId("key-add").CountAsync());
        await page.GetByTestId("lend-key").SelectOptionAsync(new SelectOptionValue { Label = await page.GetByTestId("lend-key").Locator("option", new() { HasText = Label }).TextContentAsync() });
        await page.GetByTestId("lend-purpose").FillAsync("空調の点検");
        await page.GetByTestId("lend-save").ClickAsync();
        await Expect(page.GetByText("登録者: 空です").First).ToBeVisibleAsync();
        await Expect(page.GetByTestId("lend-purpose")).ToHaveValueAsync("空調の点検");
        await page.GetByTestId("lend-person").SelectOptionAsync("p-alice");
        await page.GetByTestId("lend-save").ClickAsync();
        await Expect(Key(page)).ToHaveAttributeAsync("data-out", "true");
        await Expect(Key(page)).ToContainTextAsync("青木 里奈");
        await Browser.PictureAsync(page, "keys-lent-1280");

        await visitor.Instance.ActAsync("force", Cancel);
        try
        {
            await page.GotoAsync("/alarms");
            var alarm = page.Locator("[data-testid=alarm-row][data-class=door-forced]");
            await Expect(alarm.GetByTestId("alarm-key")).ToContainTextAsync($"鍵の貸出あり: 青木 里奈({Label})");
            await Expect(alarm).ToHaveAttributeAsync("data-active", "true");
            await Browser.PictureAsync(page, "alarm-key-1280");
            await page.SetViewportSizeAsync(360, 740);
            await page.GotoAsync("/theme/dark?back=/alarms");
            await page.GotoAsync("/language/en?back=/alarms");
            await Expect(alarm.GetByTestId("alarm-key")).ToContainTextAsync("Key lent: ");
            await Browser.PictureAsync(page, "alarm-key-dark-en-360");
            await page.GotoAsync("/keys");
            await Expect(Key(page)).ToHaveAttributeAsync("data-out", "true");
            await Browser.PictureAsync(page, "keys-dark-en-360");
            Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        }
        finally
        {
            await page.SetViewportSizeAsync(1280, 900);
            await page.GotoAsync("/theme/system?back=/keys");
            await page.GotoAsync("/language/ja?back=/keys");
            await visitor.Instance.ActAsync("close", CancellationToken.None);
        }

        // With the keyboard alone.
        await Key(page).GetByTestId("key-return").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByTestId("dialog-sentence")).ToContainTextAsync(Label);
        await Expect(page.GetByTestId("dialog-cancel")).ToBeFocusedAsync(); // A question without a field begins at the answer that does nothing.
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByTestId("dialog-confirm")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(Key(page)).ToHaveAttributeAsync("data-out", "false");

        // The auditor reads it, finds the opening by the person, and lends nothing.
        var auditor = (await visitor.AuditorAsync()).Page;
        await auditor.GotoAsync("/keys");
        await Expect(auditor.GetByTestId("key-loan").First).ToContainTextAsync("空調の点検");
        Assert.Equal(0, await auditor.GetByTestId("key-lend").CountAsync());
        var given = await auditor.RunAndWaitForDownloadAsync(() => auditor.GetByTestId("keys-csv").ClickAsync());
        Assert.Contains("青木 里奈", await File.ReadAllTextAsync(await given.PathAsync(), Cancel), StringComparison.Ordinal);
        await auditor.GotoAsync("/log?kind=hub.door.key-opening&person=p-alice");
        await Expect(auditor.GetByText($"鍵「{Label}」は青木 里奈さんに貸出中でした").First).ToBeVisibleAsync();
        await Browser.PictureAsync(auditor, "log-key-opening-1280");
    }

    private static ILocator Key(IPage page) => page.Locator($"[data-testid=key][data-key='{Label}']");
}
