using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class KeyboardTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task An_alarm_is_acknowledged_with_the_keyboard_alone()
    {
        var page = visitor.Administrator.Page;
        await page.GotoAsync("/alarms");
        await visitor.Instance.ActAsync("leak on", Cancel);
        try
        {
            var alarm = page.Locator("[data-testid=alarm-row][data-class=leak]");
            await Expect(alarm).ToHaveAttributeAsync("data-acknowledged", "false");
            for (var i = 0; i < 20 && !await alarm.EvaluateAsync<bool>("it => it === document.activeElement"); i++) await page.Keyboard.PressAsync("j");
            await page.Keyboard.PressAsync("a");
            await Expect(page.GetByTestId("dialog-reason")).ToBeFocusedAsync();
            await page.Keyboard.TypeAsync("鍵盤だけで対応");
            await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.PressAsync("Tab");
            await Expect(page.GetByTestId("dialog-confirm")).ToBeFocusedAsync();
            await page.Keyboard.PressAsync("Enter");
            await Expect(alarm).ToHaveAttributeAsync("data-acknowledged", "true");
            await Expect(alarm.GetByTestId("alarm-ack")).ToContainTextAsync("鍵盤だけで対応");
            await Expect(alarm).ToBeFocusedAsync(); // One goes on where one was.
        }
        finally
        {
            await visitor.Instance.ActAsync("leak off", CancellationToken.None);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_record_opens_and_shuts_with_Enter()
    {
        var page = visitor.Administrator.Page;
        await visitor.Instance.ActAsync("badge grace", Cancel);
        await page.GotoAsync("/log");
        await Expect(page.Locator("[data-testid=log-row][data-outcome=denied]").First).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("tr.detail")).ToHaveCountAsync(1);
        await Browser.PictureAsync(page, "record-1280");
        await page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(page, "record-360");
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await page.SetViewportSizeAsync(1280, 900);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("tr.detail")).ToHaveCountAsync(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task Escape_leaves_the_question_and_nothing_was_done()
    {
        var page = visitor.Administrator.Page;
        await page.GotoAsync("/doors");
        await page.GetByTestId("door-lockdown").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByTestId("dialog-reason")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByTestId("dialog")).ToHaveCountAsync(0);
        await Expect(page.GetByTestId("door-lockdown")).ToBeFocusedAsync();
    }
}
