using System.Text.Json;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Fleet;

/// <summary>The monthly test of a way out takes its time from the record (R-LIF-14).</summary>
public sealed class ReleasePathTests
{
    private const string Request = "request";
    private const string Out = "out";
    private const string In = "in";

    // What happened, and when by the node's monotonic clock in milliseconds; boot 1 unless it says 2.
    public static TheoryData<string, double?> Days() => new()
    {
        { "request 0, out 420", 0.42 },
        { "request 0, in 100, out 900", 0.9 }, // Somebody came in meanwhile.
        { "request 0, request 300, out 700", 0.7 }, // The first push did not open it.
        { "request 0, out 500, request 2000, out 2250", 0.25 }, // The newest counts.
        { "request 0", null },
        { "out 400", null }, // By badge: no push.
        { "request 900, out 1300/2", null }, // The node restarted in between: the two clocks have nothing to do with each other.
    };

    [Theory]
    [MemberData(nameof(Days))]
    public async Task The_time_is_that_from_the_exit_request_to_the_opening(string day, double? expected)
    {
        await using var hub = await OpenAsync();
        using var node = await hub.EnrolAsync("node-b");
        var records = day.Split(", ");
        foreach (var it in records) Write(node, it, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, records.Length);

        Assert.Equal(expected, hub.Get<ReleasePaths>().Measure("door-a", hub.Time.GetUtcNow())?.Seconds);
        Assert.Null(hub.Get<ReleasePaths>().Measure("door-a", hub.Time.GetUtcNow().AddSeconds(1))); // Before the test began.
    }

    [Fact]
    public async Task A_test_is_put_on_record_once_with_its_measured_time_and_is_due_again_after_31_days()
    {
        await using var hub = await OpenAsync();
        using var node = await hub.EnrolAsync("node-b");
        var paths = hub.Get<ReleasePaths>();
        var since = hub.Time.GetUtcNow();
        Assert.True(paths.List().Single().Due);
        Assert.Equal("door", (await Assert.ThrowsAsync<InputException>(() => paths.RecordAsync(RunningHub.Admin, "door-a", since, "異常なし"))).Field);

        Write(node, "request 0", since);
        Write(node, "out 420", since);
        await hub.TakeBatchAsync(node, 1, 2);
        await paths.RecordAsync(RunningHub.Admin, "door-a", since, "佐藤が試験、異常なし");

        Assert.Equal((0.42, "tanaka", false), (paths.List().Single().Seconds, paths.List().Single().By, paths.List().Single().Due));
        await Assert.ThrowsAsync<InputException>(() => paths.RecordAsync(RunningHub.Admin, "door-a", since, "もう一度"));
        hub.Time.Advance(ReleasePaths.Every);
        Assert.True(paths.List().Single().Due);
    }

    [Fact]
    public async Task An_opening_of_long_ago_is_no_test_of_now()
    {
        await using var hub = await OpenAsync();
        using var node = await hub.EnrolAsync("node-b");
        var then = hub.Time.GetUtcNow();
        Write(node, "request 0", then);
        Write(node, "out 420", then);
        await hub.TakeBatchAsync(node, 1, 2);
        hub.Time.Advance(ReleasePaths.Longest + TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InputException>(() => hub.Get<ReleasePaths>().RecordAsync(RunningHub.Admin, "door-a", then, "異常なし"));
    }

    private static async Task<RunningHub> OpenAsync()
    {
        var hub = RunningHub.WithoutBroker();
        using (await hub.EnrolAsync("node-a"))
        {
            await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", 2, 72, Assurance.High, JournalFaultRule.Refuse));
            await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room", "扉A", "Door A", 5, 15, 20, 10, Assurance.Low));
        }

        return hub;
    }

    private static void Write(SignedNode node, string what, DateTimeOffset at)
    {
        var parts = what.Split(' ', '/');
        Fact fact = parts[0] switch
        {
            Request => new ExitRequested(new("door-a"), 1),
            Out => new Passage(new("door-a"), Direction.Out, null, 0),
            In => new Passage(new("door-a"), Direction.In, null, 2),
            _ => throw new ArgumentException(what, nameof(what)),
        };
        var boot = parts.Length > 2 ? parts[2] : "1";
        node.Write(JsonSerializer.Serialize(
            new JournalRecord(node.Epoch, Streams.Access, node.Bodies.Count + 1, at, 1_000 * long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture), boot, ClockQuality.Synced, LinkState.Up, fact),
            WireJson.Plain.JournalRecord));
    }
}
