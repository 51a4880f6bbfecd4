using System.Text.Json;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Review;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAccess;

/// <summary>What a door claims of its readers, what its board says of them, and who answers for the rest.</summary>
public sealed class DoorAssuranceTests
{
    private const string Door = "door-a";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static readonly ReaderDescription _wiegand = new(Direction.In, "wiegand", CardProof.Number, false);
    private static readonly ReaderDescription _proving = new(Direction.In, "osdp", CardProof.KeyInReader, true, "MIFARE DESFire EV3");

    // One row for each way to be worth less than one claims.
    [Theory]
    [InlineData(CardProof.Number, true, Assurance.Low)]
    [InlineData(CardProof.KeyInReader, false, Assurance.Low)]
    [InlineData(CardProof.KeyAtController, false, Assurance.Low)]
    [InlineData(CardProof.KeyInReader, true, Assurance.High)]
    [InlineData(CardProof.KeyAtController, true, Assurance.High)]
    public void Only_a_card_that_proves_itself_over_an_encrypted_line_is_high_assurance(CardProof proof, bool encrypted, Assurance expected) =>
        Assert.Equal(expected, new ReaderDescription(Direction.In, "osdp", proof, encrypted).Assured());

    [Fact]
    public void A_door_is_worth_what_its_weakest_entry_reader_is()
    {
        Assert.Equal(Assurance.High, new DoorWiring([_proving, _wiegand with { Side = Direction.Out }], []).Assured()); // Leaving is never decided by it.
        Assert.Equal(Assurance.Low, new DoorWiring([_proving, _wiegand], []).Assured());
        Assert.Equal(Assurance.Low, new DoorWiring([_proving with { Side = Direction.Out }], []).Assured());
        Assert.Equal(Assurance.Low, new DoorWiring([], []).Assured());
    }

