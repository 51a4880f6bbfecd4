using System.Text.Json.Nodes;
using static PhysSec.Rig.Story.Tale;

namespace PhysSec.Rig.Story;

/// <summary>Water, mains and heat, and whether anybody is told.</summary>
internal static class Climate
{
    private static readonly TimeSpan _rateWindow = TimeSpan.FromSeconds(60); // A rate is judged from half of it on, and on a quick machine the day has come this far before.

    public static async Task PlayAsync(Tale tale)
    {
        await tale.TitleAsync("昼、室内の環境", "Noon: what happens to the room");
        await tale.LineAsync("漏水を検知、復旧", "Water on the floor: alarm, and over when it is dry", async () =>
        {
            await tale.ActAsync("leak on");
            var alarm = await tale.AlarmAsync("leak", active: true);
            await ToldAsync(tale, alarm);
            await tale.AcknowledgeAsync(alarm, "清掃中 (being dried)");
            await tale.ActAsync("leak off");
            await tale.AlarmAsync("leak", active: false);
        });
        await tale.LineAsync("商用電源の停電、復電", "Mains power is lost, and comes back", async () =>
        {
            await tale.ActAsync("mains off");
            await tale.AcknowledgeAsync(await tale.AlarmAsync("mains-lost", active: true), "電力会社に確認 (utility called)");
            await tale.ActAsync("mains on");
            await tale.AlarmAsync("mains-lost", active: false);
        });
        JsonNode? hot = null;
        await tale.LineAsync("空調停止:室温上昇の警報、メールとWebhookで通知", "Cooling is lost: temperature alarm, told by e-mail and by a signed webhook", async () =>
        {
            await tale.ActAsync("heat 6kW");
            await tale.ActAsync("cooling off");
            await tale.ActAsync("speed 60");
            hot = await tale.AlarmAsync("temperature-high", active: true);
            await tale.AlarmAsync("temperature-rate", active: true, limit: _rateWindow + Tale.Limit);
            await tale.ActAsync("heat 2kW"); // The machines shut down; it stays hot until the cooler runs again.
            await ToldAsync(tale, hot);
        });
        await tale.LineAsync("警報確認(誰が、なぜ)", "The alarm is acknowledged: by whom and why", async () =>
        {
            await tale.AcknowledgeAsync(hot!, "空調業者を手配 (cooling engineer called)");
            var shown = await tale.AlarmAsync("temperature-high", active: true);
            Must(shown["ackBy"] is not null && shown["ackAt"] is not null && ((string?)shown["ackReason"])!.Contains("空調業者", StringComparison.Ordinal),
                $"the alarm does not show who acknowledged it, when and why: {shown.ToJsonString()}");
        });
        await tale.LineAsync("空調復旧:室温が戻り警報解消", "Cooling is back: the room returns to its limits and the alarm is over", async () =>
        {
            await tale.ActAsync("cooling 20kW");
            await tale.AlarmAsync("temperature-high", active: false);
            await tale.ActAsync("speed 1");
            await tale.ActAsync("cooling 5kW");
        });
    }

    /// <summary>The alarm reached the mail server's mbox and the webhook, each send with its outcome on record.</summary>
    private static async Task ToldAsync(Tale tale, JsonNode alarm)
    {
        var (key, source) = ((string)alarm["key"]!, (string)alarm["source"]!);
        var (ja, en) = ((string)alarm["title"]!["ja"]!, (string)alarm["title"]!["en"]!);
        await Wait.UntilAsync($"the e-mail about {key} in the mail server's mbox",
            () => Task.FromResult(tale.Instance.Mail.Mails().Any(it =>
                it.Subject.Contains($"{en}: {source}", StringComparison.Ordinal) && it.Text.Contains(ja, StringComparison.Ordinal))), Limit, tale.Cancel);
        await Wait.UntilAsync($"the signed webhook call about {key}",
            () => Task.FromResult(tale.Instance.Webhook.Calls.Any(it => it.Genuine && it.Body.ToJsonString().Contains(key, StringComparison.Ordinal))),
            Limit, tale.Cancel);
    }
}
