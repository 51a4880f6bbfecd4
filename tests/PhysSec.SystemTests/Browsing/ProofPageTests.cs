using PhysSec.Verify;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class ProofPageTests(ConsoleVisitor visitor)
{
    [Fact(Timeout = 120_000)]
    public async Task An_auditor_takes_a_checkpoint_and_later_a_pack_that_it_proves_without_leaving_the_console()
    {
        var page = (await visitor.AuditorAsync()).Page;
        await page.GotoAsync("/evidence");
        await Expect(page.GetByTestId("unwitnessed")).ToContainTextAsync("外部に写しのない記録");
        var key = await page.GetByTestId("ledger-key").InnerTextAsync();

        var taken = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("checkpoint-take").ClickAsync());
        var note = await File.ReadAllTextAsync(await taken.PathAsync(), TestContext.Current.CancellationToken);
        await Expect(page.GetByTestId("checkpoints")).ToContainTextAsync("kansa");

        await Expect(page.GetByTestId("pack-take")).ToHaveCountAsync(0); // No evidence without a reason.
        await page.GetByTestId("pack-reason").FillAsync("定期監査のため");
        var given = await page.RunAndWaitForDownloadAsync(() => page.GetByTestId("pack-take").ClickAsync());
        await using (var pack = File.OpenRead(await given.PathAsync()))
        {
            var verdict = PackVerifier.Verify(pack, new([note], key));
            Assert.True(verdict.Good, string.Join('\n', verdict.Findings.Select(it => it.En)));
            Assert.Contains(verdict.Findings, it => it is { Kind: FindingKind.Proven, Code: "own" });
        }

        await Browser.PictureAsync(page, "evidence-1280");
        await page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(page, "evidence-360");
        await page.SetViewportSizeAsync(1280, 900);
    }
}
