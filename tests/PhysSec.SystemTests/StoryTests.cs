using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Story;
using PhysSec.SystemTests.Secrets;

namespace PhysSec.SystemTests;

public sealed class StoryTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    [Theory(Timeout = 300_000)]
    [InlineData(BrokerKind.Embedded)]
    [InlineData(BrokerKind.Mosquitto)]
    public async Task The_scripted_day_comes_out_line_by_line_and_leaves_no_secret_behind(BrokerKind broker)
    {
        var cancel = TestContext.Current.CancellationToken;
        var log = Path.Combine(RunningRoom.Artefacts, $"story-{broker}.log");
        var children = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
        await using var instance = await Instance.StartAsync(new InstanceOptions { Broker = broker, Board = InstanceOptions.TwoDoors, Ups = true, Say = children.WriteLine }, cancel);
        await using var ear = broker == BrokerKind.Mosquitto ? await Eavesdropper.ListenAsync(instance, cancel) : null;
        using var story = new StringWriter();

        var code = await DayStory.PlayAsync(instance, story, cancel);

        output.WriteLine(story.ToString());
        Assert.True(code == 0, story.ToString());

        var scan = await CollectAsync(instance, cancel);
        scan.LookIn("the story's output", story.ToString());
        scan.LookIn(log, await ReadAsync(log, cancel));
        foreach (var (topic, payload) in ear?.Heard ?? []) scan.LookIn($"a message on {topic}", payload);
        Assert.True(ear is null || ear.Heard.Any(it => it.Topic.EndsWith("/policy", StringComparison.Ordinal)) && ear.Heard.Any(it => it.Topic.EndsWith("/journal/a", StringComparison.Ordinal)), "the ear heard neither policy nor journal");
        Assert.InRange(scan.Secrets.Count, 20, 1000);
        Assert.InRange(scan.Places, 40, 1_000_000);
        Assert.Empty(scan.Run());
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scan.Secrets.Count} secrets are in none of {scan.Places} files, messages and exports"));
    }

    private static async Task<SecretsScan> CollectAsync(Instance instance, CancellationToken cancel)
    {
        var scan = new SecretsScan();
        scan.AddKeys(instance.State);
        foreach (var it in Directory.EnumerateFiles(Path.Combine(instance.State, "readers")))
            scan.AddKey($"the key of {Path.GetFileName(it)}", await File.ReadAllTextAsync(it, cancel), it, Path.Combine(instance.NodeFolder, "state", "readers.keys"));
        foreach (var (name, it) in Codes.Read(instance.State))
        {
            scan.AddCode($"{name}'s PIN", it.Code, Codes.FileIn(instance.State));
            scan.AddCode($"{name}'s duress code", it.Duress, Codes.FileIn(instance.State));
        }

        foreach (var (role, token) in instance.Tokens) scan.Add($"the {role}'s token", token, Endpoints.FileIn(instance.State));
        var link = instance.FirstSignIn ?? throw new RigException("the hub gave no one-time sign-in link");
        scan.Add("the first sign-in link", link[(link.LastIndexOfAny(['/', '=']) + 1)..], Path.Combine(instance.HubFolder, "first-sign-in.txt"));
        var code = (string)(await instance.Administrator.PostAsync("nodes", new JsonObject { ["id"] = "scan-1" }, cancel))["code"]!;
        scan.Add("an enrolment code", new Uri(code).Fragment.TrimStart('#').Split('.')[0]);
        foreach (var it in DemoPerson.Badges) scan.AddCard($"{it.Key}'s card", it.Value.Facility, it.Value.Number);

        // Everything that people take away.
        var pack = Path.Combine(instance.State, "scan-evidence.zip");
        await Child.RunAsync("evidence", "dotnet", [Programs.Hub, "evidence", "--state", instance.HubFolder, "--to", pack, "--reason", "a scan", "--with-measurements"], _limit, cancel);
        var month = TimeProvider.System.GetUtcNow();
        var (from, to) = (Uri.EscapeDataString(month.AddDays(-1).ToString("O", CultureInfo.InvariantCulture)), Uri.EscapeDataString(month.AddDays(1).ToString("O", CultureInfo.InvariantCulture)));
        foreach (var path in (string[])
            [$"records?from={from}&limit=500", $"records.csv?from={from}", $"register?from={from}&to={to}", $"register.csv?month={month.ToOffset(TimeSpan.FromHours(9)).ToString("yyyy-MM", CultureInfo.InvariantCulture)}", "people", "people.csv", "nodes", "doors", "alarms?state=all", "ledger/newest"])
            scan.LookIn($"GET {path.Split('?')[0]}", await instance.Administrator.TextAsync(path, cancel));
        foreach (var call in instance.Webhook.Calls) scan.LookIn("a webhook", call.Body.ToJsonString(WireJson.Plain.Options));
        scan.LookBelow(instance.State);
        return scan;
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancel)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return await reader.ReadToEndAsync(cancel);
    }
}
