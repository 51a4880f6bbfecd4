using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using PhysSec.Hardware;
using PhysSec.Node;
using PhysSec.Tests.Hardware;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Node;

/// <summary>The whole node, as the program puts it together, in a simulated room.</summary>
internal sealed class RunningNode : IAsyncDisposable, IHostApplicationLifetime
{
    private readonly NodeConfig _config;
    private readonly NodeHost _host;
    private bool _stopped;

    private RunningNode(NodeConfig config, BoardFile board, ILogger<NodeHost> log, ISystemdNotifier? systemd) =>
        (_config, _host) = (config, new NodeHost(config, board, TimeProvider.System, this, log, systemd));

    public static async Task<RunningNode> StartAsync(TestSite site, RunningRoom room, string folder, int port, ILogger<NodeHost> log, ISystemdNotifier? systemd = null)
    {
        var board = Path.Combine(folder, "board.json");
        if (!File.Exists(board)) File.WriteAllText(board, "{}");
        var config = NodeConfig.Load(site.WriteConfig(folder, "board.json", port), TimeProvider.System.GetUtcNow());
        var node = new RunningNode(config, room.OneRoom, log, systemd);
        await node._host.StartAsync(CancellationToken.None);
        return node;
    }

    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => CancellationToken.None;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public void StopApplication() => _stopped = true;

    public async ValueTask DisposeAsync()
    {
        Assert.False(_stopped, _host.Failure?.ToString());
        await _host.StopAsync(CancellationToken.None);
        Assert.Null(_host.Failure);
        _host.Dispose();
        _config.Dispose();
    }
}
