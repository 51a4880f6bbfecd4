using System.Text.Json.Nodes;

namespace PhysSec.Rig;

/// <summary>What an installer puts on a board: the enrolment's keys, the board file, the node's configuration.</summary>
internal sealed class NodeFiles(Instance instance)
{
    /// <summary>Stores an enrolment bundle (files 0600) in a folder of its own.</summary>
    public void Store(string folder, JsonNode bundle)
    {
        var path = Files.Folder(instance.State, folder);
        string Text(string field) => (string?)bundle[field] ?? throw new RigException($"the enrolment has no {field}");
        Files.WriteSecret(Path.Combine(path, "node.crt"), Text("certificatePem"));
        Files.WriteSecret(Path.Combine(path, "node.key"), Text("keyPem"));
        Files.WriteSecret(Path.Combine(path, "ca.crt"), Text("caPem"));
        Files.WriteSecret(Path.Combine(path, "hub.pub"), Text("hubKeyPem"));
        Files.WriteSecret(Path.Combine(path, "site.key"), Text("siteKey"));
        Files.WriteSecret(Path.Combine(path, "epoch"), bundle["epoch"]!.ToString());
    }

    /// <summary>The shipped board file with the room's socket and the UPS's port filled in.</summary>
    public void WriteBoard(int? upsPort)
    {
        var board = JsonNode.Parse(File.ReadAllText(Programs.Board(upsPort is null ? "one-room-simulated" : "one-room-simulated-ups")))!;
        board["hardware"]!["socket"] = instance.RoomSocket;
        foreach (var it in board["devices"]!.AsArray().Where(it => (string?)it!["type"] == "nut")) it!["port"] = upsPort;
        Files.WriteSecret(Path.Combine(instance.NodeFolder, "board.json"), board.ToJsonString());
    }

    public void WriteConfiguration()
    {
        var folder = instance.NodeFolder;
        var json = new JsonObject
        {
            ["site"] = Instance.Site,
            ["node"] = Instance.LiveNode,
            ["epoch"] = long.Parse(File.ReadAllText(Path.Combine(folder, "epoch")), System.Globalization.CultureInfo.InvariantCulture),
            ["state"] = Files.Folder(folder, "state"),
            ["board"] = Path.Combine(folder, "board.json"),
            ["hub"] = new JsonObject { ["host"] = "localhost", ["port"] = instance.BrokerPort, ["serverName"] = "localhost" },
            ["ca"] = Path.Combine(folder, "ca.crt"),
            ["certificate"] = Path.Combine(folder, "node.crt"),
            ["key"] = Path.Combine(folder, "node.key"),
            ["hubKey"] = Path.Combine(folder, "hub.pub"),
            ["siteKey"] = Path.Combine(folder, "site.key"),
        };
        Files.WriteSecret(Path.Combine(folder, "node.json"), json.ToJsonString());
    }
}
