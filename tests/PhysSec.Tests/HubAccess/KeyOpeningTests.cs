using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAccess;

/// <summary>R-KEY-07: what is said of a door that opened without a release. The alarm itself is the node's, and nothing here makes it later or smaller.</summary>
public sealed class KeyOpeningTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_opening_while_a_key_is_lent_names_who_has_it_at_the_alarm_and_on_record_and_the_alarm_stands_as_it_was()
    {
        await using var room = await KeyRoom.OpenAsync();
        var loan = await room.LendAsync();
        room.Hub.Time.Advance(TimeSpan.FromMinutes(1));
        await room.ForceAsync();
        var before = room.Hub.Alarms.List().Single(it => it.Key == KeyRoom.Alarm);
        Assert.Equal(KeyVerdict.Waiting, before.KeyLoan!.Verdict);
        await room.RoundAsync();

        var after = room.Hub.Alarms.List().Single(it => it.Key == KeyRoom.Alarm);
        Assert.Equal((KeyVerdict.Matched, room.Now), (after.KeyLoan!.Verdict, after.KeyLoan.OpenedAt));
        Assert.Equal([new KeyHolder("p-alice", "青木 里奈", "サーバ室 1", loan.Id)], after.KeyLoan.Holders);
        Assert.NotNull(room.Hub.Alarms.List(KeyRoom.Guard with { Scope = ["room"] }).Single(it => it.Key == KeyRoom.Alarm).KeyLoan);
        Assert.Null(room.Hub.Alarms.List(KeyRoom.Guard with { Scope = ["corridor"] }).Single(it => it.Key == KeyRoom.Alarm).KeyLoan);
        Assert.Equal(before with { KeyLoan = null, Notifications = [] }, after with { KeyLoan = null, Notifications = [] });
        Assert.Equal(["Raised"], room.Hub.Get<NotificationLog>().List().Select(it => it.What));
        var record = Assert.Single(room.Found(KeyOpenings.MatchedVerb, "p-alice", KeyRoom.Alarm));
        Assert.Equal(("door-a", after.KeyLoan.Opening, loan.Id), (record.Door, (long)After(record)["opening"]!, (long)After(record)["loan"]!));
        Assert.Equal("alarm.raised", room.Hub.Get<AccessLog>().Search(new()).Items.Single(it => it.Id == after.KeyLoan.Opening).Kind);
        Assert.Equal(KeyRegister.LentVerb, room.Hub.Get<AccessLog>().Search(new()).Items.Single(it => it.Id == loan.Id).Kind["hub.".Length..]);
    }

    [Fact]
    public async Task A_guard_s_own_key_does_not_explain_away_an_opening_that_nobody_has_acknowledged()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.ForceAsync();
        var first = room.Now;
        await room.ShutAsync();
        room.Hub.Time.Advance(KeyMatch.Patience + _second);
        await room.RoundAsync();
        await room.LendAsync();
        room.Hub.Time.Advance(_second);
        await room.ForceAsync();
        await room.RoundAsync();
        Assert.Equal((KeyVerdict.Unmatched, first), (room.Finding!.Verdict, room.Finding.OpenedAt));

        await room.Hub.Alarms.AcknowledgeAsync(KeyRoom.Guard, KeyRoom.Alarm, "現地確認");
        await room.ShutAsync();
        room.Hub.Time.Advance(_second);
        await room.ForceAsync();
        await room.RoundAsync();
        Assert.Equal((KeyVerdict.Matched, room.Now), (room.Finding!.Verdict, room.Finding.OpenedAt));
    }

    [Fact]
    public async Task A_loan_that_was_entered_after_the_opening_is_told_from_one_that_was_there()
    {
        await using var room = await KeyRoom.OpenAsync();
        room.Hub.Time.Advance(TimeSpan.FromMinutes(5));
        await room.ForceAsync();
        room.Hub.Time.Advance(TimeSpan.FromMinutes(5));
        await room.LendAsync(at: room.Now - TimeSpan.FromMinutes(7));
        await room.RoundAsync();
        Assert.True(Assert.Single(room.Finding!.Holders).EnteredAfter);
        Assert.True((bool)After(Assert.Single(room.Found(KeyOpenings.MatchedVerb)))["enteredAfter"]!);
    }

    [Fact]
    public async Task An_opening_that_no_loan_explains_is_a_suspected_intrusion_after_15_minutes_and_stays_one()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.LendAsync(room.Key);
        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null);
        room.Hub.Time.Advance(_second);
        await room.ForceAsync();
        room.Hub.Time.Advance(KeyMatch.Patience);
        await room.RoundAsync();
        Assert.Equal((KeyVerdict.Waiting, room.Now), (room.Finding!.Verdict, room.Finding.Until));
        Assert.Empty(room.Found(KeyOpenings.UnmatchedVerb));

        room.Hub.Time.Advance(_second);
        await room.RoundAsync();
        await room.LendAsync(at: room.Now - KeyMatch.Patience - TimeSpan.FromSeconds(2)); // Entered too late.
        for (var i = 0; i < 3; i++) await room.RoundAsync();
        Assert.Equal((KeyVerdict.Unmatched, 0), (room.Finding!.Verdict, room.Finding.Holders.Count));
        Assert.Equal(("door-a", null), Assert.Single(room.Found(KeyOpenings.UnmatchedVerb, alarm: KeyRoom.Alarm)) is var it ? (it.Door, it.Person) : default);
        Assert.Empty(room.Found(KeyOpenings.MatchedVerb));
    }

    [Fact]
    public async Task A_key_that_was_handed_out_in_a_hurry_may_be_entered_within_15_minutes()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.ForceAsync();
        room.Hub.Time.Advance(KeyMatch.Patience);
        await room.RoundAsync();
        await room.LendAsync(at: room.Now - KeyMatch.Patience);
        room.Hub.Time.Advance(TimeSpan.FromHours(1)); // And the hub was off for the rest of it.
        await room.RoundAsync();
        Assert.Equal(KeyVerdict.Matched, room.Finding!.Verdict);
    }

    [Fact]
    public async Task A_hub_that_was_off_in_between_judges_by_the_times_on_record()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.ForceAsync();
        room.Hub.Time.Advance(TimeSpan.FromHours(3));
        await room.RoundAsync();
        Assert.Equal(KeyVerdict.Unmatched, room.Finding!.Verdict);
    }

    [Fact]
    public async Task A_record_that_comes_late_is_judged_by_its_own_time_and_sounds_nothing()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.LendAsync();
        var opened = room.Now.AddMinutes(30);
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, "異常なし");
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        var quiet = opened.AddMinutes(45); // The key was back by then.
        await room.ForceAsync(opened, LinkState.Down);
        await room.ForceAsync(quiet, LinkState.Down);
        await room.RoundAsync();

        Assert.Equal([("p-alice", opened)], room.Found(KeyOpenings.MatchedVerb).Select(it => (it.Person!, OpenedAt(room, it))));
        Assert.Equal([quiet], room.Found(KeyOpenings.UnmatchedVerb).Select(it => OpenedAt(room, it)));
        Assert.Empty(room.Hub.Get<NotificationLog>().List());
    }

    [Fact]
    public async Task While_one_opening_waits_later_ones_are_judged_once()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.ForceAsync(); // Nobody has a key.
        await room.ShutAsync();
        room.Hub.Time.Advance(TimeSpan.FromMinutes(5));
        await room.LendAsync();
        await room.ForceAsync();
        for (var i = 0; i < 3; i++) await room.RoundAsync();
        Assert.Single(room.Found(KeyOpenings.MatchedVerb));
        Assert.Empty(room.Found(KeyOpenings.UnmatchedVerb));

        room.Hub.Time.Advance(KeyMatch.Patience);
        for (var i = 0; i < 3; i++) await room.RoundAsync();
        Assert.Single(room.Found(KeyOpenings.MatchedVerb));
        Assert.Single(room.Found(KeyOpenings.UnmatchedVerb));
        Assert.Equal(KeyVerdict.Unmatched, room.Finding!.Verdict); // The first is not explained, and nobody has acknowledged it.
    }

    [Fact]
    public async Task With_two_keys_out_both_holders_are_named_for_nobody_can_say_which_key_it_was()
    {
        await using var room = await KeyRoom.OpenAsync();
        var second = await room.Keys.AddAsync(RunningHub.Admin, "door-a", "サーバ室 2", KeyKind.Main, "納品");
        await room.RightAsync("p-bob", "room", room.Now.AddDays(-1), room.Now.AddDays(9));
        await room.LendAsync();
        await room.LendAsync(second.Id, person: "p-bob");
        await room.ForceAsync();
        await room.RoundAsync();
        Assert.Equal(["p-alice", "p-bob"], room.Finding!.Holders.Select(it => it.Person));
        Assert.Equal(["p-alice", "p-bob"], room.Found(KeyOpenings.MatchedVerb).Select(it => it.Person));
    }

    [Fact]
    public async Task A_key_of_another_door_and_a_lost_key_explain_nothing()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.RightAsync("p-bob", "corridor", room.Now.AddDays(-1), room.Now.AddDays(9));
        await room.LendAsync(room.CorridorKey, person: "p-bob");
        await room.LendAsync();
        await room.Keys.RemoveAsync(RunningHub.Admin, room.Key, "紛失");
        room.Hub.Time.Advance(_second);
        await room.ForceAsync();
        room.Hub.Time.Advance(KeyMatch.Patience + _second);
        await room.RoundAsync();
        Assert.Equal(KeyVerdict.Unmatched, room.Finding!.Verdict);
    }

    [Fact]
    public async Task Openings_from_before_there_was_a_key_register_are_not_judged_and_new_ones_are()
    {
        var folder = Directory.CreateTempSubdirectory("physsec-keys-");
        try
        {
            var file = Path.Combine(folder.FullName, "hub.db");
            using (var old = new SqliteConnection($"data source={file};pooling=false"))
            {
                old.Open();
                Schema.Apply(old, steps: 16);
                Forced(old, 1);
            }

            await using var store = Store.Open(file);
            var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddHours(2));
            Assert.False(await KeyOpenings.SettleAsync(store, clock));
            Assert.Null(store.Read(it => KeyOpenings.Of(it, KeyRoom.Alarm)));

            await store.WriteAsync(it => Forced(it, 2), TestContext.Current.CancellationToken);
            Assert.True(await KeyOpenings.SettleAsync(store, clock));
            Assert.False(await KeyOpenings.SettleAsync(store, clock));
            Assert.Equal((2, KeyVerdict.Unmatched), store.Read(it => KeyOpenings.Of(it, KeyRoom.Alarm)) is { } found ? (found.Opening, found.Verdict) : default);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static void Forced(SqliteConnection store, int number) => store.Execute(
            "insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, at, kind, reason, alarm) values ($id, 'node-a', 1, 'a', $id, '', '{}', $id, $id, 'alarm.raised', 'door-forced', $alarm)",
            ("$id", number), ("$alarm", KeyRoom.Alarm));
    }

    [Fact]
    public async Task What_is_still_to_be_judged_is_found_by_an_index_of_its_own()
    {
        await using var room = await KeyRoom.OpenAsync();
        var plan = room.Hub.Store.Read(it => it.Query("explain query plan " + KeyOpenings.OpenSql, row => row.GetString(3)));
        Assert.Contains(plan, it => it.Contains("ledger_forced (", StringComparison.Ordinal) && it.Contains(">?", StringComparison.Ordinal));
    }

    private static JsonNode After(LogItem record) => JsonNode.Parse(record.Body)!["fact"]!["after"]!;

    private static DateTimeOffset OpenedAt(KeyRoom room, LogItem finding) =>
        room.Hub.Store.Read(it => it.Query("select at from ledger where id = $id", row => Rows.FromStored(row.GetInt64(0)), ("$id", (long)After(finding)["opening"]!))).Single();
}
