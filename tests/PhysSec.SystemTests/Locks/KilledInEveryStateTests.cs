using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Rig;

namespace PhysSec.SystemTests.Locks;

/// <summary>
/// kill -9 and a simulated power cut in each state of a door, with each kind of lock: the lock's lines are safe within the limit that firmware/README.md states (at once where the kernel takes
/// them back, within the reader's own timer at a reader), and the next start makes of the door what is documented.
/// </summary>
public sealed class KilledInEveryStateTests(ITestOutputHelper output)
{
    /// <summary>The kernel takes a dead program's lines at once; this is the patience of whoever looks.</summary>
    private static readonly TimeSpan _ofKernel = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan _ofReader = TimeSpan.FromSeconds(10), _longerThanARelease = TimeSpan.FromSeconds(10.5);

    /// <param name="Name">In words.</param>
    /// <param name="Bring">Brings one door into it.</param>
    /// <param name="Shown">As the hub shows it.</param>
    /// <param name="Released">The lock is free in it.</param>
    /// <param name="Mode">What of it holds after a restart.</param>
    /// <param name="Reboot">The restart is one of the machine.</param>
    private sealed record State(string Name, Func<FiveLocks, string, Task> Bring, string Shown, bool Released = false, string Mode = "normal", bool Reboot = false);

    private static readonly State[] _states =
    [
        new("locked", (_, _) => Task.CompletedTask, "Locked"),
        new("released for a card", (it, door) => it.CardAsync(door), "Released", Released: true, Reboot: true),
        new("released for longer", (it, door) => it.SlowCardAsync(door), "Released", Released: true),
        new("released by the exit button", (it, door) => it.ActAsync($"exit {door}"), "Released", Released: true),
        new("open", OpenAsync, "Open"),
        new("warning before the alarm", OpenAsync, "PreAlarm"),
        new("held open", OpenAsync, "HeldOpen", Reboot: true),
        new("forced", (it, door) => it.ActAsync($"force {door}"), "Forced"),
        new("unlocked by an override", (it, door) => it.DoneAsync(door, "unlock", new JsonObject { ["minutes"] = 2 }), "Released", Released: true, Mode: "unlocked"),
        new("unlocked by an override that a reboot ends", (it, door) => it.DoneAsync(door, "unlock", new JsonObject { ["minutes"] = 2 }), "Released", Released: true, Reboot: true),
        new("blocked", (it, door) => it.DoneAsync(door, "block", new JsonObject { ["minutes"] = 5 }), "Locked", Mode: "blocked", Reboot: true),
        new("in lockdown", (it, door) => it.DoneAsync(door, "lockdown", new JsonObject { ["on"] = true }), "Locked", Mode: "lockdown", Reboot: true),
        new("in a fire", (it, door) => door == FiveLocks.FailSafe ? it.ActAsync("fire on") : Task.CompletedTask, "", Mode: "fire-release", Reboot: true),
    ];

    [Fact(Timeout = 400_000)]
    public async Task Whatever_a_door_does_when_the_node_is_killed_its_lock_is_safe_within_its_limit_and_its_next_start_is_as_documented()
    {
        var cancel = TestContext.Current.CancellationToken;
        var log = new List<string>();
        await using var room = await FiveLocks.StartAsync(it => { lock (log) log.Add(it); }, cancel);
        await room.UntilAllAsync("to be locked and seen shut", async door => await ShownAsync(room, door) == "Locked" && !await room.IsFreeAsync(door));
        foreach (var state in _states)
        {
            try
            {
                await BringAsync(room, state);
                output.WriteLine($"{state.Name}: {await KilledAsync(room, state)}");
                await StartedAsync(room, state);
                await ResetAsync(room, state);
            }
            catch
            {
                output.WriteLine($"FAILED in: {state.Name}");
                lock (log) foreach (var line in log.TakeLast(40)) output.WriteLine(line);
                throw;
            }
        }
    }

    private static async Task BringAsync(FiveLocks room, State state)
    {
        var begin = TimeProvider.System.GetTimestamp();
        await FiveLocks.AllAsync(door => state.Bring(room, door));
        if (state.Mode == "fire-release")
        {
            await room.UntilAllAsync("to know of the fire", async door => (await room.LiveAsync(door))?["emergency"]?.AsArray().Count > 0);
        }
        else if (state.Released)
        {
            await room.UntilAllAsync($"to be {state.Name}", room.IsFreeAsync);
            if (state.Name == "released for longer")
                await room.UntilAllAsync("to be free for longer than others", async door => await room.IsFreeAsync(door) && TimeProvider.System.GetElapsedTime(begin) > _longerThanARelease);
        }
        else
        {
            await room.UntilAllAsync($"to be {state.Name}", async door => await ShownAsync(room, door) == state.Shown && (state.Mode == "normal" || await ModeAsync(room, door) == state.Mode));
        }
    }

