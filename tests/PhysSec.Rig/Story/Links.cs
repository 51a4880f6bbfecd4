using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Wire;
using static PhysSec.Rig.Story.Tale;

namespace PhysSec.Rig.Story;

/// <summary>A hub that dies, a card that is revoked, strangers at the broker, a guest who may look.</summary>
internal static class Links
{
    private static readonly TimeSpan _revocationLimit = TimeSpan.FromSeconds(2);

    public static async Task PlayAsync(Tale tale)
    {
        await tale.TitleAsync("午後、管理サーバの停止", "Afternoon: the hub dies");
        await tale.LineAsync("管理サーバを強制終了、三人は入室できる。再起動後、三件が一度ずつ順に遅延記録", "The hub is killed; three people still get in; started again, it has all three once, in order, marked late",
            () => HubDiesAsync(tale));
        await tale.LineAsync("榎本さんのカードを失効:2秒以内に扉で有効", "Enomoto's card is revoked: in force at the door within 2 s", () => RevokedAsync(tale));

        await tale.TitleAsync("夕方、見知らぬ相手", "Evening: strangers at the broker");
        await tale.LineAsync("証明書のない接続を拒否し記録", "A client without a certificate is refused and recorded", async () =>
        {
            var before = await RefusalsAsync(tale);
            Must(!await Strangers.ConnectsWithoutCertificateAsync(tale.Instance, tale.Cancel), "the broker talked to a client without a certificate");
            await Wait.UntilAsync("the refusal on record", async () => await RefusalsAsync(tale) > before, Limit, tale.Cancel);
        });
        await tale.LineAsync("他の制御装置の証明書でなりすまし:拒否し記録", "A client with another node's certificate is refused and recorded", async () =>
        {
            var before = await DeniedToToolAsync(tale);
            Must(!await Strangers.SpeaksForAnotherAsync(tale.Instance, tale.Cancel), "tool-1's certificate was allowed to speak for node-1");
            await Wait.UntilAsync("the refusal on record", async () => await DeniedToToolAsync(tale) > before, Limit, tale.Cancel);
        });
        await tale.LineAsync("mosquitto_sub と閲覧用証明書で測定値を読む", "mosquitto_sub with an observer's certificate reads live values as plain JSON", () => ObservedAsync(tale));
    }

    private static async Task HubDiesAsync(Tale tale)
    {
        string[] people = ["alice", "bob", "carol"];
        var from = TimeProvider.System.GetUtcNow();
        await tale.Instance.KillHubAsync();
        foreach (var it in people) await tale.WalkInAsync(it);
        await tale.Instance.StartHubAsync(tale.Cancel);

        IReadOnlyList<JsonNode> granted = [];
        await Wait.UntilAsync("the three entries at the hub", async () =>
        {
            granted = [.. LetThrough(await tale.RecordsAsync(from))];
            return granted.Count >= people.Length;
        }, TimeSpan.FromSeconds(30), tale.Cancel);
        await tale.Instance.NodeReadyAsync(tale.Cancel);
        granted = [.. LetThrough(await tale.RecordsAsync(from))];
        var who = string.Join(", ", granted.Select(it => (string?)it["person"]));
        Must(who == "p-alice, p-bob, p-carol", $"instead of alice, bob and carol once and in this order the hub has: {who}");
        Must(granted.All(it => (bool)it["late"]!), "not all three are marked late");
    }

    private static async Task RevokedAsync(Tale tale)
    {
        await tale.WalkInAsync("erin");
        await tale.GrantedAsync("erin");
        var card = HubApi.Items(await tale.Instance.Administrator.GetAsync("credentials", tale.Cancel)).Single(it => (string?)it["person"] == "p-erin");
        var before = (long)(await PolicyAsync(tale))["version"]!;

        var clock = Stopwatch.StartNew();
        await tale.Instance.Administrator.PostAsync($"credentials/{(string?)card["token"]}/state",
            new JsonObject { ["state"] = "revoked", ["reason"] = "異動 (moved to another department)" }, tale.Cancel);
        var called = clock.Elapsed;
        await Wait.UntilAsync("the revocation in force at the node",
            async () => await PolicyAsync(tale) is var now && (long)now["version"]! > before && now["inForceAt"] is not null, Limit, tale.Cancel);
        Must(clock.Elapsed <= _revocationLimit, string.Create(CultureInfo.InvariantCulture,
            $"the revocation took {clock.Elapsed.TotalSeconds:F2} s to be in force (the call itself {called.TotalSeconds:F2} s)"));

        await tale.RefusedAsync("erin", "CredentialRevoked");
        await tale.PrintAsync(string.Create(CultureInfo.InvariantCulture, $"         in force after {clock.Elapsed.TotalMilliseconds:F0} ms"));
    }

    private static async Task ObservedAsync(Tale tale)
    {
        var topic = Topics.Live(new SiteId(Instance.Site), new NodeId(Instance.LiveNode), new PointId("+"));
        var folder = Path.Combine(tale.Instance.State, "observer");
        var said = await Child.RunAsync("mosquitto_sub", "mosquitto_sub",
        [
            "-h", "localhost", "-p", tale.Instance.BrokerPort.ToString(CultureInfo.InvariantCulture), "-V", "mqttv5", "-i", "observer.tool",
            "--cafile", tale.Instance.Authority, "--cert", Path.Combine(folder, "observer.crt"), "--key", Path.Combine(folder, "observer.key"),
            "-t", topic, "-C", "12", "-W", "20", "-v",
        ], TimeSpan.FromSeconds(25), tale.Cancel);
        foreach (var line in said.Split('\n'))
        {
            var value = JsonNode.Parse(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..])!;
            Must(!line[..line.IndexOf(' ', StringComparison.Ordinal)].EndsWith(Topics.DoorSuffix, StringComparison.Ordinal), $"an observer was told who is inside: {line}");
            Must(value["quality"] is not null && value["unit"] is not null, $"no live value as the contract says: {line}");
        }

        await tale.PrintAsync("         " + said.Split('\n')[0]);
    }

    private static async Task<long> RefusalsAsync(Tale tale) =>
        HubApi.Items(await tale.Instance.Auditor.GetAsync("refusals", tale.Cancel)).Sum(it => (long)it["count"]!);

    /// <summary>At the hub; with Mosquitto, which tells nobody else what it denies to a connected client, in the broker's own log.</summary>
    private static async Task<long> DeniedToToolAsync(Tale tale) => tale.Instance.Mosquitto is { } broker
        ? (await File.ReadAllLinesAsync(broker.LogFile, tale.Cancel)).LongCount(it => it.Contains($"Denied PUBLISH from {Instance.ToolNode}", StringComparison.Ordinal))
        : await RefusalsAsync(tale);

    private static Task<JsonNode> PolicyAsync(Tale tale) =>
        tale.Instance.Auditor.GetAsync($"policies/{Instance.LiveNode}", tale.Cancel);
}
