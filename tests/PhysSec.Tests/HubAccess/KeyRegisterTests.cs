using System.Text;
using System.Text.Json.Nodes;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Retention;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubAccess;

/// <summary>The 鍵管理簿: who has which key, who had, and whom none is lent to (R-KEY-01, R-KEY-03).</summary>
public sealed class KeyRegisterTests
{
    private static readonly Actor _auditor = new("kansa", "auditor", "test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_loan_and_its_return_are_on_record_with_name_section_purpose_and_who_lent_and_took_back()
    {
        await using var room = await KeyRoom.OpenAsync();
        var loan = await room.LendAsync();
        Assert.Equal((loan, false), (State(room).Loan, State(room).Overdue));
        await room.Hub.Get<People>().ChangeAsync(RunningHub.Admin, new("p-alice", "青木 里奈", "アオキ リナ", "会計課", null, "staff"), "異動", Cancel);
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        await room.Keys.ReturnAsync(RunningHub.Admin, room.Key, "異常なし");

        var line = Assert.Single(room.Keys.Loans(RunningHub.Admin, room.Now.AddDays(-1), room.Now.AddDays(1)));
        Assert.Equal(("青木 里奈", "情報政策課", "空調の点検", "unyo", loan.LentAt), (line.PersonName, line.Department, line.Purpose, line.LentBy, line.LentAt)); // The section of that day.
        Assert.Equal((room.Now, "tanaka", false), (line.EndedAt, line.EndedBy, line.Lost));
        Assert.Null(State(room).Loan);
        Assert.Equal([("p-alice", "unyo", "空調の点検")], room.Found(KeyRegister.LentVerb, "p-alice").Select(it => (it.Person!, Said(it, "actor"), Said(it, "reason"))));
        Assert.Equal([("door-a", "tanaka", "異常なし")], room.Found(KeyRegister.ReturnedVerb).Select(it => (it.Door!, Said(it, "actor"), Said(it, "reason"))));
    }

    // What is entered, in the order of the guards, and the field that is named. Hours from now.
    [Theory]
    [InlineData("key", "p-alice", "", 4, 0, "purpose")]
    [InlineData("key-none", "p-alice", "点検", 4, 0, "mechanicalKey")]
    [InlineData("key", "p-alice", "点検", 4, 1, "lentAt")] // Not handed over yet.
    [InlineData("key", "p-alice", "点検", 4, -24.01, "lentAt")]
    [InlineData("key", "p-alice", "点検", 0, 0, "dueAt")]
    [InlineData("key", "p-alice", "点検", 168.01, 0, "dueAt")]
    [InlineData("key", "p-nobody", "点検", 4, 0, "person")]
    [InlineData("out", "p-alice", "点検", 4, 0, "mechanicalKey")]
    [InlineData("key", "p-alice", "点検", 4, -1.5, "lentAt")] // Somebody else had it then.
    [InlineData("key", "p-bob", "点検", 4, 0, "person")] // No right to the zone.
    [InlineData("key", "p-alice", "点検", 168, -1, null)]
    public async Task A_loan_with_a_fault_is_refused_and_names_the_field(string key, string person, string purpose, double due, double lent, string? field)
    {
        await using var room = await KeyRoom.OpenAsync();
        var other = await room.Keys.AddAsync(RunningHub.Admin, "door-a", "サーバ室 2", null, "納品");
        await room.LendAsync(other.Id);
        await room.LendAsync();
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null);
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        var before = room.Hub.Count("ledger");

        var put = new NewKeyLoan(key switch { "key" => room.Key, "out" => other.Id, _ => key }, person, purpose, room.Now.AddHours(due), lent == 0 ? null : room.Now.AddHours(lent));
        if (field is null)
        {
            Assert.Equal(room.Now.AddHours(lent), (await room.Keys.LendAsync(KeyRoom.Guard, put)).LentAt);
            return;
        }

        Assert.Equal(field, (await Assert.ThrowsAsync<InputException>(() => room.Keys.LendAsync(KeyRoom.Guard, put))).Field);
        Assert.Equal(before, room.Hub.Count("ledger"));
    }

