using System.Text;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;

namespace PhysSec.Tests.HubAccess;

public sealed class LogTests
{
    private static readonly DoorId _door = new("door-a");
    private static readonly PersonId _alice = new("p-alice");
    private static readonly PersonId _bob = new("p-bob");
    private static readonly Actor _auditor = new("kansa", "auditor", "test");
    private static readonly CredentialToken _card = new(new string('a', 64));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_of_a_search_join_without_hole_or_repetition()
    {
        await using var desk = await Desk.OpenAsync();
        for (var i = 0; i < 12; i++) await desk.RecordAsync(i, Denied(i % 2 == 0 ? _alice : _bob));

        var (seen, cursor) = (new List<LogItem>(), (long?)null);
        do
        {
            var page = desk.Log.Search(new(Person: "あおき", Outcome: "denied", Cursor: cursor, Limit: 4));
            seen.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal([11L, 9, 7, 5, 3, 1], seen.Select(it => it.Seq));
        Assert.All(seen, it => Assert.Equal(("青木 里奈", "outsideHours", 65), (it.PersonName, it.Reason, it.Code)));
        Assert.Single(desk.Log.Search(new(From: Desk.Start.AddMinutes(3), To: Desk.Start.AddMinutes(4), Kind: "access")).Items);
        Assert.Throws<InputException>(() => desk.Log.Search(new(Limit: 501)));
    }

    [Fact]
    public async Task Who_searched_for_what_is_on_record_and_shown_to_auditors_alone()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.Log.SearchedAsync(_auditor, new(Person: "p-bob"), cancel: Cancel);

        Assert.Contains("p-bob", desk.Log.Search(new(Kind: "hub.log.searched", Searches: true)).Items.Single().Body, StringComparison.Ordinal);
        Assert.Empty(desk.Log.Search(new(Kind: "hub.log.searched")).Items);
    }

    [Fact]
    public async Task A_file_of_records_shows_no_whole_card_token_and_no_formula()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.People.ChangeAsync(Desk.Admin, desk.People.Find("p-alice")! with { Name = "=cmd" }, cancel: Cancel);
        await desk.RecordAsync(0, Denied(_alice));
        using var file = new MemoryStream();

        await desk.Log.WriteCsvAsync(file, new(Node: "node-a"), _auditor, Cancel);

