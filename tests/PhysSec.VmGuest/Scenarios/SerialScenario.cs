using System.Diagnostics;
using PhysSec.VmGuest.Machine;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>The machine's two serial lines, each the other's far end: where a reader on RS-485 will be played.</summary>
internal static class SerialScenario
{
    private static readonly TimeSpan _frameMax = TimeSpan.FromSeconds(2);

    public static void Play(Report report) => report.Play("every byte crosses from one serial line to the other and back, unchanged", it =>
    {
        foreach (var line in (string[])["/dev/ttyS0", "/dev/ttyS1"])
        {
            using var set = Process.Start("/bin/stty", ["-F", line, "raw", "-echo", "9600"]);
            set.WaitForExit();
            it.Expect(set.ExitCode == 0, $"{line} cannot be set");
        }

        using var first = Open("/dev/ttyS0");
        using var second = Open("/dev/ttyS1");
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        it.Expect(Crosses(first, second, all), "the bytes do not arrive at the second line");
        it.Expect(Crosses(second, first, all), "the bytes do not arrive at the first line");
    }, (_, _) => { });

    private static bool Crosses(FileStream from, FileStream to, byte[] bytes)
    {
        var arrived = new byte[bytes.Length];
        var reading = Task.Run(() => to.ReadExactly(arrived));
        from.Write(bytes);
        return Monotonic.Until(() => reading.IsCompleted, _frameMax) is not null && reading.IsCompletedSuccessfully && arrived.AsSpan().SequenceEqual(bytes);
    }

    private static FileStream Open(string line) => new(line, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
}
