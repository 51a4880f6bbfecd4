using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The console in a real browser, with a real hub and a real node behind it. Screenshots stay in .artefacts.</summary>
[Collection<ConsoleCollection>]
public sealed class ConsoleTests(ConsoleVisitor visitor)
{
    private static readonly (int Width, int Height)[] _screens = [(1280, 900), (360, 740)];

    /// <summary>Texts of controls and cells that reach beyond their box.</summary>
    private const string CutOff =
        "() => [...document.querySelectorAll('main button, main .button, main td, main dd, main label, main h1, main h2')]"
        + ".filter(it => it.offsetParent !== null && it.scrollWidth > it.clientWidth + 1).map(it => it.innerText)";

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IPage Page => visitor.Administrator.Page;

    [Fact(Timeout = 120_000)]
    public async Task The_one_time_link_works_once()
    {
        var stranger = await visitor.Browser.VisitAsync(visitor.Instance.Console, 1280, 900);
        await stranger.GotoAsync(visitor.Instance.FirstSignIn!);
        await Expect(stranger.GetByTestId("first-link-fault")).ToBeVisibleAsync();
        Assert.Equal(0, await stranger.GetByTestId("first-submit").CountAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_person_signs_in_with_password_and_authenticator_and_not_with_a_wrong_code()
    {
        var page = await visitor.Browser.VisitAsync(visitor.Instance.Console, 1280, 900);
        await page.GotoAsync("/doors");
        await Expect(page.GetByTestId("sign-in-name")).ToBeVisibleAsync(); // Nothing is shown to a stranger.
        await page.GetByTestId("sign-in-name").FillAsync(ConsoleVisitor.First);
        await page.GetByTestId("sign-in-password").FillAsync("not the password");
        await page.GetByTestId("sign-in-code").FillAsync("000000");
        await page.GetByTestId("sign-in-submit").ClickAsync();
        await Expect(page.GetByTestId("sign-in-fault")).ToBeVisibleAsync();

        await visitor.Administrator.SignInAsync(page);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_page_shows_the_door_open_and_shut_without_being_loaded_again()
    {
        await Page.GotoAsync("/doors");
        var door = Page.Locator("[data-testid=door][data-door=door-a]");
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");

        await visitor.Instance.ActAsync("badge alice", Cancel);
        await Expect(door).ToHaveAttributeAsync("data-state", "released");
        await visitor.Instance.ActAsync("open", Cancel);
        await Expect(door).ToHaveAttributeAsync("data-state", "open");
        await Expect(Page.GetByTestId("door-last")).ToContainTextAsync("青木");
        await Browser.PictureAsync(Page, "doors-open-1280");
        await visitor.Instance.ActAsync("close", Cancel);
        await Expect(door).ToHaveAttributeAsync("data-state", "locked");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_alarm_appears_live_and_is_acknowledged_with_a_reason()
    {
        await Page.GotoAsync("/alarms");
        await visitor.Instance.ActAsync("leak on", Cancel);
        try
        {
            var alarm = Page.Locator("[data-testid=alarm-row][data-class=leak]");
            await Expect(alarm).ToHaveAttributeAsync("data-acknowledged", "false");
            await Browser.PictureAsync(Page, "alarm-1280");
            await alarm.GetByTestId("alarm-acknowledge").ClickAsync();
            await Page.GetByTestId("dialog-reason").FillAsync("現地へ向かう");
            await Page.GetByTestId("dialog-confirm").ClickAsync();
            await Expect(alarm).ToHaveAttributeAsync("data-acknowledged", "true");
            await Expect(alarm.GetByTestId("alarm-ack")).ToContainTextAsync("現地へ向かう");
        }
        finally
        {
            await visitor.Instance.ActAsync("leak off", CancellationToken.None);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task The_language_changes_at_a_click_and_back()
    {
        await Page.GotoAsync("/doors");
        await Expect(Page.Locator("h1")).ToHaveTextAsync("扉");
        await Page.GetByTestId("language-en").ClickAsync();
        await Expect(Page.Locator("h1")).ToHaveTextAsync("Doors");
        await Page.GetByTestId("language-ja").ClickAsync();
        await Expect(Page.Locator("h1")).ToHaveTextAsync("扉");
    }

    [Fact(Timeout = 120_000)]
    public async Task The_log_is_exported_as_a_file_with_the_refusal_just_made()
    {
        await visitor.Instance.ActAsync("badge grace", Cancel);
        await Page.GotoAsync("/log");
        await Expect(Page.Locator("[data-testid=log-row][data-outcome=denied]").First).ToBeVisibleAsync();

        var download = await Page.RunAndWaitForDownloadAsync(() => Page.GetByTestId("log-export").ClickAsync());
        var file = Path.Combine(RunningRoom.Artefacts, "access-log.csv");
        await download.SaveAsAsync(file);

        var bytes = await File.ReadAllBytesAsync(file, Cancel);
        Assert.Equal(Encoding.UTF8.GetPreamble(), bytes[..3]); // So that a spreadsheet shows Japanese.
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Contains("credentialRevoked", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("1007", text, StringComparison.Ordinal); // A card's number leaves the hub in no file.
    }

    [Theory(Timeout = 180_000)]
    [InlineData("/", "overview")]
    [InlineData("/alarms", "alarms")]
    [InlineData("/doors", "doors")]
    [InlineData("/keys", "keys")]
    [InlineData("/log", "log")]
    [InlineData("/review", "review")]
    [InlineData("/evidence", "proof")]
    [InlineData("/retention", "retention")]
    [InlineData("/turned-away", "turned-away")]
    [InlineData("/register", "register")]
    [InlineData("/people", "people")]
    [InlineData("/nodes", "nodes")]
    [InlineData("/notifications", "notifications")]
    [InlineData("/alarms?view=history", "alarm-history")]
    [InlineData("/people/p-alice", "person")]
    [InlineData("/people/new", "person-new")]
    [InlineData("/people/csv", "people-csv")]
    [InlineData("/people/whose-card", "whose-card")]
    [InlineData("/accounts", "accounts")]
    public async Task Every_page_fits_a_desk_and_a_phone(string path, string name)
    {
        foreach (var (width, height) in _screens)
        {
            await Page.SetViewportSizeAsync(width, height);
            await Page.GotoAsync(path);
            await Expect(Page.Locator("h1").First).ToBeVisibleAsync();
            await Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            var picture = await Browser.PictureAsync(Page, $"{name}-{width}");
            Assert.NotEmpty(picture);
            var wide = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            Assert.True(wide <= width, $"{path} is {wide} wide on a screen of {width}");
            Assert.Empty(await Page.EvaluateAsync<string[]>(CutOff));
        }

        await Page.SetViewportSizeAsync(_screens[0].Width, _screens[0].Height);
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_page_fits_a_phone_in_English_and_in_the_dark()
    {
        await Page.SetViewportSizeAsync(360, 740);
        await Page.GotoAsync("/theme/dark");
        await Page.GotoAsync("/language/en");
        try
        {
            foreach (var path in new[] { "/", "/alarms", "/doors", "/keys", "/log", "/register", "/review", "/evidence", "/retention", "/turned-away", "/people", "/people/p-alice", "/people/csv", "/people/whose-card", "/nodes", "/notifications", "/accounts" })
            {
                await Page.GotoAsync(path);
                await Expect(Page.Locator("h1").First).ToBeVisibleAsync();
                await Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
                await Browser.PictureAsync(Page, $"dark-en{path.Replace('/', '-')}-360");
                var wide = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
                Assert.True(wide <= 360, $"{path} is {wide} wide on a screen of 360");
                Assert.Empty(await Page.EvaluateAsync<string[]>(CutOff));
            }
        }
        finally
        {
            await Page.GotoAsync("/language/ja");
            await Page.GotoAsync("/theme/system");
            await Page.SetViewportSizeAsync(_screens[0].Width, _screens[0].Height);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task No_page_asks_for_anything_from_outside_the_machine()
    {
        var foreign = new List<string>();
        void Note(object? sender, IRequest request)
        {
            if (!request.Url.StartsWith(visitor.Instance.Console.ToString(), StringComparison.Ordinal)
                && !request.Url.StartsWith("data:", StringComparison.Ordinal)) foreign.Add(request.Url);
        }

        Page.Request += Note;
        await Page.GotoAsync("/");
        await Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        Page.Request -= Note;
        Assert.Empty(foreign);
    }
}
