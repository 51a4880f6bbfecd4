using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Rig;
using PhysSec.Rig.Peers;

namespace PhysSec.SystemTests;

/// <summary>The rig's own parts: a test bench that is wrong proves nothing.</summary>
public sealed class RigTests
{
    // RFC 6238, appendix B, the SHA-1 rows cut to six digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1_111_111_109, "081804")]
    [InlineData(1_234_567_890, "005924")]
    [InlineData(20_000_000_000, "353130")]
    public void The_authenticator_shows_what_the_rfc_shows(long at, string code) =>
        Assert.Equal(code, Totp.Code("gezd gnbv-GY3TQOJQGEZDGNBVGY3TQOJQ", DateTimeOffset.FromUnixTimeSeconds(at)));

    [Fact]
    public void A_secret_that_is_not_base32_is_refused() =>
        Assert.Throws<RigException>(() => Totp.Code("0189", DateTimeOffset.UnixEpoch));

    [Fact]
    public void The_external_broker_lets_a_node_write_its_own_topics_only_and_an_observer_read_no_door()
    {
        var site = new SiteId("fukaya");
        var lines = Mosquitto.AccessList(site).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.All(lines.Where(it => it.StartsWith("pattern write", StringComparison.Ordinal)), it =>
        {
            var topic = it["pattern write ".Length..].Replace("%u", "node-1", StringComparison.Ordinal).Replace('+', 'x');
            Assert.True(Topics.NodeMayPublish(Topics.Parse(topic)!.Value), it);
            Assert.Contains("/%u/", it, StringComparison.Ordinal);
        });
        var observer = lines.SkipWhile(it => it != "user observer.tool").Skip(1).TakeWhile(it => it.StartsWith("topic", StringComparison.Ordinal)).ToArray();
        Assert.Contains(observer, it => it.EndsWith("/live/room.temperature", StringComparison.Ordinal));
        Assert.DoesNotContain(observer, it => it.EndsWith('+') || it.EndsWith('#')); // Such a line would let a door's state through, which names persons.
        Assert.All(observer, it => Assert.True(
            it.StartsWith("topic read ", StringComparison.Ordinal) && Topics.ObserverMayRead(it["topic read ".Length..]), it));
    }
}
