using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PhysSec.VmGuest.Machine;

/// <summary>Who gets the machine's one processor.</summary>
internal static partial class Priority
{
    private const int Fifo = 1;

    /// <summary>Does what hardware does, which no program delays; the kernel's interrupt threads (50) still come first.</summary>
    public static void AsHardware(Action act)
    {
        var refused = false;
        var thread = new Thread(() =>
        {
            refused = SetScheduler(0, Fifo, 10) != 0;
            act();
        });
        thread.Start();
        thread.Join();
        if (refused) throw new InvalidOperationException("the real-time priority was refused");
    }

    /// <summary>A program that always wants the processor, at the node's own priority.</summary>
    public static Process Burn() => Process.Start("/bin/sh", ["-c", "while :; do :; done"]);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int thread, int policy, in int priority);
}
