using System.Diagnostics;
using System.Runtime.InteropServices;
using PhysSec.Core.Proof;
using PhysSec.Verify;
using PhysSec.Verify.Witness;

const string Help = """
    physsec-verify PACK [--checkpoint FILE]... [--key VKEY] [--cosigner VKEY]...
    Says what an evidence pack proves, what it leaves open and what is wrong with it. Needs no network and no database.
      --checkpoint  a checkpoint that you got earlier and kept: the file from the mail, the drop folder or the console
      --key         the ledger's public key as you noted it earlier
      --cosigner    the public key of a second machine that cosigns checkpoints
    physsec-verify witness …  is that second machine's part (witness --help)
    Exit codes: 0 proven and nothing wrong, 1 something is wrong or there is nothing to verify, 64 wrong use.
    証拠パックが何を証明し、何を証明しないかを示します。ネットワークもデータベースも使いません。
    """;

if (args is ["witness", .. var rest])
{
    if (rest is ["--help" or "-h"]) return Say(WitnessCommand.Help, 0);
    using var stop = new CancellationTokenSource();
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    return await WitnessCommand.RunAsync(rest, TimeProvider.System, Console.Out, stop.Token);

    void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        stop.Cancel();
    }
}

var (files, checkpoints, cosigners, key) = (new List<string>(), new List<string>(), new List<string>(), (string?)null);
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--checkpoint" or "--key" or "--cosigner" when i + 1 == args.Length:
            return Say($"physsec-verify: {args[i]} has no value\n{Help}", 64);
        case "--checkpoint":
            checkpoints.Add(args[++i]);
            break;
        case "--key":
            key = args[++i];
            break;
        case "--cosigner":
            cosigners.Add(args[++i]);
            break;
        case "--help" or "-h":
            return Say(Help, 0);
        case ['-', ..]:
            return Say($"physsec-verify: there is no option {args[i]}\n{Help}", 64);
        default:
            files.Add(args[i]);
            break;
    }
}

if (files.Count != 1) return Say(Help, 64);
try
{
    if (key is not null) NoteKey.Parse(key); // A slip of the pen is told as what it is, and not as the pack's fault.
    foreach (var it in cosigners) NoteKey.Parse(it, NoteAlgorithm.Cosignature);
    var own = new Own([.. checkpoints.Select(File.ReadAllText)], key, TimeProvider.System.GetUtcNow()) { Cosigners = cosigners };
    using var pack = File.OpenRead(files[0]);
    var started = Stopwatch.GetTimestamp();
    long read = 0;
    var verdict = PackVerifier.Verify(pack, own, count =>
    {
        if (count - read >= 100_000 && !Console.IsErrorRedirected) Console.Error.Write($"\r{read = count} … ");
    });
    Console.Error.Write(read > 0 ? "\r" : "");
    foreach (var kind in (FindingKind[])[FindingKind.Wrong, FindingKind.Proven, FindingKind.Open])
    {
        foreach (var it in verdict.Findings.Where(it => it.Kind == kind).Take(100))
            Console.WriteLine($"{(kind == FindingKind.Proven ? "[証明 proven]  " : kind == FindingKind.Open ? "[未証明 open]  " : "[異常 WRONG]   ")}{it.Ja}\n               {it.En}");
    }

    if (verdict.FirstWrong is { } first) Console.WriteLine($"最初の異常 first wrong record: {first + 1}");
    Console.WriteLine(verdict.Good
        ? "結果: 異常はありません。 / Result: nothing is wrong."
        : "結果: この証拠パックは信用できません。 / Result: this evidence pack is not to be trusted.");
    Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
    return verdict.Good ? 0 : 1;
}
catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException)
{
    return Say($"physsec-verify: {fault.Message}", 1);
}

static int Say(string text, int code)
{
    (code == 0 ? Console.Out : Console.Error).WriteLine(text);
    return code;
}
