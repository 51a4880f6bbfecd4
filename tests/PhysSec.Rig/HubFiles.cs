using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PhysSec.Rig.Peers;

namespace PhysSec.Rig;

/// <summary>What an administrator does at the hub's command line before it serves: configuration, tokens, certificates.</summary>
internal static partial class HubFiles
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private static readonly string[] _roles = ["administrator", "operator", "auditor"];

    public static string WebhookSecret(Instance instance)
    {
        var path = Path.Combine(Files.Folder(instance.HubFolder), "webhook.key");
        if (!File.Exists(path)) Files.WriteSecret(path, RandomNumberGenerator.GetHexString(64, lowercase: true));
        return File.ReadAllText(path).Trim();
    }

    public static void WriteConfiguration(Instance instance, BrokerKind broker, int consolePort, JsonObject? review)
    {
        var json = new JsonObject
        {
            ["site"] = Instance.Site,
            ["timeZone"] = "Asia/Tokyo",
            ["console"] = new JsonObject { ["listen"] = "127.0.0.1", ["port"] = consolePort },
            ["broker"] = broker == BrokerKind.Embedded
                ? new JsonObject { ["kind"] = "embedded", ["listen"] = "127.0.0.1", ["port"] = instance.BrokerPort }
                : new JsonObject { ["kind"] = "external", ["host"] = "localhost", ["port"] = instance.BrokerPort, ["logTopic"] = true },
            ["notify"] = new JsonObject
            {
                ["smtp"] = new JsonObject
                {
                    ["host"] = "127.0.0.1",
                    ["port"] = instance.Mail.Port,
                    ["from"] = "physsec@example.jp",
                    ["to"] = new JsonArray("duty@example.jp"),
                    ["security"] = "none",
                    ["user"] = null,
                    ["passwordFile"] = null,
                },
                ["webhook"] = new JsonObject { ["url"] = instance.Webhook.Address.ToString(), ["secretFile"] = "webhook.key" },
                ["repeatSeconds"] = 300,
                ["language"] = "ja",
            },
            ["review"] = review?.DeepClone() ?? new JsonObject(),
        };
        Files.WriteSecret(Path.Combine(instance.HubFolder, "hub.json"), json.ToJsonString());
    }

    public static Task<string> RunAsync(string verb, string folder, IReadOnlyList<string> arguments, CancellationToken cancel) =>
        Child.RunAsync($"hub {verb}", "dotnet", [Programs.Hub, verb, "--state", folder, .. arguments], _limit, cancel);

    /// <summary>One token for each role, made for this run; the operator's may release a door.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> TokensAsync(Instance instance, CancellationToken cancel)
    {
        var tokens = new Dictionary<string, string>();
        var at = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        foreach (var role in _roles)
        {
            string[] more = role == "operator" ? ["--may-release"] : [];
            var name = string.Create(CultureInfo.InvariantCulture, $"demo-{role}-{at}");
            var said = await RunAsync("token", instance.HubFolder, ["--name", name, "--role", role, .. more], cancel);
            tokens[role] = Token().Matches(said) is [.., var last] ? last.Value
                : throw new RigException($"hub token printed no token: {said}");
        }

        return tokens;
    }

    public static async Task<BrokerFiles> BrokerAsync(Instance instance, CancellationToken cancel)
    {
        var folder = Files.Folder(instance.State, "broker");
        await RunAsync("issue", instance.HubFolder, ["--kind", "broker", "--name", "localhost", "--out", folder], cancel);
        var (certificate, key) = Issued(folder);
        return new BrokerFiles(instance.Authority, certificate, key);
    }

    /// <summary>A certificate that may read births, states and live values, for tools.</summary>
    public static Task ObserverAsync(Instance instance, CancellationToken cancel) => ObserverAsync(instance, "observer", "tool", cancel);

    /// <summary>One for the ear that a test lays on an external broker.</summary>
    public static Task EavesdropperAsync(Instance instance, CancellationToken cancel) => ObserverAsync(instance, Mosquitto.Eavesdropper, Mosquitto.Eavesdropper, cancel);

    private static async Task ObserverAsync(Instance instance, string name, string calledBy, CancellationToken cancel)
    {
        var folder = Files.Folder(instance.State, name);
        if (File.Exists(Path.Combine(folder, $"{name}.crt"))) return;

        await RunAsync("issue", instance.HubFolder, ["--kind", "observer", "--name", calledBy, "--out", folder], cancel);
        var (certificate, key) = Issued(folder);
        File.Move(certificate, Path.Combine(folder, $"{name}.crt"), overwrite: true);
        File.Move(key, Path.Combine(folder, $"{name}.key"), overwrite: true);
    }

    /// <summary>The link of the one-time sign-in, while no console account exists.</summary>
    public static string? FirstSignIn(Instance instance)
    {
        var file = Path.Combine(instance.HubFolder, "first-sign-in.txt");
        return File.Exists(file) ? new Uri(instance.Console, File.ReadAllText(file).Trim()).ToString() : null;
    }

    private static (string Certificate, string Key) Issued(string folder)
    {
        var files = Directory.GetFiles(folder);
        var key = files.SingleOrDefault(it => it.EndsWith(".key", StringComparison.Ordinal));
        var certificate = files.SingleOrDefault(it => it.EndsWith(".crt", StringComparison.Ordinal) && !it.EndsWith("ca.crt", StringComparison.Ordinal));
        return (certificate ?? throw new RigException($"hub issue wrote no .crt to {folder}"), key ?? throw new RigException($"hub issue wrote no .key to {folder}"));
    }

    [GeneratedRegex(@"[A-Za-z0-9_\-\.]{32,}")]
    private static partial Regex Token();
}
