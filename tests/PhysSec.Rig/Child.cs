using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PhysSec.Rig;

/// <summary>A program started by the rig: its output is passed on with its name in front, its end is ours to bring about.</summary>
public sealed partial class Child : IAsyncDisposable
{
    private const int LinesKept = 2_000;
    private const int SigTerm = 15;
    private const int SigKill = 9;

    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Child(string name, Process process)
    {
        (Name, _process) = (name, process);
        Pid = process.Id;
    }

    public string Name { get; }

    public int Pid { get; }

    /// <summary>The exit code, once the program has ended and its output is read.</summary>
    public Task<int> Ended => _ended.Task;

    /// <summary>The last 2,000 lines that the program wrote.</summary>
    public IReadOnlyList<string> Lines
    {
        get { lock (_gate) return [.. _lines]; }
    }

    /// <summary>Starts a program. Null in <paramref name="environment"/> removes a variable; <paramref name="typed"/> leaves its input open for <see cref="TypeAsync"/>.</summary>
    /// <exception cref="RigException">The program is missing or may not be started.</exception>
    public static Child Start(
        string name, string file, IEnumerable<string> arguments, Action<string>? say = null,
        IReadOnlyDictionary<string, string?>? environment = null, string? folder = null, bool typed = false)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string?>()) start.Environment[key] = value;

        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        try
        {
            process.Start();
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            process.Dispose();
            throw new RigException($"{file} cannot be started: {failure.Message}. Is it installed?");
        }

        if (!typed) process.StandardInput.Close();
        var child = new Child(name, process);
        child.Follow(say);
        return child;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="RigException">It ended with another code than 0, or not within <paramref name="limit"/>.</exception>
    public static async Task<string> RunAsync(
        string name, string file, IEnumerable<string> arguments, TimeSpan limit, CancellationToken cancel = default)
    {
        await using var child = Start(name, file, arguments);
        int code;
        try
        {
            code = await child.Ended.WaitAsync(limit, TimeProvider.System, cancel);
        }
        catch (TimeoutException)
        {
            throw new RigException($"{name} did not end within {limit.TotalSeconds:F0} s. {child.Tail()}");
        }

        return code == 0
            ? string.Join('\n', child.Lines)
            : throw new RigException($"{name} ended with code {code}. {child.Tail()}");
    }

    /// <summary>The first line that fits, also one written before the call.</summary>
    /// <exception cref="RigException">The program ended, or no such line came within <paramref name="limit"/>.</exception>
    public Task<string> LineAsync(Func<string, bool> wanted, string what, TimeSpan limit, CancellationToken cancel = default) =>
        Wait.ForAsync(
            $"{Name}: {what}",
            () => Lines.FirstOrDefault(wanted) is { } line ? Task.FromResult<string?>(line)
                : Ended.IsCompleted ? throw new RigException($"{Name} ended with code {Ended.Result} before it said {what}. {Tail()}")
                : Task.FromResult<string?>(null),
            limit, cancel);

    /// <summary>A line, as a person at the terminal types it.</summary>
    public async Task TypeAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await Ended;
    }

    /// <summary>Asks the program to end (SIGTERM); after 10 s it is killed.</summary>
    public async Task StopAsync()
    {
        Signal(SigTerm);
        try
        {
            await Ended.WaitAsync(_grace, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    /// <summary>Whether a process with this id is still there (a zombie is not).</summary>
    public static bool IsAlive(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..][0] is not 'Z' and not 'X';
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>What the program said last, for an error message.</summary>
    public string Tail() => $"It said last: {string.Join(" | ", Lines.TakeLast(6))}";

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int pid, int signal);

    private void Signal(int signal)
    {
        if (!Ended.IsCompleted && !_process.HasExited) _ = Kill(Pid, signal);
    }

    private async Task ReadAsync(StreamReader reader, Action<string>? say)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                _lines.Enqueue(line);
                if (_lines.Count > LinesKept) _lines.Dequeue();
            }

            say?.Invoke($"{Name} | {line}");
        }
    }

    private void Follow(Action<string>? say) =>
        _ = EndAsync(ReadAsync(_process.StandardOutput, say), ReadAsync(_process.StandardError, say));

    private async Task EndAsync(Task output, Task errors)
    {
        await _process.WaitForExitAsync();
        // A grandchild may hold the pipe open; the program's end is what counts.
        await Task.WhenAny(Task.WhenAll(output, errors), Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
        _ended.SetResult(_process.ExitCode);
    }
}
