using System.Text.Json.Nodes;

namespace PhysSec.Rig;

/// <summary>The anteroom before the server room: card and PIN at an OSDP reader that proves the card.</summary>
internal static class SecondRoom
{
    /// <summary>Doors with this name let nobody in while another of them is open.</summary>
    public const string Interlock = "entrance";

    private const string Zone = "anteroom";
    private const int Digits = 8;

    private static readonly string[] _mayEnter = ["alice", "bob", "carol"];

    public static async Task RunAsync(Instance instance, CancellationToken cancel)
    {
        var api = instance.Administrator;
        await api.PutAsync($"zones/{Zone}", new JsonObject
        {
            ["id"] = Zone,
            ["nameJa"] = "前室",
            ["nameEn"] = "Anteroom",
            ["level"] = 2,
            ["maxAgeHours"] = 72,
            ["required"] = "high",
            ["onJournalFault"] = "refuse",
            ["factors"] = "cardAndPin",
        }, cancel);
        await PutDoorAsync(instance, null, cancel);

        var codes = new Dictionary<string, Codes>();
        foreach (var person in DemoPerson.All.Where(it => _mayEnter.Contains(it.Badge)))
        {
            await Provision.RightAsync(api, person, Zone, TimeProvider.System.GetUtcNow(), cancel);
            var issued = await api.PostAsync($"people/{person.Id}/pin", new JsonObject { ["reason"] = "前室の利用開始 (anteroom)", ["digits"] = Digits }, cancel);
            codes[person.Badge] = new((string)issued["code"]!, (string)issued["duress"]!);
        }

        Codes.Write(instance.State, codes);
    }

    public static Task PutDoorAsync(Instance instance, string? interlock, CancellationToken cancel) => instance.Administrator.PutAsync($"doors/{Instance.SecondDoor}", new JsonObject
    {
        ["id"] = Instance.SecondDoor,
        ["node"] = Instance.LiveNode,
        ["zone"] = Zone,
        ["nameJa"] = "前室 扉",
        ["nameEn"] = "Anteroom door",
        ["releaseTime"] = 5,
        ["extendedReleaseTime"] = 15,
        ["openTime"] = 20,
        ["preAlarmTime"] = 10,
        ["interlock"] = interlock,
        ["interlockRule"] = "oneOpen",
        ["readerAssurance"] = "high",
    }, cancel);
}
