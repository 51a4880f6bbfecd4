using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using PhysSec.Hardware;
using PhysSec.Node;
using PhysSec.Node.Commissioning;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Erasure;
using PhysSec.Node.Health;
using PhysSec.Node.Keys;
using PhysSec.Node.Readers;

const int Usage = 64;
const int Configuration = 78;
const string Help = $"""
    physsec-node --config FILE         run the node
    {EnrolCommand.Help}
    {StatusCommand.Help}
    {CommissionCommand.Help}
    {EraseCommand.Help}
    {ReadersCommand.Help}
    physsec-node off --config FILE     while no node runs: switch every output off, and end
    physsec-node check --config FILE   check node.json, its keys and its board file; touch no line
    physsec-node --version
    """;

switch (args)
{
    case ["--version"]:
        Console.WriteLine(Firmware.Version);
        return 0;
    case ["--help" or "-h" or "help"]:
        Console.WriteLine(Help);
        return 0;
    case ["--config", var file]:
        return await WithConfig(file, Run);
    case ["enroll", .. var rest]:
        return await EnrolCommand.RunAsync(rest);
    case ["status", .. var rest]:
        return await StatusCommand.RunAsync(rest, TimeProvider.System);
    case ["commission", .. var rest]:
        return await CommissionCommand.RunAsync(rest, TimeProvider.System);
    case ["erase", .. var rest]:
        return await EraseCommand.RunAsync(rest, TimeProvider.System);
    case ["readers", .. var rest]:
        return await ReadersCommand.RunAsync(rest, TimeProvider.System);
    case ["off", "--config", var file]:
        return Off(file);
    case ["check", "--config", var file]:
        return await WithConfig(file, Check);
    default:
        await Console.Error.WriteLineAsync(Help);
        return Usage;
}

static async Task<int> WithConfig(string file, Func<NodeConfig, BoardFile, Task<int>> work)
{
    try
    {
        using var config = NodeConfig.Load(file, TimeProvider.System.GetUtcNow());
        return await work(config, BoardFile.Load(config.BoardPath));
    }
    catch (Exception failure) when (failure is ConfigException or BoardFileException or TpmException)
    {
        await Console.Error.WriteLineAsync(failure.Message);
        return failure is TpmException ? 1 : Configuration; // A chip may come later: the service is started again.
    }
}

static Task<int> Check(NodeConfig config, BoardFile board)
{
    Console.WriteLine($"node.json: ok: site {config.Site}, node {config.Node}, hub {config.Hub.Host}:{config.Hub.Port} ({config.Hub.ServerName})");
    Console.WriteLine($"board {board.Name}: ok: {board.Devices.Count} devices{(board.Hardware.Kind == HardwareKind.Simulated ? ", simulated" : "")}");
    foreach (var warning in config.Warnings) Console.WriteLine($"warning: {warning}");
    return Task.FromResult(0);
}

// Needs no key and no certificate: whatever is wrong with them, an output must not stay on.
static int Off(string file)
{
    try
    {
        Board.SwitchOff(BoardFile.Load(NodeConfig.BoardOf(file)), TimeProvider.System);
        return 0;
    }
    catch (Exception failure) when (failure is ConfigException or BoardFileException or BoardOpenException)
    {
        Console.Error.WriteLine(failure.Message);
        return failure is BoardOpenException ? 1 : Configuration;
    }
}

static async Task<int> Run(NodeConfig config, BoardFile board)
{
    ThreadPool.SetMinThreads(16, 16); // Drivers and sensors may block a thread each; the control loop must not wait for a new one.
    var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { Args = [] });
    builder.Logging.AddSimpleConsole(it =>
    {
        it.SingleLine = true;
        it.ColorBehavior = LoggerColorBehavior.Disabled;
        it.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffzzz ";
    });
    builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
    if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 })
    {
        // AddSystemd looks at the parent process, which ProtectProc=invisible hides. The socket that systemd gives is the better sign.
        builder.Services.AddSingleton<ISystemdNotifier, SystemdNotifier>().AddSingleton<IHostLifetime, SystemdLifetime>();
    }

    builder.Services.AddSingleton(config).AddSingleton(board).AddSingleton(TimeProvider.System).AddSingleton<NodeHost>();
    builder.Services.AddHostedService(it => it.GetRequiredService<NodeHost>());
    using var host = builder.Build();
    var node = host.Services.GetRequiredService<NodeHost>();
    var log = host.Services.GetRequiredService<ILogger<NodeHost>>();
    foreach (var warning in config.Warnings) log.LogWarning("{Warning}", warning);
    try
    {
        await host.RunAsync();
        return node.Failure is null ? 0 : 1;
    }
    catch (BoardOpenException failure)
    {
        log.LogCritical("{Fault}", failure.Message);
        return 1;
    }
}
