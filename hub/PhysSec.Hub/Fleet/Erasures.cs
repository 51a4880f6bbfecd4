using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>What a certificate of erasure was found to say.</summary>
public sealed record ErasureView(string Node, string By, string Reason, DateTimeOffset At, int Files, bool Revoked);

/// <summary>Checks the certificates of erased boards and puts them on record. A board that is still the node loses its certificate with it: its key must be worth nothing even to whoever reads it out of a worn memory.</summary>
public sealed class Erasures(HubHome state, Nodes nodes, TimeProvider clock)
{
    /// <exception cref="InputException">It is not what a board of this site has signed.</exception>
    public async Task<ErasureView> TakeAsync(Actor actor, string? text)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var (it, thumbprint) = Read(text);
        if (it.Site != state.Site.Value || !Issued(it.Node, thumbprint)) throw new InputException("file", "this hub never issued the certificate of the board that signed it", "check it at the board's own site");
        var stillTheNode = nodes.Find(new NodeId(it.Node)) is { } node && IsItsKey(node, it);
        if (stillTheNode) await nodes.RevokeAsync(actor, it.Node, $"erased by {it.By}: {it.Reason}");
        await state.Store.WriteAsync(store => Records.Act(store, new Act(actor, "node.erased", it.Node, it.Reason, null, new JsonObject
        {
            ["by"] = it.By,
            ["at"] = it.At.ToString("O"),
            ["clock"] = it.Clock.ToString(),
            ["thumbprint"] = thumbprint,
            ["files"] = it.Files.Count,
            ["streams"] = it.Streams is null ? null : new JsonArray([.. it.Streams.Select(one => (JsonNode)new JsonObject
            {
                ["epoch"] = one.Epoch,
                ["stream"] = one.Stream,
                ["seq"] = one.Seq,
                ["head"] = one.Head,
                ["acknowledged"] = one.Acknowledged,
            })]),
            ["sha256"] = BoardSeal.Hash(text!),
        }), clock.GetUtcNow()));
        return new(it.Node, it.By, it.Reason, it.At, it.Files.Count, stillTheNode);
    }

    private static (ErasureStatement, string) Read(string? text)
    {
        try
        {
            return ErasureStatement.Verify(text ?? "");
        }
        catch (InvalidDataException fault)
        {
            throw new InputException("file", fault.Message, "fetch it from the board's erasure again");
        }
    }

    /// <summary>The record of its issue stays when a spare board has taken the node's place.</summary>
    private bool Issued(string node, string thumbprint) => state.Store.Read(store => store.Number(
        """
        select count(*) from ledger where kind in ('hub.node.enrolled', 'hub.node.certificate-renewed') and source = 'hub'
          and json_extract(body, '$.fact.target') = $node and json_extract(body, '$.fact.after.thumbprint') = $thumbprint
        """, ("$node", node), ("$thumbprint", thumbprint))) > 0;

    private static bool IsItsKey(EnrolledNode node, ErasureStatement it)
    {
        using var certificate = X509Certificate2.CreateFromPem(it.Certificate);
        return certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(node.Key.ExportSubjectPublicKeyInfo());
    }
}
