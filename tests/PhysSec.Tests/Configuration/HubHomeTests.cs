using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;

namespace PhysSec.Tests.Configuration;

/// <summary>What the hub keeps beside its store, and what it does when that is gone or the clock is wrong.</summary>
public sealed class HubHomeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-home-");
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 9, 0, 0, TimeSpan.FromHours(9)));

    public HubHomeTests() => File.WriteAllText(Path.Combine(_folder.FullName, "hub.json"), """{ "site": "city", "broker": { "port": 0 } }""");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("pki/ca.crt")]
    [InlineData("pki/ca.key")]
    [InlineData("keys/hub-signing.key")]
    [InlineData("keys/site.key")]
    public async Task With_nodes_enrolled_a_missing_key_stops_the_start_instead_of_being_made_anew(string file)
    {
        await using (var home = HubHome.Open(_folder.FullName, null, _time))
        {
            using var nodes = new Nodes(home, _time);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            await nodes.EnrolAsync(Actor.CommandLine, "node-a", null, new PublicKey(key));
        }

        File.WriteAllText(Path.Combine(_folder.FullName, file), ""); // As a power cut may leave it.
        var fault = Assert.Throws<InvalidOperationException>(() => HubHome.Open(_folder.FullName, null, _time));
        Assert.Contains(Path.GetFileName(file), fault.Message, StringComparison.Ordinal);
        Assert.Contains("backup", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_without_a_clock_makes_no_authority()
    {
        _ = Assert.Throws<InvalidOperationException>(() => Authority.Open(Path.Combine(_folder.FullName, "pki"), "city", DateTimeOffset.UnixEpoch.AddDays(3)));
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "pki", "ca.key")));
    }

    [Theory]
    [InlineData(-30)]
    [InlineData(365 * 19.5)]
    public void A_certificate_never_outlives_its_authority_nor_begins_before_it(double days)
    {
        using var authority = Authority.Open(Path.Combine(_folder.FullName, "pki"), "city", _time.GetUtcNow());
        var issued = authority.Issue("localhost", Kinds.Broker, _time.GetUtcNow().AddDays(days));
        using var leaf = X509Certificate2.CreateFromPem(issued.CertificatePem);
        using var root = X509Certificate2.CreateFromPem(authority.RootPem);
        Assert.True(leaf.NotBefore >= root.NotBefore && leaf.NotAfter <= root.NotAfter);
    }
}
