using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Fleet;

namespace PhysSec.Hub.Broker;

/// <summary>Who a client's certificate says it is: CN is the name, OU the kind.</summary>
public sealed record Identity(string Name, string Kind)
{
    private const string OrganizationalUnit = "2.5.4.11";
    private const string CommonName = "2.5.4.3";

    /// <summary>Null when the subject does not name both.</summary>
    public static Identity? Of(X509Certificate2 certificate)
    {
        string? name = null, kind = null;
        try
        {
            foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
            {
                var type = part.GetSingleElementType().Value;
                if (type == CommonName) name = part.GetSingleElementValue();
                if (type == OrganizationalUnit) kind = part.GetSingleElementValue();
            }
        }
        catch (Exception fault) when (fault is InvalidOperationException or AsnContentException)
        {
            return null; // A subject of another shape is nobody we issued.
        }

        return name is null || kind is null ? null : new Identity(name, kind);
    }

    public bool MayPublish(SiteId site, string topic) => Kind switch
    {
        Kinds.Hub => true,
        Kinds.Node => Topics.Parse(topic) is { } it && it.Site == site && it.Node.Value == Name && Topics.NodeMayPublish(it),
        _ => false,
    };

    public bool MaySubscribe(SiteId site, string filter) => Kind switch
    {
        Kinds.Hub => true,
        Kinds.Node => Topics.NodeReads(site, new NodeId(Name)).Contains(filter)
            || Topics.Parse(filter) is { } it && it.Site == site && it.Node.Value == Name && Topics.NodeMayRead(it),
        Kinds.Observer => Topics.ObserverMayRead(filter),
        _ => false,
    };
}
