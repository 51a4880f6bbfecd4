using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary>The shipped program leads an installer through the simulated room.</summary>
public sealed partial class CommissioningTests : IAsyncLifetime
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("physsec-commission-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private Task _serving = Task.CompletedTask;
    private string _board = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Socket => Path.Combine(_folder, "room.sock");

    private string Results => Path.Combine(_folder, "state", "commissioning");

    public async ValueTask InitializeAsync()
    {
        _board = Path.Combine(_folder, "board.json");
        await File.WriteAllTextAsync(_board, await File.ReadAllTextAsync(Programs.Board("one-room-simulated")));
        _serving = new RoomServer(Socket, RoomParameters.For(BoardFile.Load(_board)), new Dictionary<string, (int, int)>(), TimeProvider.System).RunAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact(Timeout = 180_000)]
    public async Task An_installer_is_led_through_every_check_and_gets_a_signed_result()
    {
        await using var program = Commission();

        for (var number = 1; ; number++)
        {
            var asked = await program.LineAsync(it => it.StartsWith($"[{number}/", StringComparison.Ordinal) || it.Contains("Every check passed", StringComparison.Ordinal), $"check {number}", _limit, Cancel);
            if (!asked.StartsWith('[')) break;
            await DoAsync(program, Title().Match(asked));
            await Wait.UntilAsync(asked, () => Task.FromResult(program.Lines.Count(it => it == "✓") == number), _limit, Cancel);
        }

        Assert.Equal(0, await program.Ended.WaitAsync(_limit, TimeProvider.System, Cancel));
        var file = Assert.Single(Directory.GetFiles(Results, "commissioning-*.json"));
        Assert.False((await StatusAsync())["lockOutput"]!.GetValue<bool>());
        Assert.Contains("signature fits", await Child.RunAsync("verify", "dotnet", [Programs.Node, "commission", "--verify", file], _limit, Cancel), StringComparison.Ordinal);
        Assert.True((bool)JsonNode.Parse(await File.ReadAllTextAsync(file, Cancel))!["result"]!["complete"]!);

        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, Cancel)).Replace("\"深谷 太郎\"", "\"深谷 次郎\"", StringComparison.Ordinal).Replace("\\u592A", "\\u6B21", StringComparison.OrdinalIgnoreCase), Cancel);
        var refused = await Assert.ThrowsAsync<RigException>(() => Child.RunAsync("verify", "dotnet", [Programs.Node, "commission", "--verify", file], _limit, Cancel));
        Assert.Contains("changed after it was signed", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Results, "progress*"));
        Assert.DoesNotContain(program.Lines, it => it.Contains("4242", StringComparison.Ordinal)); // The card's number.
    }

    [Fact(Timeout = 120_000)]
    public async Task Ended_in_the_middle_of_a_release_it_locks_and_goes_on_later_where_it_was()
    {
        await using (var first = Commission())
        {
            await DoAsync(first, Title().Match(await first.LineAsync(it => it.StartsWith('['), "a check", _limit, Cancel)));
            await first.LineAsync(it => it == "✓", "that it passed", _limit, Cancel);
            await LeaveOutUntilAsync(first, "releases");
            await first.TypeAsync("");
            await UntilLockAsync(true);

            await first.StopAsync();

            Assert.Equal(75, await first.Ended);
            await UntilLockAsync(false);
        }

        await using var second = Commission();
        Assert.StartsWith("[2/", await second.LineAsync(it => it.StartsWith('['), "a check", _limit, Cancel), StringComparison.Ordinal); // What was left out is asked again.
        await LeaveOutUntilAsync(second, "releases");
        await second.TypeAsync("n the lock hums");
        await LeaveOutUntilAsync(second, "nothing");

        Assert.Equal(1, await second.Ended.WaitAsync(_limit, TimeProvider.System, Cancel));
        var steps = JsonNode.Parse(await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Results, "commissioning-*.json")), Cancel))!["result"]!["steps"]!.AsArray();
        Assert.Equal("the lock hums", (string?)Assert.Single(steps, it => (string?)it!["outcome"] == "Failed")!["reason"]);
        Assert.Equal(1, (int)(await StatusAsync())["lockReleases"]!);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_released_lock_is_locked_again_after_its_time_although_nobody_answers()
    {
        await using var program = Commission();
        await LeaveOutUntilAsync(program, "releases");

        await program.TypeAsync("");
        await UntilLockAsync(true);
        await program.LineAsync(it => it.Contains("Locked again", StringComparison.Ordinal), "that it is locked again", _limit, Cancel);

        Assert.False((await StatusAsync())["lockOutput"]!.GetValue<bool>());
    }

    private Child Commission() => Child.Start(
        "commission", "dotnet",
        [Programs.Node, "commission", "--board", _board, "--installer", "深谷 太郎", "--to", Path.Combine(_folder, "etc"), "--state", Path.Combine(_folder, "state")], typed: true);

    private async Task DoAsync(Child program, Match title)
    {
        var (device, what) = (title.Groups[1].Value, title.Groups[2].Value);
        switch (what)
        {
            case "moves" or "cut wire":
                var (there, back) = Moves(device);
                var said = program.Lines.Count;
                await RoomAsync(there);
                await Wait.UntilAsync($"{device} to be seen", () => Task.FromResult(program.Lines.Count > said), _limit, Cancel);
                await RoomAsync(back);
                break;
            case "reads a card":
                await RoomAsync($"card 42 4242 {(device.EndsWith("exit", StringComparison.Ordinal) ? "out" : "in")}");
                break;
            case "values":
                await program.LineAsync(it => it.Contains("Is that right", StringComparison.Ordinal), "values", _limit, Cancel);
                await program.TypeAsync("y");
                break;
            case "works":
                var offs = program.Lines.Count(it => it.StartsWith("Off.", StringComparison.Ordinal));
                await program.TypeAsync("");
                await Wait.UntilAsync($"{device} to be off again", () => Task.FromResult(program.Lines.Count(it => it.StartsWith("Off.", StringComparison.Ordinal)) > offs), _limit, Cancel);
                await program.TypeAsync("y");
                break;
            case "releases":
                await program.TypeAsync("");
                await UntilLockAsync(true);
                await LeaveAsync(program, "open", "The leaf is open");
                break;
            case "way out by the exit button":
                await RoomAsync("exit hold");
                await LeaveAsync(program, "open", "Seen: the way out");
                await RoomAsync("exit release");
                break;
            case "way out by the break glass" or "way out by the fire panel":
                await LeaveAsync(program, "push", "Seen: the way out");
                break;
            default:
                await program.TypeAsync("y");
                break;
        }
    }

    private async Task LeaveAsync(Child program, string how, string seen)
    {
        var before = program.Lines.Count(it => it.StartsWith(seen, StringComparison.Ordinal));
        await RoomAsync(how);
        await Wait.UntilAsync(seen, () => Task.FromResult(program.Lines.Count(it => it.StartsWith(seen, StringComparison.Ordinal)) > before), _limit, Cancel);
        await RoomAsync("close");
    }

    /// <returns>The check that has these words in its title, or an empty text when there is none.</returns>
    private static async Task<string> LeaveOutUntilAsync(Child program, string what)
    {
        for (var seen = 0; ;)
        {
            await Wait.UntilAsync(
                "another check", () => Task.FromResult(program.Ended.IsCompleted || program.Lines.Count(it => it.StartsWith('[')) > seen), _limit, Cancel);
            var asked = program.Lines.Where(it => it.StartsWith('[')).ToList();
            if (asked.Count > 0 && asked[^1].Contains(what, StringComparison.Ordinal)) return asked[^1];
            if (asked.Count == seen) return "";
            seen = asked.Count;
            if (program.Lines.Any(it => it.EndsWith(".json", StringComparison.Ordinal))) return "";
            await program.TypeAsync("s not here");
        }
    }

    private static (string There, string Back) Moves(string device) => device switch
    {
        "door-a.contact" => ("push", "close"),
        "door-a.button" => ("exit hold", "exit release"),
        "door-a.tamper" => ("tamper door on", "tamper door off"),
        "enclosure.tamper" => ("tamper enclosure on", "tamper enclosure off"),
        "mains" => ("mains off", "mains on"),
        "leak" => ("leak on", "leak off"),
        _ => throw new ArgumentException(device, nameof(device)),
    };

    private async Task UntilLockAsync(bool on) =>
        await Wait.UntilAsync($"the lock to be {(on ? "released" : "off")}", async () => (bool)(await StatusAsync())["lockOutput"]! == on, _limit, Cancel);

    private async Task<JsonNode> StatusAsync() => JsonNode.Parse((await RoomAsync("status"))["ok ".Length..])!;

    private async Task<string> RoomAsync(string command)
    {
        var answer = await RoomClient.SendAsync(Socket, command, Cancel);
        Assert.StartsWith("ok", answer, StringComparison.Ordinal);
        return answer;
    }

    [GeneratedRegex(@"^\[\d+/\d+\] [^,]* (\S+), ([^:]+):")]
    private static partial Regex Title();
}
