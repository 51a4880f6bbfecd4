using System.Globalization;
using PhysSec.Core.Proof;

namespace PhysSec.Verify.Witness;

/// <summary>A second machine's part: looks at the hub's newest checkpoint again and again, and cosigns it when it continues what it has seen.</summary>
internal static class WitnessCommand
{
    public const string Help = """
        physsec-verify witness --hub URL --key VKEY --token-file FILE --state DIR [--name NAME] [--ca FILE] [--every MINUTES] [--accept ORIGIN]
        On a second machine, run by somebody else than the hub: cosigns the hub's checkpoints, and never two that cannot both be true.
          --hub         the console's address
          --key         the ledger's public key, as the page Evidence shows it: note it once, from paper or by telephone
          --token-file  a token of the role witness (physsec-hub token --role witness)
          --state       where this machine keeps its own key and what it has cosigned; an auditor takes checkpoints from here
          --name        what this machine is called; for the first run, which also prints the key for ledger.cosigners in hub.json
          --ca          the site's authority (ca.crt) where the console speaks HTTPS
          --every       goes on, once in so many minutes; without it: once
          --accept      the new name of a ledger that was restored from a backup, once somebody knows why; says what of it was compared with
                        what was cosigned before, and what was not
        Exit codes: 0 cosigned, 1 not this time (no connection, …), 2 two checkpoints contradict each other or are not to be believed, 64 wrong use.
        別の担当者が管理する2台目の機器で、台帳の検証基準値に連署します。矛盾する検証基準値には決して連署せず、証拠として保存します。
        """;

