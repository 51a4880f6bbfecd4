using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary>The two programs that ship make a board a node, over TLS, while the hub runs.</summary>
public sealed class EnrolmentTests : IAsyncLifetime
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-enrol-");
    private readonly List<Child> _hubs = [];

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var hub in _hubs) await hub.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_board_makes_its_own_key_and_becomes_a_node_once()
    {
        var port = Ports.Free(1)[0];
        var hub = await HubAsync("hub", port);
        var code = await CodeAsync(hub, "room-a");
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}/enroll#"), code, StringComparison.Ordinal);

        var (exit, said) = await EnrollAsync(code, "board");
        Assert.True(exit == 0, said);
        Assert.Contains("room-a", said, StringComparison.Ordinal);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(In("board", "node.json"), Cancel))!;
        Assert.Equal(("city", "room-a", 1L), ((string)json["site"]!, (string)json["node"]!, (long)json["epoch"]!));
        Assert.All(Directory.GetFiles(In("board")), it => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(it)));
        Assert.Contains("node.json: ok", await Child.RunAsync("node check", "dotnet", [Programs.Node, "check", "--config", In("board", "node.json")], _limit, Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain(await File.ReadAllTextAsync(In("board", "node.key"), Cancel), await File.ReadAllTextAsync(Path.Combine(hub, "hub.db"), System.Text.Encoding.Latin1, Cancel), StringComparison.Ordinal);

        (exit, said) = await EnrollAsync(code, "board");
        Assert.Equal(64, exit);
        Assert.Contains("a node already", said, StringComparison.Ordinal);
        (exit, said) = await EnrollAsync(code, "thief");
        Assert.Equal(1, exit);
        Assert.Contains("unknown, used or past its time", said, StringComparison.Ordinal);
        Assert.False(File.Exists(In("thief", "node.json")));

        (exit, said) = await EnrollAsync(await CodeAsync(hub, "room-b"), "board", "--again");
        Assert.True(exit == 0, said);
        Assert.Contains("node.json: ok: site city, node room-b", await Child.RunAsync("node check", "dotnet", [Programs.Node, "check", "--config", In("board", "node.json")], _limit, Cancel), StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_board_tells_its_code_to_nobody_but_the_hub_that_made_it()
    {
        var port = Ports.Free(1)[0];
        var hub = await HubAsync("hub", port);
        var code = await CodeAsync(hub, "room-a");
        await _hubs[0].DisposeAsync();
        var (exit, said) = await EnrollAsync(code, "board");
        Assert.Equal(1, exit);
        Assert.Contains("cannot be reached", said, StringComparison.Ordinal);

        await HubAsync("impostor", port);
        (exit, said) = await EnrollAsync(code, "board");
        Assert.Equal(1, exit);
        Assert.Contains("another pin", said, StringComparison.Ordinal);
        await _hubs[1].DisposeAsync();

        await HubAsync("hub", port);
        (exit, said) = await EnrollAsync(code, "board"); // The code was told to nobody: it still works.
        Assert.True(exit == 0, said);
    }

    private string In(params string[] parts) => Path.Combine([_folder.FullName, .. parts]);

    private async Task<string> HubAsync(string name, int port)
    {
        var folder = In(name);
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "hub.json"),
            $$"""{ "site": "city", "console": { "port": {{port.ToString(CultureInfo.InvariantCulture)}}, "https": true }, "broker": { "port": 0 } }""", Cancel);
        var hub = Child.Start(name, "dotnet", [Programs.Hub, "serve", "--state", folder]);
        _hubs.Add(hub);
        await Wait.UntilAsync($"the {name} to listen", () => Task.FromResult(hub.Lines.Any(it => it.Contains("listening https://", StringComparison.Ordinal))), _limit, Cancel);
        Assert.Contains("\"status\":\"ok\"", await Child.RunAsync("hub status", "dotnet", [Programs.Hub, "status", "--state", folder], _limit, Cancel), StringComparison.Ordinal);
        return folder;
    }

    private async Task<string> CodeAsync(string hub, string node)
    {
        var said = await Child.RunAsync("hub enroll", "dotnet", [Programs.Hub, "enroll", node, "--state", hub], _limit, Cancel);
        return said.Split('\n').Single(it => it.StartsWith("https://", StringComparison.Ordinal)).Trim();
    }

    private async Task<(int Exit, string Said)> EnrollAsync(string code, string folder, params string[] more)
    {
        await using var node = Child.Start("node enroll", "dotnet",
            [Programs.Node, "enroll", code, "--to", In(folder), "--state", In(folder, "state"), "--board", Programs.Board("one-room-simulated"), .. more]);
        return (await node.Ended.WaitAsync(_limit, Cancel), string.Join('\n', node.Lines));
    }
}
