using System.Text;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using UglyToad.PdfPig;

namespace PhysSec.Tests.HubAccess;

public sealed class RegisterTests
{
    private static readonly DoorId _door = new("door-a");
    private static readonly PersonId _alice = new("p-alice");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_exit_can_be_entered_later_and_shows_who_did_and_why()
    {
        await using var desk = await OneWhoDidNotLeaveAsync();
        var (register, later) = Of(desk);

        await later.AddAsync(Desk.Admin, new(Line(register), Out: Desk.Start.AddMinutes(40)), "本人に確認", Cancel);
        desk.Time.Advance(TimeSpan.FromMinutes(1));
        await later.AddAsync(Desk.Admin, new(Line(register), Out: Desk.Start.AddMinutes(45)), "監視映像で訂正", Cancel);

        var visit = Assert.Single(register.List(Desk.Start, Desk.Start.AddHours(2)));
        Assert.Equal((Desk.Start.AddMinutes(45), null, "tanaka", "監視映像で訂正"), (visit.Out, visit.Note, visit.Later?.By, visit.Later?.Reason));
        Assert.Equal(2, desk.Log.Search(new(Kind: "hub.register.entered-later")).Items.Count); // The first one is corrected, not gone.
        Assert.Null(Assert.Single(register.Recorded(Desk.Start, Desk.Start.AddHours(2))).Out);
    }

    [Fact]
    public async Task What_a_door_has_on_record_stands_whatever_is_entered_later()
    {
        await using var desk = await OneWhoDidNotLeaveAsync();
        var (register, later) = Of(desk);
        var line = Line(register);
        await later.AddAsync(Desk.Admin, new(line, Out: Desk.Start.AddMinutes(40)), "本人に確認", Cancel);
        await desk.RecordAsync(50, new Passage(_door, Direction.Out, _alice, 0), late: true);

        Assert.Equal(Desk.Start.AddMinutes(50), Assert.Single(register.List(Desk.Start, Desk.Start.AddHours(2))).Out);
        var refused = await Assert.ThrowsAsync<InputException>(() => later.AddAsync(Desk.Admin, new(line, Out: Desk.Start.AddMinutes(41)), "訂正", Cancel));
        Assert.Equal("out", refused.Field);
    }

    [Theory]
    [InlineData(null, null, "理由", "in")]
    [InlineData(10, 5, "理由", "out")]
    [InlineData(10, 20, "", "reason")]
    [InlineData(10, 100_000, "理由", "out")]
    public async Task A_late_entry_with_a_fault_is_refused_and_names_the_field(int? entered, int? left, string reason, string field)
    {
        await using var desk = await OneWhoDidNotLeaveAsync();
        var put = new NewLateEntry(Name: "配達 太郎", Door: "door-a", In: At(entered), Out: At(left));

        Assert.Equal(field, (await Assert.ThrowsAsync<InputException>(() => Of(desk).Later.AddAsync(Desk.Admin, put, reason, Cancel))).Field);
        Assert.Empty(desk.Log.Search(new(Kind: "hub.register.entered-later")).Items);

        static DateTimeOffset? At(int? minutes) => minutes is { } it ? Desk.Start.AddMinutes(it) : null;
    }

    [Fact]
    public async Task A_late_entry_names_a_line_that_is_there_or_a_door_and_somebody_who_came()
    {
        await using var desk = await OneWhoDidNotLeaveAsync();
        var later = Of(desk).Later;

        async Task<string> FieldAsync(NewLateEntry it) => (await Assert.ThrowsAsync<InputException>(() => later.AddAsync(Desk.Admin, it, "理由", Cancel))).Field;

        Assert.Equal("line", await FieldAsync(new(Line: 999, Out: Desk.Start.AddMinutes(5))));
        Assert.Equal("door", await FieldAsync(new(Name: "配達 太郎", Door: "door-z", In: Desk.Start)));
        Assert.Equal("name", await FieldAsync(new(Door: "door-a", In: Desk.Start)));
        Assert.Equal("person", await FieldAsync(new(Person: "p-nobody", Door: "door-a", In: Desk.Start)));
    }

    [Fact]
    public async Task A_visit_from_paper_is_a_line_of_its_own_and_can_be_corrected()
    {
        await using var desk = await Desk.OpenAsync();
        desk.Time.Advance(TimeSpan.FromHours(8));
        var (register, later) = Of(desk);
        await later.AddAsync(Desk.Admin, new(Name: "配達 太郎", Department: "運送会社", Door: "door-a", Purpose: "搬入", In: Desk.Start.AddHours(1), Items: ["台車"]), "紙の記録 3枚目", Cancel);
        var line = Assert.Single(register.List(Desk.Start, Desk.Start.AddHours(2)));
        await later.AddAsync(Desk.Admin, new(line.Id, Name: "配達 太郎", Department: "運送会社", Door: "door-a", Purpose: "搬入", In: Desk.Start.AddHours(1), Out: Desk.Start.AddHours(1.5)), "退室を追記", Cancel);

        var corrected = Assert.Single(register.List(Desk.Start, Desk.Start.AddHours(2)));
        Assert.Equal((line.Id, "配達 太郎", "運送会社", Desk.Start.AddHours(1.5), null), (corrected.Id, corrected.PersonName, corrected.Department, corrected.Out, corrected.Note));
        Assert.Equal(("no-exit-recorded", "台車"), (line.Note, line.Items.Single()));
    }

