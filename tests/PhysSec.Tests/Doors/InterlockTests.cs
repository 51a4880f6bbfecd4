using PhysSec.Core.Access;
using PhysSec.Core.Doors;

namespace PhysSec.Tests.Doors;

public sealed class InterlockTests
{
    private static readonly DoorStatus _shut = DoorStatus.Start with { LeafOpen = false, LeafSeen = true };
    private static readonly DoorStatus _released = _shut with { ReleaseUntil = TimeSpan.FromSeconds(5), Phase = DoorPhase.Released };
    private static readonly DoorStatus _open = _shut with { LeafOpen = true, Phase = DoorPhase.Open };
    private static readonly DoorStatus _unseen = _shut with { LeafOpen = null };
    private static readonly DoorStatus _fire = _shut with { Unconfirmed = EmergencySignals.Fire, Freeing = EmergencySignals.Fire, Phase = DoorPhase.Released };

    /// <summary>SECURE-BY-DEFAULT: the state of a door that cannot be seen lets nobody in.</summary>
    [Theory]
    [InlineData("shut", false, false)]
    [InlineData("released", true, false)]
    [InlineData("open", true, true)]
    [InlineData("unseen", true, true)]
    [InlineData("fire", false, false)]
    [InlineData("open and fire", false, false)]
    public void Entry_waits_for_the_other_door_by_the_rule_and_an_emergency_drops_it(string other, bool oneUnlocked, bool oneOpen)
    {
        DoorStatus[] others = [.. other.Split(" and ").Select(it => it switch { "released" => _released, "open" => _open, "unseen" => _unseen, "fire" => _fire, _ => _shut })];
        Assert.Equal(oneUnlocked, Interlock.HoldsEntry(InterlockRule.OneUnlocked, others));
        Assert.Equal(oneOpen, Interlock.HoldsEntry(InterlockRule.OneOpen, others));

        // What waits for the others is not set going by an emergency either.
        var fire = other.Contains("fire", StringComparison.Ordinal);
        Assert.Equal(!oneUnlocked && !fire, Interlock.IsQuiet(InterlockRule.OneUnlocked, others));
        Assert.Equal(!oneOpen && !fire, Interlock.IsQuiet(InterlockRule.OneOpen, others));
    }

    [Fact]
    public void It_is_broken_when_two_doors_stand_as_only_one_may()
    {
        Assert.True(Interlock.IsBroken(InterlockRule.OneUnlocked, [_released, _open]));
        Assert.False(Interlock.IsBroken(InterlockRule.OneOpen, [_released, _open]));
        Assert.True(Interlock.IsBroken(InterlockRule.OneOpen, [_open, _open]));
        Assert.False(Interlock.IsBroken(InterlockRule.OneUnlocked, [_shut, _open]));
        Assert.False(Interlock.IsBroken(InterlockRule.OneUnlocked, [_fire, _open]));
    }
}
