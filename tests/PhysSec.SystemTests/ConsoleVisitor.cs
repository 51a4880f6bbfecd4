using Microsoft.Playwright;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary>The first administrator: made through the one-time link in a real browser, signed in for every test of the console.</summary>
public sealed class ConsoleVisitor(RunningRoom room) : IAsyncLifetime
{
    public const string Name = "kanri";
    private const string Password = "correct horse battery 電池";
    private const int Desktop = 1280;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(30);

    private Browser? _browser;
    private IPage? _page;
    private string _secret = "";
    private DateTimeOffset _usedUntil;

    /// <summary>The signed-in page at desktop width.</summary>
    public IPage Page => _page!;

    public Instance Instance => room.Instance;

    public Browser Browser => _browser!;

    public async ValueTask InitializeAsync()
    {
        _browser = await Browser.StartAsync();
        _page = await _browser.VisitAsync(room.Instance.Console, Desktop, 900);
        await _page.GotoAsync(room.Instance.FirstSignIn ?? throw new RigException("the hub gave no one-time sign-in link"));
        await _page.GetByTestId("first-name").FillAsync(Name);
        await _page.GetByTestId("first-password").FillAsync(Password);
        await _page.GetByTestId("first-password-again").FillAsync(Password);
        _secret = await _page.GetByTestId("first-secret").InnerTextAsync();
        await _page.GetByTestId("first-code").FillAsync(NextCode());
        await Browser.PictureAsync(_page, "first-sign-in-1280");
        await _page.GetByTestId("first-submit").ClickAsync();
        await Assertions.Expect(_page.GetByTestId("recovery-codes").Locator("li").First).ToBeVisibleAsync();
        await _page.GetByTestId("first-continue").ClickAsync();
        await Assertions.Expect(_page.GetByTestId("signed-in-as")).ToContainTextAsync(Name);
    }

    /// <summary>Signs in on a page with name, password and the authenticator's next code.</summary>
    public async Task SignInAsync(IPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("sign-in-name").FillAsync(Name);
        await page.GetByTestId("sign-in-password").FillAsync(Password);
        await page.GetByTestId("sign-in-code").FillAsync(NextCode());
        await page.GetByTestId("sign-in-submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("signed-in-as")).ToContainTextAsync(Name);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
    }

    /// <summary>A code works once: the one of this period, or of the next when this one's is used up (clocks may differ by one period).</summary>
    public string NextCode()
    {
        var now = TimeProvider.System.GetUtcNow();
        var at = now > _usedUntil ? now : _usedUntil + TimeSpan.FromSeconds(1);
        _usedUntil = DateTimeOffset.FromUnixTimeSeconds((at.ToUnixTimeSeconds() / 30 * 30) + 29);
        return at - now <= _period ? Totp.Code(_secret, at) : throw new RigException("both codes that are valid now are used up");
    }
}
