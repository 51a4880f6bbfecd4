using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Enrolment;

public sealed class RenewalTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_the_last_third_of_its_life_a_certificate_gets_a_successor_and_the_old_one_ends_when_the_node_has_taken_it_up()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        var renewals = hub.Get<Renewals>();
        hub.Time.Advance(Authority.NodeLife * 0.6);
        await renewals.LookAsync(Cancel);
        Assert.Null(hub.Nodes.NextCertificate(node.Id));

        hub.Time.Advance(Authority.NodeLife * 0.1);
        await renewals.LookAsync(Cancel);
        using var next = X509Certificate2.CreateFromPem(hub.Nodes.NextCertificate(node.Id)!);
        await renewals.LookAsync(Cancel);
        Assert.Equal(next.ExportCertificatePem(), hub.Nodes.NextCertificate(node.Id)); // One successor, not one an hour.
        using var old = X509Certificate2.CreateFromPem(node.Bundle.CertificatePem);
        Assert.Equal(old.GetPublicKey(), next.GetPublicKey());
        Assert.True(hub.Nodes.MayConnect(node.Id, Print(old)));
        Assert.True(hub.Nodes.MayConnect(node.Id, Print(next)));

        await hub.TakeAsync(node, "birth", null, Birth(node, Print(old)));
        Assert.NotNull(hub.Nodes.NextCertificate(node.Id));
        await hub.TakeAsync(node, "birth", null, Birth(node, Print(next)));
        Assert.Null(hub.Nodes.NextCertificate(node.Id));
        Assert.False(hub.Nodes.MayConnect(node.Id, Print(old)));
        Assert.True(hub.Nodes.MayConnect(node.Id, Print(next)));

        using var again = new Nodes(hub.Home, hub.Time); // As after a restart of the hub.
        Assert.True(again.MayConnect(node.Id, Print(next)));
        Assert.False(again.MayConnect(node.Id, Print(old)));
    }

    [Fact]
    public async Task A_revoked_node_gets_no_successor_and_its_waiting_one_is_worth_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        hub.Time.Advance(Authority.NodeLife * 0.7);
        await hub.Get<Renewals>().LookAsync(Cancel);
        using var next = X509Certificate2.CreateFromPem(hub.Nodes.NextCertificate(node.Id)!);
        await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-a", "stolen");
        Assert.False(hub.Nodes.MayConnect(node.Id, Print(next)));
        Assert.Empty(hub.Nodes.EndingBefore(DateTimeOffset.MaxValue));
    }

    private static string Print(X509Certificate2 it) => it.GetCertHashString(HashAlgorithmName.SHA256);

    private static byte[] Birth(SignedNode node, string certificate)
    {
        var birth = JsonSerializer.Deserialize(node.Birth(0), WireJson.Plain.Birth)!;
        return JsonSerializer.SerializeToUtf8Bytes(birth with { Certificate = certificate }, WireJson.Plain.Birth);
    }
}
