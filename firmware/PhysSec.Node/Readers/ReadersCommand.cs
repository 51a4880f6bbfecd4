using System.Runtime.InteropServices;
using PhysSec.Hardware;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Readers;

/// <summary><c>physsec-node readers</c>: the OSDP reader link alone, to install readers and to find faults on their line.</summary>
internal static class ReadersCommand
{
    private const int Usage = 64;
    private const int TryAgain = 75;
    private const int Configuration = 78;

    public const string Help = """
        physsec-node readers --port PATH [--baud N] [--addresses 0-3] [--board FILE] --key HEX|install [--key-file FILE] [--new-key HEX|random]
                             [--seconds N] [--json] [--capture FILE] [--show-cards] [--rs485]
                             [--replace ADDRESSES] [--accept ADDRESSES]
                                           the OSDP readers of a line alone: what happens there, an event a line, counts at the end. install gives readers fresh from
                                           the factory a random key each, one after the other; keys are kept in the key file before they are sent. --capture
                                           writes every frame without its secrets. --board takes port, speed, addresses and the keys' names
                                           from a node's board file (its keys are in STATE/readers.keys). --replace forgets
                                           the reader that was at an address and installs the one that is there now; --accept takes another device that has the
                                           key for the right one. Exit 0: every reader was secured at the end, 1: not.
        physsec-node readers --port PATH --discover [--addresses 0-126] [--json]
                                           asks every address at every speed who is there; readers in use lose their session by it
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        var (options, fault) = ReadersOptions.Parse(args);
        if (options is null) return await SayAsync($"{fault}\n{Help}", Usage);

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var log = new ReaderLog(Console.Out, options.Json, options.ShowCards);
        try
        {
            if (options.KeyFile is { } file)
            {
                using var keys = ReaderKeyFile.Open(file, Tpm.OfBoard);
                keys.Hold(); // Said before anything of the port: whoever has the keys has that too.
            }

            if (PortFault(options, log, clock, stop.Token, out var found) is { } wrong) return await SayAsync(wrong, 1);
            if (options.Discover) return found ? 0 : 1;
            using var run = new ReadersRun(options, log, clock);
            return await run.RunAsync(stop.Token) ? 0 : 1;
        }
        catch (TpmException failure)
        {
            return await SayAsync($"--key-file: {failure.Message}", 1);
        }
        catch (ReaderKeysHeldException held)
        {
            return await SayAsync($"--key-file: {held.Message}", TryAgain);
        }
        catch (InvalidDataException spoilt)
        {
            return await SayAsync($"--key-file: {spoilt.Message}", Configuration);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return await SayAsync($"--key-file, --capture: {failure.Message} Give a place that you may write to.", 1);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    /// <summary>What is wrong with the port is better said at once than looked for again and again; null: nothing. Searches where that was asked for.</summary>
    private static string? PortFault(ReadersOptions options, ReaderLog log, TimeProvider clock, CancellationToken stop, out bool found)
    {
        found = false;
        try
        {
            if (options.Discover) found = Discover(options, log, clock, stop);
            else SerialLine.Open(options.Line).Dispose();
            return null;
        }
        catch (IOException failure)
        {
            return $"--port: {failure.Message} Check the name (ls /dev/serial/by-id), the cable, the user's group (dialout), and that no node or other program has it.";
        }
    }

    private static bool Discover(ReadersOptions options, ReaderLog log, TimeProvider clock, CancellationToken stop)
    {
        var start = clock.GetTimestamp();
        var any = false;
        foreach (var it in OsdpDiscovery.Search(options.Line, OsdpTiming.Bauds, options.Addresses, clock, stop))
        {
            any = true;
            log.Write(clock.GetElapsedTime(start), "found",
                [("baud", it.Baud), ("address", (int)it.Address), .. (it.Identity is { } identity ? ReaderLog.Of(identity) : []), ("onDefaultKey", it.OnDefaultKey)]);
        }

        log.Write(clock.GetElapsedTime(start), "searched", ("bauds", OsdpTiming.Bauds.Count), ("addresses", options.Addresses.Count), ("found", any),
            ("remedy", any ? null : "Nobody answers: check power, polarity (A and B swapped), termination, and that the adapter switches its direction."));
        return any;
    }

    private static async Task<int> SayAsync(string text, int code)
    {
        await Console.Error.WriteLineAsync("physsec-node readers: " + text);
        return code;
    }
}
