using System.Text.Json.Nodes;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary>R-DEV-16: a board is lost with all that was on it; a spare one takes its place by one command at the hub and one at the board.</summary>
public sealed class SpareBoardTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 240_000)]
    public async Task A_spare_board_goes_on_in_the_place_of_a_lost_one_which_is_shut_out()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        await RefusedBadgeAsync(instance, epoch: 1, cancel);
        var board = await File.ReadAllTextAsync(Path.Combine(instance.NodeFolder, "board.json"), cancel);
        var sealedBoard = Assert.Single(await RecordsAsync(instance, "board.configured", cancel));
        Assert.DoesNotContain(instance.RoomSocket, (string)sealedBoard["body"]!, StringComparison.Ordinal); // Nobody reads the wiring out of the record.

        // The old board still runs and is linked when the spare one comes: it must lose its place at once.
        var said = await Child.RunAsync(
            "hub enroll", "dotnet", [Programs.Hub, "enroll", Instance.LiveNode, "--replace", "--reason", "the board was stolen", "--state", instance.HubFolder], _limit, cancel);
        var code = said.Split('\n').Single(it => it.StartsWith("http", StringComparison.Ordinal)).Trim();
        var spare = Path.Combine(instance.State, "spare");
        string[] restore = [Programs.Node, "enroll", code, "--restore", "--to", spare, "--state", Path.Combine(spare, "state")];
        said = await Child.RunAsync("node enroll", "dotnet", restore, _limit, cancel);
        Assert.Contains("epoch 2", said, StringComparison.Ordinal);
        Assert.Equal(board.TrimEnd(), (await File.ReadAllTextAsync(Path.Combine(spare, "board.json"), cancel)).TrimEnd());
        Assert.NotEqual(
            await File.ReadAllTextAsync(Path.Combine(instance.NodeFolder, "node.key"), cancel), await File.ReadAllTextAsync(Path.Combine(spare, "node.key"), cancel));
        await instance.Node.LineAsync(it => it.Contains("no link to the hub", StringComparison.Ordinal), "that its link is cut", _limit, cancel);
        await instance.Hub.LineAsync(it => it.Contains("refused at", StringComparison.Ordinal) && it.Contains(Instance.LiveNode, StringComparison.Ordinal), "that the old key is refused", _limit, cancel);
        await instance.KillNodeAsync();
        var before = await EpochAsync(instance, 1, cancel);

        Directory.Delete(instance.NodeFolder, recursive: true); // All that the old board ever held.
        Directory.Move(spare, instance.NodeFolder);
        var json = Path.Combine(instance.NodeFolder, "node.json"); // The rig's node has one place only.
        await File.WriteAllTextAsync(json, (await File.ReadAllTextAsync(json, cancel)).Replace(spare, instance.NodeFolder, StringComparison.Ordinal), cancel);
        instance.StartNode();
        await instance.NodeReadyAsync(cancel);
        await RefusedBadgeAsync(instance, epoch: 2, cancel);
        await instance.ActAsync("badge alice", cancel);
        await Wait.UntilAsync("the granted entry to arrive", async () => (await RecordsAsync(instance, "access.granted", cancel)).Any(it => (long)it["epoch"]! == 2), _limit, cancel);

        Assert.Equal(before, await EpochAsync(instance, 1, cancel));
        foreach (var epoch in (long[])[1, 2])
        {
            var seqs = (await EpochAsync(instance, epoch, cancel)).Select(it => it.Seq).ToArray();
            Assert.Equal(Enumerable.Range(1, seqs.Length).Select(it => (long)it), seqs);
        }

        var act = Assert.Single(await RecordsAsync(instance, "hub.node.replaced", cancel, node: "hub"));
        Assert.Equal("the board was stolen", (string?)JsonNode.Parse((string)act["body"]!)!["fact"]!["reason"]);
    }

    [Fact(Timeout = 240_000)]
    public async Task An_erased_board_keeps_nothing_of_its_site_and_its_certificate_is_believed_only_as_it_was_signed()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var instance = await Instance.StartAsync(new InstanceOptions(), cancel);
        await RefusedBadgeAsync(instance, epoch: 1, cancel);
        var certificate = Path.Combine(instance.State, "erased.json");
        string[] erase =
        [
            "erase", "--config", Path.Combine(instance.NodeFolder, "node.json"), "--by", "Sato", "--reason", "the room is given up", "--yes", "--certificate", certificate,
        ];
        await RefusedAsync("a node runs here", Programs.Node, erase, cancel);
        await instance.KillHubAsync();
        await instance.ActAsync("badge alice", cancel);
        await Wait.UntilAsync("a release, which is in the journal before the lock moves", async () => (bool)(await instance.RoomAsync(cancel))["lockOutput"]!, _limit, cancel);
        await instance.KillNodeAsync();
        await Wait.UntilAsync("the killed node's last report to be old", async () =>
        {
            await using var status = Child.Start("status", "dotnet", [Programs.Node, "status", "--in", Path.Combine(instance.NodeFolder, "state")]);
            return await status.Ended.WaitAsync(_limit, cancel) == 3;
        }, _limit, cancel);
        await RefusedAsync("have not reached the hub", Programs.Node, erase, cancel);
        await RefusedAsync("--yes", Programs.Node, [.. erase.Where(it => it != "--yes")], cancel);
        Assert.True(File.Exists(Path.Combine(instance.NodeFolder, "node.key")));

        var said = await Child.RunAsync("node erase", "dotnet", [Programs.Node, .. erase, "--even-unsent"], _limit, cancel);
        Assert.Contains("消去証明書", said, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(instance.NodeFolder, "*", SearchOption.AllDirectories));
        await instance.StartHubAsync(cancel);
        var signed = await File.ReadAllTextAsync(certificate, cancel);
        var tampered = Path.Combine(instance.State, "tampered.json");
        await File.WriteAllTextAsync(tampered, signed.Replace("Sato", "Kato", StringComparison.Ordinal), cancel);
        await RefusedAsync("changed after it was signed", Programs.Hub, ["verify-erasure", tampered, "--state", instance.HubFolder], cancel);
        said = await Child.RunAsync("verify", "dotnet", [Programs.Hub, "verify-erasure", certificate, "--state", instance.HubFolder], _limit, cancel);
        Assert.Contains("its certificate has ended", said, StringComparison.Ordinal);
        var act = JsonNode.Parse((string)Assert.Single(await RecordsAsync(instance, "hub.node.erased", cancel, node: "hub"))["body"]!)!["fact"]!;
        Assert.Equal(("Sato", "the room is given up"), ((string?)act["after"]!["by"], (string?)act["reason"]));
        Assert.Contains((await instance.Operator.GetAsync("nodes", cancel)).AsArray(), it => (string?)it!["id"] == Instance.LiveNode && (string?)it["state"] == "revoked");
    }

    private static async Task RefusedAsync(string why, string program, string[] arguments, CancellationToken cancel)
    {
        await using var child = Child.Start("refused", "dotnet", [program, .. arguments]);
        Assert.NotEqual(0, await child.Ended.WaitAsync(_limit, cancel));
        Assert.Contains(why, string.Join('\n', child.Lines), StringComparison.Ordinal);
    }

    private static async Task RefusedBadgeAsync(Instance instance, long epoch, CancellationToken cancel)
    {
        await instance.ActAsync("badge mallory", cancel);
        await Wait.UntilAsync("the refusal to arrive", async () => (await RecordsAsync(instance, "access.denied", cancel)).Any(it => (long)it["epoch"]! == epoch), _limit, cancel);
    }

    private static async Task<(long Seq, string Body)[]> EpochAsync(Instance instance, long epoch, CancellationToken cancel) =>
        [.. (await RecordsAsync(instance, null, cancel)).Where(it => (long)it["epoch"]! == epoch && (string?)it["stream"] == "a")
            .Select(it => ((long)it["seq"]!, (string)it["body"]!)).OrderBy(it => it.Item1)];

    private static async Task<JsonNode[]> RecordsAsync(Instance instance, string? kind, CancellationToken cancel, string node = Instance.LiveNode)
    {
        var found = new List<JsonNode>();
        for (long? cursor = null; ;)
        {
            var page = await instance.Auditor.GetAsync($"records?node={node}&limit=500{(kind is null ? "" : $"&kind={kind}")}{(cursor is { } at ? $"&cursor={at}" : "")}", cancel);
            found.AddRange(page["items"]!.AsArray().Select(it => it!));
            if ((cursor = (long?)page["next"]) is null) return [.. found];
        }
    }
}
