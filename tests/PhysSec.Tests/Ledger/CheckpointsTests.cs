using PhysSec.Core.Alarms;
using PhysSec.Core.Proof;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Ledger;

/// <summary>Checkpoints are signed over what is there, lead to one another, leave the machine, and show what changed behind their back.</summary>
public sealed class CheckpointsTests
{
    [Fact]
    public async Task The_first_checkpoint_covers_the_record_of_the_keys_by_which_the_ledger_is_believed()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        var made = await MakeAsync(hub);

        var note = SignedNote.Parse(made.Note);
        var key = hub.Get<Checkpoints>().Key;
        Assert.Equal("physsec/city/1", key.Name);
        Assert.True(note.IsSignedBy(key, LedgerKey.Check));
        Assert.Equal(made.Value, Checkpoint.Parse(note.Text));
        Assert.Equal(hub.Count("ledger"), made.Value.Size);
        var began = hub.Store.Read(it => it.One("select body from ledger where kind = 'hub.ledger.began'", row => row.GetString(0)))!;
        Assert.Contains(key.ToString(), began, StringComparison.Ordinal);
        Assert.Contains("node-a", began, StringComparison.Ordinal);
        Assert.Equal(made.Id, (await MakeAsync(hub)).Id); // Nothing new: the same.
    }

    [Fact]
    public async Task Each_checkpoint_begins_with_the_one_before()
    {
        await using var hub = RunningHub.WithoutBroker();
        var before = await MakeAsync(hub);
        for (var i = 0; i < 40; i++)
        {
            await LedgerTreeTests.ActAsync(hub, $"act-{i}");
            var next = await MakeAsync(hub);
            var path = hub.Store.Read(it => MerkleTree.Consistency(before.Value.Size, next.Value.Size, LedgerTree.Of(it)));
            Assert.True(MerkleTree.IsConsistent(before.Value.Size, before.Value.Root, next.Value.Size, next.Value.Root, path));
            before = next;
        }
    }

    [Fact]
    public async Task A_hub_restored_from_a_backup_signs_under_another_name()
    {
        await using var hub = RunningHub.WithoutBroker();
        var one = await MakeAsync(hub);
        await hub.Store.WriteAsync(it => it.Execute("update meta set value = '9' where name = 'hub-epoch'"), TestContext.Current.CancellationToken);
        var two = await MakeAsync(hub);
        Assert.Equal((1, 9), (one.Value.HubEpoch, two.Value.HubEpoch));
        Assert.Equal(2, hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.ledger.began'")));
    }

    [Fact]
    public async Task What_left_the_machine_is_on_record_and_what_no_copy_covers_is_counted()
    {
        await using var hub = RunningHub.WithoutBroker();
        var checkpoints = hub.Get<Checkpoints>();
        var made = await MakeAsync(hub);
        Assert.Equal((made.Value.Size, (DateTimeOffset?)hub.Time.GetUtcNow()), (checkpoints.Unwitnessed().Records, checkpoints.Unwitnessed().Since));
        hub.Time.Advance(TimeSpan.FromHours(5));

        await checkpoints.LeftAsync(RunningHub.Admin, made, "mail", "auditor@example.jp", TestContext.Current.CancellationToken);
        await checkpoints.LeftAsync(RunningHub.Admin, made, "mail", "auditor@example.jp", TestContext.Current.CancellationToken);
        Assert.Equal((1, (DateTimeOffset?)hub.Time.GetUtcNow()), (checkpoints.Unwitnessed().Records, checkpoints.Unwitnessed().Since)); // Only the record of its leaving.
        Assert.Equal(["mail"], checkpoints.NewestWitnessed()!.Witnesses);
        Assert.Equal(1, hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.checkpoint.left'")));
    }

    [Fact]
    public async Task A_drop_folder_gets_each_checkpoint_as_a_file()
    {
        var folder = Directory.CreateTempSubdirectory("physsec-drop-");
        try
        {
            await using var hub = RunningHub.WithoutBroker(ledger: $$"""{ "dropFolder": "{{folder.FullName}}" }""");
            await hub.Get<CheckpointKeeper>().RoundAsync(TestContext.Current.CancellationToken);
            var note = SignedNote.Parse(await File.ReadAllTextAsync(Assert.Single(folder.GetFiles()).FullName, TestContext.Current.CancellationToken));
            Assert.True(note.IsSignedBy(hub.Get<Checkpoints>().Key, LedgerKey.Check));
            Assert.Equal(["file"], hub.Get<Checkpoints>().NewestWitnessed()!.Witnesses);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Two_days_without_a_copy_outside_are_an_alarm_that_ends_when_one_leaves()
    {
        await using var hub = RunningHub.WithoutBroker();
        var keeper = hub.Get<CheckpointKeeper>();
        await keeper.RoundAsync(TestContext.Current.CancellationToken);
        hub.Time.Advance(TimeSpan.FromHours(47));
        await keeper.RoundAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(hub.Alarms.List(), it => it.Class == AlarmClasses.RecordUnwitnessed);
        hub.Time.Advance(TimeSpan.FromHours(2));
        await keeper.RoundAsync(TestContext.Current.CancellationToken);
        Assert.Contains(hub.Alarms.List(), it => it.Class == AlarmClasses.RecordUnwitnessed && it.Active);

        await hub.Get<Checkpoints>().LeftAsync(RunningHub.Admin, await MakeAsync(hub), "auditor", "paper", TestContext.Current.CancellationToken);
        await keeper.RoundAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(hub.Alarms.List(), it => it.Class == AlarmClasses.RecordUnwitnessed && it.Active);
    }

    [Fact]
    public async Task A_tree_that_was_changed_past_the_program_is_an_alarm()
    {
        await using var hub = RunningHub.WithoutBroker();
        await MakeAsync(hub);
        Assert.Null(hub.Get<Checkpoints>().FirstBroken());
        await hub.Store.WriteAsync(it => it.Execute("update tiles set hashes = zeroblob(length(hashes))"), TestContext.Current.CancellationToken);
        await hub.Get<CheckpointKeeper>().RoundAsync(TestContext.Current.CancellationToken);
        Assert.Contains(hub.Alarms.List(), it => it.Class == AlarmClasses.RecordDamaged && it.Active);
    }

    [Theory]
    [InlineData("id = 0")] // The hashes of the first 256 records: the newest checkpoint can be made without them.
    [InlineData("id >= 281474976710656")] // Those above.
    public async Task A_tree_of_which_a_part_is_gone_is_an_alarm_too(string gone)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        await hub.Get<Checkpoints>().LeftAsync(RunningHub.Admin, await MakeAsync(hub), "mail", "auditor@example.jp", cancel);
        await LedgerTreeTests.ActAsync(hub, "something.done", 600);
        await MakeAsync(hub);
        await hub.Store.WriteAsync(it => it.Execute($"delete from tiles where {gone}"), cancel);
        await LedgerTreeTests.ActAsync(hub, "something.done");
        await Record.ExceptionAsync(() => hub.Get<CheckpointKeeper>().RoundAsync(cancel)); // Whether or not it could make one.
        Assert.Contains(hub.Alarms.List(), it => it.Class == AlarmClasses.RecordDamaged && it.Active);
    }

    private static Task<SignedCheckpoint> MakeAsync(RunningHub hub) => hub.Get<Checkpoints>().MakeAsync(TestContext.Current.CancellationToken);
}
