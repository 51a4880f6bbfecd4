using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Node.Readers;
using PhysSec.Tests.Hardware;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Readers;

/// <summary><c>physsec-node readers</c> against virtual readers at the other end of a real pseudo-terminal.</summary>
public sealed class ReadersRunTests : IDisposable
{
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("readers");
    private readonly EventLines _lines = new();

    public void Dispose()
    {
        _lines.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(9_600)]
    [InlineData(115_200)]
    public async Task Readers_with_the_key_are_secured_and_what_happens_at_them_is_told_without_secrets(int baud)
    {
        using var readers = new VirtualReaders([.. new byte[] { 0, 1 }.Select(it => new PeripheralSettings { Address = it, Key = Key(1) })], baud, TimeProvider.System);
        var capture = Path.Combine(_folder.FullName, "line.txt");
        using (var run = Start(readers.Port, baud, "--addresses", "0-1", "--key", Convert.ToHexString(Key(1).Export()), "--capture", capture))
        {
            await _lines.Wait("online", 0);
            Assert.True((bool)(await _lines.Wait("online", 1))["secured"]!);
            await _lines.Wait("status", 1);
            await Settled(readers, 1);

            readers.With((bus, _) =>
            {
                bus.Readers[1].Present(_card);
                bus.Readers[1].Press(7);
                bus.Readers[1].Status = new(Tamper: true, PowerFault: false);
                return true;
            });

            Assert.Equal(26, (int)(await _lines.Wait("card", 1))["bits"]!);
            await _lines.Wait("key", 1);
            await _lines.Wait("status", 1, it => (bool)it["tamper"]!);
            Assert.True(await run.Stop());
        }

        Assert.Equal(2, _lines.Count("statistics"));
        var text = _lines.Text + await File.ReadAllTextAsync(capture, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Convert.ToHexString(Key(1).Export()), text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(_card.Value.ToString("X", CultureInfo.InvariantCulture), text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("BD D9 37", text, StringComparison.Ordinal);
        Assert.Contains("Keypad", text, StringComparison.Ordinal); // That a key was pressed is no secret; which one is.
    }

    [Fact]
    public async Task Readers_fresh_from_the_factory_get_a_key_each_that_is_kept_and_found_again()
    {
        using var readers = new VirtualReaders([new() { Address = 0 }, new() { Address = 1 }], 115_200, TimeProvider.System);
        var keys = Path.Combine(_folder.FullName, "k");
        using (var run = Start(readers.Port, 115_200, "--addresses", "0-1", "--key", "install", "--key-file", keys))
        {
            await _lines.Wait("key-installed", 0);
            await _lines.Wait("key-installed", 1);
            await _lines.Wait("online", 1);
            await run.Stop();
        }

        using var kept = ReaderKeyFile.Open(keys);
        kept.Dispose(); // The next run is to have it.
        var given = readers.With((bus, _) => bus.Readers.Select(it => it.Key).ToList());
        Assert.Equal(given, [kept.Of("0").Keys.Current, kept.Of("1").Keys.Current]);
        Assert.NotEqual(given[0], given[1]);
        _lines.Clear();
        using var again = Start(readers.Port, 115_200, "--addresses", "0-1", "--key-file", keys);
        await _lines.Wait("online", 0);
        await _lines.Wait("online", 1);
        Assert.True(await again.Stop());
    }

    [Fact]
    public async Task A_changed_key_is_proved_by_the_reader_and_kept()
    {
        using var readers = new VirtualReaders([new() { Address = 5, Key = Key(1) }], 9_600, TimeProvider.System);
        var keys = Path.Combine(_folder.FullName, "k");
        using var run = Start(readers.Port, 9_600, "--addresses", "5", "--key", Convert.ToHexString(Key(1).Export()), "--new-key", "random", "--key-file", keys);

        var installed = await _lines.Wait("key-installed", 5);

        var now = readers.With((bus, _) => bus.Readers[0].Key)!;
        Assert.NotEqual(Key(1), now);
        Assert.Equal(now.Fingerprint, (string)installed["key"]!);
        using (var kept = ReaderKeyFile.Open(keys)) Assert.Equal(new OsdpKeyState(now, null), kept.Of("5").Keys);
        await run.Stop();
    }

    [Fact]
    public async Task Another_device_is_accepted_or_put_in_the_place_of_the_one_before_when_the_installer_says_so()
    {
        var keys = Path.Combine(_folder.FullName, "k");
        var other = new PeripheralSettings { Address = 5 }.Identity with { Serial = 77 };
        using (var file = ReaderKeyFile.Open(keys)) file.Store("5", new(new(Key(1), null), new(new PeripheralSettings { Address = 5 }.Identity, null)));
        using (var readers = new VirtualReaders([new() { Address = 5, Key = Key(1), Identity = other }], 115_200, TimeProvider.System))
        {
            using (var run = Start(readers.Port, 115_200, "--key-file", keys, "--addresses", "5"))
            {
                Assert.Equal("0000004D", (string)(await _lines.Wait("other-device", 5))["serial"]!);
                Assert.False(await run.Stop());
            }

            _lines.Clear();
            using var accept = Start(readers.Port, 115_200, "--key-file", keys, "--accept", "5");
            await _lines.Wait("online", 5);
            Assert.True(await accept.Stop());
        }

        _lines.Clear();
        using var fresh = new VirtualReaders([new() { Address = 5 }], 115_200, TimeProvider.System);
        using (var replace = Start(fresh.Port, 115_200, "--key-file", keys, "--replace", "5"))
        {
            await _lines.Wait("key-installed", 5);
            await _lines.Wait("online", 5);
            Assert.True(await replace.Stop());
        }

        using var kept = ReaderKeyFile.Open(keys);
        Assert.Equal(fresh.With((bus, _) => bus.Readers[0].Key), kept.Of("5").Keys.Current);
        Assert.Equal(new PeripheralSettings { Address = 5 }.Identity, kept.Of("5").Pin?.Identity);
    }

    [Fact]
    public async Task An_adapter_that_was_pulled_out_is_told_of_found_again_and_its_readers_with_it()
    {
        var link = Path.Combine(_folder.FullName, "port");
        var settings = new PeripheralSettings { Address = 0, Key = Key(1) };
        var readers = new VirtualReaders([settings], 115_200, TimeProvider.System, link);
        using var run = Start(link, 115_200, "--key", Convert.ToHexString(Key(1).Export()));
        await _lines.Wait("online", 0);

        for (var round = 0; round < 3; round++)
        {
            readers.Dispose();
            await _lines.Wait("line", null, it => !(bool)it["up"]!);
            _lines.Clear();
            readers = new VirtualReaders([settings], 115_200, TimeProvider.System, link);
            await _lines.Wait("line", null, it => (bool)it["up"]!);
            await Settled(readers, 0);
            readers.With((bus, _) =>
            {
                bus.Readers[0].Present(_card);
                return true;
            });
            await _lines.Wait("card", 0);
            _lines.Clear();
        }

        Assert.True(await run.Stop());
        readers.Dispose();
    }

    [Fact]
    public async Task A_reader_with_another_key_is_told_of_as_such_and_never_spoken_to_in_clear()
    {
        using var readers = new VirtualReaders([new() { Address = 0, Key = Key(1) }], 115_200, TimeProvider.System);
        using var run = Start(readers.Port, 115_200, "--key", Convert.ToHexString(Key(2).Export()));

        Assert.Equal("keyMismatch", (string)(await _lines.Wait("security", 0))["kind"]!);
        Assert.False(await run.Stop());
        Assert.Equal(0, _lines.Count("online"));
    }

    [Fact]
    public void Discovery_finds_each_reader_at_its_speed_and_address_and_says_who_still_has_the_default_key()
    {
        using var readers = new VirtualReaders([new() { Address = 1 }, new() { Address = 3, Key = Key(1) }], 38_400, TimeProvider.System);

        var found = OsdpDiscovery.Search(new(readers.Port, 9_600), [9_600, 38_400], [0, 1, 2, 3], TimeProvider.System, TestContext.Current.CancellationToken).ToList();

        Assert.Equal([(38_400, 1, true), (38_400, 3, false)], found.Select(it => (it.Baud, (int)it.Address, it.OnDefaultKey!.Value)));
        Assert.All(found, it => Assert.Equal(new PeripheralSettings { Address = 0 }.Identity, it.Identity));
    }

    private Running Start(string port, int baud, params string[] more)
    {
        var (options, fault) = ReadersOptions.Parse(["--port", port, "--baud", baud.ToString(CultureInfo.InvariantCulture), "--json", .. more]);
        Assert.Null(fault);
        return new Running(new ReadersRun(options!, new ReaderLog(_lines, json: true, showCards: false), TimeProvider.System));
    }

    /// <summary>What was at the reader before the link was there counts for nothing: a card comes after that.</summary>
    private static async Task Settled(VirtualReaders readers, int index)
    {
        using var patience = new CancellationTokenSource(RunningRoom.Patience, TimeProvider.System);
        while (!readers.With((bus, _) => bus.IsSecured(bus.Readers[index]) && bus.Links[index].Polls > 2)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
    }

    private sealed class Running : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ReadersRun _run;
        private readonly Task<bool> _running;

        public Running(ReadersRun run) => (_run, _running) = (run, run.RunAsync(_stop.Token));

        public async Task<bool> Stop()
        {
            await _stop.CancelAsync();
            return await _running;
        }

        public void Dispose()
        {
            _stop.Cancel();
            _run.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>The command's output, as events that a test can wait for.</summary>
    private sealed class EventLines : StringWriter
    {
        private readonly Lock _gate = new();
        private readonly StringBuilder _all = new();
        private readonly List<JsonNode> _events = [];
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Text
        {
            get
            {
                lock (_gate) return _all.ToString();
            }
        }

        public override void WriteLine(string? value)
        {
            TaskCompletionSource told;
            lock (_gate)
            {
                _all.AppendLine(value);
                _events.Add(JsonNode.Parse(value!)!);
                (told, _more) = (_more, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            told.SetResult();
        }

        public void Clear()
        {
            lock (_gate) _events.Clear();
        }

        public int Count(string name)
        {
            lock (_gate) return _events.Count(it => (string)it["event"]! == name);
        }

        public async Task<JsonNode> Wait(string name, int? address, Func<JsonNode, bool>? also = null)
        {
            while (true)
            {
                Task more;
                lock (_gate)
                {
                    if (_events.Find(it => (string)it["event"]! == name && (int?)it["address"] == address && (also is null || also(it))) is { } found) return found;
                    more = _more.Task;
                }

                try
                {
                    await more.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
                }
                catch (TimeoutException)
                {
                    throw new TimeoutException($"no {name} of {address} came:\n{Text}");
                }
            }
        }
    }
}
