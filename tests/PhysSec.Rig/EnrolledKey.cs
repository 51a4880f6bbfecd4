using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace PhysSec.Rig;

/// <summary>A node's identity without a board, for programs that speak the wire themselves: the key is made here, as on a board. Texts are PEM.</summary>
public sealed record EnrolledKey(string Site, string Node, long Epoch, string Certificate, string Key, string Authority)
{
    public static async Task<EnrolledKey> MakeAsync(HubApi administrator, string node, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(administrator);
        var code = new Uri((string)(await administrator.PostAsync("nodes", new JsonObject { ["id"] = node }, cancel))["code"]!).Fragment;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var answer = await administrator.PostAsync("enrolment", new JsonObject
        {
            ["code"] = code.TrimStart('#').Split('.')[0],
            ["request"] = new CertificateRequest("CN=tool", key, HashAlgorithmName.SHA256).CreateSigningRequestPem(),
        }, cancel);
        return new(
            (string)answer["site"]!, node, (long)answer["epoch"]!, (string)answer["certificate"]!, key.ExportPkcs8PrivateKeyPem(), (string)answer["authority"]!);
    }
}
