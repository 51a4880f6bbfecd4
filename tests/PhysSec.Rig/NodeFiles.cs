using System.Text.Json.Nodes;

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

    /// <summary>The shipped board file with the room's socket and the UPS's port filled in.</summary>
    public void WriteBoard(int? upsPort)
    {
        var board = JsonNode.Parse(File.ReadAllText(Programs.Board(upsPort is null ? "one-room-simulated" : "one-room-simulated-ups")))!;
        board["hardware"]!["socket"] = instance.RoomSocket;
        foreach (var it in board["devices"]!.AsArray().Where(it => (string?)it!["type"] == "nut")) it!["port"] = upsPort;
        Files.WriteSecret(Path.Combine(Files.Folder(instance.NodeFolder), "board.json"), board.ToJsonString());
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
