using System.Globalization;
using PhysSec.Core.Wire;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Health;
using PhysSec.Node.Journal;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Erasure;

/// <summary><c>physsec-node erase</c>: before a board leaves the site's hands.</summary>
internal static class EraseCommand
{
    private const int Usage = 64;
    private const int Configuration = 78;

    public const string Help = """
        physsec-node erase --config FILE --by NAME --reason TEXT --yes [--certificate FILE] [--even-unsent]
                                           while no node runs: destroy keys, journal and configuration of this board, with a signed certificate for
                                           physsec-hub verify-erasure. Begun and broken off: the same command goes on.
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] is "--yes" or "--even-unsent") values[args[i]] = "";
            else if (args[i] is "--config" or "--by" or "--reason" or "--certificate" && i + 1 < args.Length) values[args[i]] = args[++i];
            else return await SayAsync($"\"{args[i]}\" is not expected here\n{Help}", Usage);
        }

        foreach (var needed in (string[])["--config", "--by", "--reason"])
            if (string.IsNullOrWhiteSpace(values.GetValueOrDefault(needed))) return await SayAsync($"{needed} is missing\n{Help}", Usage);
        var to = Path.GetFullPath(values.GetValueOrDefault("--certificate") ?? "erasure.json");
        if (!values.ContainsKey("--yes")) return await SayAsync("this cannot be undone: say --yes as well. 元に戻せません。実行するには --yes を付けてください。", Usage);
        try
        {
            var begun = to + ".unfinished";
            if (File.Exists(to)) return await SayAsync($"{to} is there already: give another name with --certificate", Usage);
            if (!File.Exists(begun) && await BeginAsync(values, begun, to, clock) is { } refusal) return await SayAsync(refusal, 1);
            return await FinishAsync(begun, to);
        }
        catch (ConfigException failure)
        {
            return await SayAsync(failure.Message, Configuration);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException or JournalException or TpmException)
        {
            return await SayAsync($"{failure.Message} The erasure is NOT complete; mend this and give the same command again.", 1);
        }
    }

    /// <summary>Makes the certificate, signed while there is a key, under a name that says that nothing is done yet. Not null: why nothing was begun.</summary>
    private static async Task<string?> BeginAsync(Dictionary<string, string> values, string begun, string to, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        using var config = NodeConfig.Load(values["--config"], now);
        var boot = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim();
        foreach (var folder in (string[])[HealthFile.Usual, config.StateFolder])
            if (HealthFile.Read(folder) is { } report && !report.Gone(clock.GetElapsedTime(0), boot)) return "a node runs here: stop it first";

        var files = ErasedFiles.Of(values["--config"], config.StateFolder);
        if (files.Contains(to) || files.Contains(begun)) return "the certificate would be erased with the rest: give another place with --certificate";
        IReadOnlyList<ErasedStream>? streams = null;
        DateTimeOffset? newest = null;
        var unsent = JournalFiles.AnySetAside(config.StateFolder) ? "a damaged journal was set aside here, and nobody knows whether the hub has all of it" : null;
        if (File.Exists(Path.Combine(config.StateFolder, JournalFiles.Name)))
        {
            using var store = JournalStore.Open(config.StateFolder, config.Epoch);
            (streams, newest) = (store.Repaired is null ? store.AllStreams() : null, store.Newest);
            if (store.Repaired is not null) unsent = "the journal is damaged, and nobody knows whether the hub has all of it";
            else if (store.UnsentBesidesItsEnd() is > 0 and var count) unsent = string.Create(CultureInfo.InvariantCulture, $"{count} records have not reached the hub");
            files = ErasedFiles.Of(values["--config"], config.StateFolder); // Opening may have made or renamed some.
        }

        if (unsent is not null && !values.ContainsKey("--even-unsent"))
            return $"{unsent}: let the node run with a link to the hub until it says that none waits, or say --even-unsent. ハブに届いていない記録があります。";
        var quality = now < Firmware.ReleasedAt || now < newest ? ClockQuality.Unset : ClockQuality.Holdover; // Nobody confirms it here.
        var statement = new ErasureStatement(
            ErasureStatement.Version, config.Site.Value, config.Node.Value, config.Certificate.ExportCertificatePem(), now, quality, values["--by"], values["--reason"],
            Firmware.Version, streams, files);
        EnrolmentFolder.WriteDurably(begun, statement.Sign(config.DeviceKey));
        return null;
    }

    private static async Task<int> FinishAsync(string begun, string to)
    {
        var signed = await File.ReadAllTextAsync(begun);
        var (statement, _) = ErasureStatement.Verify(signed);
        foreach (var file in statement.Files) ErasedFiles.Destroy(file);
        if (statement.Files.FirstOrDefault(File.Exists) is { } left) throw new IOException($"{left} is still there.");
        EnrolmentFolder.WriteDurably(Path.ChangeExtension(to, ".txt"), Text(statement));
        File.Move(begun, to);
        JournalFiles.FlushFolder(Path.GetDirectoryName(to)!);
        Console.WriteLine(Text(statement));
        Console.WriteLine($"{to}: take it to the hub: physsec-hub verify-erasure FILE. ハブで確認してください。");
        return 0;
    }

    private static string Text(ErasureStatement it)
    {
        var keys = it.Streams is null ? "- (読めず unreadable)" : string.Join("; ", it.Streams.Select(one => string.Create(
            CultureInfo.InvariantCulture, $"{one.Epoch}/{one.Stream}: {one.Seq}, hub {one.Acknowledged}, {(one.Head.Length > 16 ? one.Head[..16] : one.Head)}…")));
        return string.Create(CultureInfo.InvariantCulture, $"""
            消去証明書 Certificate of erasure
            制御装置 node    {it.Site} / {it.Node}
            日時 at          {it.At:yyyy-MM-dd HH:mm:ss}Z ({(it.Clock == ClockQuality.Unset ? "時計未設定 clock not set" : "基板の時計 by the board's clock")})
            実施者 by        {it.By}
            理由 reason      {it.Reason}
            記録 journal     {keys}
            {string.Join('\n', it.Files.Select(file => "消去 destroyed   " + file))}
            """);
    }

    private static async Task<int> SayAsync(string text, int code)
    {
        await Console.Error.WriteLineAsync("physsec-node: " + text);
        return code;
    }
}
