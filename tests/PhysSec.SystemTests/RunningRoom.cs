using PhysSec.Rig;
using PhysSec.SystemTests;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: AssemblyFixture(typeof(RunningRoom))]

namespace PhysSec.SystemTests;

/// <summary>One demo for all tests that can share it: a hub, a node, the simulated room, a real mail server. Each test leaves it in good health.</summary>
public sealed class RunningRoom : IAsyncLifetime
{
    private Instance? _instance;

    public Instance Instance => _instance!;

    /// <summary>Where screenshots and the children's output are kept.</summary>
    public static string Artefacts { get; } = Directory.CreateDirectory(Path.Combine(Programs.Root, ".artefacts")).FullName;

    public async ValueTask InitializeAsync()
    {
        var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(Artefacts, "shared-room.log")) { AutoFlush = true });
        _instance = await Instance.StartAsync(new InstanceOptions { Say = log.WriteLine }, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_instance is not null) await _instance.DisposeAsync();
    }

    /// <summary>Proof that the node's records still flow: a badge is refused and the refusal arrives at the hub.</summary>
    public async Task RecordsStillFlowAsync(CancellationToken cancel)
    {
        var since = Uri.EscapeDataString(TimeProvider.System.GetUtcNow().ToString("O", System.Globalization.CultureInfo.InvariantCulture));
        await Instance.ActAsync("badge mallory", cancel);
        await Wait.UntilAsync("a refusal at the door to arrive at the hub", async () =>
            (await Instance.Auditor.GetAsync($"records?from={since}&kind=access.denied&node={Instance.LiveNode}&limit=10", cancel))["items"]!.AsArray().Count > 0,
            TimeSpan.FromSeconds(15), cancel);
    }
}