    [Fact]
    public async Task The_policy_counts_the_lower_of_what_is_set_and_what_the_board_says()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.High);

        Assert.Equal(Assurance.Low, Counted(hub, node)); // No board has said anything.
        await BornAsync(hub, node, [_wiegand]);
        Assert.Equal(Assurance.Low, Counted(hub, node));
        await BornAsync(hub, node, [_proving]);
        Assert.Equal(Assurance.High, Counted(hub, node));
        await BornAsync(hub, node, null);
        Assert.Equal(Assurance.Low, Counted(hub, node)); // An older node that says nothing of its readers.
    }

    [Fact]
    public async Task A_door_set_to_less_than_its_reader_proves_stays_at_that()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.Low);
        await BornAsync(hub, node, [_proving]);

        Assert.Equal(Assurance.Low, Counted(hub, node));
    }

    [Fact]
    public async Task What_is_set_above_the_board_is_an_alarm_until_one_of_the_two_changes()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.High);
        var watch = hub.Get<AssuranceWatch>();

        await watch.RoundAsync();
        Assert.Empty(Overclaimed(hub)); // Nobody has said yet what hangs there.
        await BornAsync(hub, node, [_wiegand]);
        await watch.RoundAsync();
        await watch.RoundAsync();
        Assert.Equal(Door, Assert.Single(Overclaimed(hub)));
        await BornAsync(hub, node, [_proving]);
        await watch.RoundAsync();
        Assert.Empty(Overclaimed(hub));
    }

    [Fact]
    public async Task The_weekly_review_finds_each_standing_matter_of_a_door()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.High);
        await BornAsync(hub, node, [_wiegand]);

        Assert.Equal([Matters.NumberOnly, Matters.Overclaimed, Matters.NotAccepted], Standing(hub));
        await BornAsync(hub, node, [_proving]);
        Assert.Equal([Matters.NotAccepted], Standing(hub));
        await hub.Get<DoorSheets>().SignAsync(RunningHub.Admin, Door, Sheet(hub).Hash, "残存リスクは監視カメラで補う", Cancel);
        Assert.Empty(Standing(hub));
    }

    [Fact]
    public async Task A_zone_above_level_1_cannot_be_set_to_take_numbers()
    {
        await using var hub = RunningHub.WithoutBroker();

        var refused = await Assert.ThrowsAsync<InputException>(() =>
            hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", 2, 72, Assurance.Low, JournalFaultRule.Refuse), cancel: Cancel));

        Assert.Equal("zones[room].required", refused.Field);
    }

    [Fact]
    public async Task A_door_above_level_1_is_not_commissioned_until_somebody_accepts_just_what_its_sheet_says()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.High);
        await BornAsync(hub, node, [_proving]);
        var sheets = hub.Get<DoorSheets>();
        var shown = Sheet(hub);

        Assert.False(shown.Accepted);
        await Assert.ThrowsAsync<InputException>(() => sheets.SignAsync(RunningHub.Admin, Door, shown.Hash, " ", Cancel));
        await Assert.ThrowsAsync<InputException>(() => sheets.SignAsync(RunningHub.Admin, "door-z", shown.Hash, "why", Cancel));
        await BornAsync(hub, node, [_wiegand]); // Changed behind the reader's back.
        await Assert.ThrowsAsync<InputException>(() => sheets.SignAsync(RunningHub.Admin, Door, shown.Hash, "why", Cancel));
        Assert.False(Sheet(hub).Accepted);
        await sheets.SignAsync(RunningHub.Admin, Door, Sheet(hub).Hash, "更新計画あり", Cancel);

        Assert.Equal((true, RunningHub.Admin.Name, "更新計画あり"), (Sheet(hub).Accepted, Sheet(hub).Signature!.By, Sheet(hub).Signature!.Reason));
        Assert.Equal(1, hub.Store.Read(it => Hub.Storage.Rows.Number(it, "select count(*) from ledger where kind = 'hub.door.risk-accepted' and door = 'door-a'")));
    }

    // One row for each thing that the sheet rests on.
    [Theory]
    [InlineData("reader")]
    [InlineData("lock")]
    [InlineData("line")]
    [InlineData("lock-at-reader")]
    [InlineData("zone")]
    [InlineData("exception")]
    [InlineData("exception-over")]
    [InlineData("commissioning")]
    public async Task Whatever_changes_at_a_door_must_be_accepted_anew(string what)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.High);
        var until = hub.Time.GetUtcNow().AddDays(30);
        if (what == "exception-over") await PutDoorAsync(hub, Assurance.High, new("情報政策課長", "更新待ち", "カメラ", until));
        await BornAsync(hub, node, [_proving]);
        await hub.Get<DoorSheets>().SignAsync(RunningHub.Admin, Door, Sheet(hub).Hash, "ok", Cancel);
        Assert.True(Sheet(hub).Accepted);

        switch (what)
        {
            case "reader":
                await BornAsync(hub, node, [_proving with { Card = "FeliCa IDm" }]);
                break;
            case "lock":
                await BornAsync(hub, node, [_proving], LockType.Motor);
                break;
            case "line":
                await BornAsync(hub, node, [_proving], unsupervised: ["door-a.contact"]);
                break;
            case "lock-at-reader":
                await BornAsync(hub, node, [_proving], lockAt: Direction.In);
                Assert.Equal(Direction.In, Sheet(hub).Sheet.LockAtReader);
                break;
            case "zone":
                await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", 2, 100, Assurance.High, JournalFaultRule.Refuse), cancel: Cancel);
                break;
            case "exception":
                await PutDoorAsync(hub, Assurance.High, new("情報政策課長", "更新待ち", "カメラ", until));
                break;
            case "exception-over":
                hub.Time.SetUtcNow(until);
                break;
            default:
                node.Write(new BoardCommissioned("one-room", new('b', 64), false, "佐藤", hub.Time.GetUtcNow(), false, ["exitByButton:door-a.lock"], new('c', 64)), hub.Time.GetUtcNow());
                await hub.TakeBatchAsync(node, 1, 1);
                Assert.Equal(["exitByButton:door-a.lock"], Sheet(hub).Sheet.Commissioning!.Open);
                break;
        }

        Assert.False(Sheet(hub).Accepted);
        Assert.NotNull(Sheet(hub).Signature);
    }

    [Fact]
    public async Task At_level_1_nobody_need_accept_anything()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await RoomAsync(hub, Assurance.Low, level: 1);

        Assert.True(Sheet(hub).Accepted);
        Assert.Empty(Standing(hub));
    }

    private static async Task<SignedNode> RoomAsync(RunningHub hub, Assurance claimed, int level = 2)
    {
        var node = await hub.EnrolAsync("node-a");
        await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", level, 72, level > 1 ? Assurance.High : Assurance.Low, JournalFaultRule.Refuse), cancel: Cancel);
        await PutDoorAsync(hub, claimed, null);
        return node;
    }

    private static Task PutDoorAsync(RunningHub hub, Assurance claimed, AssuranceException? exception) =>
        hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new(Door, "node-a", "room", "扉", "Door", 5, 15, 20, 10, claimed, exception), cancel: Cancel);

    /// <summary>The board says what hangs on the door.</summary>
    private static Task BornAsync(RunningHub hub, SignedNode node, IReadOnlyList<ReaderDescription>? readers, LockType type = LockType.Magnet, IReadOnlyList<string>? unsupervised = null,
        Direction? lockAt = null)
    {
        var birth = JsonSerializer.Deserialize(node.Birth(0), WireJson.Plain.Birth)! with
        {
            Doors = [new(new(Door), true, true, true, true, type, Wiring: readers is null ? null : new(readers, unsupervised ?? [], lockAt))],
        };
        return hub.Nodes.BornAsync(node.Id, birth, JsonSerializer.Serialize(birth, WireJson.Plain.Birth));
    }

    private static Assurance Counted(RunningHub hub, SignedNode node) => Assert.Single(hub.Store.Read(it =>
        PolicyCompiler.Compile(it, node.Id, 1, hub.Time.GetUtcNow(), RunningHub.Site, "Asia/Tokyo")).Doors).ReaderAssurance;

    private static DoorSheetView Sheet(RunningHub hub) => hub.Get<DoorSheets>().Get(Door)!;

    private static IEnumerable<string> Overclaimed(RunningHub hub) =>
        hub.Alarms.List(activeOnly: true).Where(it => it is { Class: AlarmClasses.AssuranceOverclaimed, Active: true }).Select(it => it.Source);

    private static IEnumerable<string> Standing(RunningHub hub) =>
        hub.Store.Read(it => Matters.Of(it, hub.Time.GetUtcNow().AddDays(-7), hub.Time.GetUtcNow()).ToList())
            .Where(it => it.Pattern is Matters.NumberOnly or Matters.Overclaimed or Matters.NotAccepted).Select(it => it.Pattern);
}
