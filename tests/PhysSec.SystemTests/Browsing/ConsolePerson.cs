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

    private ConsolePerson(string name, IPage page, string secret) => (Name, Page, _secret) = (name, page, secret);

    public string Name { get; }

    /// <summary>The signed-in page.</summary>
    public IPage Page { get; }

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

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

    /// <summary>
    /// A code works once, in its own period and one before and after it, so that three can be shown without waiting; whoever needs more waits for the next period.
    /// The oldest one is left out when it is about to end.
    /// </summary>
    public async Task<string> NextCodeAsync()
    {
        _used = Math.Max(_used + 1, ((Now + (PeriodSeconds / 2)) / PeriodSeconds) - 1);
        await Wait.UntilAsync("the authenticator's next code", () => Task.FromResult(_used <= (Now / PeriodSeconds) + 1), TimeSpan.FromSeconds(2 * PeriodSeconds));
        return Totp.Code(_secret, DateTimeOffset.FromUnixTimeSeconds(_used * PeriodSeconds));
    }
}
