using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Web.Language;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>What is ordered of an OSDP reader: every act and its outcome is on record with fingerprints and devices, and a window closes whatever happens.</summary>
public sealed class ReaderDeskTests
{
    private static readonly ReaderDevice _old = new("00A1B2", 1, 2, "0000000A", "1.0.0"), _new = _old with { Serial = "0000000B" }, _third = _old with { Serial = "0000000C" };
    private static readonly NodeSetup _board = NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced) with { Readers = [new(NodeProbe.Door, Direction.In), new(NodeProbe.Door, Direction.Out)] };

    private readonly NodeProbe _node = new(board: _board);

    // One row for each refusal, in the order of precedence.
    [Theory]
    [InlineData("side", "left", "say entry or exit")]
    [InlineData("door", "door-z", "has no reader there")]
    [InlineData("act", "polish", "act is missing")]
    [InlineData("minutes", "0", "minutes is missing")]
    [InlineData("minutes", "16", "minutes is missing")]
    [InlineData("minutes", "-1", "minutes is missing")]
    [InlineData("act", "install", "has a key already")]
    [InlineData("act", "rotate", "not online")]
    [InlineData("act", "accept", "does not stand there now")]
    [InlineData("act", "end", "no window is open")]
    public void What_cannot_be_done_is_refused_in_a_sentence_and_nothing_is_begun(string argument, string value, string sentence)
    {
        Keep(key: "k-1", device: _old);
        var arguments = new Dictionary<string, string> { ["door"] = "door-a", ["side"] = "entry", ["act"] = "replace", ["minutes"] = "5", [argument] = value };

        var effects = _node.Command(Verbs.Reader, [.. arguments.Select(it => (it.Key, it.Value))]);

        Assert.Contains(sentence, Assert.Single(effects.Replies).Fault, StringComparison.Ordinal);
        Assert.True(FaultText.Knows(effects.Replies[0].Fault!)); // The console says it in Japanese too.
        Assert.Empty(effects.Readers);
        Assert.Empty(Said(effects));
    }

    [Fact]
    public void A_reader_is_installed_and_each_step_is_shown_until_its_device_is_noted()
    {
        Keep();
        var begun = Order("install", "5");
        Assert.Equal("install begun sato: test 300", Said(begun));
        Assert.Equal(new ReaderTask(NodeProbe.Door, Direction.In, "install", TimeSpan.FromMinutes(5), null), Assert.Single(begun.Readers));
        Assert.Equal(TestPolicy.Tuesday.AddMinutes(5), Act(begun).Until);

        Keep(pending: true);
        Assert.Equal(ReaderStep.DefaultKeyFound, Act(_node.Do(new ReaderKeyMoved(NodeProbe.Door, Direction.In, ReaderStep.DefaultKeyFound))).Step);
        Assert.Equal(ReaderStep.KeyTaken, Act(_node.Do(new ReaderKeyMoved(NodeProbe.Door, Direction.In, ReaderStep.KeyTaken))).Step);
        Assert.Equal(ReaderStep.KeyProved, Act(Keep(key: "k-1")).Step);
        var done = Keep(key: "k-1", device: _new);

        Assert.Equal("install done k:>k-1 d:>B sato: test", Said(done));
        Assert.Equal((ReaderStep.Done, "k-1", _new), (Act(done).Step, Act(done).KeyAfter, Act(done).DeviceAfter));
        Assert.Empty(Said(_node.After(600, new Tick())));
    }

    [Fact]
    public void A_replacement_puts_both_keys_and_both_devices_on_record()
    {
        Keep(key: "k-1", device: _old);
        Assert.Equal("replace begun k:k-1> d:A> sato: test 60", Said(Order("replace", "1")));
        Assert.Empty(Said(Keep(pending: true)));
        Keep(key: "k-2");
        Assert.Equal("replace done k:k-1>k-2 d:A>B sato: test", Said(Keep(key: "k-2", device: _new)));
    }

    [Fact]
    public void A_window_ends_by_the_link_s_word_and_without_one_five_seconds_later_and_is_closed_then()
    {
        Keep();
        Order("install", "1");
        var ended = _node.After(60, new ReaderKeyFailed(NodeProbe.Door, Direction.In, ReaderActFault.WindowClosed));
        Assert.Equal("install failed WindowClosed sato: test", Said(ended));
        Assert.Equal(ReaderActs.End, Assert.Single(ended.Readers).Act); // It may have been an older act's word.

        Order("install", "1");
        Assert.Empty(Said(_node.After(64.95, new Tick())));
        var over = _node.After(0.05, new Tick());
        Assert.Equal("install failed TimeOver sato: test", Said(over));
        Assert.Equal(ReaderActs.End, Assert.Single(over.Readers).Act);
    }

    [Fact]
    public void A_person_ends_a_window_and_one_window_is_open_at_the_node_at_a_time()
    {
        Keep();
        Keep(side: Direction.Out);
        Order("install", "15");
        Assert.Contains("a window is open at door-a.entry", Assert.Single(Order("install", "5", "exit").Replies).Fault, StringComparison.Ordinal);
        Assert.Contains("under way", Assert.Single(Order("install", "5").Replies).Fault, StringComparison.Ordinal);

        var ended = Order("end", "");
        Assert.Equal("end done sato: test, install failed WindowClosed sato: test", Said(ended));
        Assert.Equal(ReaderActs.End, Assert.Single(ended.Readers).Act);
        Assert.Equal("done", Assert.Single(Order("install", "5", "exit").Replies).Outcome);
    }

    [Fact]
    public void A_key_is_changed_in_a_session_and_a_replacement_overtakes_a_change_whose_reader_is_gone()
    {
        Keep(key: "k-1", device: _old);
        _node.Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));
        Order("rotate", "");
        Keep(key: "k-1", device: _old, pending: true);
        Assert.Equal("rotate done k:k-1>k-2 d:A>A sato: test", Said(Keep(key: "k-2", device: _old)));

        Order("rotate", "");
        Keep(key: "k-2", device: _old, pending: true);
        Assert.Empty(Said(_node.After(3600, new Tick()))); // It goes on when the reader is back.
        Assert.Equal("rotate failed Overtaken k:k-2>k-2 d:A>A sato: test, replace begun k:k-2> d:A> sato: test 300", Said(Order("replace", "5")));
    }

    [Fact]
    public void Another_device_is_put_on_record_and_only_the_one_that_the_person_saw_is_accepted()
    {
        Keep(key: "k-1", device: _old);
        Assert.Equal("other-device refused k:k-1>k-1 d:A>B", Said(Keep(key: "k-1", device: _old, other: _new)));
        Assert.Contains("does not stand there now", Assert.Single(Accept(_third).Replies).Fault, StringComparison.Ordinal);

        Assert.Equal("accept begun k:k-1> d:A> sato: test", Said(Accept(_new)));
        Assert.Equal("accept done k:k-1>k-1 d:A>B sato: test", Said(Keep(key: "k-1", device: _new)));
    }

    [Fact]
    public void Yet_another_device_that_comes_in_between_ends_the_acceptance()
    {
        Keep(key: "k-1", device: _old, other: _new);
        Accept(_new);
        Assert.Equal("other-device refused k:k-1>k-1 d:A>C, accept failed OtherDevice k:k-1>k-1 d:A>A sato: test", Said(Keep(key: "k-1", device: _old, other: _third)));
    }

    [Fact]
    public void A_journal_that_fails_closes_the_window_and_refuses_another()
    {
        Keep();
        Order("install", "5");
        var failed = _node.Do(new JournalHealthChanged(false, "the disk is full"));
        Assert.Equal("install failed JournalFault sato: test", Said(failed));
        Assert.Equal(ReaderActs.End, Assert.Single(failed.Readers).Act);
        Assert.Contains("journal cannot record", Assert.Single(Order("install", "5").Replies).Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "rotate failed JournalFault k:k-1>k-1 d:A>A sato: test")] // The shell has called it off.
    [InlineData(true, "")] // The reader may have it: it goes on.
    public void A_change_whose_order_could_not_be_recorded_is_over_and_one_that_has_begun_is_not(bool pending, string said)
    {
        Keep(key: "k-1", device: _old);
        _node.Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));
        Order("rotate", "");
        if (pending) Keep(key: "k-1", device: _old, pending: true);
        Assert.Equal(said, Said(_node.Do(new JournalHealthChanged(false, "the disk is full"))));
    }

    public static TheoryData<string, ReaderKeptSeen, string> Restarts() => new()
    {
        { "install", Seen(pending: true), "install failed Restarted" },
        { "install", Seen(key: "k-9", device: _new), "install done k:>k-9 d:>B" },
        { "replace", Seen(pending: true), "replace failed Restarted k:k-1> d:A>" },
        { "rotate", Seen(key: "k-1", device: _old), "rotate failed BrokenOff k:k-1>k-1 d:A>A" },
        { "rotate", Seen(key: "k-1", device: _old, pending: true), "" },
        { "rotate", Seen(key: "k-2", device: _old), "rotate done k:k-1>k-2 d:A>A" },
        { "accept", Seen(key: "k-1", device: _old), "accept failed Restarted k:k-1>k-1 d:A>A" },
        { "accept", Seen(key: "k-1", device: _new), "accept done k:k-1>k-1 d:A>B" },
    };

    [Theory]
    [MemberData(nameof(Restarts))]
    public void After_a_restart_every_order_has_an_outcome_and_no_window_is_open(string act, ReaderKeptSeen after, string said)
    {
        if (act != "install") Keep(key: "k-1", device: _old, other: act == "accept" ? _new : null);
        else Keep();
        _node.Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null));
        if (act == "accept") Accept(_new);
        else Order(act, act == "rotate" ? "" : "5");

        var again = new NodeProbe(board: _board, memory: _node.Memory);
        var effects = again.Do(after);

        Assert.Equal(said.Length == 0 ? "" : said + " sato: test", Said(effects));
        Assert.Empty(effects.Readers);
        Assert.Equal("refused", Assert.Single(again.Command(Verbs.Reader, ("door", "door-a"), ("side", "entry"), ("act", "end")).Replies).Outcome);
    }

    [Fact]
    public void What_was_changed_at_the_board_while_the_node_was_away_is_on_record_once()
    {
        Keep(key: "k-1", device: _old);
        var again = new NodeProbe(board: _board, memory: _node.Memory);
        Assert.Equal("unordered done k:k-1>k-2 d:A>B", Said(again.Do(Seen(key: "k-2", device: _new))));
        Assert.Empty(Said(again.Do(Seen(key: "k-2", device: _new))));
        Assert.Empty(Said(new NodeProbe(board: _board, memory: again.Memory).Do(Seen(key: "k-2", device: _new))));
    }

    [Fact]
    public void Keys_that_cannot_be_kept_are_an_alarm_as_long_as_that_lasts()
    {
        Assert.Contains("+reader-keys:door-a.entry!", NodeProbe.Say(_node.Do(Seen() with { StoreFault = "the disk is full" })), StringComparison.Ordinal);
        Assert.Equal("the disk is full", Readers(_node.Do(new ReaderLinkChanged(NodeProbe.Door, Direction.In, null)))![0].StoreFault);
        Assert.Contains("-reader-keys:door-a.entry", NodeProbe.Say(_node.Do(Seen())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_standing_power_fault_is_one_alarm_that_outlives_a_restart_and_ends_with_the_reader_s_word()
    {
        var bad = new ReaderCaseChanged(NodeProbe.Door, Direction.In, Tampered: false, PowerFault: true);
        Assert.Equal("+reader-power:door-a.entry!", NodeProbe.Say(_node.Do(bad)));
        Assert.Equal("", NodeProbe.Say(_node.Do(bad)));
        var again = new NodeProbe(board: _board, memory: _node.Memory);
        Assert.DoesNotContain("reader-power", NodeProbe.Say(again.Started), StringComparison.Ordinal);
        Assert.Equal("-reader-power:door-a.entry", NodeProbe.Say(again.Do(bad with { PowerFault = false })));
    }

    [Fact]
    public void The_live_state_tells_the_link_and_since_when_and_says_nothing_anew_when_nothing_is_new()
    {
        Keep(key: "k-1", device: _old);
        var lost = _node.After(10, new ReaderLinkChanged(NodeProbe.Door, Direction.In, "it does not answer", ReaderOffline.NoReply));
        var reader = Readers(lost)![0];
        Assert.Equal((ReaderLink.Offline, ReaderOffline.NoReply, TestPolicy.Tuesday.AddSeconds(10), "k-1", _old), (reader.Link, reader.Why, reader.Since, reader.Key, reader.Device));
        Assert.Empty(_node.After(1, new ReaderLinkChanged(NodeProbe.Door, Direction.In, "it does not answer", ReaderOffline.NoReply)).Live);
        Assert.Null(Readers(new NodeProbe().Started));
    }

    private Effects Keep(string? key = null, ReaderDevice? device = null, bool pending = false, ReaderDevice? other = null, Direction side = Direction.In) =>
        _node.Do(Seen(key, device, pending, other) with { Direction = side });

    private static ReaderKeptSeen Seen(string? key = null, ReaderDevice? device = null, bool pending = false, ReaderDevice? other = null) =>
        new(NodeProbe.Door, Direction.In, key, pending, device, other, null);

    private Effects Order(string act, string minutes, string side = "entry") =>
        _node.Command(Verbs.Reader, ("door", "door-a"), ("side", side), ("act", act), ("minutes", minutes));

    private Effects Accept(ReaderDevice device) =>
        _node.Command(Verbs.Reader, ("door", "door-a"), ("side", "entry"), ("act", "accept"), ("device", device.Mark()));

    private static IReadOnlyList<ReaderLive>? Readers(Effects effects) => effects.Live.Select(it => it.Value).OfType<DoorLive>().Single().Readers;

    private static ReaderActLive Act(Effects effects) => Readers(effects)![0].Act!;

    /// <summary>The acts on record: what, how it went, keys, the last digit of the devices' serials, whose order, for how long.</summary>
    private static string Said(Effects effects) => string.Join(", ", effects.Records.Select(it => it.Fact).OfType<ReaderCommissioned>().Select(it =>
        $"{it.Act} {it.Outcome}{(it.Fault is { } fault ? $" {fault}" : "")}{Change("k", it.KeyBefore, it.KeyAfter)}{Change("d", it.DeviceBefore?.Serial[^1..], it.DeviceAfter?.Serial[^1..])}"
        + $"{(it.Owner is null ? "" : $" {it.Owner}: {it.Reason}")}{(it.Seconds is { } seconds ? $" {seconds}" : "")}"));

    private static string Change(string what, string? before, string? after) => before is null && after is null ? "" : $" {what}:{before}>{after}";
}
