using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace PhysSec.SystemTests;

/// <summary>
/// NO-INTERNET (R-DEV-14): <c>./deploy.sh test</c> runs every system test, the browser's too, in a network namespace that has loopback and nothing else.
/// These tests hold it to that; where such a namespace cannot be made they are skipped, loudly.
/// </summary>
public sealed class OfflineTests
{
    private static readonly bool _cutOff = Environment.GetEnvironmentVariable("PHYSSEC_OFFLINE") == "1";

    [Fact]
    public void These_tests_run_on_a_machine_without_any_way_out()
    {
        Assert.SkipUnless(_cutOff, "the tests run with this machine's own network: no namespace could be made (./deploy.sh test needs root, or sudo without a password)");

        Assert.Equal(["lo"], NetworkInterface.GetAllNetworkInterfaces().Select(it => it.Name));
        Assert.Single(File.ReadAllLines("/proc/net/route"), it => it.Length > 0); // The header alone: there is no IPv4 route.
        if (File.Exists("/proc/net/ipv6_route")) Assert.All(File.ReadAllLines("/proc/net/ipv6_route"), it => Assert.EndsWith(" lo", it.TrimEnd(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("192.0.2.1", 443)] // TEST-NET-1: nobody's address.
    [InlineData("192.0.2.1", 123)]
    [InlineData("198.51.100.53", 53)]
    public async Task An_address_outside_cannot_be_reached(string address, int port)
    {
        Assert.SkipUnless(_cutOff, "the tests run with this machine's own network");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        var refused = await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(IPAddress.Parse(address), port, TestContext.Current.CancellationToken).AsTask());

        Assert.Equal(SocketError.NetworkUnreachable, refused.SocketErrorCode);
    }
}
