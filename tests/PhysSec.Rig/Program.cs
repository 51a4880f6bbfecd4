using System.Globalization;
using System.Runtime.InteropServices;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Rig;
using PhysSec.Rig.Faults;
using PhysSec.Rig.Soak;
using PhysSec.Rig.Story;

const int Usage = 64;

Console.OutputEncoding = System.Text.Encoding.UTF8;
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

try
{
    return args switch
    {
        ["demo", .. var rest] => await DemoAsync(Arguments.Parse(rest, ["--state", "--broker"], ["--story", "--ups", "--verbose"])),
        ["sim", .. var rest] => await SimAsync(rest),
        ["soak", "kill", .. var rest] => await SoakAsync(Arguments.Parse(rest, ["--rounds", "--seed"], ["--verbose"])),
        ["soak", "faults", .. var rest] => await FaultsAsync(Arguments.Parse(rest, ["--rounds", "--seed", "--only"], ["--verbose"])),
        ["room", var board, .. var command] => await RoomAsync(BoardFile.Load(board), command),
        _ => throw new UsageException("give one of: demo, sim, soak kill, soak faults, room"),
    };
}
catch (UsageException wrong)
{
    Console.Error.WriteLine(wrong.Message);
    return Usage;
}
catch (RigException failure)
{
    Console.Error.WriteLine($"✗ {failure.Message}");
    return 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.WriteLine("stopped 終了しました");
    return 130;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true; // Everything is stopped in order instead.
    stop.Cancel();
}

async Task<int> DemoAsync(Arguments given)
{
    var story = given.Has("--story");
    var options = new InstanceOptions
    {
        State = given["--state"],
        Broker = given["--broker"] switch
        {
            null or "embedded" => BrokerKind.Embedded,
            "mosquitto" => BrokerKind.Mosquitto,
            var other => throw new UsageException($"--broker is embedded or mosquitto, not \"{other}\""),
        },
        Board = InstanceOptions.TwoDoors,
        Ups = given.Has("--ups") || story,
        Restart = !story,
        Say = story && !given.Has("--verbose") ? null : Console.WriteLine,
    };
    Console.WriteLine("starting hub, node and room… 起動しています…");
    int[] pids;
    var code = 0;
    await using (var instance = await Instance.StartAsync(options, stop.Token))
    {
        pids = instance.Pids;
        if (story) code = await DayStory.PlayAsync(instance, Console.Out, stop.Token);
        else await Demo.RunAsync(instance, Console.Out, stop.Token);
        pids = [.. pids.Union(instance.Pids)];
    }

    if (pids.Where(Child.IsAlive).ToArray() is { Length: > 0 } left)
        throw new RigException($"still running after the end: {string.Join(", ", left)}");
    Console.WriteLine("everything is stopped すべて終了しました");
    return code;
}

async Task<int> SimAsync(string[] rest)
{
    if (rest is ["totp", var secret])
    {
        Console.WriteLine(Totp.Code(secret, TimeProvider.System.GetUtcNow()));
        return 0;
    }

    string? state = null;
    if (rest is ["--state", var folder, .. var others]) (state, rest) = (folder, others);
    if (rest is [] or ["help"])
    {
        Console.WriteLine(Demo.Commands);
        return 0;
    }

    var demo = Endpoints.Read(state);
    if (rest is ["pin" or "duress", var badge, .. var side] && !side.Any(it => it.All(char.IsAsciiDigit)))
    {
        if (!Codes.Read((string)demo["state"]!).TryGetValue(badge, out var codes)) throw new UsageException($"{badge} has no PIN in this demo; those of the anteroom have: {string.Join(", ", Codes.Read((string)demo["state"]!).Keys)}");
        rest = ["pin", badge, rest[0] == "pin" ? codes.Code : codes.Duress, .. side is [] ? [Instance.SecondDoor] : side];
    }

    var answer = await RoomClient.SendAsync((string)demo["room"]!, string.Join(' ', rest), stop.Token);
    Console.WriteLine(answer);
    return answer.StartsWith("ok", StringComparison.Ordinal) ? 0 : 1;
}

// The simulated room of a board file alone, for a node that is not started here; with a command it acts on the one that runs.
async Task<int> RoomAsync(BoardFile board, string[] command)
{
    var socket = board.Hardware.Socket ?? throw new UsageException("that board file is of a real board");
    if (command is [])
    {
        await new RoomServer(socket, RoomParameters.For(board), DemoPerson.Badges, TimeProvider.System).RunAsync(stop.Token);
        return 0;
    }

    var answer = await RoomClient.SendAsync(socket, string.Join(' ', command), stop.Token);
    Console.WriteLine(answer);
    return answer.StartsWith("ok", StringComparison.Ordinal) ? 0 : 1;
}

async Task<int> SoakAsync(Arguments given)
{
    var rounds = given.Number("--rounds", 20, 1, 100_000);
    var seed = given.Number("--seed", RandomNumberSeed(), 0, int.MaxValue);
    return await KillSoak.RunAsync(rounds, seed, Console.Out, given.Has("--verbose") ? Console.WriteLine : null, stop.Token);
}

async Task<int> FaultsAsync(Arguments given)
{
    var scenarios = given["--only"] is { } only ? [.. only.Split(',').Select(FaultSoak.Named)] : FaultSoak.All;
    var seed = given.Number("--seed", RandomNumberSeed(), 0, int.MaxValue);
    return await FaultSoak.RunAsync(scenarios, given.Number("--rounds", 3, 1, 100_000), seed, Console.Out, given.Has("--verbose") ? Console.WriteLine : null, stop.Token);
}

static int RandomNumberSeed() => System.Security.Cryptography.RandomNumberGenerator.GetInt32(int.MaxValue);

internal sealed class UsageException(string message) : Exception(message);

/// <summary>Arguments of a verb: <c>--name value</c>, <c>--name=value</c> and switches.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string?> _given = [];

    public string? this[string name] => _given.GetValueOrDefault(name);

    public static Arguments Parse(string[] words, string[] named, string[] switches)
    {
        var result = new Arguments();
        for (var i = 0; i < words.Length; i++)
        {
            var (name, value) = words[i].Split('=', 2) is [var left, var right] ? (left, right) : (words[i], null);
            if (switches.Contains(name) && value is null) result._given[name] = null;
            else if (!named.Contains(name)) throw new UsageException($"\"{words[i]}\" is not known here; there are: {string.Join(", ", named.Concat(switches))}");
            else if ((value ?? (i + 1 < words.Length ? words[++i] : null)) is not { Length: > 0 } found) throw new UsageException($"{name} needs a value");
            else result._given[name] = found;
        }

        return result;
    }

    public bool Has(string name) => _given.ContainsKey(name);

    public int Number(string name, int otherwise, int min, int max) =>
        this[name] is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
        : throw new UsageException($"{name} is a number from {min} to {max}, not \"{text}\"");
}
