using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Osdp;

/// <summary>What an unplugged reader does to itself and to the others of its line.</summary>
public sealed class UnplugTests
{
    private const int Seed = 20_261_128;

    [Theory]
    [InlineData(9_600)]
    [InlineData(115_200)]
    public void A_hundred_times_unplugged_and_replugged_a_reader_comes_back_each_time_and_the_others_never_lose_their_session(int baud)
    {
        var random = new Random(Seed);
        using var wire = new SimulatedWire(Seed, baud, [.. Enumerable.Range(0, 4).Select(it => new PeripheralSettings { Address = (byte)it, Key = Key(it) })]);
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => wire.Control.Links.All(it => it.State == OsdpLinkState.Online), TimeSpan.FromSeconds(30)));
        var unplugged = wire.Readers.Readers[2];

        for (var round = 0; round < 100; round++)
        {
            unplugged.Silent = true;
            wire.Run(TimeSpan.FromMilliseconds(random.Next(100, 12_000)));
            unplugged.Silent = false;
            if (round % 2 == 0) wire.Readers.Restart(unplugged); // Cable and power, or the cable alone.

            Assert.True(wire.RunUntil(() => wire.Readers.IsSecured(unplugged) && wire.Control.Links[2].State == OsdpLinkState.Online && Told(wire, unplugged), TimeSpan.FromSeconds(60)), $"seed {Seed}, round {round}");
        }

        Assert.All(wire.Control.Links.Where(it => it.Address != 2), it => Assert.Equal((1L, 0L), (it.Statistics.Sessions, it.Statistics.SessionsLost)));
        Assert.DoesNotContain(wire.Events, it => it is OsdpEvent.Offline { Address: not 2 });
    }

    [Fact]
    public void A_reader_that_is_gone_is_offline_within_ten_seconds_and_not_before_eight()
    {
        using var wire = new SimulatedWire(Seed, 9_600, new PeripheralSettings { Address = 0, Key = Key(1) }, new PeripheralSettings { Address = 1, Key = Key(2) });
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => wire.Control.Links.All(it => it.State == OsdpLinkState.Online), TimeSpan.FromSeconds(30)));
        wire.Run(TimeSpan.FromSeconds(5));

        wire.Readers.Readers[1].Silent = true;
        var from = wire.Now;

        Assert.True(wire.RunUntil(() => wire.Events.Any(it => it is OsdpEvent.Offline { Address: 1 }), TimeSpan.FromSeconds(10)));
        Assert.True(wire.Now - from >= TimeSpan.FromSeconds(7.5), (wire.Now - from).ToString());
    }

    [Fact]
    public void What_a_reader_kept_from_before_it_came_back_is_not_told_as_new()
    {
        using var wire = new SimulatedWire(Seed, 9_600, new PeripheralSettings { Address = 0, Key = Key(1) });
        wire.PowerUp();
        Assert.True(wire.RunUntil(() => wire.Control.Links[0].State == OsdpLinkState.Online, TimeSpan.FromSeconds(30)));
        wire.Run(TimeSpan.FromSeconds(1));

        wire.Readers.Readers[0].Present(WiegandFrame.Encode26(1, 2));
        wire.LosesAnswer = _ => true;
        wire.Run(TimeSpan.FromSeconds(12));
        wire.LosesAnswer = null;
        wire.Run(TimeSpan.FromSeconds(40));

        Assert.Equal(OsdpLinkState.Online, wire.Control.Links[0].State);
        Assert.DoesNotContain(wire.Events, it => it is OsdpEvent.CardRead);
    }

    /// <summary>A card is read: the link is of use, not only up.</summary>
    private static bool Told(SimulatedWire wire, OsdpPeripheral reader)
    {
        var before = wire.Events.OfType<OsdpEvent.CardRead>().Count(it => it.Address == reader.Address);
        wire.Run(TimeSpan.FromSeconds(1));
        reader.Present(WiegandFrame.Encode26(1, 2));
        wire.Run(TimeSpan.FromSeconds(1));
        return wire.Events.OfType<OsdpEvent.CardRead>().Count(it => it.Address == reader.Address) == before + 1;
    }
}
