using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;

namespace PhysSec.Rig;

/// <summary>Everything an administrator enters before a room goes live, through the same API.</summary>
internal static class Provision
{
    private const string Zone = "server-room";

    public static async Task RunAsync(Instance instance, NodeFiles files, CancellationToken cancel)
    {
        var api = instance.Administrator;
        var now = TimeProvider.System.GetUtcNow();

        await files.EnrollAsync(cancel);
        await files.EnrollToolAsync(cancel);

        await api.PutAsync($"zones/{Zone}", new JsonObject
        {
            ["id"] = Zone,
            ["nameJa"] = "サーバ室A",
            ["nameEn"] = "Server room A",
            ["level"] = 3,
            ["maxAgeHours"] = 8,
            ["required"] = "high",
            ["onJournalFault"] = "refuse",
        }, cancel);
        await PutDoorAsync(instance, 20, 10, cancel);
        await PutScheduleAsync(api, "always", "終日", "Around the clock", "00:00", "00:00", cancel);
        await PutOtherHoursAsync(instance, cancel);
        await SensingAsync(instance, cancel);

        foreach (var person in DemoPerson.All) await PersonAsync(api, person, now, cancel);
    }

    /// <summary>A door on which a leaf may stay open for so long; Wiegand only reads a number, hence the owned exception.</summary>
    /// <param name="openSeconds">From opening to the alarm.</param>
    /// <param name="preAlarmSeconds">Before the alarm the reader starts to beep.</param>
    /// <param name="interlock">Doors with one name let nobody in while another of them is open.</param>
    public static Task PutDoorAsync(Instance instance, double openSeconds, double preAlarmSeconds, CancellationToken cancel, string? interlock = null) =>
        instance.Administrator.PutAsync($"doors/{Instance.Door}", new JsonObject
        {
            ["id"] = Instance.Door,
            ["node"] = Instance.LiveNode,
            ["zone"] = Zone,
            ["nameJa"] = "サーバ室A 扉",
            ["nameEn"] = "Server room A door",
            ["releaseTime"] = 5,
            ["extendedReleaseTime"] = 15,
            ["openTime"] = openSeconds,
            ["preAlarmTime"] = preAlarmSeconds,
            ["interlock"] = interlock,
            ["interlockRule"] = "oneOpen",
            ["readerAssurance"] = "low",
            ["exception"] = new JsonObject
            {
                ["owner"] = "情報セキュリティ責任者",
                ["reason"] = "既設 Wiegand リーダの更新まで(更新計画あり)",
                ["compensatingControl"] = "監視カメラ、入退室管理簿の月次点検",
                ["expires"] = TimeProvider.System.GetUtcNow().AddDays(180).ToString("O", CultureInfo.InvariantCulture),
            },
        }, cancel);

    /// <summary>A window of every day that begins in six hours: whoever has only this is out of hours now.</summary>
    public static Task PutOtherHoursAsync(Instance instance, CancellationToken cancel)
    {
        var from = TimeProvider.System.GetUtcNow().ToOffset(TimeSpan.FromHours(9)).AddHours(6);
        return PutScheduleAsync(instance.Administrator, "other-hours", "夜間保守", "Night maintenance",
            from.ToString("HH:00", CultureInfo.InvariantCulture), from.AddHours(1).ToString("HH:00", CultureInfo.InvariantCulture), cancel);
    }

    private static Task<JsonNode> PutScheduleAsync(HubApi api, string id, string ja, string en, string from, string to, CancellationToken cancel) =>
        api.PutAsync($"schedules/{id}", new JsonObject
        {
            ["id"] = id,
            ["nameJa"] = ja,
            ["nameEn"] = en,
            ["windows"] = new JsonArray(new JsonObject
            {
                ["days"] = new JsonArray("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
                ["from"] = from,
                ["to"] = to,
                ["onClosedDays"] = true,
            }),
        }, cancel);

    private static async Task SensingAsync(Instance instance, CancellationToken cancel)
    {
        var api = instance.Administrator;
        await PutRuleAsync(api, new SensingRule(
            new("room.temperature"), AlarmClasses.TemperatureHigh, AlarmClasses.TemperatureLow, 30, 10, DeadBand: 1, TripDelay: 2, ClearDelay: 2,
            RateLimit: 20, RateWindow: 60, AlarmClasses.TemperatureRate, SilentAfter: 10, StuckAfter: 600), cancel);
        await PutRuleAsync(api, new SensingRule(
            new("room.humidity"), AlarmClasses.HumidityHigh, AlarmClasses.HumidityLow, 80, 10, DeadBand: 3, TripDelay: 5, ClearDelay: 5,
            RateLimit: null, RateWindow: 60, AlarmClasses.HumidityRate, SilentAfter: 10, StuckAfter: 600), cancel);
        if (instance.Ups is null) return;

        foreach (var (point, alarm) in new[] { ("ups.on-battery", AlarmClasses.UpsOnBattery), ("ups.low-battery", AlarmClasses.UpsLowBattery) })
        {
            await PutRuleAsync(api, new SensingRule(
                new(point), alarm, "", High: 1, Low: null, DeadBand: 0.5, TripDelay: 0, ClearDelay: 0,
                RateLimit: null, RateWindow: 60, "", SilentAfter: 8, StuckAfter: 0), cancel);
        }
    }

    private static Task<JsonNode> PutRuleAsync(HubApi api, SensingRule rule, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToNode(rule, JsonSerializerOptions.Web)!;
        json["node"] = Instance.LiveNode;
        return api.PutAsync($"sensing/{rule.Point}", json, cancel);
    }

    private static async Task PersonAsync(HubApi api, DemoPerson person, DateTimeOffset now, CancellationToken cancel)
    {
        await api.PostAsync("people", new JsonObject
        {
            ["id"] = person.Id,
            ["name"] = person.Name,
            ["kana"] = person.Kana,
            ["department"] = person.Department,
            ["kind"] = person.Kind,
            ["extended"] = false,
        }, cancel);
        var card = await api.PostAsync($"people/{person.Id}/credentials",
            new JsonObject { ["facility"] = DemoPerson.Facility, ["number"] = person.Number, ["length"] = 26 }, cancel);
        if (person.State != "active")
        {
            await api.PostAsync($"credentials/{(string?)card["token"]}/state",
                new JsonObject { ["state"] = person.State, ["reason"] = "デモの初期設定 (set up for the demo)" }, cancel);
        }

        if (person.Schedule is not null) await RightAsync(api, person, Zone, now, cancel);
    }

    /// <summary>What a person may enter, as applied for and approved.</summary>
    public static async Task RightAsync(HubApi api, DemoPerson person, string zone, DateTimeOffset now, CancellationToken cancel) =>
        await api.PostAsync("rights", new JsonObject
        {
            ["person"] = person.Id,
            ["zone"] = zone,
            ["schedule"] = person.Schedule,
            ["validFrom"] = now.AddDays(-1).ToString("O", CultureInfo.InvariantCulture),
            ["validTo"] = now.AddDays(365).ToString("O", CultureInfo.InvariantCulture),
            ["applicant"] = "情報政策課 主査 小川",
            ["approver"] = "情報政策課長 大野",
            ["applicationNumber"] = string.Create(CultureInfo.InvariantCulture, $"R8-{person.Number}"),
            ["purpose"] = person.Kind == "contractor" ? "サーバ保守(委託)" : "サーバ運用管理",
        }, cancel);
}
