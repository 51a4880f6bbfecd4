using Microsoft.Playwright;
using PhysSec.Rig;

namespace PhysSec.SystemTests.Browsing;

/// <summary>Somebody with an account of the console, a browser and an authenticator.</summary>
public sealed class ConsolePerson
{
    private const string Password = "correct horse battery 電池";
    private const int PeriodSeconds = 30;
    private readonly string _secret;
    private long _used;

    private ConsolePerson(string name, IPage page, string secret)
    {
        (Name, Page, _secret) = (name, page, secret);
        _used = Step - 2; // The hub takes a code of the period before, so that three can be shown without waiting.
    }

    public string Name { get; }

    /// <summary>The signed-in page.</summary>
    public IPage Page { get; }

    private static long Step => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() / PeriodSeconds;

    /// <summary>Makes the account of an invitation the way a new colleague does; the last picture is taken before it is sent.</summary>
    public static async Task<ConsolePerson> JoinAsync(IPage page, string link, string name, string? picture = null)
    {
        ArgumentNullException.ThrowIfNull(page);
        await page.GotoAsync(link);
        await page.GetByTestId("first-name").FillAsync(name);
        await page.GetByTestId("first-password").FillAsync(Password);
        await page.GetByTestId("first-password-again").FillAsync(Password);
        var person = new ConsolePerson(name, page, await page.GetByTestId("first-secret").InnerTextAsync());
        await page.GetByTestId("first-code").FillAsync(await person.NextCodeAsync());
        if (picture is not null) await Browser.PictureAsync(page, picture);
        await page.GetByTestId("first-submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("recovery-codes").Locator("li")).ToHaveCountAsync(10);
        if (picture is not null) await Browser.PictureAsync(page, picture + "-codes");
        await page.GetByTestId("first-continue").ClickAsync();
        await Assertions.Expect(page.GetByTestId("signed-in-as")).ToContainTextAsync(name);
        return person;
    }

    /// <summary>Signs in on a page with name, password and the authenticator's next code.</summary>
    public async Task SignInAsync(IPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        await page.GotoAsync("/sign-in");
        await page.GetByTestId("sign-in-name").FillAsync(Name);
        await page.GetByTestId("sign-in-password").FillAsync(Password);
        await page.GetByTestId("sign-in-code").FillAsync(await NextCodeAsync());
        await page.GetByTestId("sign-in-submit").ClickAsync();
        await Assertions.Expect(page.GetByTestId("signed-in-as")).ToContainTextAsync(Name);
    }

    /// <summary>A code works once, one period around the hub's own: whoever is quicker than the authenticator waits for its next one.</summary>
    public async Task<string> NextCodeAsync()
    {
        _used = Math.Max(_used + 1, Step - 1);
        await Wait.UntilAsync("the authenticator's next code", () => Task.FromResult(_used <= Step + 1), TimeSpan.FromSeconds(2 * PeriodSeconds));
        return Totp.Code(_secret, DateTimeOffset.FromUnixTimeSeconds(_used * PeriodSeconds));
    }
}