    [Fact]
    public async Task A_right_counts_from_its_first_moment_until_its_end_and_not_after_it_was_removed()
    {
        await using var room = await KeyRoom.OpenAsync();
        var right = await room.RightAsync("p-bob", "room", room.Now.AddHours(1), room.Now.AddHours(3));
        await Assert.ThrowsAsync<InputException>(() => room.LendAsync(person: "p-bob"));
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["p-alice", "p-bob"], room.Keys.Borrowers("door-a").Select(it => it.Id));
        await room.LendAsync(person: "p-bob");
        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null);
        await Assert.ThrowsAsync<InputException>(() => room.LendAsync(person: "p-bob", at: room.Now.AddHours(-1))); // Not yet, then.
        await room.Hub.Get<Rights>().RemoveAsync(RunningHub.Admin, right.Id, "取消", Cancel);
        await Assert.ThrowsAsync<InputException>(() => room.LendAsync(person: "p-bob"));
        Assert.Equal(["p-alice"], room.Keys.Borrowers("door-a").Select(it => it.Id));
        room.Hub.Time.Advance(TimeSpan.FromDays(5 * 366));
        await Assert.ThrowsAsync<InputException>(() => room.LendAsync());
    }

    [Fact]
    public async Task A_key_that_is_not_back_in_time_is_told_until_it_is_and_a_mail_names_nobody()
    {
        await using var room = await KeyRoom.OpenAsync();
        var loan = await room.LendAsync();
        room.Hub.Time.Advance(loan.DueAt - room.Now);
        await room.RoundAsync();
        Assert.Equal((false, 0), (State(room).Overdue, room.Hub.Alarms.List().Count));

        room.Hub.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 2; i++) await room.RoundAsync();
        var alarm = Assert.Single(room.Hub.Alarms.List(activeOnly: true));
        Assert.Equal((AlarmClasses.KeyOverdue, room.Key, true), (alarm.Class, alarm.Source, State(room).Overdue));
        Assert.Contains("サーバ室 1", alarm.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("青木", alarm.Detail, StringComparison.Ordinal);

        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null);
        await room.RoundAsync();
        Assert.Empty(room.Hub.Alarms.List(activeOnly: true));
        await room.LendAsync();
        await room.RoundAsync();
        Assert.Empty(room.Hub.Alarms.List(activeOnly: true));
    }

    /// <summary>Two at two consoles.</summary>
    [Fact]
    public async Task Who_looks_at_an_old_loan_takes_no_newer_one_back_and_no_key_off_the_register()
    {
        await using var room = await KeyRoom.OpenAsync();
        Task Return(long seen) => room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null, new(seen));
        Task Remove(long? seen) => room.Keys.RemoveAsync(RunningHub.Admin, room.Key, "紛失", new(seen));
        var old = await room.LendAsync();
        await Return(old.Id);
        Assert.Contains("returned", (await Assert.ThrowsAsync<InputException>(() => Remove(old.Id))).Message, StringComparison.Ordinal);
        var newer = await room.LendAsync();
        foreach (var act in (Func<Task>[])[() => Return(old.Id), () => Remove(old.Id), () => Remove(null)])
            Assert.Contains(newer.PersonName!, (await Assert.ThrowsAsync<InputException>(act)).Message, StringComparison.Ordinal);
        Assert.Equal(newer.Id, State(room).Loan!.Id);
        await Return(newer.Id);
        await Remove(null);
        Assert.DoesNotContain(room.Keys.List(RunningHub.Admin), it => it.Key.Id == room.Key);
    }

    [Fact]
    public async Task Operators_lend_within_their_scope_auditors_read_everything_and_lend_nothing()
    {
        await using var room = await KeyRoom.OpenAsync();
        var corridor = KeyRoom.Guard with { Scope = ["corridor"] };
        await room.LendAsync();
        var (from, to) = (room.Now.AddDays(-1), room.Now.AddDays(1));
        Assert.Equal([room.CorridorKey], room.Keys.List(corridor).Select(it => it.Key.Id));
        Assert.Empty(room.Keys.Loans(corridor, from, to));
        Assert.Equal("door", (await Assert.ThrowsAsync<InputException>(() => room.Keys.ReturnAsync(corridor, room.Key, null))).Field);
        Assert.Equal("door", (await Assert.ThrowsAsync<InputException>(() => room.Keys.AddAsync(corridor, "door-a", "合鍵", null, "納品"))).Field);

        var auditor = _auditor with { Scope = ["corridor"] };
        Assert.Equal((2, 1), (room.Keys.List(auditor).Count, room.Keys.Loans(auditor, from, to).Count));
        Assert.Equal("role", (await Assert.ThrowsAsync<InputException>(() => room.Keys.LendAsync(auditor, new(room.CorridorKey, "p-alice", "点検", to)))).Field);
        Assert.Equal("role", (await Assert.ThrowsAsync<InputException>(() => room.Keys.ReturnAsync(auditor, room.Key, null))).Field);
    }

    [Fact]
    public async Task A_key_has_its_own_label_at_its_door_and_is_taken_off_the_register_with_a_reason()
    {
        await using var room = await KeyRoom.OpenAsync();
        async Task<string> FieldAsync(string? door, string? label, string? reason) =>
            (await Assert.ThrowsAsync<InputException>(() => room.Keys.AddAsync(RunningHub.Admin, door, label, null, reason))).Field;
        Assert.Equal(["label", "reason", "door", "label"], [await FieldAsync("door-a", " ", "納品"), await FieldAsync("door-a", "合鍵", ""), await FieldAsync("door-z", "合鍵", "納品"), await FieldAsync("door-a", "サーバ室 1", "納品")]);

        await room.LendAsync();
        await Assert.ThrowsAsync<InputException>(() => room.Keys.RemoveAsync(RunningHub.Admin, room.Key, " "));
        await room.Keys.RemoveAsync(RunningHub.Admin, room.Key, "紛失");
        Assert.DoesNotContain(room.Keys.List(RunningHub.Admin), it => it.Key.Id == room.Key);
        Assert.Equal((true, room.Now), Assert.Single(room.Keys.Loans(RunningHub.Admin, room.Now.AddDays(-1), room.Now.AddDays(1))) is var loan ? (loan.Lost, loan.EndedAt) : default);
        Assert.Equal("mechanicalKey", (await Assert.ThrowsAsync<InputException>(() => room.LendAsync())).Field);
        Assert.Equal(["p-alice"], room.Found("key.removed").Select(it => it.Person));
        await room.Keys.AddAsync(RunningHub.Admin, "door-a", "サーバ室 1", null, "交換"); // The new one may have its label.
    }

    [Fact]
    public async Task The_month_as_a_file_says_whose_copy_it_is_and_taking_it_is_on_record()
    {
        await using var room = await KeyRoom.OpenAsync();
        await room.LendAsync();
        using var file = new MemoryStream();
        Assert.Equal("2026-11", await room.Hub.Get<KeySheet>().WriteCsvAsync(null, _auditor, file, Cancel));
        var text = Encoding.UTF8.GetString(file.ToArray());
        Assert.Contains("サーバ室 1,扉,青木 里奈,情報政策課,空調の点検,2026-11-02 09:00,2026-11-02 09:00,unyo,2026-11-02 13:00,,,貸出中 out", text, StringComparison.Ordinal);
        Assert.Contains("kansa", text, StringComparison.Ordinal);
        Assert.Contains(KeySheet.Searched, Assert.Single(room.Hub.Get<AccessLog>().Search(new(Kind: "hub." + AccessLog.SearchedVerb, Searches: true)).Items).Body, StringComparison.Ordinal);
        Assert.Equal("month", (await Assert.ThrowsAsync<InputException>(() => room.Hub.Get<KeySheet>().WriteCsvAsync("11-2026", _auditor, file, Cancel))).Field);
    }

    [Theory]
    [InlineData("""{ "access": 1, "alarms": 3 }""", 1, 3)]
    [InlineData("""{ "access": 3, "alarms": 1 }""", 1, 3)]
    [InlineData("""{ "access": 1, "alarms": 1 }""", 0, 1)]
    public async Task A_loan_is_kept_as_long_as_the_register_and_the_alarms_that_it_explains(string retention, int kept, int gone)
    {
        await using var room = await KeyRoom.OpenAsync(retention);
        await room.LendAsync();
        await room.Keys.ReturnAsync(KeyRoom.Guard, room.Key, null);
        room.Hub.Time.Advance(TimeSpan.FromDays(1));
        await room.LendAsync(); // This one stays out.
        await PassAsync(kept == 0 ? TimeSpan.FromDays(360) : TimeSpan.FromDays(366 * kept));
        Assert.Equal(2, room.Hub.Count("key_loans"));
        await PassAsync(TimeSpan.FromDays(366 * (gone - kept)));
        Assert.Equal(1, room.Hub.Count("key_loans"));
        Assert.NotNull(State(room).Loan);

        async Task PassAsync(TimeSpan time)
        {
            for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromDays(30))
            {
                room.Hub.Time.Advance(left < TimeSpan.FromDays(30) ? left : TimeSpan.FromDays(30));
                await room.Hub.Get<RetentionKeeper>().RoundAsync(Cancel);
            }
        }
    }

    [Theory]
    [InlineData("hub.key.lent")]
    [InlineData("hub.key.returned")]
    [InlineData("hub.door.key-opening")]
    [InlineData("hub.door.key-unmatched")]
    public void What_is_on_record_of_keys_is_kept_like_the_register_of_visits(string kind) =>
        Assert.Equal(RecordClasses.Access, RecordClasses.Of(kind, PhysSec.Core.Wire.Streams.Access));

    private static KeyState State(KeyRoom room) => room.Keys.List(RunningHub.Admin).Single(it => it.Key.Id == room.Key);

    private static string? Said(LogItem record, string field) => (string?)JsonNode.Parse(record.Body)!["fact"]![field];
}