    public const int Contradiction = 2;
    private const int Usage = 64;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock, TextWriter output, CancellationToken stop)
    {
        if (Options.Read(args, out var wrong) is not { } options)
        {
            await output.WriteLineAsync($"physsec-verify witness: {wrong}\n{Help}");
            return Usage;
        }

        try
        {
            return await WorkAsync(options, clock, output, stop);
        }
        catch (Exception fault) when (fault is FormatException or IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            await output.WriteLineAsync($"physsec-verify witness: {fault.Message}");
            return Usage;
        }
    }

    private static async Task<int> WorkAsync(Options options, TimeProvider clock, TextWriter output, CancellationToken stop)
    {
        var ledger = NoteKey.Parse(options.Key);
        var token = (await File.ReadAllTextAsync(options.TokenFile, stop)).Trim();
        var authority = options.Authority is { } file ? await File.ReadAllTextAsync(file, stop) : null;
        using var folder = WitnessFolder.Open(options.State, options.Name);
        await output.WriteLineAsync($"cosigner 連署者: {folder.Key}");
        using var hub = new HubLedger(options.Hub, token, authority);
        while (true)
        {
            var code = await OnceAsync(hub, folder, ledger, options.Accepted, clock, output, stop);
            if (options.Every is not { } every || code == Contradiction) return code;
            try
            {
                await Task.Delay(every, clock, stop);
            }
            catch (OperationCanceledException)
            {
                return 0;
            }
        }
    }

    private static async Task<int> OnceAsync(HubLedger hub, WitnessFolder folder, NoteKey ledger, string? accepted, TimeProvider clock, TextWriter output, CancellationToken stop)
    {
        var offered = "";
        try
        {
            offered = await hub.NewestAsync(stop);
            var (held, note) = (folder.Newest, PackVerifier.Note(offered));
            var value = await WitnessRound.JudgeAsync(held, note, ledger, accepted, (first, second) => hub.ConsistencyAsync(first, second, stop));
            if (held is not null && Checkpoint.Parse(held.Text) is var before && before.Origin != value.Origin)
                await output.WriteLineAsync(await AcceptedAsync(hub, folder, held, before, value, clock.GetUtcNow(), stop));
            await hub.HandOverAsync(folder.Cosign(note, value, clock.GetUtcNow()), stop);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow():O} cosigned {value.Size} records 連署しました({value.Size} 件)"));
            return 0;
        }
        catch (ContradictionException fault)
        {
            var file = folder.KeepContradiction(folder.Newest!, offered, fault.Message, clock.GetUtcNow());
            await output.WriteLineAsync($"NOT COSIGNED 連署しません: {fault.Message}. Both are kept in {file} 両方を保存しました。監査担当者に知らせてください。 Tell the auditor.");
            return Contradiction;
        }
        catch (RefusedException fault)
        {
            await output.WriteLineAsync($"NOT COSIGNED 連署しません: {fault.Message}");
            return Contradiction;
        }
        catch (Exception fault) when (fault is HttpRequestException or FormatException or System.Text.Json.JsonException or IOException or UnauthorizedAccessException or InvalidOperationException or TaskCanceledException)
        {
            if (stop.IsCancellationRequested) return 0;
            await output.WriteLineAsync($"not cosigned this time 今回は連署できません: {(fault.InnerException ?? fault).Message}");
            return 1;
        }
    }

    // What a person has accepted is compared all the same, as far as it goes; the rest is named.
    private static async Task<string> AcceptedAsync(HubLedger hub, WitnessFolder folder, SignedNote held, Checkpoint before, Checkpoint value, DateTimeOffset at, CancellationToken stop)
    {
        var still = await WitnessRound.StillBeginsWithAsync(folder.Cosigned(), value, (first, second) => hub.ConsistencyAsync(first, second, stop));
        var (size, file) = (still?.Size ?? 0, folder.KeepReplaced(held, at));
        var compared = still is null
            ? "nothing that was cosigned before could be compared 以前に連署したものとは照合できません"
            : string.Create(CultureInfo.InvariantCulture, $"the first {size} records are as they were cosigned ({still.At:yyyy-MM-dd HH:mm} UTC) 先頭の {size} 件は連署時のままです");
        var open = size >= before.Size ? "" : string.Create(
            CultureInfo.InvariantCulture,
            $"; NOT COMPARED 未照合: records {size + 1}–{before.Size}, cosigned by {before.At:yyyy-MM-dd HH:mm} UTC: the restore lost them, or they were rewritten 復元で失われたか、書き換えられています");
        return $"accepted 受入れ: {before.Origin} → {value.Origin}; {compared}{open}. {file}";
    }

    private sealed record Options(Uri Hub, string Key, string TokenFile, string State, string? Name, string? Authority, TimeSpan? Every, string? Accepted)
    {
        public static Options? Read(string[] args, out string wrong)
        {
            string[] known = ["--hub", "--key", "--token-file", "--state", "--name", "--ca", "--every", "--accept"];
            var given = new Dictionary<string, string>();
            wrong = "";
            for (var i = 0; i < args.Length; i += 2)
            {
                if (!known.Contains(args[i])) wrong = $"there is no option {args[i]}";
                else if (i + 1 == args.Length) wrong = $"{args[i]} has no value";
                else given[args[i]] = args[i + 1];
                if (wrong.Length > 0) return null;
            }

            if (known[..4].FirstOrDefault(it => !given.ContainsKey(it)) is { } missing) wrong = $"{missing} is missing";
            else if (!Uri.TryCreate(given["--hub"], UriKind.Absolute, out var hub) || hub.Scheme is not ("http" or "https")) wrong = $"--hub \"{given["--hub"]}\" is no address: use one like https://physsec.city.example.jp:8443";
            else if (hub.Scheme == "http" && !hub.IsLoopback) wrong = "--hub: a token goes over https alone";
            else if (given.GetValueOrDefault("--every") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 1440)) wrong = $"--every \"{text}\" is no number from 1 to 1440";
            else
            {
                return new(
                    hub, given["--key"], given["--token-file"], given["--state"], given.GetValueOrDefault("--name"), given.GetValueOrDefault("--ca"),
                    given.GetValueOrDefault("--every") is { } minutes ? TimeSpan.FromMinutes(int.Parse(minutes, CultureInfo.InvariantCulture)) : null, given.GetValueOrDefault("--accept"));
            }

            return null;
        }
    }
}
