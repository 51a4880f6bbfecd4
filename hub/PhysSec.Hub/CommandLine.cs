using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Hub.Access;
using PhysSec.Hub.Api;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;

namespace PhysSec.Hub;

/// <summary>The verbs of physsec-hub. Exit codes: 0 done, 64 wrong use, 78 wrong configuration, 1 anything else.</summary>
internal static class CommandLine
{
    private const int Usage = 64;
    private const int Configuration = 78;

    private const string Help = """
        physsec-hub serve --state DIR [--config FILE]      runs the hub; the first start makes authority, keys, store and a one-time sign-in link
        physsec-hub init  --state DIR [--config FILE]      makes the same, then ends
        physsec-hub enroll NAME --state DIR [--title TEXT] [--minutes 60]
                                                           prints a one-time code, also as QR, for physsec-node enroll on the board; the hub may be running
        physsec-hub enroll NAME --replace --reason TEXT --state DIR [--minutes 60]
                                                           the same for a spare board: it becomes NAME with NAME's board file, and the old board is shut out
        physsec-hub status --state DIR                     says how the running hub is; exit 0 only when store and broker work
        physsec-hub nodes --state DIR                      one line for each node of the running hub: name, state, firmware
        physsec-hub token --state DIR --name NAME --role administrator|operator|auditor|witness [--hours N] [--may-release]
                                                           prints a token for the HTTP API, once
        physsec-hub backup --state DIR --to FILE --passphrase-file FILE
                                                           everything of the hub in one sealed file; the hub may be running
        physsec-hub restore --from FILE --state DIR --passphrase-file FILE --reason TEXT
                                                           makes a state directory of a backup, with a higher hub epoch
        physsec-hub release-policy NODE --state DIR --reason TEXT
                                                           after a restore: lets a node that has a newer policy than the backup take this hub's
        physsec-hub verify-erasure FILE --state DIR        checks the certificate of physsec-node erase, puts it on record, and ends that board's key; the hub must be running
        physsec-hub checkpoint --state DIR                 prints the newest signed checkpoint of the record, also as QR, and the key that it is signed with
        physsec-hub evidence --state DIR --to FILE --reason TEXT [--from TIME] [--until TIME] [--person WHO] [--door ID] [--kind KIND] [--node ID] [--with-measurements]
                                                           writes an evidence pack for physsec-verify; the hub must be running
        physsec-hub recover --state DIR --reason TEXT      prints a sign-in link for a new administrator, for a site that nobody can sign in to; the hub must be running
        physsec-hub issue --state DIR --kind broker|hub|observer --name NAME --out DIR
                                                           writes a certificate and its key, NAME.crt and NAME.key
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        try
        {
            var options = new Options(args);
            return options.Verb switch
            {
                "serve" => await Serving.RunAsync(options.Need("state"), options.Get("config"), clock),
                "init" => await InitAsync(options, clock),
                "enroll" => await EnrollAsync(options, clock),
                "status" => await StatusAsync(options),
                "backup" => await BackupAsync(options, clock),
                "restore" => await RestoreAsync(options, clock),
                "release-policy" => await ReleasePolicyAsync(options),
                "verify-erasure" => await VerifyErasureAsync(options),
                "nodes" => await NodesAsync(options),
                "recover" => await RecoverAsync(options),
                "token" => await TokenAsync(options, clock),
                "checkpoint" => await CheckpointAsync(options, clock),
                "evidence" => await EvidenceAsync(options),
                "issue" => await IssueAsync(options, clock),
                "help" or "--help" or "-h" => Say(Help, 0),
                _ => Say($"physsec-hub: there is no verb \"{options.Verb}\"\n{Help}", Usage),
            };
        }
        catch (UsageException fault)
        {
            return Say($"physsec-hub: {fault.Message}\n{Help}", Usage);
        }
        catch (InputException fault)
        {
            return Say($"physsec-hub: --{fault.Message}", Usage);
        }
        catch (ConfigurationException fault)
        {
            return Say("physsec-hub: the configuration is wrong; nothing was started\n" + string.Join('\n', fault.Faults.Select(it => "  " + it)), Configuration);
        }
        catch (Exception fault) when (fault is HubBusyException or IOException or SqliteException or UnauthorizedAccessException or InvalidOperationException)
        {
            return Say($"physsec-hub: {fault.Message}", 1);
        }
    }

    private static async Task<int> InitAsync(Options options, TimeProvider clock)
    {
        await using var state = HubHome.Open(options.Need("state"), options.Get("config"), clock);
        return Say($"ready: {state.Folder}", 0);
    }

    private static async Task<int> EnrollAsync(Options options, TimeProvider clock)
    {
        var (folder, id, title) = (options.Need("state"), options.Plain("NAME"), options.Get("title"));
        if (!int.TryParse(options.Get("minutes") ?? "60", NumberStyles.None, CultureInfo.InvariantCulture, out var minutes)) throw new UsageException($"--minutes takes 1–{Enrolments.MinutesMax}");
        var replaces = options.Has("replace") ? options.Need("reason") : null;
        var answer = await LocalSocket.PostAsync(
            folder, "nodes", new JsonObject { ["id"] = id, ["name"] = title, ["minutes"] = minutes, ["replace"] = replaces is not null, ["reason"] = replaces });
        var (code, expires) = answer is not null
            ? ((string)answer["code"]!, (DateTimeOffset)answer["expiresAt"]!)
            : await InviteAsync(folder, id, title, minutes, replaces, clock);
        using var qr = QRCoder.QRCodeGenerator.GenerateQrCode(code, QRCoder.QRCodeGenerator.ECCLevel.L);
        using var picture = new QRCoder.AsciiQRCode(qr);
        return Say(
            $"""
            {picture.GetGraphicSmall()}
            {code}

