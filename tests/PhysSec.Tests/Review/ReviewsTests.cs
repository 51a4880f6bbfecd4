using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
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
        Assert.Contains(Overdue(hub), it => it.Source == "monthly");

        var sheet = await reviews.LookAsync("2026-11", Cancel);
        await reviews.SignAsync(_auditor, "2026-11", new(sheet.Findings.Digest, Finding: false, null, new Dictionary<string, string> { [Patterns.OutOfHours] = "当直の巡回" }), Cancel);
        await watch.RoundAsync(Cancel);

        Assert.DoesNotContain(Overdue(hub), it => it.Source == "monthly");
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

        async Task<string> FieldAsync(string id, NewSignature put) => (await Assert.ThrowsAsync<InputException>(() => reviews.SignAsync(_auditor, id, put, Cancel))).Field;

        Assert.Equal("digest", await FieldAsync("2026-W45", new("00", false, null, null)));
        Assert.Equal("statement", await FieldAsync("2026-W45", new(digest, true, " ", null)));
        Assert.Equal("notes", await FieldAsync("2026-W45", new(digest, false, null, new Dictionary<string, string> { ["weather"] = "rain" })));
        Assert.Equal("statement", await FieldAsync("2026-W45", new(digest, false, "個人番号 123456789012", null)));
        Assert.Equal("review", await FieldAsync("2027-01", new(digest, false, null, null))); // That month is not over.
        await reviews.SignAsync(_auditor, "2026-W45", new(digest, true, "鍵の管理を改める\n来週確認する", null), Cancel);
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
        await reviews.SignAsync(_auditor, "2026-11", new((await reviews.LookAsync("2026-11", Cancel)).Findings.Digest, false, null, null), Cancel);
        Assert.Equal("review", await FieldAsync(_auditor, null));
        Assert.Equal("due", await FieldAsync(_chief, new("鍵を交換する", "総務課", new(2026, 11, 1))));
        hub.Time.Advance(TimeSpan.FromDays(14));
        await watch.RoundAsync(Cancel);
        Assert.Contains(Overdue(hub), it => it.Source == "acknowledge");

        await reviews.AcknowledgeAsync(_chief, "2026-11", "報告を受けた", new("鍵を交換する", "総務課", new(2026, 12, 25)), Cancel);
        Assert.True(reviews.Find("2026-11") is { AwaitsChief: false, HasOpenInstruction: true, IsDone: false });
        hub.Time.Advance(TimeSpan.FromDays(12));
        await watch.RoundAsync(Cancel);
        Assert.Equal(["instruction", "weekly"], Overdue(hub).Select(it => it.Source).Order());

        await reviews.CloseAsync(_auditor, "2026-11", "12月24日に交換済み", Cancel);
        await watch.RoundAsync(Cancel);
        Assert.Equal(["weekly"], Overdue(hub).Select(it => it.Source)); // One alarm for all the weeks that nobody reviewed.
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
        await reviews.SignAsync(_auditor, "2026-11", new((await reviews.LookAsync("2026-11", Cancel)).Findings.Digest, false, null, null), Cancel);
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
    public async Task A_signature_whose_text_went_at_the_end_of_its_retention_is_not_asked_for_again()
    {
        await using var hub = await AfterAMonthAsync();
        var reviews = hub.Get<Reviews>();
        await reviews.SignAsync(_auditor, "2026-W45", new((await reviews.LookAsync("2026-W45", Cancel)).Findings.Digest, false, null, null), Cancel);
        await hub.Store.WriteAsync(it => it.Execute("update ledger set body = '{}', at = null where kind like 'hub.review.%'"), Cancel);
        Assert.DoesNotContain(reviews.List(), it => it.Task.To <= hub.Time.GetUtcNow());
        hub.Time.Advance(TimeSpan.FromDays(7));
        Assert.Equal("2026-W49", Assert.Single(reviews.List()).Task.Id);
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
