namespace PhysSec.Rig.Story;

/// <summary>A real upsd tells of a power cut, and then tells nothing.</summary>
internal static class Power
{
    public static async Task PlayAsync(Tale tale)
    {
        if (tale.Instance.Ups is not { } ups) return;

        await tale.TitleAsync("夜、無停電電源装置(実物の upsd)", "Night: the UPS, through a real upsd");
        await tale.LineAsync("UPSがバッテリ運転", "The UPS goes on battery", async () =>
        {
            await ups.PlayPowerCutAsync(tale.Cancel);
            await tale.AcknowledgeAsync(await tale.AlarmAsync("ups-on-battery", active: true), "停止手順を準備 (getting ready to shut down)");
        });
        await tale.LineAsync("バッテリ残量低下", "The battery runs low", async () =>
            await tale.AcknowledgeAsync(await tale.AlarmAsync("ups-low-battery", active: true), "サーバを停止 (servers go down)"));
        await tale.LineAsync("復電", "Mains is back", async () =>
        {
            await tale.AlarmAsync("ups-low-battery", active: false);
            await tale.AlarmAsync("ups-on-battery", active: false);
        });
        await tale.LineAsync("upsd が応答しない:それ自体が警報", "upsd is gone: that is an alarm of its own", async () =>
        {
            await ups.KillServerAsync();
            await Wait.ForAsync("the alarm that the UPS is silent", async () =>
                HubApi.Items(await tale.Instance.Operator.GetAsync("alarms?state=active", tale.Cancel)).FirstOrDefault(it =>
                    (string?)it["class"] == "sensor-silent" && ((string?)it["source"])!.StartsWith("ups", StringComparison.Ordinal)),
                TimeSpan.FromSeconds(30), tale.Cancel);
        });
    }
}
