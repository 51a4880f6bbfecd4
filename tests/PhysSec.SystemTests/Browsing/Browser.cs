using Microsoft.Playwright;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The machine's own Chromium, driven by Playwright. Nothing is downloaded.</summary>
public sealed class Browser : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";
    private const float StepMilliseconds = 20_000;

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<Browser> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
        Assertions.SetDefaultExpectTimeout(StepMilliseconds);
        return new Browser(playwright, browser);
    }

    /// <summary>A fresh visitor: no cookie, this width, this language.</summary>
    public async Task<IPage> VisitAsync(Uri console, int width, int height, string locale = "ja-JP")
    {
        ArgumentNullException.ThrowIfNull(console);
        var context = await _browser.NewContextAsync(new()
        {
            BaseURL = console.ToString(),
            Locale = locale,
            TimezoneId = "Asia/Tokyo",
            AcceptDownloads = true,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        });
        context.SetDefaultTimeout(StepMilliseconds);
        return await context.NewPageAsync();
    }

    /// <summary>Keeps a picture of the whole page among the artefacts.</summary>
    public static async Task<byte[]> PictureAsync(IPage page, string name)
    {
        ArgumentNullException.ThrowIfNull(page);
        return await page.ScreenshotAsync(new() { Path = Path.Combine(RunningRoom.Artefacts, name + ".png"), FullPage = true });
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
