using System.Net.Sockets;
using System.Text;
using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Story;

namespace PhysSec.SystemTests;

/// <summary>Garbage at the hub's entrances is counted, and nothing else is lost for it.</summary>
public sealed class BrokerGarbageTests(RunningRoom room)
{
    private static readonly SiteId _site = new(Instance.Site);
    private static readonly NodeId _tool = new(Instance.ToolNode);
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(15);

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Random_bytes_at_the_broker_port_disturb_nobody()
    {
        var random = new Random(4_711);
        for (var i = 0; i < 30; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", room.Instance.BrokerPort, Cancel);
            var bytes = new byte[random.Next(1, 20_000)];
            random.NextBytes(bytes);
            try
            {
                await client.GetStream().WriteAsync(bytes, Cancel);
            }
            catch (IOException)
            {
                continue; // The broker hung up already: all the better.
            }
        }

        await room.RecordsStillFlowAsync(Cancel);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("no JSON", "journal", "{\"epoch\":1,")]
    [InlineData("JSON of another shape", "journal", "[1,2,3]")]
    [InlineData("a batch without its records", "journal", """{"epoch":1,"stream":"a","first":1,"last":5,"prev":"","head":"","records":[],"signature":""}""")]
    [InlineData("a hot record that is none", "hot", """{"prev":"zz","record":7,"signature":"?"}""")]
    [InlineData("bytes that are no text", "journal", "\u0000\u0001\ufffd")]
    [InlineData("a later schema", "birth", """{"schema":99,"node":"tool-1"}""")]
    [InlineData("another node's name", "birth", """{"schema":1,"node":"node-1","firmware":"x","board":"x","simulated":true,"epoch":1,"boot":"b","lastSeqAccess":0,"headAccess":"","policyVersion":0,"points":[],"doors":[],"at":null}""")]
    public async Task A_bad_payload_is_set_aside_and_counted(string what, string channel, string payload)
    {
        var topic = channel switch
        {
            "journal" => Topics.Journal(_site, _tool, Streams.Access),
            "hot" => Topics.Hot(_site, _tool),
            _ => Topics.Birth(_site, _tool),
        };
        var before = await CountedAsync();

        await PublishAsync(topic, Encoding.UTF8.GetBytes(payload));

        await Wait.UntilAsync($"{what} to be counted", async () => await CountedAsync() > before, _limit, Cancel);
        await room.RecordsStillFlowAsync(Cancel);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("a later version of the wire")]
    [InlineData("another node's topic")]
    [InlineData("a node that nobody enrolled")]
    [InlineData("the hub's own topic")]
    public async Task A_topic_that_is_not_ones_own_is_refused_and_recorded(string what)
    {
        var topic = what switch
        {
            "a later version of the wire" => Topics.Journal(_site, _tool, Streams.Access).Replace("/1/", "/2/", StringComparison.Ordinal),
            "another node's topic" => Topics.Journal(_site, new NodeId(Instance.LiveNode), Streams.Access),
            "a node that nobody enrolled" => Topics.Journal(_site, new NodeId("ghost-9"), Streams.Access),
            _ => Topics.Hub(_site),
        };
        var before = await CountedAsync();

        var accepted = await PublishAsync(topic, "{}"u8.ToArray());

        Assert.False(accepted);
        await Wait.UntilAsync($"the refusal of {what} on record", async () => await CountedAsync() > before, _limit, Cancel);
        await room.RecordsStillFlowAsync(Cancel);
    }

    [Fact(Timeout = 120_000)]
    public async Task Ten_megabytes_at_the_ingest_are_set_aside_and_counted()
    {
        var before = await CountedAsync();

        await PublishAsync(Topics.Journal(_site, _tool, Streams.Access), new byte[10_000_000]);

        await Wait.UntilAsync("10 MB to be set aside and counted", async () => await CountedAsync() > before, _limit, Cancel);
        await room.RecordsStillFlowAsync(Cancel);
    }

    /// <summary>Dead letters and refusals that the hub has counted so far.</summary>
    private async Task<long> CountedAsync()
    {
        long sum = 0;
        foreach (var list in new[] { "dead-letters", "refusals" })
        {
            foreach (var it in HubApi.Items(await room.Instance.Auditor.GetAsync(list, Cancel)))
                sum += (long?)it["count"] ?? 1;
        }

        return sum;
    }

    /// <summary>Publishes with tool-1's certificate; false when the broker says no or hangs up.</summary>
    private async Task<bool> PublishAsync(string topic, byte[] payload)
    {
        using var client = await Strangers.ConnectAsync(room.Instance, Instance.ToolNode, Cancel);
        Assert.NotNull(client);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(_limit);
        try
        {
            var message = new MqttApplicationMessageBuilder().WithTopic(topic).WithPayload(payload)
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
            return (await client.PublishAsync(message, limit.Token)).IsSuccess;
        }
        catch (Exception hungUp) when (hungUp is MQTTnet.Exceptions.MqttCommunicationException or MQTTnet.Exceptions.MqttClientDisconnectedException or IOException)
        {
            return false;
        }
    }
}
