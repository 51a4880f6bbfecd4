using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Enrolment;

/// <summary>Who may become a node, and how often.</summary>
public sealed class EnrolmentTests : IAsyncLifetime
{
    private readonly RunningHub _hub = RunningHub.WithoutBroker();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _hub.DisposeAsync();
    }

    [Fact]
    public async Task A_board_with_the_code_becomes_the_node_with_the_key_that_it_made()
    {
        var answer = await RedeemAsync(await CodeAsync("node-a"), _key);
        Assert.Equal(("node-a", 1L), (answer.Node, answer.Epoch));
        using var certificate = X509Certificate2.CreateFromPem(answer.Certificate);
        using var certified = certificate.GetECDsaPublicKey()!;
        Assert.Equal(_key.ExportSubjectPublicKeyInfo(), certified.ExportSubjectPublicKeyInfo());
        Assert.Null(_hub.Home.Authority.Refusal(certificate, _hub.Time.GetUtcNow()));
        Assert.True(_hub.Nodes.MayConnect(new NodeId("node-a"), certificate.GetCertHashString(HashAlgorithmName.SHA256)));
    }

    [Fact]
    public async Task The_code_is_stored_as_its_hash_alone_and_recorded_without_it()
    {
        var invited = await _hub.Get<Enrolments>().InviteAsync(RunningHub.Admin, "node-a", "Room A", 60);
        var secret = Secret(invited);
        var plain = secret.Replace("-", "", StringComparison.Ordinal);
        Assert.Equal(20, plain.Length);
        var stored = _hub.Store.Read(it => Hub.Storage.Rows.Query(it, "select hash from invitations union all select body from ledger", row => row.GetString(0)));
        Assert.DoesNotContain(stored, it => it.Contains(plain, StringComparison.OrdinalIgnoreCase) || it.Contains(secret, StringComparison.OrdinalIgnoreCase));
        Assert.Contains(stored, it => it.Contains("node.invited", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_code_works_once_but_the_same_board_may_ask_again_for_an_answer_that_it_lost()
    {
        var code = await CodeAsync("node-a");
        await RedeemAsync(code, _key);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await Assert.ThrowsAsync<InputException>(() => RedeemAsync(code, other));
        Assert.Equal("node-a", (await RedeemAsync(code, _key)).Node);
    }

    [Fact]
    public async Task A_code_ends_with_its_time_with_a_newer_one_and_never_tells_why()
    {
        var old = await CodeAsync("node-a");
        var code = await CodeAsync("node-a");
        var replaced = await Assert.ThrowsAsync<InputException>(() => RedeemAsync(old, _key));
        _hub.Time.Advance(TimeSpan.FromMinutes(60));
        var late = await Assert.ThrowsAsync<InputException>(() => RedeemAsync(code, _key));
        var guessed = await Assert.ThrowsAsync<InputException>(() => RedeemAsync("00000-00000-00000-00000", _key));
        Assert.Equal(replaced.Message, late.Message);
        Assert.Equal(replaced.Message, guessed.Message);
        Assert.Equal(3, _hub.TurnedAway.Refusals(10).Sum(it => it.Count));
        Assert.Empty(_hub.Nodes.Active);
    }

    [Fact]
    public async Task A_code_is_read_however_it_was_typed()
    {
        var code = await CodeAsync("node-a");
        Assert.Equal("node-a", (await RedeemAsync(" " + code.ToUpperInvariant().Replace('-', ' '), _key)).Node);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")]
    [InlineData("rsa")]
    [InlineData("p384")]
    [InlineData("forged")]
    public async Task A_request_that_is_not_signed_by_a_P256_key_of_its_own_is_refused_and_the_code_stays(string? request)
    {
        var code = await CodeAsync("node-a");
        using var rsa = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var text = request switch
        {
            "rsa" => new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem(),
            "p384" => new CertificateRequest("CN=x", curve, HashAlgorithmName.SHA256).CreateSigningRequestPem(),
            "forged" => Forged(),
            _ => request,
        };
        var fault = await Assert.ThrowsAsync<InputException>(() => _hub.Get<Enrolments>().RedeemAsync(new(code, text), "192.0.2.1"));
        Assert.StartsWith("request", fault.Message, StringComparison.Ordinal);
        Assert.Equal("node-a", (await RedeemAsync(code, _key)).Node);
    }

    [Fact]
    public async Task A_new_board_for_a_known_node_gets_the_next_epoch_and_ends_the_old_ones_certificate()
    {
        using var first = await _hub.EnrolAsync("node-a");
        var answer = await RedeemAsync(await CodeAsync("node-a"), _key);
        Assert.Equal(2, answer.Epoch);
        using var old = X509Certificate2.CreateFromPem(first.Bundle.CertificatePem);
        Assert.False(_hub.Nodes.MayConnect(first.Id, old.GetCertHashString(HashAlgorithmName.SHA256)));
    }

    [Fact]
    public async Task A_spare_board_gets_the_board_file_that_its_node_put_on_record_and_the_old_board_is_shut_out_in_the_same_act()
    {
        using var first = await _hub.EnrolAsync("node-a");
        const string Board = """{ "name": "room-a", "devices": [] }""";
        var on = new BoardConfigured("room-a", BoardSeal.Hash(Board), BoardSeal.Seal(_hub.Home.Keys.Card, RunningHub.Site, first.Id, Board));
        first.Write(on, _hub.Time.GetUtcNow());
        await _hub.TakeBatchAsync(first, 1, 1);
        var invited = await InviteAsync("the memory card has failed");
        using var old = X509Certificate2.CreateFromPem(first.Bundle.CertificatePem);
        var print = old.GetCertHashString(HashAlgorithmName.SHA256);
        Assert.True(_hub.Nodes.MayConnect(first.Id, print)); // Until the spare board comes, the old one may still work.

        var answer = await RedeemAsync(Secret(invited), _key);
        Assert.Equal((Board, 2L), (answer.Board, answer.Epoch));
        Assert.False(_hub.Nodes.MayConnect(first.Id, print));
        Assert.Equal(Board, (await RedeemAsync(Secret(invited), _key)).Board); // The answer was lost on the way.
        var act = JsonNode.Parse(Assert.Single(Acts("hub.node.replaced")))!["fact"]!;
        Assert.Equal("the memory card has failed", (string?)act["reason"]);
        Assert.Equal((print, 1L, 1L), ((string?)act["before"]!["thumbprint"], (long)act["before"]!["epoch"]!, (long)act["before"]!["throughAccess"]!));
        Assert.Equal(RunningHub.Admin.Name, (string?)act["after"]!["invitedBy"]);
        Assert.DoesNotContain(Acts("board.configured"), it => it.Contains("devices", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_spare_board_is_invited_for_a_known_node_with_a_board_file_on_record_and_with_a_reason_only()
    {
        Assert.StartsWith("id", (await Assert.ThrowsAsync<InputException>(() => InviteAsync("broken"))).Message, StringComparison.Ordinal);
        using var first = await _hub.EnrolAsync("node-a");
        Assert.Contains("no board file", (await Assert.ThrowsAsync<InputException>(() => InviteAsync("broken"))).Message, StringComparison.Ordinal);
        var foreign = new BoardConfigured("room-b", BoardSeal.Hash("{}"), BoardSeal.Seal(_hub.Home.Keys.Card, RunningHub.Site, new NodeId("node-b"), "{}"));
        first.Write(foreign, _hub.Time.GetUtcNow());
        await _hub.TakeBatchAsync(first, 1, 1);
        Assert.Contains("no board file", (await Assert.ThrowsAsync<InputException>(() => InviteAsync("broken"))).Message, StringComparison.Ordinal);
        Assert.StartsWith("reason", (await Assert.ThrowsAsync<InputException>(() => InviteAsync(" "))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Node A", 60, "id")]
    [InlineData("hub", 60, "id")]
    [InlineData(null, 60, "id")]
    [InlineData("node-a", 0, "minutes")]
    [InlineData("node-a", 100_000, "minutes")]
    public async Task An_invitation_that_cannot_be_is_refused_by_its_field(string? id, int minutes, string field)
    {
        var fault = await Assert.ThrowsAsync<InputException>(() => _hub.Get<Enrolments>().InviteAsync(RunningHub.Admin, id, null, minutes));
        Assert.StartsWith(field, fault.Message, StringComparison.Ordinal);
    }

    private async Task<string> CodeAsync(string id)
    {
        _hub.Get<Enrolments>().Console = new Uri("http://127.0.0.1:8080");
        return Secret(await _hub.Get<Enrolments>().InviteAsync(RunningHub.Admin, id, null, 60));
    }

    private Task<Invitation> InviteAsync(string replaces)
    {
        _hub.Get<Enrolments>().Console = new Uri("http://127.0.0.1:8080");
        return _hub.Get<Enrolments>().InviteAsync(RunningHub.Admin, "node-a", null, 60, replaces);
    }

    private List<string> Acts(string kind) => _hub.Store.Read(it => Hub.Storage.Rows.Query(it, "select body from ledger where kind = $kind", row => row.GetString(0), ("$kind", kind)));

    private static string Secret(Invitation invited) => new Uri(invited.Code).Fragment.TrimStart('#').Split('.')[0];

    private Task<Core.Wire.Enrolment> RedeemAsync(string code, ECDsa key) => _hub.Get<Enrolments>().RedeemAsync(
        new(code, new CertificateRequest("CN=whatever", key, HashAlgorithmName.SHA256).CreateSigningRequestPem()), "192.0.2.1");

    /// <summary>The key of one board, the signature of another.</summary>
    private string Forged()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var mine = new CertificateRequest("CN=x", _key, HashAlgorithmName.SHA256);
        return mine.CreateSigningRequestPem(X509SignatureGenerator.CreateForECDsa(other));
    }
}
