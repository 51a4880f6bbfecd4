using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Configuration;

namespace PhysSec.Hub.Fleet;

/// <summary>
/// Renews the nodes' certificates without anybody's doing: in the last third of its life a node's certificate gets a successor for the same key, offered at every birth
/// until the node connects with it. A board that is away for that whole third is enrolled again.
/// </summary>
public sealed class Renewals(HubHome state, Nodes nodes, NodeLink link, TimeProvider clock, ILogger<Renewals> log) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromHours(1);

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancel)
    {
        foreach (var node in nodes.EndingBefore(clock.GetUtcNow() + (Authority.NodeLife / 3)))
        {
            if (node.Next is null)
            {
                await nodes.RenewAsync(node.Id);
                log.LogInformation("the certificate of {Node}, which ends at {End:yyyy-MM-dd}, has a successor", node.Id, node.NotAfter);
            }

            await OfferAsync(node.Id, cancel);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        nodes.Born += it => _ = OfferAsync(it, stoppingToken);
        using var timer = new PeriodicTimer(_period, clock);
        try
        {
            do
            {
                try
                {
                    await LookAsync(stoppingToken);
                }
                catch (SqliteException fault)
                {
                    log.LogError("certificates were not renewed: the store refused: {Fault}; trying again in an hour", fault.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
    }

    private async Task OfferAsync(NodeId node, CancellationToken cancel)
    {
        if (nodes.NextCertificate(node) is not { } pem) return;
        await link.PublishAsync(
            Topics.Certificate(state.Site, node), JsonSerializer.SerializeToUtf8Bytes(new NodeCertificate(pem), WireJson.Plain.NodeCertificate), cancel: cancel);
    }
}
