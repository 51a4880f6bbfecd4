using CsCheck;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.FactorTests;

namespace PhysSec.Tests.Control;

/// <summary>Whole days of cards and keys in any order and at any pace, with restarts: what must hold after every step.</summary>
public sealed class FactorProperties
{
    private static readonly Gen<Func<NodeProbe, Effects>[]> _acts = Gen.OneOf(
        Gen.Select(Gen.Int[0, 3], Gen.Enum<Direction>()).Select((card, side) => One(it => it.Card(new[] { AnaCard, ChieCard, BenCard, LostCard }[card], side))),
        Gen.Int[0, 11].Select(key => One(it => it.Do(new KeyPressed(NodeProbe.Door, Direction.In, key)))),
        Gen.Int[0, 4].Select(code => Typed(new[] { "2468", "1357", "8080", "9191", "0000" }[code])),
        Gen.Bool.Select(open => One(it => it.Contact("door-a.contact", open))),
        Gen.Bool.Select(healthy => One(it => it.Do(new JournalHealthChanged(healthy, healthy ? null : "full")))),
        Gen.Bool.Select(on => One(it => it.Command(Verbs.Lockdown, ("door", "door-a"), ("on", on ? "true" : "false")))),
        Gen.Const(One(it => it.Do(new Tick()))));

    private static readonly Gen<(Func<NodeProbe, Effects>[] Acts, double Seconds)[]> _days = Gen.Select(_acts, Gen.Double[0, 6]).Array[0, 80];

    /// <summary>SECURE-BY-DEFAULT, RECORDED.</summary>
    [Fact]
    public void A_door_opens_from_outside_only_to_whoever_showed_all_that_the_zone_asks_for() => Gen.Select(Gen.Enum<FactorRule>(), _days).Sample((rule, day) =>
    {
        foreach (var step in Run(rule, day).Where(it => it.Release.Count > 0))
        {
            var granted = step.Records.Select(it => it.Fact).OfType<AccessGranted>().ToList();
            Assert.NotEmpty(granted);
            foreach (var it in granted.Where(it => it.Direction == Direction.In))
            {
                Assert.True(PinRules.Satisfies(it.Factors, rule), $"{it.Factors} for {rule}");
                Assert.Equal(rule == FactorRule.TwoCards, it.Companion is { } other && other != it.Person);
            }
        }
    }, iter: 300);

    [Fact]
    public void The_lamp_is_on_exactly_while_an_alarm_is_active_that_may_be_seen() => Gen.Select(Gen.Enum<FactorRule>(), _days).Sample((rule, day) =>
    {
        var (lamp, active) = (false, new HashSet<string>());
        foreach (var step in Run(rule, day))
        {
            foreach (var it in step.Records.Select(it => it.Fact))
            {
                if (it is AlarmRaised raised) active.Add(raised.Alarm);
                if (it is AlarmCleared cleared) active.Remove(cleared.Alarm);
            }

            lamp = step.Signals.OfType<LampSignal>().LastOrDefault()?.On ?? lamp;
            Assert.Equal(active.Any(it => !it.StartsWith("duress:", StringComparison.Ordinal)), lamp);
            Assert.DoesNotContain(step.Signals.OfType<SirenSignal>(), it => it.On && active.All(alarm => alarm.StartsWith("duress:", StringComparison.Ordinal)));
        }
    }, iter: 200);

    [Fact]
    public void Recorded_keys_replay_to_the_same_effects_bit_for_bit() => Gen.Select(Gen.Enum<FactorRule>(), _days).Sample((rule, day) =>
        Assert.Equal(Run(rule, day).Select(NodeProbe.Exactly), Run(rule, day).Select(NodeProbe.Exactly)), iter: 60);

    /// <summary>EGRESS.</summary>
    [Fact]
    public void After_any_day_a_badge_from_inside_frees_the_lock_at_once() => Gen.Select(Gen.Enum<FactorRule>(), _days).Sample((rule, day) =>
    {
        var node = new NodeProbe(Asking(rule), sensors: false);
        foreach (var (acts, seconds) in day) Do(node, acts, seconds);
        node.Contact("door-a.contact", false);
        node.After(60, new Tick());
        node.Card(BenCard, Direction.Out);
        Assert.True(node.Free);
    }, iter: 200);

    private static List<Effects> Run(FactorRule rule, (Func<NodeProbe, Effects>[] Acts, double Seconds)[] day)
    {
        var node = new NodeProbe(Asking(rule), sensors: false);
        return [node.Started, .. day.SelectMany(it => Do(node, it.Acts, it.Seconds))];
    }

    private static List<Effects> Do(NodeProbe node, Func<NodeProbe, Effects>[] acts, double seconds)
    {
        node.Now += seconds;
        return [.. acts.Select(it => it(node))];
    }

    private static Func<NodeProbe, Effects>[] One(Func<NodeProbe, Effects> act) => [act];

    private static Func<NodeProbe, Effects>[] Typed(string code) =>
        [.. code.Select(it => (Func<NodeProbe, Effects>)(node => node.Do(new KeyPressed(NodeProbe.Door, Direction.In, it - '0')))), node => node.Do(new KeyPressed(NodeProbe.Door, Direction.In, KeyPressed.Hash))];
}