    /// <returns>How long each lock took.</returns>
    private static async Task<string> KilledAsync(FiveLocks room, State state)
    {
        var before = new Dictionary<string, bool>();
        foreach (var door in FiveLocks.Doors) before[door] = await room.IsFreeAsync(door);
        var begin = TimeProvider.System.GetTimestamp();
        await room.KillAsync();
        if (state.Released) Assert.True(await room.IsFreeAsync(FiveLocks.AtReader), "the reader did not hold its output when the node was killed, so nothing is tried");

        var took = new string[FiveLocks.Doors.Count];
        await FiveLocks.AllAsync(async door =>
        {
            await Wait.UntilAsync($"the output of {door} to be off after the kill", async () => !(bool)(await room.LookAsync(door))["lockOutput"]!,
                door == FiveLocks.AtReader ? _ofReader : _ofKernel, TestContext.Current.CancellationToken);
            took[FiveLocks.Doors.ToList().IndexOf(door)] = string.Create(CultureInfo.InvariantCulture, $"{door} {TimeProvider.System.GetElapsedTime(begin).TotalSeconds:0.0} s");
        });

        foreach (var door in FiveLocks.Doors)
        {
            var expected = door switch
            {
                FiveLocks.Latching or FiveLocks.Motor => before[door], // Without power they stay as they are; the next start locks them.
                FiveLocks.FailSafe => state.Mode == "fire-release", // In hardware.
                _ => false,
            };
            Assert.True(expected == await room.IsFreeAsync(door), $"{door} is {(expected ? "held" : "free")} after the kill ({state.Name})");
        }

        return string.Join(", ", took);
    }

    private static async Task StartedAsync(FiveLocks room, State state)
    {
        await room.StartAgainAsync(state.Reboot);
        await room.UntilAllAsync($"to be as it must after a restart ({state.Name})", async door => await room.IsFreeAsync(door) == IsFree(state, door) && await ModeAsync(room, door) == ModeOf(state, door));
        if (state.Mode == "blocked") await RefusedAsync(room, "DoorBlocked");
        if (state.Mode == "lockdown") await RefusedAsync(room, "Lockdown");
        if (state.Mode != "fire-release") return;

        var alarms = (await room.AlarmsAsync()).ToList();
        foreach (var door in FiveLocks.Doors)
        {
            Assert.Contains(door == FiveLocks.FailSafe ? $"fire-release:{door}" : $"release-withheld:{door}", alarms);
            Assert.NotEqual("done", await room.OrderAsync(door, "confirm-release")); // The panel still calls.
        }
    }

    /// <summary>Everything as it was at the beginning; that it can be is part of what is tried.</summary>
    private static async Task ResetAsync(FiveLocks room, State state)
    {
        await FiveLocks.AllAsync(door => room.ActAsync($"close {door}"));
        if (state.Mode is "unlocked" or "blocked") await FiveLocks.AllAsync(door => room.DoneAsync(door, "override-end"));
        if (state.Mode == "lockdown") await FiveLocks.AllAsync(door => room.DoneAsync(door, "lockdown", new JsonObject { ["on"] = false }));
        if (state.Mode == "fire-release")
        {
            await room.ActAsync("fire off");
            await room.UntilAllAsync("to be confirmed by a person", async door => await room.OrderAsync(door, "confirm-release") == "done");
        }

        await room.UntilAllAsync("to be locked again", async door => !await room.IsFreeAsync(door) && await ShownAsync(room, door) == "Locked" && await ModeAsync(room, door) == "normal");
        Assert.DoesNotContain(await room.AlarmsAsync(), it => it.StartsWith("lock-fault", StringComparison.Ordinal));
    }

    private static async Task OpenAsync(FiveLocks room, string door)
    {
        await room.CardAsync(door);
        await room.ActAsync($"open {door}");
    }

    private static Task RefusedAsync(FiveLocks room, string reason) =>
        FiveLocks.AllAsync(door => room.ShowAsync($"badge alice {door}", async () => await room.RefusalsAsync(door, reason) > 0));

    private static bool IsFree(State state, string door) => state.Mode == "unlocked" || (state.Mode == "fire-release" && door == FiveLocks.FailSafe);

    /// <summary>Fire moves only the lock that it has freed in hardware anyway.</summary>
    private static string ModeOf(State state, string door) => state.Mode == "fire-release" && door != FiveLocks.FailSafe ? "normal" : state.Mode;

    private static async Task<string?> ShownAsync(FiveLocks room, string door) => (string?)(await room.LiveAsync(door))?["state"];

    private static async Task<string?> ModeAsync(FiveLocks room, string door) => (string?)(await room.LiveAsync(door))?["mode"];
}
