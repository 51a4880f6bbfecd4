using System.Text.Json.Nodes;
using PhysSec.Rig;

namespace PhysSec.SystemTests.Locks;

/// <summary>A running room with five doors, each with another kind of lock: hub and node as processes, the readers on a pseudo-terminal.</summary>
internal sealed class FiveLocks : IAsyncDisposable
{
    public const string FailSafe = "door-a", FailSecure = "door-b", Latching = "door-c", Motor = "door-d", AtReader = "door-e";

    /// <summary>Of somebody who needs longer.</summary>
    private const int SlowCard = 1_010;

    private const string Zone = "five-locks";
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30), _patience = TimeSpan.FromSeconds(2);

    private readonly Instance _instance;
    private readonly CancellationToken _cancel;

    private FiveLocks(Instance instance, CancellationToken cancel) => (_instance, _cancel) = (instance, cancel);

    public static IReadOnlyList<string> Doors { get; } = [FailSafe, FailSecure, Latching, Motor, AtReader];

    public static async Task<FiveLocks> StartAsync(Action<string> say, CancellationToken cancel)
    {
        var board = Path.Combine(Programs.Root, "tests", "PhysSec.SystemTests", "Locks", "five-locks");
        var it = new FiveLocks(await Instance.StartAsync(new InstanceOptions { Board = board, Say = say }, cancel), cancel);
        await it.ProvisionAsync();
        return it;
    }

    public ValueTask DisposeAsync() => _instance.DisposeAsync();

    public Task<string> ActAsync(string command) => _instance.ActAsync(command, _cancel);

    public Task CardAsync(string door) => ShowAsync($"badge alice {door}", () => IsFreeAsync(door));

    public Task SlowCardAsync(string door) => ShowAsync(FormattableString.Invariant($"card {DemoPerson.Facility} {SlowCard} {door}"), () => IsFreeAsync(door));

    /// <summary>Shows a card until something comes of it, as people do: one that is shown before its reader is spoken to counts for nothing.</summary>
    public async Task ShowAsync(string command, Func<Task<bool>> isSo)
    {
        for (var tries = 0; ; tries++)
        {
            await ActAsync(command);
            try
            {
                await Wait.UntilAsync($"something to come of \"{command}\"", isSo, _patience, _cancel);
                return;
            }
            catch (RigException) when (tries < 5)
            {
                // Once more.
            }
        }
    }

    /// <summary>What a door looks like to whoever stands before it.</summary>
    public async Task<JsonNode> LookAsync(string door) => (await _instance.RoomAsync(_cancel))["doors"]![door]!;

    public async Task<bool> IsFreeAsync(string door) => (bool)(await LookAsync(door))["lockFree"]!;

    /// <summary>What the hub shows of a door.</summary>
    public async Task<JsonNode?> LiveAsync(string door) => (await _instance.Operator.GetAsync($"doors/{door}", _cancel))["live"]?["state"];

    /// <summary>An operator's order; its outcome.</summary>
    public async Task<string?> OrderAsync(string door, string verb, JsonObject? with = null)
    {
        var body = with ?? [];
        body["reason"] = "a trial of the doors";
        return (string?)(await _instance.Operator.PostAsync($"doors/{door}/{verb}", body, _cancel))["outcome"];
    }

    public async Task DoneAsync(string door, string verb, JsonObject? with = null) => Assert.Equal("done", await OrderAsync(door, verb, with));

    public static Task AllAsync(Func<string, Task> what) => Task.WhenAll(Doors.Select(what));

    /// <summary>Until it is so at every door.</summary>
    public Task UntilAllAsync(string what, Func<string, Task<bool>> isSo, TimeSpan? limit = null) =>
        AllAsync(door => Wait.UntilAsync($"{door} {what}", () => isSo(door), limit ?? _limit, _cancel));

    public Task KillAsync() => _instance.KillNodeAsync();

    /// <param name="reboot">As after a power cut: the machine's boot is another.</param>
    public async Task StartAgainAsync(bool reboot)
    {
        var boot = Path.Combine(_instance.State, "boot_id");
        await File.WriteAllTextAsync(boot, "5eed0000-0000-4000-8000-000000000001\n", _cancel);
        _instance.StartNode(!reboot ? null : ["unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"", boot]);
        await _instance.NodeReadyAsync(_cancel);
        await SeenAsync();
    }

    /// <summary>How often a card was refused at a door for a reason.</summary>
    public async Task<int> RefusalsAsync(string door, string reason) =>
        HubApi.Items(await _instance.Auditor.GetAsync($"records?node={Instance.LiveNode}&kind=access.denied&limit=500", _cancel)).Select(HubApi.Fact)
            .Count(it => (string?)it["door"] == door && (string?)it["reason"] == reason);

    public async Task<IEnumerable<string>> AlarmsAsync() =>
        HubApi.Items(await _instance.Operator.GetAsync("alarms?state=active", _cancel)).Where(it => (bool)it["active"]!).Select(it => $"{(string?)it["class"]}:{(string?)it["source"]}");

    /// <summary>Until no newer policy comes any more: a node that is killed in the midst of one has it, and nobody is told by a record.</summary>
    private async Task RulesAsync()
    {
        var (last, same) = (-1L, 0);
        await Wait.UntilAsync("the rules to stay as they are", async () =>
        {
            var node = (await _instance.Operator.GetAsync("nodes", _cancel)).AsArray().First(it => (string?)it!["id"] == Instance.LiveNode)!;
            var version = (long?)node["policyVersion"] ?? 0;
            (last, same) = (version, version == last ? same + 1 : 0);
            return same > 30;
        }, _limit, _cancel);
        await _instance.NodeReadyAsync(_cancel);
    }

    /// <summary>The reader that has contact and lock of its door is online when the contact is known.</summary>
    private Task SeenAsync() => UntilAllAsync("to be seen", async door => (await LiveAsync(door))?["leafOpen"] is not null);

    private async Task ProvisionAsync()
    {
        var api = _instance.Administrator;
        await api.PutAsync($"zones/{Zone}", new JsonObject
        {
            ["id"] = Zone,
            ["nameJa"] = "五つの扉",
            ["nameEn"] = "Five doors",
            ["level"] = 1,
            ["maxAgeHours"] = 72,
            ["required"] = "low",
            ["onJournalFault"] = "refuse",
        }, _cancel);
        foreach (var door in Doors)
        {
            await api.PutAsync($"doors/{door}", new JsonObject
            {
                ["id"] = door,
                ["node"] = Instance.LiveNode,
                ["zone"] = Zone,
                ["nameJa"] = door,
                ["nameEn"] = door,
                ["releaseTime"] = 10,
                ["extendedReleaseTime"] = 20,
                ["openTime"] = 10,
                ["preAlarmTime"] = 6,
                ["readerAssurance"] = "low",
            }, _cancel);
        }

        await api.PostAsync("people", new JsonObject
        {
            ["id"] = "p-ivy",
            ["name"] = "今井 優",
            ["kana"] = "イマイ ユウ",
            ["department"] = "情報政策課",
            ["kind"] = "staff",
            ["extended"] = true,
        }, _cancel);
        await api.PostAsync("people/p-ivy/credentials", new JsonObject { ["facility"] = DemoPerson.Facility, ["number"] = SlowCard, ["length"] = 26 }, _cancel);
        foreach (var person in (string[])["p-alice", "p-ivy"]) await RightAsync(person);
        await RulesAsync();
        await SeenAsync();
    }

    private Task<JsonNode> RightAsync(string person)
    {
        var now = TimeProvider.System.GetUtcNow();
        return _instance.Administrator.PostAsync("rights", new JsonObject
        {
            ["person"] = person,
            ["zone"] = Zone,
            ["schedule"] = "always",
            ["validFrom"] = now.AddDays(-1).ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            ["validTo"] = now.AddDays(30).ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            ["applicant"] = "情報政策課 主査 小川",
            ["approver"] = "情報政策課長 大野",
            ["applicationNumber"] = $"R8-{person}",
            ["purpose"] = "扉の試験",
        }, _cancel);
    }
}
