using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

/// <summary><c>physsec-node readers</c> as a program of its own, against virtual readers at the other end of a pseudo-terminal.</summary>
public sealed class ReadersCommandTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("physsec-readers-").FullName;

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory(Timeout = 180_000)]
    [InlineData(9_600)]
    [InlineData(115_200)]
    public async Task Readers_are_installed_found_again_and_read_and_no_card_or_key_is_written_anywhere(int baud)
    {
        using var readers = new VirtualReaders([new() { Address = 0 }, new() { Address = 1 }], baud, TimeProvider.System);
        var capture = Path.Combine(_folder, "line.txt");
        await using (var install = Start(readers.Port, baud, "--addresses", "0-1", "--key", "install", "--key-file", "keys"))
        {
            await Event(install, "key-installed", 0);
            await Event(install, "key-installed", 1);
            await install.KillAsync();
        }

        await using var run = Start(readers.Port, baud, "--addresses", "0-1", "--key-file", "keys", "--capture", capture);
        await Event(run, "online", 0);
        await Event(run, "heads", 1); // The last thing that is asked before cards count.
        for (var shown = 0; Events(run, "card", 1).Count == 0 && shown < 60; shown++)
        {
            readers.With((bus, _) =>
            {
                bus.Readers[1].Present(WiegandFrame.Encode26(123, 45_678));
                return true;
            });
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, Cancel);
        }

        Assert.Equal(26, (int)(await Event(run, "card", 1))["bits"]!);
        var text = string.Join('\n', run.Lines) + await File.ReadAllTextAsync(capture, Cancel);
        Assert.DoesNotContain("BD D9 37", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("2F764DD", text, StringComparison.OrdinalIgnoreCase);
        foreach (var key in readers.With((bus, _) => bus.Readers.Select(it => Convert.ToHexString(it.Key!.Export())).ToList())) Assert.DoesNotContain(key, text, StringComparison.OrdinalIgnoreCase);
    }

    [Theory(Timeout = 180_000)]
    [InlineData("key-kept")]
    [InlineData("key-installed")]
    public async Task A_program_that_is_killed_in_the_midst_of_a_key_change_leaves_reader_and_file_with_one_key(string at)
    {
        using var readers = new VirtualReaders([new() { Address = 0 }], 115_200, TimeProvider.System);
        await using (var install = Start(readers.Port, 115_200, "--key", "install", "--key-file", "keys"))
        {
            await Event(install, "online", 0);
            await install.KillAsync();
        }

        for (var round = 0; round < 5; round++)
        {
            await using (var change = Start(readers.Port, 115_200, "--key-file", "keys", "--new-key", "random"))
            {
                await Event(change, at, 0);
                await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(60)), TimeProvider.System, Cancel); // Anywhere in it.
                await change.KillAsync();
            }

            await using var after = Start(readers.Port, 115_200, "--key-file", "keys");
            await Event(after, "online", 0);
            var tries = 0;
            while (Proved(after) != readers.With((bus, _) => bus.Readers[0].Key!.Fingerprint))
            {
                Assert.True(tries++ < 600, $"round {round}: {string.Join('\n', after.Lines)}");
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel);
            }
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("--port", "/dev/no-such-port")]
    [InlineData("--port", "/dev/null")]
    public async Task A_port_that_is_none_is_said_at_once_with_what_to_do(string option, string port)
    {
        await using var run = Start(port, 9_600, "--key-file", "keys");

        Assert.Equal(1, await run.Ended.WaitAsync(_limit, TimeProvider.System, Cancel));

        Assert.Contains(run.Lines, it => it.Contains($"{option}: {port}", StringComparison.Ordinal) && it.Contains("Check the name", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_second_program_ends_at_once_and_says_who_has_the_keys_and_a_killed_one_holds_nothing()
    {
        using var readers = new VirtualReaders([new() { Address = 0 }], 115_200, TimeProvider.System);
        await using (var first = Start(readers.Port, 115_200, "--key", "install", "--key-file", "keys"))
        {
            await Event(first, "online", 0);
            await using var second = Start(readers.Port, 115_200, "--key-file", "keys", "--new-key", "random");
            Assert.Equal(75, await second.Ended.WaitAsync(_limit, TimeProvider.System, Cancel));
            Assert.Contains(second.Lines, it => it.Contains("stop the service", StringComparison.Ordinal));
            await first.KillAsync();
        }

        await using var third = Start(readers.Port, 115_200, "--key-file", "keys");
        await Event(third, "online", 0);
    }

    /// <summary>The fingerprint of the key that the reader has proved last.</summary>
    private static string? Proved(Child run) => (string?)run.Lines.Where(it => it.StartsWith('{')).Select(it => JsonNode.Parse(it)!)
        .LastOrDefault(it => (string)it["event"]! is "online" or "key-installed")?["key"];

    private static List<JsonNode> Events(Child run, string name, int address) =>
        [.. run.Lines.Where(it => it.StartsWith('{')).Select(it => JsonNode.Parse(it)!).Where(it => (string)it["event"]! == name && (int?)it["address"] == address)];

    private async Task<JsonNode> Event(Child run, string name, int address)
    {
        var mark = string.Create(CultureInfo.InvariantCulture, $"\"event\":\"{name}\",\"address\":{address}");
        return JsonNode.Parse(await run.LineAsync(it => it.Contains(mark + ",", StringComparison.Ordinal) || it.Contains(mark + "}", StringComparison.Ordinal), $"{name} of {address}", _limit, Cancel))!;
    }

    private Child Start(string port, int baud, params string[] more) => Child.Start(
        "readers", "dotnet", [Programs.Node, "readers", "--port", port, "--baud", baud.ToString(CultureInfo.InvariantCulture), "--seconds", "120", "--json", .. more], folder: _folder);
}
