using CsCheck;
using PhysSec.Core.Wire;
using PhysSec.Node.Uplink;

namespace PhysSec.Tests.Uplink;

public sealed class SendWindowTests
{
    private static readonly TimeSpan _now = TimeSpan.FromSeconds(100);

    [Fact]
    public void It_starts_after_the_last_acknowledged_record_and_never_sends_past_the_head()
    {
        var window = new SendWindow(5);
        Assert.Equal(new SeqRange(6, 9), window.Next(9));
        window.Sending(new(6, 9), 9, _now);
        Assert.Null(window.Next(9));
        Assert.Equal(new SeqRange(10, 12), window.Next(12));
    }

    [Fact]
    public void Only_an_acknowledgement_ends_a_flight()
    {
        var window = new SendWindow(0);
        window.Sending(new(1, 10), 4, _now);
        window.Sending(new(5, 10), 10, _now);
        Assert.Equal(2, window.Flying);
        window.Take(4, []);
        Assert.Equal(1, window.Flying);
        window.Take(3, []);
        Assert.Equal((4, 1), (window.Acknowledged, window.Flying));
        window.Take(10, []);
        Assert.Equal(0, window.Flying);
    }

    [Fact]
    public void Without_an_acknowledgement_for_ten_seconds_everything_after_the_last_one_is_sent_again()
    {
        var window = new SendWindow(0);
        window.Sending(new(1, 10), 10, _now);
        window.Expire(_now + SendWindow.Patience - TimeSpan.FromTicks(1));
        Assert.Null(window.Next(10));
        window.Expire(_now + SendWindow.Patience);
        Assert.Equal(new SeqRange(1, 10), window.Next(10));
        Assert.Equal(0, window.Flying);
    }

    [Fact]
    public void A_hole_that_the_hub_names_comes_first()
    {
        var window = new SendWindow(0);
        window.Sending(new(1, 10), 10, _now);
        window.Take(3, [new(4, 6)]);
        Assert.Equal(new SeqRange(4, 6), window.Next(20));
        window.Sending(new(4, 6), 5, _now);
        Assert.Equal(new SeqRange(6, 6), window.Next(20));
        window.Sending(new(6, 6), 6, _now);
        Assert.Equal(new SeqRange(11, 20), window.Next(20));
    }

    [Fact]
    public void A_hole_is_filled_also_while_as_many_batches_fly_as_may()
    {
        var window = new SendWindow(0);
        foreach (var last in new[] { 5, 10, 15 }) window.Sending(new(last - 4, 15), last, _now);
        Assert.False(window.MaySend(3));
        window.Take(0, [new(1, 5)]);
        Assert.True(window.MaySend(3));
        Assert.Equal(new SeqRange(1, 5), window.Next(20));
    }

    [Fact]
    public void A_hub_restored_from_a_backup_gets_everything_after_its_point_again()
    {
        var window = new SendWindow(40);
        window.Rewind(12);
        Assert.Equal(new SeqRange(13, 41), window.Next(41));
    }

    [Fact]
    public void Whatever_is_lost_or_doubled_on_the_way_the_hub_has_every_record_in_the_end() =>
        Gen.Select(Gen.Int[1, 60], Gen.Int[0, 3].Array[0, 80]).Sample((head, fates) =>
        {
            var (window, stored, now) = (new SendWindow(0), new HashSet<long>(), _now);
            for (var step = 0; step < fates.Length + 400 && window.Acknowledged < head; step++)
            {
                var fate = step < fates.Length ? fates[step] : 3; // In the end the line is good.
                window.Expire(now);
                if (window.MaySend(3) && window.Next(head) is { } range)
                {
                    var last = Math.Min(range.Last, range.First + 6);
                    window.Sending(range, last, now);
                    for (var seq = range.First; fate != 0 && seq <= last; seq++) stored.Add(seq);
                }

                now += TimeSpan.FromSeconds(fate);
                if (fate == 1) continue; // The acknowledgement is lost.
                var through = 0L;
                while (stored.Contains(through + 1)) through++;
                var beyond = stored.Where(it => it > through).Order().FirstOrDefault();
                window.Take(through, beyond == 0 ? [] : [new(through + 1, beyond - 1)]);
            }

            return window.Acknowledged == head && stored.Count == head;
        });
}
