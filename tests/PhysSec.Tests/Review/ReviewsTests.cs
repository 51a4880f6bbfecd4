using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.Review;

/// <summary>R-LOG-13 and R-LOG-14: the queue, the signature, the chief.</summary>
public sealed class ReviewsTests
{
    private static readonly Actor _auditor = new("suzuki", "auditor", "test");
    private static readonly Actor _chief = new("yamada", "administrator", "test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_month_that_nobody_reviewed_alarms_and_the_signature_ends_it_and_goes_on_record_with_what_it_rests_on()
    {
        await using var hub = await AfterAMonthAsync();
        var (reviews, watch) = (hub.Get<Reviews>(), hub.Get<ReviewWatch>());
        Assert.Null(reviews.Find("2026-11").Overdue);
        hub.Time.Advance(TimeSpan.FromDays(10));
        await watch.RoundAsync(Cancel);
        Assert.Contains(Overdue(hub), it => it.Source == "monthly 2026-11");

        var sheet = await reviews.LookAsync("2026-11", Cancel);
        await reviews.SignAsync(_auditor, "2026-11", new(sheet.Findings.Digest, Finding: false, null, new Dictionary<string, string> { [Patterns.OutOfHours] = "当直の巡回" }), cancel: Cancel);
        await watch.RoundAsync(Cancel);

        Assert.DoesNotContain(Overdue(hub), it => it.Source == "monthly 2026-11");
        var signed = reviews.Find("2026-11").Signature!;
        Assert.Equal(("suzuki", sheet.Findings.Digest, "当直の巡回", 0L), (signed.By, signed.Contents.Digest, signed.Contents.Notes[Patterns.OutOfHours], signed.Contents.Undeclared));
        Assert.True(signed.Contents.Size < signed.Record); // It rests on what was there before it …
        Assert.True(hub.Get<Checkpoints>().Newest()!.Value.Size >= signed.Record); // … and is itself under a signed checkpoint.
        Assert.Equal("hub.review.signed", hub.Store.Read(it => it.One("select kind from ledger where id = $id", row => row.GetString(0), ("$id", signed.Record))));
    }

    [Fact]
    public async Task What_is_signed_is_what_was_shown_and_only_once()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        var digest = (await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest;

        async Task<string> FieldAsync(string id, NewSignature put) => (await Assert.ThrowsAsync<InputException>(() => reviews.SignAsync(_auditor, id, put, cancel: Cancel))).Field;

        Assert.Equal("digest", await FieldAsync("2026-W45", new("00", false, null, null)));
        Assert.Equal("statement", await FieldAsync("2026-W45", new(digest, true, " ", null)));
        Assert.Equal("notes", await FieldAsync("2026-W45", new(digest, false, null, new Dictionary<string, string> { ["weather"] = "rain" })));
        Assert.Equal("statement", await FieldAsync("2026-W45", new(digest, false, "個人番号 123456789012", null)));
        Assert.Equal("review", await FieldAsync("2027-01", new(digest, false, null, null))); // That month is not over.
        await reviews.SignAsync(_auditor, "2026-W45", new(digest, true, "鍵の管理を改める\n来週確認する", null), cancel: Cancel);
        digest = (await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest;
        Assert.Equal("review", await FieldAsync("2026-W45", new(digest, false, null, null)));
        Assert.Equal("鍵の管理を改める\n来週確認する", reviews.Find("2026-W45").Signature!.Statement);
    }

    [Fact]
    public async Task A_chief_who_is_not_the_reviewer_acknowledges_and_the_instruction_is_a_task_until_it_is_closed()
    {
        await using var hub = await AfterAMonthAsync();
        var (reviews, watch) = (hub.Get<Reviews>(), hub.Get<ReviewWatch>());

        async Task<string> FieldAsync(Actor actor, Instruction? it) => (await Assert.ThrowsAsync<InputException>(() => reviews.AcknowledgeAsync(actor, "2026-11", null, it, Cancel))).Field;

        Assert.Equal("review", await FieldAsync(_chief, null)); // Nobody has signed it.
        await reviews.SignAsync(_auditor, "2026-11", new((await reviews.LookAsync("2026-11", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        Assert.Equal("review", await FieldAsync(_auditor, null));
        Assert.Equal("due", await FieldAsync(_chief, new("鍵を交換する", "総務課", new(2026, 11, 1))));
        hub.Time.Advance(TimeSpan.FromDays(14));
        await watch.RoundAsync(Cancel);
        Assert.Contains(Overdue(hub), it => it.Source == "acknowledge 2026-11");

        await reviews.AcknowledgeAsync(_chief, "2026-11", "報告を受けた", new("鍵を交換する", "総務課", new(2026, 12, 25)), Cancel);
        Assert.True(reviews.Find("2026-11") is { AwaitsChief: false, HasOpenInstruction: true, IsDone: false });
        hub.Time.Advance(TimeSpan.FromDays(12));
        await watch.RoundAsync(Cancel);
        Assert.Equal(["instruction 2026-11", "weekly 2026-W45..2026-W49", "weekly 2026-W50"], Overdue(hub).Select(it => it.Source).Order());

        await reviews.CloseAsync(_auditor, "2026-11", "12月24日に交換済み", Cancel);
        await watch.RoundAsync(Cancel);
        Assert.DoesNotContain(Overdue(hub), it => it.Source.StartsWith("instruction", StringComparison.Ordinal));
        Assert.Equal(("12月24日に交換済み", true), (reviews.Find("2026-11").Acknowledged!.Closed!.Note, reviews.Find("2026-11").IsDone));
    }

    [Fact]
    public async Task The_week_shows_who_changed_what_and_what_failed_and_the_reviewers_own_acts_count()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        await hub.TurnedAway.RefuseAsync("192.0.2.9", "node-x", "no certificate");
        await hub.TurnedAway.SetAsideAsync(null, "physsec", [1, 2, 3], "no such topic");
        await hub.Get<ClosedDays>().PutAsync(_auditor, [new(2026, 12, 29)], cancel: Cancel);
        hub.Time.Advance(TimeSpan.FromDays(7));

        var sheet = await reviews.LookAsync("2026-W49", Cancel);

        Assert.Contains(sheet.Findings.Items, it => it is { Pattern: Matters.Refusal, Subject: "192.0.2.9", Count: 1 });
        Assert.Contains(sheet.Findings.Items, it => it is { Pattern: Matters.DeadLetter, Subject: "physsec" });
        Assert.Contains(sheet.Findings.Items, it => it is { Pattern: Matters.NoBackup });
        var change = Assert.Single(sheet.Findings.Items, it => it is { Pattern: Matters.Change, Subject: "suzuki", Act: "closed-days.put" });
        Assert.Equal("hub.closed-days.put", hub.Store.Read(it => it.One("select kind from ledger where id = $id", row => row.GetString(0), ("$id", change.Records.Single()))));
        Assert.Equal(1, sheet.ActsOf("suzuki").Own);
        Assert.Equal(0, sheet.ActsOf("nobody").Own);
    }

    [Fact]
    public async Task A_stranger_who_keeps_knocking_changes_nothing_in_the_list_of_a_week_that_is_over()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        async Task KnockAsync()
        {
            await hub.TurnedAway.RefuseAsync("192.0.2.9", "node-x", "no certificate");
            await hub.TurnedAway.SetAsideAsync(null, "physsec", [1, 2, 3], "no such topic");
        }

        await KnockAsync();
        await KnockAsync();
        hub.Time.Advance(TimeSpan.FromDays(7));
        await KnockAsync();
        var shown = await reviews.LookAsync("2026-W49", Cancel);
        Assert.All(new[] { Matters.Refusal, Matters.DeadLetter }, pattern => Assert.Equal(2, Assert.Single(shown.Findings.Items, it => it.Pattern == pattern).Count));
        await KnockAsync();

        await reviews.SignAsync(_auditor, "2026-W49", new(shown.Findings.Digest, false, null, null), cancel: Cancel);
        hub.Time.Advance(TimeSpan.FromDays(7));
        Assert.Contains((await reviews.LookAsync("2026-W50", Cancel)).Findings.Items, it => it is { Pattern: Matters.Refusal, Count: 2 });
    }

    [Fact]
    public async Task A_flood_of_names_fills_a_day_with_no_more_than_can_be_told_and_the_rest_is_counted_together()
    {
        await using var hub = RunningHub.WithoutBroker();
        for (var i = 0; i < TurnedAway.SubjectsMax + 5; i++) await hub.TurnedAway.RefuseAsync($"10.0.{i / 256}.{i % 256}", null, "no certificate");
        await hub.TurnedAway.RefuseAsync("10.0.0.0", null, "no certificate");
        Assert.Equal(TurnedAway.SubjectsMax + 1, hub.Count("turned_away"));
        Assert.Equal(5, hub.Store.Read(it => it.Number("select count from turned_away where subject = $others", ("$others", TurnedAway.Others))));
        Assert.Equal(2, hub.Store.Read(it => it.Number("select count from turned_away where subject = '10.0.0.0'")));
    }

    [Fact]
    public async Task A_signed_review_shows_the_list_that_was_signed_whatever_comes_after_it()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        var shown = await reviews.LookAsync("2026-W45", Cancel);
        await reviews.SignAsync(_auditor, "2026-W45", new(shown.Findings.Digest, false, null, new Dictionary<string, string> { [Matters.ClockStep] = "時計は確認した" }), cancel: Cancel);
        await hub.Store.WriteAsync(it => it.Execute("insert into turned_away values ($at, 'refusal', '192.0.2.9', 1, $at, $at)", ("$at", reviews.Find("2026-W45").Task.From)), Cancel);

        var later = await reviews.LookAsync("2026-W45", Cancel);

        Assert.Equal((ListOrigin.AsSigned, shown.Findings.Digest), (later.Origin, later.Findings.Digest));
        Assert.Equal(shown.Findings.Items.Select(it => (it.Pattern, it.Count)), later.Findings.Items.Select(it => (it.Pattern, it.Count)));
        Assert.Equal("時計は確認した", Assert.Single(later.NotesBeside(reviews.Find("2026-W45").Signature!)).Value);
    }

    [Theory]
    [InlineData(false, ListOrigin.SameAnew)]
    [InlineData(true, ListOrigin.OtherAnew)]
    public async Task Where_a_signature_kept_no_list_it_is_made_anew_and_says_whether_it_is_the_one_that_was_signed(bool changed, ListOrigin expected)
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        await reviews.SignAsync(_auditor, "2026-W45", new((await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        await hub.Store.WriteAsync(it => it.Execute("update ledger set body = json_remove(body, '$.fact.after.list') where kind = 'hub.review.signed'"), Cancel); // As an older program wrote it.
        if (changed) await hub.Store.WriteAsync(it => it.Execute("insert into turned_away values ($at, 'refusal', '192.0.2.9', 1, $at, $at)", ("$at", reviews.Find("2026-W45").Task.From)), Cancel);
        Assert.Equal(expected, (await reviews.LookAsync("2026-W45", Cancel)).Origin);
    }

    [Fact]
    public async Task A_list_says_what_a_later_one_has_that_it_had_not()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        var shown = (await reviews.LookAsync("2026-W45", Cancel)).Findings;
        await hub.Store.WriteAsync(it => it.Execute("insert into turned_away values ($at, 'refusal', '192.0.2.9', 1, $at, $at)", ("$at", reviews.Find("2026-W45").Task.From)), Cancel);
        Assert.Equal("192.0.2.9", Assert.Single(shown.NewIn((await reviews.LookAsync("2026-W45", Cancel)).Findings)).Subject);
        Assert.Empty(shown.NewIn(shown));
    }

    [Fact]
    public async Task The_code_is_asked_for_only_when_nothing_else_stands_in_the_way_and_a_wrong_one_signs_nothing()
    {
        await using var hub = await AfterAMonthAsync("""{ "chief": "sato" }""");
        var reviews = hub.Get<Reviews>();
        var asked = 0;
        Task Wrong()
        {
            asked++;
            throw new InputException("code", "the code is wrong or was already used", "Enter the next one from your authenticator");
        }

        async Task<string> FieldAsync(Actor by, string id, NewSignature put) => (await Assert.ThrowsAsync<InputException>(() => reviews.SignAsync(by, id, put, Wrong, Cancel))).Field;

        var digest = (await reviews.LookAsync("2026-11", Cancel)).Findings.Digest;
        Assert.Equal("digest", await FieldAsync(_auditor, "2026-11", new("00", false, null, null)));
        Assert.Equal("finding", await FieldAsync(_auditor, "2026-11", new(digest, null, null, null)));
        Assert.Equal("review", await FieldAsync(new("sato", "administrator", "test"), "2026-11", new(digest, false, null, null)));
        Assert.Equal(0, asked);
        Assert.Equal("code", await FieldAsync(_auditor, "2026-11", new(digest, false, null, null)));
        Assert.Equal((1, null), (asked, reviews.Find("2026-11").Signature));
    }

    [Fact]
    public async Task The_chief_signs_no_month_but_may_sign_what_nobody_has_to_acknowledge()
    {
        await using var hub = await AfterAMonthAsync("""{ "chief": "sato" }""");
        var (reviews, chief) = (hub.Get<Reviews>(), new Actor("sato", "administrator", "test"));
        var digest = (await reviews.LookAsync("2026-11", Cancel)).Findings.Digest;
        Assert.Equal("review", (await Assert.ThrowsAsync<InputException>(() => reviews.SignAsync(chief, "2026-11", new(digest, false, null, null), cancel: Cancel))).Field);
        Assert.Equal((true, false), (reviews.MayNotSign(reviews.Find("2026-11").Task, "sato"), reviews.MayNotSign(reviews.Find("2026-11").Task, "suzuki")));
        await reviews.SignAsync(chief, "2026-W45", new((await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        Assert.True(reviews.Find("2026-W45").IsDone);
    }

    [Fact]
    public async Task A_review_that_becomes_late_is_told_although_an_earlier_one_is_late_already_and_acknowledged()
    {
        await using var hub = await AfterAMonthAsync();
        var (reviews, watch) = (hub.Get<Reviews>(), hub.Get<ReviewWatch>());
        await watch.RoundAsync(Cancel);
        Assert.Equal(["weekly 2026-W45..2026-W47"], Overdue(hub).Select(it => it.Source)); // All at once, after a month: one alarm.
        await hub.Alarms.AcknowledgeAsync(RunningHub.Admin, Overdue(hub).Single().Key, "今週中に点検する");
        hub.Time.Advance(TimeSpan.FromDays(6));
        await watch.RoundAsync(Cancel);
        await watch.RoundAsync(Cancel);
        Assert.Equal([("weekly 2026-W45..2026-W47", true), ("weekly 2026-W48", false)], Overdue(hub).Select(it => (it.Source, it.Acknowledged)).Order());

        foreach (var id in new[] { "2026-W45", "2026-W46", "2026-W47" })
        {
            Assert.Equal(2, Overdue(hub).Count());
            await reviews.SignAsync(_auditor, id, new((await reviews.LookAsync(id, Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
            await watch.RoundAsync(Cancel);
        }

        Assert.Equal("weekly 2026-W48", Assert.Single(Overdue(hub)).Source);
    }

    [Fact]
    public async Task What_an_auditor_did_stands_in_no_review_for_an_administrator_may_make_it()
    {
        await using var hub = await AfterAMonthAsync();
        await hub.Get<AuditSamples>().DrawAsync(_auditor, hub.Time.GetUtcNow().AddDays(-7), hub.Time.GetUtcNow(), 5, null, Cancel);
        await hub.Store.WriteAsync(it => Records.Act(it, new Act(_auditor, AccessLog.EvidenceVerb, null, "case"), hub.Time.GetUtcNow()), Cancel);
        hub.Time.Advance(TimeSpan.FromDays(7));
        Assert.DoesNotContain((await hub.Get<Reviews>().LookAsync("2026-W49", Cancel)).Findings.Items, it => it.Subject == "suzuki");
    }

    [Fact]
    public async Task A_hub_counts_from_the_day_on_which_it_first_kept_a_queue_or_from_the_configured_one()
    {
        await using var hub = RunningHub.WithoutBroker();
        await hub.Get<ReviewWatch>().RoundAsync(Cancel);
        Assert.Empty(hub.Get<Reviews>().List());
        await using var earlier = RunningHub.WithoutBroker(review: """{ "since": "2026-09-15" }""");
        Assert.Equal(["2026-09", "2026-10"], earlier.Get<Reviews>().List().Where(it => it.Task.Kind == ReviewKind.Monthly).Select(it => it.Task.Id));
    }

    [Fact]
    public async Task A_named_chief_alone_acknowledges()
    {
        await using var hub = await AfterAMonthAsync("""{ "chief": "sato" }""");
        var reviews = hub.Get<Reviews>();
        await reviews.SignAsync(_auditor, "2026-11", new((await reviews.LookAsync("2026-11", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        await Assert.ThrowsAsync<InputException>(() => reviews.AcknowledgeAsync(_chief, "2026-11", null, null, Cancel));
        await reviews.AcknowledgeAsync(new("sato", "administrator", "test"), "2026-11", null, null, Cancel);
        Assert.True(reviews.Find("2026-11").IsDone);
    }

    [Fact]
    public async Task After_something_grave_its_day_is_reviewed()
    {
        await using var hub = await AfterAMonthAsync();
        await hub.Alarms.RaiseAsync(AlarmClasses.RecordDamaged, "ledger", null, "test");
        Assert.DoesNotContain(hub.Get<Reviews>().List(), it => it.Task.Kind == ReviewKind.Event);
        hub.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal("2026-12-01", Assert.Single(hub.Get<Reviews>().List(), it => it.Task.Kind == ReviewKind.Event).Task.Id);
    }

    [Fact]
    public async Task The_review_of_a_grave_day_stays_until_it_is_signed_and_what_comes_late_gets_one_of_its_own()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        string[] Days() => [.. reviews.List().Where(it => it.Task.Kind == ReviewKind.Event && it.Signature is null).Select(it => it.Task.Id)];
        await hub.Alarms.RaiseAsync(AlarmClasses.RecordDamaged, "ledger", null, "test");
        hub.Time.Advance(TimeSpan.FromDays(200));
        Assert.Equal(["2026-12-01"], Days());

        using var node = await hub.EnrolAsync("node-a");
        await hub.Store.WriteAsync(it => hub.Alarms.Apply(
            it, node.Id, new AlarmRaised("tamper:box", AlarmClasses.Tamper, "box", null, null, null, null), new(1, 1), new(2026, 12, 5, 3, 0, 0, TimeSpan.Zero), hub.Time.GetUtcNow(), late: true), Cancel);
        Assert.Equal(["2026-12-01", "2026-12-05"], Days());
        Assert.Null(reviews.Find("2026-12-05").Overdue); // It came just now.

        await reviews.SignAsync(_auditor, "2026-12-01", new((await reviews.LookAsync("2026-12-01", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        Assert.Equal(["2026-12-05"], Days());
    }

    [Fact]
    public async Task A_signature_whose_text_went_at_the_end_of_its_retention_is_not_asked_for_again()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        await reviews.SignAsync(_auditor, "2026-W45", new((await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest, false, null, null), cancel: Cancel);
        await hub.Store.WriteAsync(it => it.Execute("update ledger set body = '{}', at = null where kind like 'hub.review.%'"), Cancel);
        Assert.DoesNotContain(reviews.List(), it => it.Task.To <= hub.Time.GetUtcNow());
        hub.Time.Advance(TimeSpan.FromDays(7));
        Assert.Equal("2026-W49", Assert.Single(reviews.List()).Task.Id);
    }

    [Fact]
    public async Task A_reader_whose_key_or_device_changed_without_an_order_is_looked_at_and_one_with_an_order_is_not()
    {
        await using var hub = await AfterAMonthAsync();
        using var node = await hub.EnrolAsync("node-a");
        foreach (var act in new[] { ReaderActs.Unordered, ReaderActs.OtherDevice, ReaderActs.Rotate })
            node.Write(new ReaderCommissioned(new("door-a"), Core.Access.Direction.In, act, "done", null, null, "8c1f0e2d3b4a5968", null, null, null, null, null), hub.Time.GetUtcNow(), LinkState.Up);
        await hub.TakeBatchAsync(node, 1, node.Bodies.Count);
        hub.Time.Advance(TimeSpan.FromDays(7));

        var found = Assert.Single((await hub.Get<Reviews>().LookAsync("2026-W49", Cancel)).Findings.Items, it => it.Pattern == Matters.ReaderUnordered);

        Assert.Equal(("door-a", 2, 2), (found.Door, found.Count, found.Records.Count));
    }

    /// <summary>Began on 2026-11-02; it is 2026-12-01, 9:00.</summary>
    private static async Task<RunningHub> AfterAMonthAsync(string review = "{}")
    {
        var hub = RunningHub.WithoutBroker(review: review);
        await hub.Get<ReviewWatch>().RoundAsync(Cancel);
        hub.Time.Advance(TimeSpan.FromDays(29));
        return hub;
    }

    private static IEnumerable<Hub.Alarms.AlarmView> Overdue(RunningHub hub) => hub.Alarms.List().Where(it => it is { Class: AlarmClasses.ReviewOverdue, Active: true });
}
