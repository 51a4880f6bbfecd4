using System.Diagnostics;
using System.Globalization;
using PhysSec.Core;
using PhysSec.Core.Access;

namespace PhysSec.Benchmarks;

/// <summary>The decision alone, against the budget of 1 ms p99.</summary>
public static class DecisionBenchmark
{
    private static readonly DateTimeOffset _now = new(2026, 11, 24, 10, 0, 0, TimeSpan.FromHours(9));

    public static void Run(TextWriter output, int credentials)
    {
        var index = PolicyIndex.Build(PolicyOf(credentials), new string('a', 64));
        var door = new DoorId("door-a");
        var random = new Random(1);
        const int rounds = 100_000;
        var times = new double[rounds];
        var granted = 0;
        for (var i = -10_000; i < rounds; i++)
        {
            // One in eight cards is unknown.
            var request = new AccessRequest(door, Direction.In, Token(random.Next(credentials + (credentials / 8))));
            var start = Stopwatch.GetTimestamp();
            var decision = AccessRules.Decide(request, index, TimeSpan.FromMinutes(1), _now, lockdown: false, journalHealthy: true);
            var elapsed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (i < 0) continue;
            times[i] = elapsed;
            if (decision is AccessDecision.Granted) granted++;
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"decision, {credentials:N0} credentials: {new Percentiles(times)}; {granted:N0} granted, {rounds - granted:N0} denied"));
    }

    private static Policy PolicyOf(int credentials)
    {
        var zone = new ZoneId("room-a");
        var office = new ScheduleId("office");
        DayOfWeek[] weekdays = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];
        return new Policy(
            Version: 1, new SiteId("bench"), new NodeId("node-1"), _now.AddMinutes(-1), "Asia/Tokyo",
            [new ZonePolicy(zone, 2, 72, Assurance.High, JournalFaultRule.Refuse)],
            [new DoorPolicy(new DoorId("door-a"), zone, false, 5, 10, 30, 10, Assurance.High, null)],
            [.. Enumerable.Range(0, credentials).Select(i => new Credential(Token(i), Person(i), CredentialState.Active, null, null))],
            [.. Enumerable.Range(0, credentials).Select(i => new Right(
                new RightId($"r-{i}"), Person(i), zone, office, _now.AddYears(-1), _now.AddYears(1), "applicant", "approver", "A-1", "operation"))],
            [new Schedule(office, [new Window(weekdays, new TimeOnly(8, 30), new TimeOnly(17, 15), false)])],
            [new DateOnly(2026, 11, 23)],
            []);
    }

    private static PersonId Person(int i) => new($"p-{i}");

    private static CredentialToken Token(int i) => new(i.ToString("x64", CultureInfo.InvariantCulture));
}