        var text = Encoding.UTF8.GetString(file.ToArray());
        Assert.StartsWith("\ufeff", text, StringComparison.Ordinal);
        Assert.Contains(",'=cmd,denied,outsideHours,65,", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_card.Value, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_records_ends_with_their_number_what_was_asked_for_its_class_and_whose_copy_it_is()
    {
        await using var desk = await Desk.OpenAsync();
        for (var i = 0; i < AccessLog.LimitMax + 3; i++) await desk.RecordAsync(i, new ExitRequested(_door, i));
        using var file = new MemoryStream();

        await desk.Log.WriteCsvAsync(file, new(Kind: "door", Door: "door-a"), _auditor, Cancel);

        using var reader = new CsvHelper.CsvParser(new StringReader(Encoding.UTF8.GetString(file.ToArray()).TrimStart('\ufeff')), System.Globalization.CultureInfo.InvariantCulture);
        var rows = new List<string[]>();
        while (await reader.ReadAsync()) rows.Add(reader.Record!);
        Assert.Equal(AccessLog.LimitMax + 3, rows.Skip(1).Count(it => it.Length == rows[0].Length));
        Assert.Contains($"{AccessLog.LimitMax + 3} records", rows[^4][0], StringComparison.Ordinal);
        Assert.Contains("door = door-a, kind = door", rows[^3][0], StringComparison.Ordinal);
        Assert.Contains("機密性2", rows[^2][0], StringComparison.Ordinal);
        Assert.Contains("kansa", Assert.Single(rows[^1]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_register_pairs_entries_with_exits_and_invents_nothing()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.RecordAsync(0, Granted(_alice));
        await desk.RecordAsync(1, new Passage(_door, Direction.In, _alice, 1));
        await desk.RecordAsync(30, new Passage(_door, Direction.Out, null, 0));
        await desk.RecordAsync(60, new Passage(_door, Direction.In, _alice, 1));
        await desk.RecordAsync(70, new Passage(_door, Direction.Out, _bob, 0));
        await desk.RecordAsync(65, new Passage(_door, Direction.Out, _alice, 0), late: true);

        var visits = new Register(desk.Store, desk.People).List(Desk.Start, Desk.Start.AddHours(2));

        Assert.Equal(
            [("p-alice", 1, null, "no-exit-recorded"), (null, null, 30, "unidentified"), ("p-alice", 60, 65, null), ("p-bob", null, 70, "no-entry-recorded")],
            visits.Select(it => (it.Person, Minutes(it.In), Minutes(it.Out), it.Note)));
        Assert.Equal(("点検", "馬場 健", "laptop"), (visits[0].Purpose, visits[0].Escort, visits[0].Items.Single()));
        Assert.Equal([false, false, true, false], visits.Select(it => it.Late));
        Assert.Empty(new Register(desk.Store, desk.People).List(Desk.Start.AddHours(3), Desk.Start.AddHours(4)));
    }

    [Fact]
    public async Task A_card_shown_at_the_reader_is_assigned_to_the_person_waited_for()
    {
        await using var desk = await Desk.OpenAsync();
        var presentations = new Presentations(desk.Store, desk.Time, desk.Credentials, desk.People);
        var id = await presentations.BeginAsync(Desk.Admin, "door-a", Direction.In, "assign", "p-alice", Cancel);
        presentations.Offer(_door, Direction.Out, new(new string('b', 64)), Desk.Start);
        presentations.Offer(_door, Direction.In, _card, Desk.Start);
        var taken = await presentations.WaitAsync(id, Cancel);

        var second = await presentations.BeginAsync(Desk.Admin, "door-a", Direction.In, "identify", null, Cancel);
        desk.Time.Advance(Presentations.Patience);
        presentations.Offer(_door, Direction.In, _card, desk.Time.GetUtcNow());

        Assert.Equal(("taken", "青木 里奈"), (taken.State, taken.PersonName));
        Assert.Equal("p-alice", desk.Credentials.Find(_card.Value)!.Person);
        Assert.Equal("expired", presentations.Get(second).State);
    }

    [Fact]
    public async Task A_card_shown_before_somebody_waited_for_one_is_not_the_one_waited_for()
    {
        await using var desk = await Desk.OpenAsync();
        var presentations = new Presentations(desk.Store, desk.Time, desk.Credentials, desk.People);
        var passerBy = new CredentialToken(new string('b', 64));
        var id = await presentations.BeginAsync(Desk.Admin, "door-a", Direction.In, "assign", "p-alice", Cancel);

        presentations.Offer(_door, Direction.In, passerBy, Desk.Start.AddMilliseconds(-1));
        Assert.Equal("waiting", presentations.Get(id).State);
        presentations.Offer(_door, Direction.In, _card, at: null);
        await presentations.WaitAsync(id, Cancel);

        Assert.Null(desk.Credentials.Find(passerBy.Value));
        Assert.Equal("p-alice", desk.Credentials.Find(_card.Value)!.Person);
    }

    [Theory]
    [InlineData(CredentialState.Lost)]
    [InlineData(CredentialState.Revoked)]
    [InlineData(CredentialState.Suspended)]
    public async Task A_card_that_opens_nothing_is_not_called_assigned(CredentialState state)
    {
        await using var desk = await Desk.OpenAsync();
        var presentations = new Presentations(desk.Store, desk.Time, desk.Credentials, desk.People);
        await desk.Credentials.AddAsync(Desk.Admin, "p-alice", _card, cancel: Cancel);
        await desk.Credentials.SetStateAsync(Desk.Admin, _card.Value, state, "届出", Cancel);
        var id = await presentations.BeginAsync(Desk.Admin, "door-a", Direction.In, "assign", "p-alice", Cancel);

        presentations.Offer(_door, Direction.In, _card, Desk.Start);
        var taken = await presentations.WaitAsync(id, Cancel);

        Assert.Contains("opens nothing", taken.Fault, StringComparison.Ordinal);
        Assert.Equal(state, desk.Credentials.Find(_card.Value)!.State);
    }

    [Fact]
    public async Task A_card_past_its_validity_is_not_called_assigned()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.Credentials.AddAsync(Desk.Admin, "p-alice", _card, null, Desk.Start.AddDays(1), Cancel);
        desk.Time.Advance(TimeSpan.FromDays(1));

        await Assert.ThrowsAsync<InputException>(() => desk.Credentials.AddAsync(Desk.Admin, "p-alice", _card, cancel: Cancel));
    }

    private static int? Minutes(DateTimeOffset? at) => at is { } it ? (int)(it - Desk.Start).TotalMinutes : null;

    private static AccessDenied Denied(PersonId person) =>
        new(_door, Direction.In, _card, person, DenialReason.OutsideHours, 65, null, 1, "", 0);

    private static AccessGranted Granted(PersonId person) =>
        new(_door, Direction.In, _card, person, null, 1, "", 0, "rule", Assurance.Low, "点検", _bob, ["laptop"]);
}
