using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Rig.Story;

/// <summary>Clients that must not get in, and the tool's client that may.</summary>
public static class Strangers
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether the broker answers an MQTT CONNECT of a client that shows no certificate.</summary>
    public static async Task<bool> ConnectsWithoutCertificateAsync(Instance instance, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(instance);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_patience);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", instance.BrokerPort, limit.Token);
            await using var tls = new SslStream(client.GetStream());
            var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(instance.Authority));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trust }, limit.Token);
            byte[] connect = [0x10, 0x14, 0x00, 0x04, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 5, 2, 0, 30, 0, 0, 7, .. Encoding.ASCII.GetBytes("nobody1")];
            await tls.WriteAsync(connect, limit.Token);
            return await tls.ReadAsync(new byte[16], limit.Token) > 0;
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException or SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false; // Silence is no answer.
        }
    }

    /// <summary>Whether tool-1's certificate may connect as node-1, or publish on node-1's topics.</summary>
    public static async Task<bool> SpeaksForAnotherAsync(Instance instance, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(instance);
        using var asOther = await ConnectAsync(instance, Instance.LiveNode, cancel);
        var spoke = asOther is not null && await PublishAsync(asOther, cancel);
        using var asSelf = await ConnectAsync(instance, Instance.ToolNode, cancel);
        return spoke || (asSelf is not null && await PublishAsync(asSelf, cancel));
    }

    /// <summary>A client with tool-1's certificate; null when the broker refuses it.</summary>
    public static async Task<IMqttClient?> ConnectAsync(Instance instance, string clientId, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(instance);
        var folder = Path.Combine(instance.State, "tool");
        var pem = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "node.crt"), Path.Combine(folder, "node.key"));
        var authority = X509CertificateLoader.LoadCertificateFromFile(instance.Authority);
        var options = new MqttClientOptionsBuilder()
            .WithTcpServer("localhost", instance.BrokerPort)
            .WithProtocolVersion(MqttProtocolVersion.V500)
            .WithClientId(clientId)
            .WithTimeout(_patience)
            .WithTlsOptions(it => it
                .WithClientCertificates([pem])
                .WithTrustChain([authority])
                .WithRevocationMode(X509RevocationMode.NoCheck)
                .UseTls())
            .Build();
        var client = new MqttClientFactory().CreateMqttClient();
        try
        {
            var answer = await client.ConnectAsync(options, cancel);
            if (answer.ResultCode == MqttClientConnectResultCode.Success) return client;
        }
        catch (Exception refused) when (refused is MQTTnet.Exceptions.MqttCommunicationException or IOException)
        {
            // Closed without an answer: refused as well.
        }

        client.Dispose();
        return null;
    }

    private static async Task<bool> PublishAsync(IMqttClient client, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(_patience);
        try
        {
            var answer = await client.PublishAsync(new MqttApplicationMessageBuilder()
                .WithTopic(Topics.State(new SiteId(Instance.Site), new NodeId(Instance.LiveNode)))
                .WithPayload("""{"state":"offline","boot":"forged","epoch":1}""")
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(), limit.Token);
            return answer.IsSuccess;
        }
        catch (Exception refused) when (refused is MQTTnet.Exceptions.MqttCommunicationException or IOException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }
}
