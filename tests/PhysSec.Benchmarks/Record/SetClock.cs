namespace PhysSec.Benchmarks.Record;

/// <summary>A clock that stands where it is put, for years that are made.</summary>
internal sealed class SetClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}
