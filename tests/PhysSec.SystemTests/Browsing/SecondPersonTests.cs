using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class SecondPersonTests(ConsoleVisitor visitor)
{
    [Fact(Timeout = 240_000)]
    public async Task An_auditor_is_made_and_disabled_only_with_another_persons_code()
    {
        var (first, second, auditor) = (visitor.Administrator, await visitor.SecondAdministratorAsync(), await visitor.AuditorAsync());

        await visitor.RequestAuditorAsync();
        Assert.Equal(0, await first.Page.GetByTestId("pending-approve").CountAsync());
        Assert.Equal(0, await first.Page.GetByTestId("invitation-link").CountAsync());
        await Browser.PictureAsync(first.Page, "approval-asked-1280");

        var link = await ConsoleVisitor.ApprovedAsync(auditor); // An auditor is a second person too.
        await Browser.PictureAsync(auditor.Page, "approval-given-1280");
        var other = await visitor.JoinAsync(link, "kansa-2");
        await other.Page.GotoAsync("/log");
        await Expect(other.Page.Locator("h1")).ToHaveTextAsync("入退室記録");

        var row = first.Page.Locator("[data-testid=account]", new() { HasTextString = "kansa-2" });
        await first.Page.GotoAsync("/accounts");
        await row.GetByTestId("account-switch").ClickAsync();
        await Expect(first.Page.GetByTestId("dialog-sentence")).ToContainTextAsync("承認するまで変わりません");
        await first.Page.GetByTestId("dialog-reason").FillAsync("異動");
        await first.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(first.Page.GetByTestId("pending-row")).ToContainTextAsync("異動");
        await Expect(row).ToHaveAttributeAsync("data-disabled", "false");

        await second.Page.GotoAsync("/accounts");
        await second.Page.GetByTestId("pending-approve").ClickAsync();
        await second.Page.GetByTestId("dialog-code").FillAsync("000000");
        await second.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(second.Page.GetByTestId("dialog-fault")).ToContainTextAsync("コード");
        await Browser.PictureAsync(second.Page, "approval-dialog-1280");
        await second.Page.GetByTestId("dialog-code").FillAsync(await second.NextCodeAsync());
        await second.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(second.Page.Locator("[data-testid=account]", new() { HasTextString = "kansa-2" })).ToHaveAttributeAsync("data-disabled", "true");

        await other.Page.GotoAsync("/log");
        await Expect(other.Page.GetByTestId("sign-in-name")).ToBeVisibleAsync(); // The session ended at once.
    }

    [Fact(Timeout = 120_000)]
    public async Task A_further_administrator_waits_for_another_person()
    {
        await visitor.SecondAdministratorAsync();
        var page = visitor.Administrator.Page;
        await visitor.InviteAsync("administrator", "3人目");
        await Expect(page.GetByTestId("pending-row")).ToContainTextAsync("システム管理者を1人追加");
        Assert.Equal(0, await page.GetByTestId("invitation-link").CountAsync());
        await page.GetByTestId("pending-reject").ClickAsync();
        await Expect(page.GetByTestId("pending-row")).ToHaveCountAsync(0);
    }
}
