using System.Text.Json.Nodes;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary>A node that is told nonsense says what, where and what to do, and does not start (exit code 78).</summary>
public sealed class BoardMistakeTests(RunningRoom room)
{
    private const int Configuration = 78;

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("the file is missing", "board")]
    [InlineData("the file is no JSON", "JSON")]
    [InlineData("no hardware", "hardware")]
    [InlineData("an unknown kind of hardware", "hardware.kind")]
    [InlineData("a simulated board without its socket", "hardware.socket")]
    [InlineData("an unknown field", "devices[0]")]
    [InlineData("an unknown type", "devices[0].type")]
    [InlineData("two devices with one id", "devices[1].id")]
    [InlineData("two devices on one line", "line")]
    [InlineData("a line that does not exist", "devices[2].line")]
    [InlineData("an address out of range", "address")]
    [InlineData("a lock without a fail mode", "failMode")]
    [InlineData("a number where text belongs", "devices[0].id")]
    public async Task A_mistake_in_the_board_file_is_named_with_its_place(string mistake, string place)
    {
        var folder = Directory.CreateTempSubdirectory("physsec-board-").FullName;
        try
        {
            var board = Path.Combine(folder, "board.json");
            if (Broken(mistake) is { } text) await File.WriteAllTextAsync(board, text, Cancel);
            var config = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(room.Instance.NodeFolder, "node.json"), Cancel))!;
            config["board"] = board;
            config["state"] = Path.Combine(folder, "state");
            foreach (var field in new[] { "ca", "certificate", "key", "hubKey", "siteKey" }) config[field] = Path.Combine(room.Instance.NodeFolder, (string)config[field]!);
            var file = Path.Combine(folder, "node.json");
            await File.WriteAllTextAsync(file, config.ToJsonString(), Cancel);

            await using var node = Child.Start("node", "dotnet", [Programs.Node, "--config", file]);
            var code = await node.Ended.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Cancel);

            var said = string.Join('\n', node.Lines);
            Assert.True(code == Configuration, $"code {code}: {said}");
            Assert.Contains(place, said, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", said, StringComparison.Ordinal); // A sentence, not a stack trace.
            Assert.False(Directory.Exists(Path.Combine(folder, "state")), "the node began a journal although its board file is wrong");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string? Broken(string mistake)
    {
        var text = File.ReadAllText(Programs.Board("one-room-simulated"));
        var board = JsonNode.Parse(text)!;
        var devices = board["devices"]!.AsArray();
        switch (mistake)
        {
            case "the file is missing": return null;
            case "the file is no JSON": return text[..^20];
            case "no hardware": board.AsObject().Remove("hardware"); break;
            case "an unknown kind of hardware": board["hardware"]!["kind"] = "toaster"; break;
            case "a simulated board without its socket": board["hardware"]!.AsObject().Remove("socket"); break;
            case "an unknown field": devices[0]!["colour"] = "red"; break;
            case "an unknown type": devices[0]!["type"] = "abacus"; break;
            case "two devices with one id": devices[1]!["id"] = (string)devices[0]!["id"]!; break;
            case "two devices on one line": devices[3]!["line"] = (int)devices[2]!["line"]!; break;
            case "a line that does not exist": devices[2]!["line"] = 99; break;
            case "an address out of range": devices.First(it => (string?)it!["type"] == "sht4x")!["address"] = "0xFF"; break;
            case "a lock without a fail mode": devices.First(it => (string?)it!["role"] == "lock")!.AsObject().Remove("failMode"); break;
            case "a number where text belongs": devices[0]!["id"] = 7; break;
            default: throw new ArgumentOutOfRangeException(nameof(mistake), mistake, "no such mistake");
        }

        return board.ToJsonString();
    }
}
