using Microsoft.Extensions.Time.Testing;

namespace PhysSec.Tests.Hardware;

/// <summary>Whoever waits finds the time already over.</summary>
internal sealed class JumpingClock : FakeTimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Advance(dueTime);
        return timer;
    }
}
