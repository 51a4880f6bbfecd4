using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PhysSec.Rig;

/// <summary>The file that tells tools where a running demo is, and the note that names the newest running one.</summary>
public static partial class Endpoints
{
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true };

    public static string FileIn(string state) => Path.Combine(state, "endpoints.json");

    public static void Write(Instance instance)
    {
        ArgumentNullException.ThrowIfNull(instance);
        var tool = Path.Combine(instance.State, "tool");
        var observer = Path.Combine(instance.State, "observer");
        var json = new JsonObject
        {
            ["console"] = instance.Console.ToString(),
            ["api"] = new Uri(instance.Console, "/api/v1").ToString(),
            ["token"] = instance.Tokens["administrator"],
            ["tokens"] = new JsonObject([.. instance.Tokens.Select(it => KeyValuePair.Create<string, JsonNode?>(it.Key, it.Value))]),
            ["broker"] = new JsonObject { ["host"] = "localhost", ["port"] = instance.BrokerPort },
            ["ca"] = instance.Authority,
            ["node"] = new JsonObject
            {
                ["id"] = Instance.ToolNode,
                ["certificate"] = Path.Combine(tool, "node.crt"),
                ["key"] = Path.Combine(tool, "node.key"),
            },
            ["observer"] = new JsonObject
            {
                ["certificate"] = Path.Combine(observer, "observer.crt"),
                ["key"] = Path.Combine(observer, "observer.key"),
            },
            ["state"] = instance.State,
            ["liveNode"] = Instance.LiveNode,
            ["site"] = Instance.Site,
            ["room"] = instance.RoomSocket,
            ["mail"] = instance.Mail.Mbox,
            ["processes"] = new JsonObject
            {
                ["rig"] = Environment.ProcessId,
                ["hub"] = instance.Hub.Pid,
                ["node"] = instance.Node.Pid,
            },
        };
        var text = json.ToJsonString(_readable);
        Files.WriteSecret(FileIn(instance.State), text);
        Files.WriteSecret(Newest, new JsonObject { ["state"] = instance.State, ["process"] = Environment.ProcessId }.ToJsonString());
    }

    public static void Forget(string state)
    {
        File.Delete(FileIn(state));
        if (ReadNewest() is { } newest && (string?)newest["state"] == state) File.Delete(Newest);
    }

    /// <summary>The endpoints of the demo in a folder, or of the newest running one.</summary>
    /// <exception cref="RigException">None runs there.</exception>
    public static JsonNode Read(string? state)
    {
        const string remedy = "start one with ./deploy.sh demo, or name its folder with --state DIR";
        state ??= (string?)ReadNewest()?["state"] ?? throw new RigException($"no demo is running; {remedy}");
        var file = FileIn(state);
        if (!File.Exists(file)) throw new RigException($"no demo runs in {state}; {remedy}");
        var endpoints = JsonNode.Parse(File.ReadAllText(file))!;
        return Child.IsAlive((int)endpoints["processes"]!["rig"]!)
            ? endpoints
            : throw new RigException($"the demo in {state} has ended; {remedy}");
    }

    private static string Newest => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder && Directory.Exists(folder) ? folder : "/tmp",
        string.Create(CultureInfo.InvariantCulture, $"physsec-demo-{UserId()}.json"));

    [LibraryImport("libc", EntryPoint = "getuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint UserId();

    private static JsonNode? ReadNewest() => File.Exists(Newest) ? JsonNode.Parse(File.ReadAllText(Newest)) : null;
}
