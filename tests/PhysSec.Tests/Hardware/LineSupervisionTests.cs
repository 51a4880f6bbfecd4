using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

public sealed class LineSupervisionTests
{
    private const double Closed = 0.3125, Open = 0.476, Shorted = 0, Cut = 1, Between = 0.7;
    private readonly LineSupervision _line = new(LineBands.For(new(2.2, 1, 1, null, 0.01), LineBands.MeasuredExcitation));
    private int _ms;

    [Fact]
    public void Three_equal_samples_over_fifty_milliseconds_are_believed_and_no_fewer()
    {
        Assert.Equal([null, null, LineState.Closed], Every(25, Closed, Closed, Closed));
        Assert.Equal([LineState.Closed, LineState.Closed, LineState.Cut], Every(25, Cut, Cut, Cut));
        Assert.Equal(Enumerable.Repeat<LineState?>(LineState.Cut, 5), Every(10, Open, Open, Open, Open, Open)); // Many, but all within 50 ms.
        Assert.Equal([LineState.Open], Every(10, Open));
    }

    [Fact]
    public void What_the_contact_passes_through_while_it_moves_is_not_believed()
    {
        Every(25, Closed, Closed, Closed);

        Assert.Equal([LineState.Closed, LineState.Closed, LineState.Closed, LineState.Closed, LineState.Open], Every(25, Between, Cut, Open, Open, Open));
    }

    [Theory]
    [InlineData(new[] { Closed, Shorted })]
    [InlineData(new[] { Closed, Closed, Between })]
    [InlineData(new[] { Closed, Open })]
    public void A_line_that_does_not_come_to_rest_is_no_longer_what_it_was(double[] pattern)
    {
        Every(25, Closed, Closed, Closed);

        Every(25, [.. Enumerable.Range(0, 30).Select(it => pattern[it % pattern.Length])]);

        Assert.Equal(LineState.OutOfBand, _line.State);
        Assert.Equal(LineState.Closed, Every(25, Closed, Closed, Closed)[^1]); // And is believed again once it rests.
    }

    [Fact]
    public void Samples_that_stop_make_the_line_unreadable_until_three_equal_ones_come_again()
    {
        Every(25, Closed, Closed, Closed);

        Assert.True(_line.Lost());
        Assert.False(_line.Lost());
        _ms += 5_000;
        Assert.Equal([LineState.Unreadable, LineState.Unreadable, LineState.Closed], Every(25, Closed, Closed, Closed));
    }

    [Fact]
    public void Two_samples_are_not_believed_however_far_apart() => Assert.Equal([null, null, LineState.Closed], Every(60, Closed, Closed, Closed));

    [Fact]
    public void A_line_that_cannot_be_read_at_first_is_not_called_so_before_its_time()
    {
        for (var i = 0; i < 3; i++) _line.Take(null, TimeSpan.FromMilliseconds(1_000 + (10 * i)));

        Assert.Null(_line.State);
    }

    [Fact]
    public void A_line_that_has_rested_for_long_may_move()
    {
        Every(25, [.. Enumerable.Repeat(Closed, 40)]);

        Assert.Equal([LineState.Closed, LineState.Closed, LineState.Open], Every(25, Open, Open, Open));
    }

    private LineState?[] Every(int ms, params double[] samples) => [.. samples.Select(it =>
    {
        _ms += ms;
        _line.Take(it, TimeSpan.FromMilliseconds(_ms));
        return _line.State;
    })];
}