            On the board, before {expires.ToLocalTime():yyyy-MM-dd HH:mm}, once (制御装置で、期限までに一度だけ):
              physsec-node enroll '{code}'{(replaces is null ? " --board FILE" : " --restore")}
            """, 0);
    }

    private static async Task<(string Code, DateTimeOffset Expires)> InviteAsync(string folder, string id, string? title, int minutes, string? replaces, TimeProvider clock)
    {
        await using var state = HubHome.Open(folder, null, clock);
        if (state.Configuration.Console.Port == 0) throw new UsageException("console.port in hub.json is 0: any free one; start the hub first, or set a port");
        using var nodes = new Nodes(state, clock);
        var link = new NodeLink(Microsoft.Extensions.Logging.Abstractions.NullLogger<NodeLink>.Instance);
        var made = await new Enrolments(state, nodes, link, new TurnedAway(state.Store, state.Configuration, clock), clock).InviteAsync(Actor.CommandLine, id, title, minutes, replaces);
        return (made.Code, made.ExpiresAt);
    }

    private static async Task<int> StatusAsync(Options options)
    {
        var health = await LocalSocket.GetAsync(options.Need("state"), "health");
        if (health is null) return Say("no hub runs on this folder", 1);
        return Say(health.ToJsonString(), (string?)health["status"] == "ok" ? 0 : 1);
    }

    private static async Task<int> BackupAsync(Options options, TimeProvider clock)
    {
        var (folder, to, passphrase) = (options.Need("state"), Path.GetFullPath(options.Need("to")), Passphrase(options));
        if (await LocalSocket.PostAsync(folder, "backups", new JsonObject { ["to"] = to, ["passphrase"] = passphrase }, Timeout.InfiniteTimeSpan) is null)
        {
            await using var state = HubHome.Open(folder, null, clock);
            await Backup.TakeAsync(state, Actor.CommandLine, to, passphrase, clock.GetUtcNow(), CancellationToken.None);
        }

        return Say($"taken: {to} ({new FileInfo(to).Length >> 10} KiB). Keep the passphrase elsewhere: without it the file is worth nothing.", 0);
    }

    private static async Task<int> RestoreAsync(Options options, TimeProvider clock) => Say(
        await Backup.RestoreAsync(options.Need("from"), options.Need("state"), Passphrase(options), options.Need("reason"), clock.GetUtcNow(), CancellationToken.None), 0);

    private static string Passphrase(Options options) => File.ReadAllText(options.Need("passphrase-file")).Trim();

    private static async Task<int> ReleasePolicyAsync(Options options)
    {
        var node = options.Plain("NODE");
        var answer = await LocalSocket.PostAsync(options.Need("state"), $"nodes/{Uri.EscapeDataString(node)}/release-policy", new JsonObject { ["reason"] = options.Need("reason") });
        return answer is null ? Say("physsec-hub: no hub runs on this folder; start it first", 1) : Say($"{node} takes this hub's policy again", 0);
    }

    private static async Task<int> VerifyErasureAsync(Options options)
    {
        var answer = await LocalSocket.PostAsync(options.Need("state"), "erasures", new JsonObject { ["file"] = await File.ReadAllTextAsync(options.Plain("FILE")) });
        if (answer is null) return Say("physsec-hub: no hub runs on this folder; start it first", 1);
        return Say($"good, and on record: {answer["node"]} was erased by {answer["by"]} at {answer["at"]} ({answer["files"]} files): {answer["reason"]}"
            + ((bool)answer["revoked"]! ? "\nits certificate has ended here too (証明書を失効しました)" : ""), 0);
    }

    private static async Task<int> NodesAsync(Options options)
    {
        if (await LocalSocket.GetAsync(options.Need("state"), "nodes") is not JsonArray nodes) return Say("no hub runs on this folder", 1);
        return Say(string.Join('\n', nodes.Select(it => $"{it!["id"]} {it["state"]} {it["firmware"]?.ToString() ?? "-"}")), 0);
    }

    private static async Task<int> RecoverAsync(Options options)
    {
        var answer = await LocalSocket.PostAsync(options.Need("state"), "accounts/recovery", new JsonObject { ["reason"] = options.Need("reason") });
        return answer is null ? Say("physsec-hub: no hub runs on this folder; start it first", 1) : Say((string)answer["link"]!, 0);
    }

    private static async Task<int> TokenAsync(Options options, TimeProvider clock)
    {
        var (name, role) = (options.Need("name"), options.Need("role"));
        if (!int.TryParse(options.Get("hours") ?? "24", NumberStyles.None, CultureInfo.InvariantCulture, out var hours)) throw new UsageException($"--hours takes 1–{Tokens.HoursMax}");
        var answer = await LocalSocket.PostAsync(
            options.Need("state"), "tokens", new JsonObject { ["name"] = name, ["role"] = role, ["hours"] = hours, ["mayRelease"] = options.Has("may-release") });
        if (answer is not null) return Say((string)answer["token"]!, 0);
        await using var state = HubHome.Open(options.Need("state"), null, clock);
        return Say(await new Tokens(state.Store, clock).MakeAsync(Actor.CommandLine, name, role, hours, options.Has("may-release")), 0);
    }

    private static async Task<int> CheckpointAsync(Options options, TimeProvider clock)
    {
        var folder = options.Need("state");
        var (note, key) = await LocalSocket.GetAsync(folder, "ledger/newest") is { } answer ? ((string)answer["note"]!, (string)answer["key"]!) : await MakeCheckpointAsync(folder, clock);
        using var qr = QRCoder.QRCodeGenerator.GenerateQrCode(note, QRCoder.QRCodeGenerator.ECCLevel.L);
        using var picture = new QRCoder.AsciiQRCode(qr);
        return Say($"{picture.GetGraphicSmall()}\n{note}\n鍵 key: {key}\nこの表示は外部への保管とはみなされません。印刷または転記して保管してください。\nPrinted here it counts as held by nobody: keep it outside this machine.", 0);
    }

    private static async Task<(string Note, string Key)> MakeCheckpointAsync(string folder, TimeProvider clock)
    {
        await using var state = HubHome.Open(folder, null, clock);
        var checkpoints = new Checkpoints(state, clock);
        return ((await checkpoints.MakeAsync()).Note, checkpoints.Key.ToString());
    }

    private static async Task<int> EvidenceAsync(Options options)
    {
        var to = Path.GetFullPath(options.Need("to"));
        var asked = new JsonObject { ["to"] = to, ["reason"] = options.Need("reason"), ["measurements"] = options.Has("with-measurements") };
        foreach (var name in (string[])["from", "until", "person", "door", "kind", "node"])
            if (options.Get(name) is { } value) asked[name] = value;
        var answer = await LocalSocket.PostAsync(options.Need("state"), "ledger/evidence", asked, Timeout.InfiniteTimeSpan);
        return answer is null ? Say("physsec-hub: no hub runs on this folder; start it first", 1) : Say($"written: {to} ({new FileInfo(to).Length >> 10} KiB). Check it with: physsec-verify {to} --checkpoint YOURS", 0);
    }

    private static async Task<int> IssueAsync(Options options, TimeProvider clock)
    {
        var (kind, name, folder) = (options.Need("kind"), options.Need("name"), options.Need("out"));
        if (kind is not (Kinds.Broker or Kinds.Hub or Kinds.Observer)) throw new UsageException($"--kind {kind} is unknown; use broker, hub or observer (a node is enrolled through the console or the API)");
        if (!Names.IsPlain(name)) throw new UsageException($"--name {name}: use 1–32 of a–z, 0–9 and -");
        await using var state = HubHome.Open(options.Need("state"), null, clock);
        var now = clock.GetUtcNow();
        var issued = state.Authority.Issue(kind == Kinds.Observer ? $"observer.{name}" : name, kind, now);
        Directory.CreateDirectory(folder);
        PrivateFiles.Write(Path.Combine(folder, name + ".crt"), issued.CertificatePem);
        PrivateFiles.Write(Path.Combine(folder, name + ".key"), issued.KeyPem);
        await state.Store.WriteAsync(store => Records.Act(
            store, new Act(Actor.CommandLine, "certificate.issued", name, null, null, new JsonObject { ["kind"] = kind, ["thumbprint"] = issued.Thumbprint }), now));
        return Say($"issued: {Path.Combine(folder, name)}.crt and .key", 0);
    }

    private static int Say(string text, int code)
    {
        (code == 0 ? Console.Out : Console.Error).WriteLine(text);
        return code;
    }

    private sealed class UsageException(string message) : Exception(message);

    private sealed class Options
    {
        private static readonly string[] _flags = ["may-release", "replace", "with-measurements"];
        private readonly Dictionary<string, string> _values = [];
        private readonly string? _plain;

        public Options(string[] args)
        {
            Verb = args.FirstOrDefault() ?? "help";
            for (var i = 1; i < args.Length; i++)
            {
                if (!args[i].StartsWith("--", StringComparison.Ordinal))
                {
                    if (_plain is not null || Verb is not ("enroll" or "release-policy" or "verify-erasure")) throw new UsageException($"\"{args[i]}\" is not expected here");
                    _plain = args[i];
                    continue;
                }

                var name = args[i][2..];
                if (_flags.Contains(name)) _values[name] = "";
                else if (i + 1 < args.Length) _values[name] = args[++i];
                else throw new UsageException($"--{name} has no value");
            }
        }

        public string Verb { get; }

        public string Plain(string what) => _plain ?? throw new UsageException($"{what} is missing");

        public string Need(string name) => _values.GetValueOrDefault(name) ?? throw new UsageException($"--{name} is missing");

        public string? Get(string name) => _values.GetValueOrDefault(name);

        public bool Has(string name) => _values.ContainsKey(name);
    }
}
