using CsCheck;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>Whatever is ordered of two readers and whatever they answer, with restarts in between.</summary>
public sealed class ReaderDeskProperties
{
    private static readonly NodeSetup _board = NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced) with { Readers = [new(NodeProbe.Door, Direction.In), new(NodeProbe.Door, Direction.Out)] };
    private static readonly string[] _acts = [ReaderActs.Install, ReaderActs.Rotate, ReaderActs.Replace, ReaderActs.Accept, ReaderActs.End];
    private static readonly ReaderDevice?[] _devices = [null, Device("0A"), Device("0B"), Device("0C")];
    private static readonly Gen<Direction> _sides = Gen.Enum<Direction>();

    private static readonly Gen<Func<NodeProbe, Effects>> _steps = Gen.OneOf(
        Gen.Select(_sides, Gen.Int[0, _acts.Length - 1], Gen.Int[1, 15], Gen.Int[1, 3]).Select(Order),
        Gen.Select(_sides, Gen.Int[0, _acts.Length - 1], Gen.Int[1, 15], Gen.Int[1, 3]).Select(Order),
        Gen.Select(_sides, Gen.Int[0, 3], Gen.Bool, Gen.Int[0, 3], Gen.Int[0, 3]).Select((side, key, pending, device, other) => Do(Seen(side, key, pending, device, other))),
        Gen.Select(_sides, Gen.Bool).Select((side, online) => Do(new ReaderLinkChanged(NodeProbe.Door, side, online ? null : "it does not answer", online ? null : ReaderOffline.NoReply))),
        Gen.Select(_sides, Gen.Enum<ReaderActFault>()).Select((side, fault) => Do(new ReaderKeyFailed(NodeProbe.Door, side, fault))),
        Gen.Select(_sides, Gen.Bool).Select((side, taken) => Do(new ReaderKeyMoved(NodeProbe.Door, side, taken ? ReaderStep.KeyTaken : ReaderStep.DefaultKeyFound))),
        Gen.Bool.Select(healthy => Do(new JournalHealthChanged(healthy, healthy ? null : "full"))),
        Gen.Const(Do(new Tick())));

    private static readonly Gen<(Func<NodeProbe, Effects> Step, int Seconds)[]> _hours = Gen.Select(_steps, Gen.Int[0, 5].Select(it => new[] { 0, 1, 30, 60, 65, 300 }[it])).Array[0, 60];

    [Fact]
    public void Every_order_has_one_outcome_and_one_window_is_open_at_a_time_and_none_for_ever() => Gen.Select(_hours, _hours).Sample((one, two) =>
    {
        var open = new Dictionary<Direction, string>();
        var (memory, at) = ((NodeMemory?)null, 0.0);
        foreach (var hour in new[] { one, two })
        {
            var node = new NodeProbe(board: _board, memory: memory, at: at);
            foreach (var side in Enum.GetValues<Direction>()) Take(node.Do(Seen(side, 1, pending: false, 1, 0)), open); // Told before anything else.
            Assert.DoesNotContain(open.Values, IsWindow); // A restart closes it.
            foreach (var (step, seconds) in hour)
            {
                node.Now += seconds;
                Take(step(node), open);
            }

            Take(node.After((ReaderActs.MinutesMax * 60) + 5, new Tick()), open);
            Assert.DoesNotContain(open.Values, IsWindow);
            (memory, at) = (node.Memory, node.Now);
        }
    }, iter: 300);

    private static void Take(Effects effects, Dictionary<Direction, string> open)
    {
        foreach (var it in effects.Records.Select(it => it.Fact).OfType<ReaderCommissioned>().Where(it => Array.IndexOf(_acts, it.Act) is >= 0 and < 4))
        {
            if (it.Outcome == "begun") Assert.True(open.TryAdd(it.Direction, it.Act), $"{it.Act} begun while {open[it.Direction]} was under way");
            else Assert.True(open.Remove(it.Direction, out var act) && act == it.Act, $"{it.Act} {it.Outcome} that had not begun");
        }

        Assert.True(open.Values.Count(IsWindow) <= 1, "two windows are open");
        Assert.All(effects.Readers.Where(it => it.Act != ReaderActs.End), it => Assert.Contains(effects.Records, record => record.Fact is ReaderCommissioned { Outcome: "begun" } fact && fact.Act == it.Act));
    }

    private static bool IsWindow(string act) => act is ReaderActs.Install or ReaderActs.Replace;

    private static Func<NodeProbe, Effects> Order(Direction side, int act, int minutes, int device) => node => node.Command(
        Verbs.Reader, ("door", "door-a"), ("side", side == Direction.In ? "entry" : "exit"), ("act", _acts[act]), ("minutes", $"{minutes}"), ("device", _devices[device]!.Mark()));

    private static Func<NodeProbe, Effects> Do(Input input) => node => node.Do(input);

    private static ReaderKeptSeen Seen(Direction side, int key, bool pending, int device, int other) =>
        new(NodeProbe.Door, side, key == 0 ? null : $"k-{key}", pending, _devices[device], _devices[other], null);

    private static ReaderDevice Device(string serial) => new("00A1B2", 1, 2, "000000" + serial, "1.0.0");
}
