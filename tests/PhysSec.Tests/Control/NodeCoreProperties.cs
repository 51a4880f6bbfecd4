using CsCheck;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>Whole days of a node, with restarts: what must hold after every step.</summary>
public sealed class NodeCoreProperties
{
    private static readonly string[] _devices = ["door-a.contact", "door-a.contact", "door-a.button", "door-a.tamper", "enclosure.tamper", "mains", "leak"];

    private static readonly Gen<Action<NodeProbe, List<Effects>>> _acts = Gen.OneOf(
        Gen.Select(Gen.Int[0, 4], Gen.Enum<Direction>()).Select((card, direction) => Act(it => it.Card(
            new[] { TestPolicy.AnaCard, TestPolicy.ChieCard, TestPolicy.LostCard, TestPolicy.RevokedCard, TestPolicy.StrangerCard }[card], direction))),
        Gen.Select(Gen.Int[0, _devices.Length - 1], Gen.Int[0, 5]).Select((device, state) =>
            Act(it => it.Contact(_devices[device], state == 0 ? null : state % 2 == 1))),
        Gen.Int[0, 5].Select(value => Act(it => it.Sample(value switch { 0 => null, 1 => 200, 2 => 35, 3 => 5, _ => 20 }))),
        Gen.Bool.Select(on => Act(it => it.Command(Verbs.Lockdown, ("door", "door-a"), ("on", on ? "true" : "false")))),
        Gen.Const(Act(it => it.Command(Verbs.Release, ("door", "door-a")))),
        Gen.Bool.Select(healthy => Act(it => it.Do(new JournalHealthChanged(healthy, healthy ? null : "full")))),
        Gen.Bool.Select(set => Act(it =>
        {
            it.Clock = set ? ClockQuality.Synced : ClockQuality.Unset;
            return it.Do(new ClockChanged(it.Clock, 0));
        })),
        Gen.Const(Act(it => it.Do(new ReaderFaultSeen(NodeProbe.Door, Direction.In, "Parity", 26)))),
        Gen.Bool.Select(fault => Act(it => it.LockFault(fault ? "output door-a.lock" : null))),
        Gen.Const(Act(it => it.After(31, new Tick()))),
        Gen.Const(Act(it => it.Do(new Tick()))));

    private static readonly Gen<(Action<NodeProbe, List<Effects>> Act, int Seconds)[]> _days = Gen.Select(_acts, Gen.Int[0, 5]).Array[0, 60];

    [Fact]
    public void Recorded_inputs_replay_to_the_same_effects_bit_for_bit() =>
        _days.Sample(day => Assert.Equal(Replay(day).Select(NodeProbe.Exactly), Replay(day).Select(NodeProbe.Exactly)), iter: 60);

    /// <summary>SECURE-BY-DEFAULT, RECORDED.</summary>
    [Fact]
    public void A_lock_is_released_only_in_a_step_that_records_who_asked() => _days.Sample(day =>
    {
        foreach (var it in Replay(day).Where(it => it.Release.Count > 0))
        {
            var facts = it.Records.Select(record => record.Fact);
            Assert.Contains(facts, fact => fact is AccessGranted or ExitRequested or CommandExecuted { Verb: Verbs.Release, Outcome: "done" });
        }
    }, iter: 100);

    [Fact]
    public void A_door_that_nobody_touches_for_a_minute_is_locked() => _days.Sample(day =>
    {
        var node = new NodeProbe();
        Run(node, day, []);
        node.After(60, new Tick());
        Assert.False(node.Free);
    }, iter: 100);

    /// <summary>EGRESS.</summary>
    [Fact]
    public void After_any_day_the_exit_button_and_the_exit_badge_free_the_lock() => _days.Sample(day =>
    {
        var node = new NodeProbe();
        Run(node, day, []);
        node.Contact("door-a.button", false);
        node.Contact("door-a.button", true);
        Assert.True(node.Free);

        node.Contact("door-a.button", false);
        node.Contact("door-a.contact", false);
        node.After(60, new Tick());
        node.Card(TestPolicy.LostCard, Direction.Out);
        Assert.True(node.Free);
    }, iter: 100);

    [Fact]
    public void Alarms_are_raised_and_cleared_in_turns_also_across_restarts_and_memory_is_what_is_active() =>
        Gen.Select(_days, _days, _days).Sample((one, two, three) =>
        {
            var active = new HashSet<string>();
            var (memory, at) = ((NodeMemory?)null, 0.0);
            foreach (var day in new[] { one, two, three })
            {
                var node = new NodeProbe(memory: memory, at: at, start: false);
                var steps = new List<Effects> { node.Do(new Tick()) };
                Run(node, day, steps);
                foreach (var fact in steps.SelectMany(it => it.Records).Select(it => it.Fact))
                {
                    if (fact is AlarmRaised raised) Assert.True(active.Add(raised.Alarm), $"{raised.Alarm} raised twice");
                    if (fact is AlarmCleared cleared) Assert.True(active.Remove(cleared.Alarm), $"{cleared.Alarm} cleared without a raise");
                }

                (memory, at) = (node.Memory, node.Now);
                Assert.Equal(active.Order(StringComparer.Ordinal), memory!.Alarms.Select(it => it.Alarm));
            }
        }, iter: 100);

    [Fact]
    public void Every_alarm_is_hot_and_the_lamp_is_on_exactly_while_one_is_active() => _days.Sample(day =>
    {
        var lamp = false;
        var node = new NodeProbe(start: false);
        var steps = new List<Effects> { node.Do(new Tick()) };
        Run(node, day, steps);
        var active = 0;
        foreach (var step in steps)
        {
            active += step.Records.Count(it => it.Fact is AlarmRaised) - step.Records.Count(it => it.Fact is AlarmCleared);
            Assert.All(step.Records, it => Assert.Equal(it.Fact is AlarmRaised or AlarmCleared, it.Hot));
            lamp = step.Signals.OfType<LampSignal>().LastOrDefault()?.On ?? lamp;
            Assert.Equal(active > 0, lamp);
        }
    }, iter: 100);

    [Fact]
    public void No_effect_carries_a_whole_card_token_anywhere_but_in_its_access_record() => _days.Sample(day =>
    {
        foreach (var step in Replay(day))
        {
            var without = step with { Records = [.. step.Records.Where(it => it.Fact is not AccessGranted and not AccessDenied)] };
            Assert.DoesNotContain(TestPolicy.LostCard.Value, NodeProbe.Exactly(without), StringComparison.Ordinal);
        }
    }, iter: 30);

    private static List<Effects> Replay((Action<NodeProbe, List<Effects>> Act, int Seconds)[] day)
    {
        var node = new NodeProbe();
        var steps = new List<Effects> { node.Started };
        Run(node, day, steps);
        return steps;
    }

    private static void Run(NodeProbe node, (Action<NodeProbe, List<Effects>> Act, int Seconds)[] day, List<Effects> steps)
    {
        foreach (var (act, seconds) in day)
        {
            node.Now += seconds;
            act(node, steps);
        }
    }

    private static Action<NodeProbe, List<Effects>> Act(Func<NodeProbe, Effects> act) => (node, steps) => steps.Add(act(node));
}