    [Fact]
    public async Task A_record_that_is_not_there_counts_as_missing_until_it_comes()
    {
        await using var desk = await Desk.OpenAsync();
        for (var i = 0; i < 4; i++) await desk.RecordAsync(i, new NodeStopped("test"));
        var missing = await desk.Store.WriteAsync(it =>
        {
            it.Execute("create temp table lost as select * from ledger where source = 'node-a' and seq = 2; delete from ledger where source = 'node-a' and seq = 2");
            Records.Advance(it, "node-a", 1, Streams.Access);
            var without = Completeness.Of(it, Desk.Start, Desk.Start.AddHours(1));
            it.Execute("insert into ledger select * from lost");
            Records.Advance(it, "node-a", 1, Streams.Access);
            return (without.Records, without.Undeclared, After: Completeness.Of(it, Desk.Start, Desk.Start.AddHours(1)));
        }, Cancel);

        Assert.Equal((3, 1), (missing.Records, missing.Undeclared));
        Assert.Equal((4, 0, 0), (missing.After.Records, missing.After.Undeclared, missing.After.Declared.Count));
    }

    [Fact]
    public async Task A_board_that_began_anew_is_a_declared_gap_and_its_first_life_is_none()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.RecordAsync(1, new EpochBegan(0, 0, ""));
        await desk.RecordAsync(2, new JournalRepaired("a page was damaged", "journal.1"));
        await desk.Store.WriteAsync(it =>
        {
            Records.Advance(it, "node-a", 1, Streams.Access);
            it.Execute("insert into ledger (id, source, epoch, stream, seq, hash, body, received_at, kind) select max(id) + 1, 'node-a', 2, 'a', 1, '', '{}', $at, 'epoch.began' from ledger", ("$at", Desk.Start));
            Records.SetThrough(it, "node-a", 2, Streams.Access, 1, "");
        }, Cancel);

        var whole = desk.Store.Read(it => Completeness.Of(it, Desk.Start, Desk.Start.AddHours(1)));

        Assert.Equal(["journal.repaired", "epoch.began"], whole.Declared.Select(it => it.Kind));
        Assert.Empty(desk.Store.Read(it => Completeness.Of(it, Desk.Start.AddDays(1), Desk.Start.AddDays(2))).Declared);
    }

    [Fact]
    public async Task The_months_sheet_says_the_same_as_csv_and_as_pdf_with_numbered_pages_and_its_checkpoint()
    {
        await using var hub = RunningHub.WithoutBroker();
        await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room-a", "サーバ室", "Server room", 1, 72, Assurance.Low, JournalFaultRule.Refuse), cancel: Cancel);
        using var node = await hub.EnrolAsync("node-a");
        await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room-a", "正面扉", "Front door", 5, 15, 20, 10, Assurance.Low), cancel: Cancel);
        var start = hub.Time.GetUtcNow();
        hub.Time.Advance(TimeSpan.FromHours(10));
        for (var i = 0; i < 60; i++)
        {
            await hub.Get<LateEntries>().AddAsync(
                RunningHub.Admin, new(Name: $"髙橋 﨑子{i}", Department: "情報政策課", Door: "door-a", Purpose: "空調設備の定期点検", In: start.AddMinutes(i), Out: start.AddMinutes(i + 30)), "停電中の紙の記録", Cancel);
        }

        var sheet = hub.Get<RegisterSheet>();
        var month = await sheet.OfAsync(null, RunningHub.Admin, Cancel);
        using var csv = new MemoryStream();
        await sheet.WriteCsvAsync(month, csv, Cancel);
        using var pdf = new MemoryStream();
        RegisterPdf.Write(sheet, month, pdf);

        var text = Encoding.UTF8.GetString(csv.ToArray());
        Assert.Equal(60, text.Split("髙橋 﨑子").Length - 1);
        Assert.Contains(month.Checkpoint.Note.Split('\n')[2], text, StringComparison.Ordinal);
        using var read = PdfDocument.Open(pdf.ToArray());
        var pages = read.GetPages().Select(it => string.Concat(it.Letters.Select(letter => letter.Value))).ToList();
        Assert.True(pages.Count > 1);
        for (var i = 0; i < pages.Count; i++) Assert.Contains($"{i + 1}/{pages.Count}", pages[i].Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var all = string.Concat(pages).Replace(" ", "", StringComparison.Ordinal);
        for (var i = 0; i < 60; i++) Assert.Contains($"髙橋﨑子{i}", all, StringComparison.Ordinal);
        Assert.Contains(month.Checkpoint.Note.Split('\n')[2], all, StringComparison.Ordinal);
        Assert.All(read.GetPages().SelectMany(it => it.Letters), it => Assert.Contains("IPAexGothic", it.FontName, StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<Desk> OneWhoDidNotLeaveAsync()
    {
        var desk = await Desk.OpenAsync();
        await desk.RecordAsync(1, new Passage(_door, Direction.In, _alice, 1));
        desk.Time.Advance(TimeSpan.FromHours(8));
        return desk;
    }

    private static (Register Register, LateEntries Later) Of(Desk desk)
    {
        var register = new Register(desk.Store, desk.People);
        return (register, new(desk.Store, desk.Time, register));
    }

    private static long Line(Register register) => register.List(Desk.Start, Desk.Start.AddHours(2)).Single().Id;
}
