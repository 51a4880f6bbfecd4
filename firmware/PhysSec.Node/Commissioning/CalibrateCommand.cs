using System.Collections.Concurrent;
using System.Globalization;
using PhysSec.Hardware;
using PhysSec.Node.Health;

namespace PhysSec.Node.Commissioning;

/// <summary><c>physsec-node calibrate</c>: a supervised line is measured with its contact closed and open, and its bands drawn close around that.</summary>
internal static class CalibrateCommand
{
    private const int Usage = 64;
    private const int TryAgain = 75;
    private const int Configuration = 78;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    public const string Help = """
        physsec-node calibrate INPUT --board FILE [--state DIR]
                                           while no node runs: measure a supervised line closed and open; kept in DIR/commissioning, or refused with the reason (exit 1)
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        string? input = null, board = null, state = "/var/lib/physsec-node";
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            if (args[i] == "--board" && value is not null) (board, i) = (value, i + 1);
            else if (args[i] == "--state" && value is not null) (state, i) = (Path.GetFullPath(value), i + 1);
            else if (input is null && !args[i].StartsWith('-')) input = args[i];
            else return await FailAsync($"\"{args[i]}\" is not expected here\n{Help}", Usage);
        }

        if (input is null || board is null) return await FailAsync($"name the input and its --board file\n{Help}", Usage);
        if (HealthFile.RunningNode(state, clock) is { } running) return await FailAsync($"a node runs here ({running}); stop it first: systemctl stop physsec-node. 先に制御装置サービスを停止してください。", TryAgain);
        try
        {
            var file = BoardFile.Load(board);
            var lines = file.Devices.OfType<SupervisedEntry>().ToList();
            if (lines.Find(it => it.Id == input) is not { } entry)
                return await FailAsync($"{input} is no supervised line of this board; name one of: {string.Join(", ", lines.Select(it => it.Id))}", Usage);

            // Nothing but this converter is opened: no lock, lamp or siren is touched.
            using var opened = Board.Open(file with { Devices = [.. lines.Where(it => (it.Bus, it.Address) == (entry.Bus, entry.Address))] }, clock);
            return await MeasureAsync(opened.Lines.First(it => it.Entry.Id == input), new CommissioningFolder(state), Console.In, Console.Out, clock);
        }
        catch (BoardFileException failure)
        {
            return await FailAsync(failure.Message, Configuration);
        }
        catch (Exception failure) when (failure is BoardOpenException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return await FailAsync(failure.Message, 1);
        }
    }

    /// <returns>0: kept; 1: refused; 75: nobody answered.</returns>
    internal static async Task<int> MeasureAsync(SupervisedInput line, CommissioningFolder folder, TextReader from, TextWriter to, TimeProvider clock)
    {
        await to.WriteLineAsync($"{line.Entry.Id}: {line.Entry.Wiring}");
        await to.WriteLineAsync("Bring the contact into its closed state, then Enter. 接点を「閉」にして Enter を押してください。");
        if (await from.ReadLineAsync() is null) return TryAgain;
        var closed = await SampleAsync(line, clock);
        await to.WriteLineAsync("Bring the contact into its open state, then Enter. 接点を「開」にして Enter を押してください。");
        if (await from.ReadLineAsync() is null) return TryAgain;
        var open = await SampleAsync(line, clock);

        var (calibration, refusal) = LineCalibration.Judge(line.Entry, line.Entry.Bands(), closed, open);
        if (calibration is null)
        {
            await to.WriteLineAsync($"Refused: {refusal}. 校正できません。抵抗と配線を確認してください。");
            return 1;
        }

        folder.Keep(calibration);
        await to.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Kept: closed {calibration.Closed:0.000}, open {calibration.Open:0.000} of the excitation. 校正値を保存しました。"));
        return 0;
    }

    private static async Task<IReadOnlyList<double?>> SampleAsync(SupervisedInput line, TimeProvider clock)
    {
        var samples = new ConcurrentQueue<double?>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // Not on the thread that samples.
        void Take(double? ratio)
        {
            if (samples.Count < LineCalibration.Samples) samples.Enqueue(ratio);
            if (samples.Count >= LineCalibration.Samples) enough.TrySetResult();
        }

        line.Sampled += Take;
        await Task.WhenAny(enough.Task, Task.Delay(_patience, clock));
        line.Sampled -= Take;
        return [.. samples];
    }

    private static async Task<int> FailAsync(string text, int code)
    {
        await Console.Error.WriteLineAsync("physsec-node: " + text);
        return code;
    }
}
