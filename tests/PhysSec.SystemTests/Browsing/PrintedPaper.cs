using System.Diagnostics;

namespace PhysSec.SystemTests.Browsing;

/// <summary>A PDF as other people's programs (poppler) read and draw it.</summary>
internal static class PrintedPaper
{
    /// <summary>Holds what every paper must: fonts embedded as subsets, pages numbered, no character missing. Draws the pages among the artefacts; its text with the spaces left out.</summary>
    public static async Task<string> LookAsync(string pdf, string picture)
    {
        Assert.All((await RunAsync("pdffonts", pdf)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[2..], it => Assert.Matches(@"IPAexGothic .* yes yes (yes|no) ", it)); // Embedded, as a subset.
        var pages = (await RunAsync("pdftotext", "-layout", pdf, "-")).TrimEnd('\f').Split('\f');
        for (var i = 0; i < pages.Length; i++) Assert.Contains($"{i + 1}/{pages.Length}", pages[i] = pages[i].Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var text = string.Concat(pages);
        Assert.DoesNotContain('\ufffd', text);
        Assert.DoesNotContain('〓', text);
        foreach (var old in Directory.GetFiles(RunningRoom.Artefacts, picture + "-*.png")) File.Delete(old);
        await RunAsync("pdftoppm", "-r", "70", "-png", pdf, Path.Combine(RunningRoom.Artefacts, picture));
        var drawn = Directory.GetFiles(RunningRoom.Artefacts, picture + "-*.png");
        Assert.Equal(pages.Length, drawn.Length);
        Assert.All(drawn, it => Assert.True(new FileInfo(it).Length > 5_000, $"{it} is empty"));
        return text;
    }

    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return said;
    }
}
