using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Uplink;

/// <summary>Who the node is on the wire.</summary>
public sealed record UplinkIdentity(
    SiteId Site, NodeId Node, HubAddress Hub, X509Certificate2 Authority, CertificateIntake Certificate, ECDsa DeviceKey, ECDsa HubKey);

/// <summary>How a node connects: MQTT 5 over TLS 1.3, both sides with certificates of the site's own authority and of no other.</summary>
internal static class HubConnection
{
    private const int BufferSize = 262_144; // The client's default of 8 KiB stalls on a backlog.
    private const int PacketMax = 32 << 20;
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <param name="identity">Whose connection.</param>
    /// <param name="will">What the broker says for the node when the connection is lost.</param>
    /// <param name="clockIsSet">False while the node has no time: it cannot judge the validity period of the hub's certificate.</param>
    public static MqttClientOptions Options(UplinkIdentity identity, NodeState will, Func<bool> clockIsSet)
    {
        var options = new MqttClientOptionsBuilder()
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithTcpServer(identity.Hub.Host, identity.Hub.Port)
            .WithClientId(identity.Node.Value)
            .WithCleanStart(true)
            .WithKeepAlivePeriod(TimeSpan.FromSeconds(15))
            .WithTimeout(TimeSpan.FromSeconds(10))
            .WithMaximumPacketSize(PacketMax)
            .WithWillTopic(Topics.State(identity.Site, identity.Node))
            .WithWillPayload(JsonSerializer.SerializeToUtf8Bytes(will, WireJson.Plain.NodeState))
            .WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithWillRetain(true)
            .WithTlsOptions(tls => tls
                .UseTls()
#pragma warning disable CA5398 // The wire is TLS 1.3 by design: an older machine's default must not lower it.
                .WithSslProtocols(SslProtocols.Tls13)
#pragma warning restore CA5398
                .WithTargetHost(identity.Hub.ServerName)
                .WithClientCertificates([identity.Certificate.Current])
                .WithCertificateValidationHandler(it => IsTheHub(it.Certificate, it.SslPolicyErrors, identity.Authority, clockIsSet())))
            .Build();
        ((MqttClientTcpOptions)options.ChannelOptions).BufferSize = BufferSize;
        return options;
    }

    internal static bool IsTheHub(X509Certificate? certificate, SslPolicyErrors errors, X509Certificate2 authority, bool clockIsSet)
    {
        if (certificate is null) return false;
        if ((errors & (SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable)) != 0) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // A site without internet: the hub's certificate is short-lived instead.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (!clockIsSet) chain.ChainPolicy.VerificationFlags |= X509VerificationFlags.IgnoreNotTimeValid;
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }
}
