using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class RegisterPageTests(ConsoleVisitor visitor)
{
    [Fact(Timeout = 120_000)]
    public async Task An_administrator_enters_a_visit_from_paper_and_an_auditor_prints_the_month_and_changes_nothing()
    {
        var page = (await visitor.SecondAdministratorAsync()).Page;
        await page.GotoAsync("/register");
        await Expect(page.GetByTestId("register-gaps")).ToContainTextAsync("申告のない欠番 0 件");
        var before = await page.GetByTestId("entered-later").CountAsync();
        await page.GetByTestId("late-name").FillAsync("配達 太郎");
        await page.GetByTestId("late-in").FillAsync("2026-01-01T00:00");
        await page.GetByTestId("late-save").ClickAsync();
        await Expect(page.GetByText("理由").First).ToBeVisibleAsync(); // Refused: no reason; what was typed stands.
        await Expect(page.GetByTestId("late-name")).ToHaveValueAsync("配達 太郎");
        Assert.Equal(before, await page.GetByTestId("entered-later").CountAsync());

        var month = await page.GetByTestId("register-month").InputValueAsync();
        await page.GetByTestId("late-in").FillAsync($"{month}-01T00:00");
        await page.GetByTestId("late-out").FillAsync($"{month}-01T00:01");
        await page.GetByTestId("late-reason").FillAsync("紙の受付簿 3枚目");
        await page.GetByTestId("late-save").ClickAsync();
        await Expect(page.GetByTestId("entered-later").First).ToContainTextAsync("紙の受付簿 3枚目");
        await Browser.PictureAsync(page, "register-1280");

        var auditor = (await visitor.AuditorAsync()).Page;
        await auditor.GotoAsync("/register");
        await Expect(auditor.GetByTestId("register")).ToContainTextAsync("配達 太郎");
        await Expect(auditor.GetByTestId("late-entry")).ToHaveCountAsync(0);
        await Expect(auditor.GetByTestId("enter-later")).ToHaveCountAsync(0);
        var given = await auditor.RunAndWaitForDownloadAsync(() => auditor.GetByTestId("register-pdf").ClickAsync());
        var pdf = await given.PathAsync();
        Assert.Contains("配達 太郎", await PrintedPaper.RunAsync("pdftotext", pdf, "-"), StringComparison.Ordinal);
        await PrintedPaper.LookAsync(pdf, "register-paper");
    }
}
