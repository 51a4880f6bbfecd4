using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>What each role sees, and what it is refused whatever address it types.</summary>
[Collection<ConsoleCollection>]
public sealed class RoleTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task An_operator_runs_the_room_and_sees_neither_people_nor_records_nor_accounts()
    {
        var page = (await visitor.OperatorAsync()).Page;
        await MenuAsync(page, "overview", "alarms", "doors", "keys", "nodes");
        await Browser.PictureAsync(page, "operator-1280");
        await RefusedAsync(page, "/people", "/people/p-alice", "/people/csv", "/people/whose-card", "/log", "/register", "/accounts", "/notifications", "/evidence", "/retention", "/turned-away", "/review", "/review/2026-11");
        await Browser.PictureAsync(page, "not-allowed-1280");
        foreach (var file in new[] { "/api/v1/people.csv?encoding=utf-8", "/api/v1/records?limit=1", "/api/v1/retention", "/api/v1/retention/certificates/1.pdf", "/api/v1/people/p-alice/extract.zip?reason=x" })
            Assert.Equal(403, (await page.APIRequest.GetAsync(file)).Status);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_auditor_reads_and_changes_nothing()
    {
        var page = (await visitor.AuditorAsync()).Page;
        await MenuAsync(page, "overview", "alarms", "keys", "log", "register", "review", "evidence", "retention", "turned-away", "notifications", "accounts");
        await RefusedAsync(page, "/doors", "/people", "/people/p-alice", "/people/new", "/nodes");

        Assert.Equal(403, (await page.APIRequest.GetAsync("/api/v1/people/p-alice/extract.zip?reason=x")).Status);

        await page.GotoAsync("/accounts");
        await Expect(page.GetByTestId("account").First).ToBeVisibleAsync();
        Assert.Equal(0, await page.GetByTestId("invite-submit").CountAsync());
        Assert.Equal(0, await page.GetByTestId("account-switch").CountAsync());
        await Browser.PictureAsync(page, "auditor-accounts-1280");

        await visitor.Instance.ActAsync("leak on", Cancel);
        try
        {
            await page.GotoAsync("/alarms");
            await Expect(page.Locator("[data-testid=alarm-row][data-class=leak]")).ToBeVisibleAsync();
            Assert.Equal(0, await page.GetByTestId("alarm-acknowledge").CountAsync());
            await page.Keyboard.PressAsync("a"); // Nor by its key.
            await Expect(page.GetByTestId("dialog")).ToHaveCountAsync(0);
        }
        finally
        {
            await visitor.Instance.ActAsync("leak off", CancellationToken.None);
        }
    }

    private static async Task MenuAsync(IPage page, params string[] places)
    {
        await page.GotoAsync("/");
        await Expect(page.Locator("nav.nav a")).ToHaveCountAsync(places.Length);
        foreach (var place in places) await Expect(page.GetByTestId("nav-" + place)).ToBeVisibleAsync();
    }

    private static async Task RefusedAsync(IPage page, params string[] paths)
    {
        foreach (var path in paths)
        {
            await page.GotoAsync(path);
            await Expect(page.Locator("h1")).ToHaveTextAsync("この画面を開く権限がありません");
        }
    }
}
