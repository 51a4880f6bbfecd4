using System.Text.Json;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.FactorTests;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>R-ACC-24: a duress code opens as the right one does; the hub hears of it, and nothing at the door shows it.</summary>
public sealed class DuressTests
{
    private const string Right = "2468";
    private const string Duress = "1357";

    [Theory]
    [InlineData(FactorRule.CardAndPin)]
    [InlineData(FactorRule.PinOnly)]
    public void A_duress_code_opens_and_calls_the_hub_in_the_next_step_without_lamp_or_siren(FactorRule rule)
    {
        var node = new NodeProbe(Asking(rule));
        if (rule == FactorRule.CardAndPin) node.Card(AnaCard);
        node.Type(Duress);
        Assert.True(node.Free);

        var next = node.After(0.05, new Tick());
        Assert.Equal("+duress:door-a!", Say(next));
        Assert.Equal(("duress code of p-ana", AlarmClasses.Duress), Assert.IsType<AlarmRaised>(next.Records[0].Fact) is var it ? (it.Detail, it.Class) : default);
        Assert.Empty(next.Signals);
        Assert.Empty(next.Live);
        Assert.Empty(next.Secure);
    }

    [Fact]
    public void A_duress_code_is_heard_after_a_power_cut_in_the_very_next_moment()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        node.Type(Duress);
        var after = new NodeProbe(Asking(FactorRule.CardAndPin), node.Memory);
        Assert.Contains("+duress:door-a!", Say(after.Started), StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_person_s_duress_is_told_although_the_first_alarm_still_stands()
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin));
        node.Card(AnaCard);
        node.Type(Duress);
        node.After(0.05, new Tick());
        node.After(20, new CardRead(NodeProbe.Door, Direction.In, ChieCard));
        node.Type("9191");
        var next = node.After(0.05, new Tick());
        Assert.Equal("duress code of p-chie", Assert.Single(next.Records.Select(it => it.Fact).OfType<AlarmRaised>()).Detail);
    }

    /// <summary>LOCAL: with the hub away the guard service's contact is the only silent way out.</summary>
    [Fact]
    public void A_duress_code_calls_the_guard_service_where_one_is_wired()
    {
        var node = new NodeProbe(board: NodeProbe.Setup(Asking(FactorRule.CardAndPin), ClockQuality.Synced) with { GuardCall = true });
        node.Card(AnaCard);
        node.Type(Duress);
        Assert.Equal("guard call on", Signals(node.After(0.05, new Tick())));
    }

    [Fact]
    public void A_duress_code_calls_the_hub_even_where_the_door_stays_shut()
    {
        var node = new NodeProbe(Asking(FactorRule.PinOnly) with { Rights = [] });
        Assert.Equal("denied In NoRightHere 40", Say(node.Type(Duress)));
        Assert.Equal("+duress:door-a!", Say(node.After(0.05, new Tick())));
    }

    [Theory]
    [InlineData(FactorRule.CardAndPin)]
    [InlineData(FactorRule.PinOnly)]
    public void Everything_a_step_asks_of_the_world_is_the_same_to_the_last_digit(FactorRule rule)
    {
        var (right, duress) = (Typed(rule, Right), Typed(rule, Duress));
        Assert.Equal(Exactly(right with { Memory = null }), Exactly(duress with { Memory = null }));
        Assert.Equal(Written(right), Written(duress)); // What goes to the disk is as long.
        Assert.Equal(1, duress.Memory!.Codes!.Zip(right.Memory!.Codes!).Count(it => it.First != it.Second));
    }

    /// <summary>
    /// Must show 5: two thousand recorded entries with typists, disks and leaves of their own; what somebody at the door can see and when. Two-sample Kolmogorov–Smirnov at 0.1 %; the same test
    /// does tell the two apart when the alarm is written in the same commit.
    /// </summary>
    [Fact]
    public void Nobody_at_the_door_can_tell_a_duress_code_by_what_happens_or_when()
    {
        const int Seed = 20261128;
        var random = new Random(Seed);
        var (right, duress, clumsy) = (new List<Trace>(), new List<Trace>(), new List<Trace>());
        for (var i = 0; i < 1000; i++)
        {
            right.Add(Record(random, Right, extra: 0));
            duress.Add(Record(random, Duress, extra: 0));
            clumsy.Add(Record(random, Duress, extra: 180)); // About the bytes of an alarm record.
        }

        Assert.Equal(right.Select(it => it.Seen).Distinct().Order(StringComparer.Ordinal), duress.Select(it => it.Seen).Distinct().Order(StringComparer.Ordinal));
        var critical = 1.949 * Math.Sqrt(2.0 / 1000); // c(0.001), two samples of 1000.
        Assert.True(Distance(right, duress) < critical, $"seed {Seed}: {Distance(right, duress)} of {critical}");
        Assert.True(Distance(right, clumsy) > critical, $"seed {Seed}: the test would see nothing: {Distance(right, clumsy)} of {critical}");
    }

    private sealed record Trace(string Seen, double ReleaseAfter);

    // One entry: typed at somebody's pace, released when the commit is through, walked through, shut. A commit takes longer the more it writes.
    private static Trace Record(Random random, string code, int extra)
    {
        var node = new NodeProbe(Asking(FactorRule.CardAndPin), sensors: false);
        var seen = new List<string>();
        See(node.Card(AnaCard));
        foreach (var it in code) See(node.After(0.1 + random.NextDouble(), new KeyPressed(NodeProbe.Door, Direction.In, it - '0')));
        var hash = node.After(0.1 + random.NextDouble(), new KeyPressed(NodeProbe.Door, Direction.In, KeyPressed.Hash));
        See(hash);
        var commit = 0.002 + ((Written(hash) + extra) * 1e-6) - (0.0002 * Math.Log(1 - random.NextDouble()));
        for (var i = 0; i < 10; i++) See(node.After(0.05, new Tick()));
        See(node.Contact("door-a.contact", true));
        for (var i = 0; i < 50; i++) See(node.After(0.05, new Tick()));
        See(node.Contact("door-a.contact", false));
        return new(string.Join('|', seen), commit);

        void See(Effects it) => seen.Add($"{Signals(it)} {string.Join(' ', it.Secure)} {string.Join(' ', it.Release)} {string.Join(' ', it.Live.Select(live => live.Value).OfType<DoorLive>().Select(Door))}");
    }

    private static string Door(DoorLive it) => $"{it.State} {it.LockReleased} {it.LeafOpen} {it.Mode} {it.Inside} {it.Last?.Outcome} {it.Last?.Reason} {it.Last?.Person}";

    private static int Written(Effects it) =>
        JsonSerializer.Serialize(it.Memory!, JournalJson.Default.NodeMemory).Length
        + it.Records.Sum(entry => JsonSerializer.Serialize(entry.Fact, WireJson.Plain.Fact).Length);

    private static double Distance(List<Trace> one, List<Trace> other)
    {
        var (a, b) = (one.Select(it => it.ReleaseAfter).Order().ToArray(), other.Select(it => it.ReleaseAfter).Order().ToArray());
        return a.Concat(b).Max(it => Math.Abs(Below(a, it) - Below(b, it)));

        static double Below(double[] sorted, double value)
        {
            var index = Array.BinarySearch(sorted, value);
            return (double)(index >= 0 ? index + 1 : ~index) / sorted.Length;
        }
    }

    private static Effects Typed(FactorRule rule, string code)
    {
        var node = new NodeProbe(Asking(rule));
        if (rule == FactorRule.CardAndPin) node.Card(AnaCard);
        return node.Type(code);
    }
}
