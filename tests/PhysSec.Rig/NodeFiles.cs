using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Hardware;

namespace PhysSec.Rig;

/// <summary>What an installer does at a board: the board file, then the enrolment.</summary>
internal sealed class NodeFiles(Instance instance)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    /// <summary>The board becomes a node by the program that ships: it makes its key and brings the code.</summary>
    public async Task EnrollAsync(CancellationToken cancel)
    {
        var code = (string)(await instance.Administrator.PostAsync("nodes", new JsonObject { ["id"] = Instance.LiveNode }, cancel))["code"]!;
        await Child.RunAsync("node enroll", "dotnet",
        [
            Programs.Node, "enroll", code, "--to", Files.Folder(instance.NodeFolder), "--state", Files.Folder(instance.NodeFolder, "state"),
            "--board", Path.Combine(instance.NodeFolder, "board.json"), "--again", // A start that was broken off may have enrolled it already.
        ], _limit, cancel);
    }

    /// <summary>Certificate and key of a second node, for tools; no board runs it.</summary>
    public async Task EnrollToolAsync(CancellationToken cancel)
    {
        var path = Files.Folder(instance.State, "tool");
        var enrolled = await EnrolledKey.MakeAsync(instance.Administrator, Instance.ToolNode, cancel);
        Files.WriteSecret(Path.Combine(path, "node.crt"), enrolled.Certificate);
        Files.WriteSecret(Path.Combine(path, "node.key"), enrolled.Key);
        Files.WriteSecret(Path.Combine(path, "ca.crt"), enrolled.Authority);
    }

    /// <summary>The shipped board file with the room's socket, and with the UPS where there is one.</summary>
    public void WriteBoard(string name, int? upsPort)
    {
        var board = JsonNode.Parse(File.ReadAllText(Programs.Board(name)))!;
        board["hardware"]!["socket"] = instance.RoomSocket;
        if (upsPort is { } port)
        {
            var ups = JsonNode.Parse(File.ReadAllText(Programs.Board("one-room-simulated-ups")))!["devices"]!.AsArray().First(it => (string?)it!["type"] == "nut")!.DeepClone();
            ups["port"] = port;
            board["devices"]!.AsArray().Add(ups);
        }

        Files.WriteSecret(Path.Combine(Files.Folder(instance.NodeFolder), "board.json"), board.ToJsonString());
    }

    /// <summary>Gives the OSDP readers of the board their keys, by the program that ships; the room must run.</summary>
    public async Task InstallReadersAsync(IReadOnlyList<OsdpEntry> readers, CancellationToken cancel)
    {
        await using var install = Child.Start("readers", "dotnet",
        [
            Programs.Node, "readers", "--board", Path.Combine(instance.NodeFolder, "board.json"), "--key", "install",
            "--key-file", Path.Combine(instance.NodeFolder, "state", "readers.keys"), "--json",
        ], null);
        foreach (var it in readers)
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"\"address\":{it.Address}");
            await install.LineAsync(line => line.Contains("\"key-installed\"", StringComparison.Ordinal) && line.Contains(address, StringComparison.Ordinal), $"that {it.Id} has its key", _limit, cancel);
        }
    }

    /// <summary>The broker's port is another at each start of a demo; everything else stays as it was enrolled.</summary>
    public void WritePort()
    {
        var path = Path.Combine(instance.NodeFolder, "node.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["hub"]!["port"] = instance.BrokerPort;
        Files.WriteSecret(path, json.ToJsonString());
    }
}
