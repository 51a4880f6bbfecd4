using System.IO.Compression;
using Microsoft.Data.Sqlite;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class RetentionPageTests(ConsoleVisitor visitor)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task An_auditor_holds_records_and_an_administrator_who_is_another_person_lets_go_when_asked()
    {
        var auditor = await visitor.AuditorAsync();
        var page = auditor.Page;
        await page.GotoAsync("/retention");
        await Expect(page.GetByTestId("retention-class")).ToHaveCountAsync(4);
        await page.GetByTestId("hold-from").FillAsync("2026-01-01T00:00");
        await page.GetByTestId("hold-person").FillAsync("p-alice");
        await page.GetByTestId("hold-set").ClickAsync();
        await Expect(page.GetByText("理由").First).ToBeVisibleAsync(); // Refused without one.
        await Expect(page.GetByTestId("hold")).ToHaveCountAsync(0);
        await page.GetByTestId("hold-reason").FillAsync("情報公開請求 令和8年第3号");
        await page.GetByTestId("hold-set").ClickAsync();
        var hold = page.GetByTestId("hold").First;
        await Expect(hold).ToContainTextAsync("青木");
        await Expect(hold.GetByTestId("hold-lift")).ToHaveCountAsync(0);
        await hold.GetByTestId("hold-ask").ClickAsync();
        await page.GetByTestId("dialog-reason").FillAsync("請求への対応が終わったため");
        await page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(hold).ToContainTextAsync("解除を申出");
        await Expect(hold.GetByTestId("hold-lift")).ToHaveCountAsync(0); // Not by who set it, nor by who asked.

        AsIfARoundHadDeleted();
        foreach (var (language, width) in new[] { ("ja", 1280), ("en", 360) })
        {
            await page.SetViewportSizeAsync(width, 900);
            await page.GotoAsync("/language/" + language);
            await page.GotoAsync("/retention");
            await Expect(page.GetByTestId("certificate")).ToHaveCountAsync(1);
            await Browser.PictureAsync(page, $"retention-filled-{language}-{width}");
            Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
        }

        await page.GotoAsync("/language/ja");
        await page.SetViewportSizeAsync(1280, 900);
        await page.GotoAsync("/retention");
        var given = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("certificate-pdf").ClickAsync());
        Assert.Contains("廃棄証明書", await PrintedPaper.LookAsync(await given.PathAsync(), "deletion-paper"), StringComparison.Ordinal);

        var administrator = await visitor.SecondAdministratorAsync();
        await administrator.Page.GotoAsync("/retention");
        var its = administrator.Page.GetByTestId("hold").First;
        await its.GetByTestId("hold-lift").ClickAsync();
        await administrator.Page.GetByTestId("dialog-code").FillAsync("000000");
        await administrator.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(administrator.Page.GetByTestId("dialog-fault")).ToBeVisibleAsync();
        await administrator.Page.GetByTestId("dialog-code").FillAsync(await administrator.NextCodeAsync());
        await administrator.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(its).ToHaveAttributeAsync("data-open", "false");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_administrator_takes_a_person_s_extract_with_a_reason()
    {
        var page = visitor.Administrator.Page;
        await page.GotoAsync("/people/p-alice");
        await Expect(page.GetByTestId("extract-take")).ToHaveCountAsync(0);
        await page.GetByTestId("extract-reason").FillAsync("開示請求 第1号");
        var given = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("extract-take").ClickAsync());
        await using var zip = await ZipFile.OpenReadAsync(await given.PathAsync(), Cancel);
        var pdf = Path.Combine(Directory.CreateTempSubdirectory("physsec-extract-").FullName, "extract.pdf");
        await zip.GetEntry("extract.pdf")!.ExtractToFileAsync(pdf, Cancel);
        var text = await Child.RunAsync("pdftotext", "pdftotext", ["-layout", pdf, "-"], _limit, Cancel);
        Assert.Contains("青木", text, StringComparison.Ordinal);
        await Child.RunAsync("pdftoppm", "pdftoppm", ["-r", "70", "-png", "-l", "2", pdf, Path.Combine(RunningRoom.Artefacts, "extract-paper")], _limit, Cancel);
        Directory.Delete(Path.GetDirectoryName(pdf)!, recursive: true);
        await Expect(page.GetByTestId("extract")).ToBeVisibleAsync();
        await Browser.PictureAsync(page, "person-extract-1280");
    }

    // The room is minutes old: what its page shows after years is put there.
    private void AsIfARoundHadDeleted()
    {
        using var store = new SqliteConnection($"Data Source={Path.Combine(visitor.Instance.HubFolder, "hub.db")};Pooling=False");
        store.Open();
        using var command = store.CreateCommand();
        command.CommandText =
            """
            insert or ignore into certificates values (3, 1795000000000000, 'access', 1234, json_object(
              'class', 'access', 'years', 3, 'receivedBefore', 1700000000000000, 'count', 1234, 'numbers', '5-412,415,418-1241', 'size', 5000,
              'digest', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'root', 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg='))
            """;
        command.ExecuteNonQuery();
    }
}
