using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Review;

/// <summary>A review as it stands. Overdue is null, or what is late: sign, acknowledge or instruction.</summary>
public sealed record ReviewView(ReviewTask Task, SignedReview? Signature, Acknowledgement? Acknowledged, string? Overdue)
{
    /// <summary>A month's report waits for the chief.</summary>
    public bool AwaitsChief => Task.Kind == ReviewKind.Monthly && Signature is not null && Acknowledged is null;

    /// <summary>The chief's instruction is not closed yet.</summary>
    public bool HasOpenInstruction => Acknowledged is { Instruction: not null, Closed: null };

    /// <summary>Nothing is left to do.</summary>
    public bool IsDone => Signature is not null && !AwaitsChief && !HasOpenInstruction;
}

/// <summary>Where a list of findings comes from: from the record as it is now, from the signature, or, where an older program kept only its digest, made anew.</summary>
public enum ListOrigin
{
    Now = 0,
    AsSigned = 1,

    /// <summary>Made anew, and it is the one that was signed.</summary>
    SameAnew = 2,

    /// <summary>Made anew, and it is not what was signed.</summary>
    OtherAnew = 3,
}

/// <summary>What a reviewer is shown, and signs.</summary>
/// <param name="Task">Which review.</param>
/// <param name="Completeness">Whether the record is whole.</param>
/// <param name="Checkpoint">The checkpoint that all of it rests on.</param>
/// <param name="Findings">What is worth a look; of a signed review what was signed.</param>
/// <param name="Origin">Where Findings come from.</param>
public sealed record ReviewSheet(ReviewTask Task, Completeness Completeness, SignedCheckpoint Checkpoint, FindingList Findings, ListOrigin Origin)
{
    /// <summary>Notes about patterns that the list does not have: they were signed and are shown all the same.</summary>
    public IEnumerable<KeyValuePair<string, string>> NotesBeside(SignedReview signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return signature.Contents.Notes.Where(note => Findings.Items.All(it => it.Pattern != note.Key));
    }

    /// <summary>Acts in the list that are this account's own, and all of them.</summary>
    public (long Own, long All) ActsOf(string account) =>
        (Findings.Items.Where(it => it.Act is not null && it.Subject == account).Sum(it => it.Count), Findings.Items.Where(it => it.Act is not null && it.Pattern == Matters.Change).Sum(it => it.Count));
}

/// <summary>What the reviewer says. Digest is the list's that was shown; Finding must be given; Notes are by pattern.</summary>
public sealed record NewSignature(string? Digest, bool? Finding, string? Statement, IReadOnlyDictionary<string, string>? Notes);

/// <summary>The queue of reviews (R-LOG-13, R-LOG-14): what is due, what it shows, and who has signed it. Who may do what is for the caller to check.</summary>
public sealed class Reviews(HubHome home, Checkpoints checkpoints, TimeProvider clock)
{
    private static readonly string[] _grave = [AlarmClasses.DoorForced, AlarmClasses.Tamper, AlarmClasses.LostCard, AlarmClasses.RecordDiverged, AlarmClasses.RecordDamaged, AlarmClasses.ProgramDamaged];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    private ReviewConfiguration Limits => home.Configuration.Review;

    /// <summary>The account that alone acknowledges; null: anybody but the reviewer.</summary>
    public string? Chief => Limits.Chief;

    /// <summary>Days from the signature to the acknowledgement.</summary>
    public int AcknowledgeDays => Limits.AcknowledgeDays;

    /// <summary>Puts on record from when on reviews are due, once.</summary>
    public async Task BeginAsync(CancellationToken cancel = default)
    {
        if (home.Store.Read(ReviewRecords.Since) is not null) return;
        await home.Store.WriteAsync(it =>
        {
            if (ReviewRecords.Since(it) is null) ReviewRecords.Act(it, Actor.System, ReviewRecords.Began, null, null, null, clock.GetUtcNow());
        }, cancel);
    }

    /// <summary>All that are due or were signed, by their due time.</summary>
    public IReadOnlyList<ReviewView> List() => home.Store.Read(List);

    /// <exception cref="InputException">There is no such review.</exception>
    public ReviewView Find(string? id) => home.Store.Read(it => Find(it, id));

    /// <summary>Looks through the period, under a checkpoint of this moment.</summary>
    /// <exception cref="InputException">There is no such review.</exception>
    public async Task<ReviewSheet> LookAsync(string? id, CancellationToken cancel = default)
    {
        var made = await checkpoints.MakeAsync(cancel); // First: it covers all that is read after it but what comes meanwhile.
        return home.Store.Read(it => Look(it, Find(it, id), made));
    }

    /// <summary>Whoever is to acknowledge a month's report does not write it.</summary>
    public bool MayNotSign(ReviewTask task, string account) => task is { Kind: ReviewKind.Monthly } && account == Chief;

    /// <summary>Signs a review: a record of its own with the list, and a checkpoint that covers it.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="id">Which.</param>
    /// <param name="put">What they say.</param>
    /// <param name="confirm">Asked when nothing else stands in the way; what it throws ends the signing.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="InputException">
    /// There is no such review, it is signed already, its list is not the one that was shown any more, the verdict or the finding is not said, or the chief would report to herself.
    /// </exception>
    public async Task SignAsync(Actor actor, string? id, NewSignature put, Func<Task>? confirm = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(put);
        var statement = ReviewText.Optional("statement", put.Statement);
        if (put.Finding is not { } finding) throw new InputException("finding", "it is not said whether there is a finding", "Say true or false");
        if (finding && statement is null) throw new InputException("statement", "there is a finding, but it does not say which", "Write what was found and what is to be done");
        var notes = (put.Notes ?? new Dictionary<string, string>()).Select(it => (it.Key, Text: ReviewText.Optional("notes", it.Value))).Where(it => it.Text is not null).ToDictionary(it => it.Key, it => it.Text!);
        if (notes.Keys.FirstOrDefault(it => !Patterns.All.Contains(it) && !Matters.All.Contains(it)) is { } unknown) throw new InputException("notes", $"there is no pattern {unknown}", "Use one of the list");
        if (MayNotSign(Find(id).Task, actor.Name)) throw new InputException("review", "the chief acknowledges this report and does not sign it", "Have another person review it");
        if (Find(id).Signature is { } signed) throw new InputException("review", $"{signed.By} has signed it already", "Nothing is left to do");
        var sheet = await LookAsync(id, cancel);
        if (put.Digest != sheet.Findings.Digest) throw new InputException("digest", "the list has changed since it was shown", "Look at it again");
        if (confirm is not null) await confirm();
        var (whole, checkpoint) = (sheet.Completeness, sheet.Checkpoint.Value);
        var contents = new SignedContents(
            sheet.Task.Kind, sheet.Task.From, sheet.Task.To, finding, notes, sheet.Findings.Digest, sheet.Findings.Items.Count + sheet.Findings.Left, sheet.ActsOf(actor.Name).Own,
            whole.Records, whole.Undeclared, whole.Declared.Count, whole.Diverged, checkpoint.Origin, checkpoint.Size, checkpoint.Root.ToString());
        await home.Store.WriteAsync(it =>
        {
            if (Find(it, id).Signature is { } earlier) throw new InputException("review", $"{earlier.By} has signed it already", "Nothing is left to do");
            ReviewRecords.Act(it, actor, ReviewRecords.Signed, sheet.Task.Id, statement, ReviewRecords.After(contents, sheet.Findings), clock.GetUtcNow());
        }, cancel);
        await checkpoints.MakeAsync(cancel);
    }

    /// <summary>The chief has seen the signed report and may have something done.</summary>
    /// <exception cref="InputException">It is not signed, acknowledged already, or whoever acts is the reviewer or not the chief.</exception>
    public async Task AcknowledgeAsync(Actor actor, string? id, string? remark, Instruction? instruction, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var text = ReviewText.Optional("remark", remark);
        var given = instruction is null ? null : instruction with { Text = ReviewText.Filled("instruction", instruction.Text), Owner = Input.Filled("owner", instruction.Owner) };
        if (given is not null && given.Due < DateOnly.FromDateTime(_time.Local(clock.GetUtcNow()).DateTime)) throw new InputException("due", "it lies in the past", "Give a day to come");
        await home.Store.WriteAsync(it =>
        {
            var found = Find(it, id);
            if (found.Signature is not { } signature) throw new InputException("review", "nobody has signed it", "Have it reviewed first");
            if (found.Acknowledged is { } earlier) throw new InputException("review", $"{earlier.By} has acknowledged it already", "Nothing is left to do");
            if (Chief is { } chief && actor.Name != chief) throw new InputException("review", $"{chief} alone acknowledges reports", "Ask the chief; an administrator changes who that is in the hub's configuration");
            if (signature.By == actor.Name) throw new InputException("review", "nobody acknowledges one's own report", "Have another person do it");
            ReviewRecords.Act(it, actor, ReviewRecords.Acknowledged, found.Task.Id, text, AccessJson.Node(given), clock.GetUtcNow());
        }, cancel);
    }

    /// <exception cref="InputException">There is no open instruction, or nothing says how it ended.</exception>
    public async Task CloseAsync(Actor actor, string? id, string? note, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var text = ReviewText.Filled("note", note);
        await home.Store.WriteAsync(it =>
        {
            var found = Find(it, id);
            if (!found.HasOpenInstruction) throw new InputException("review", "it has no open instruction", "Nothing is left to do");
            ReviewRecords.Act(it, actor, ReviewRecords.Closed, found.Task.Id, text, null, clock.GetUtcNow());
        }, cancel);
    }

    /// <summary>How many records of a signed period the ledger got only after it was signed.</summary>
    public long Since(SignedReview signature)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return home.Store.Read(it => it.Number(
            "select count(*) from ledger where coalesce(at, received_at) >= $from and coalesce(at, received_at) < $to and id > $size",
            ("$from", signature.Contents.From), ("$to", signature.Contents.To), ("$size", signature.Contents.Size)));
    }

    private ReviewSheet Look(SqliteConnection store, ReviewView view, SignedCheckpoint made)
    {
        var (list, origin) = (view.Signature is { } signature ? ReviewRecords.ListOf(store, signature.Record) : null, ListOrigin.AsSigned);
        if (list is null)
        {
            list = Findings(store, view.Task);
            origin = view.Signature is null ? ListOrigin.Now : view.Signature.Contents.Digest == list.Digest ? ListOrigin.SameAnew : ListOrigin.OtherAnew;
        }

        return new(view.Task, Completeness.Of(store, view.Task.From, view.Task.To), made, list, origin);
    }

    private FindingList Findings(SqliteConnection store, ReviewTask task)
    {
        var findings = new List<Finding>();
        if (task.Kind != ReviewKind.Weekly)
        {
            findings.AddRange(DoorRecords.Patterns(store, task.From, task.To, Limits, _time));
            if (task.Kind == ReviewKind.Monthly) findings.AddRange(Matters.OfDoors(store, task.From, task.To));
        }

        if (task.Kind != ReviewKind.Monthly) findings.AddRange(Matters.Of(store, task.From, task.To));
        return FindingList.Of(findings);
    }

    private List<ReviewView> List(SqliteConnection store)
    {
        var (now, signed) = (clock.GetUtcNow(), ReviewRecords.All(store));
        var since = Limits.Since is { } day ? _time.Read(day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture))!.Value : ReviewRecords.Since(store) ?? now;
        var events = store.Query(
            "select key, coalesce(at, recorded_at), recorded_at from alarm_history where what = 'raised' order by id",
            it => (AlarmClasses.Parts(it.GetString(0)).Class, Event: new GraveEvent(Rows.FromStored(it.GetInt64(1)), Rows.FromStored(it.GetInt64(2)))))
            .Where(it => _grave.Contains(it.Class)).Select(it => it.Event);
        var gone = ReviewRecords.GoneUntil(store);
        // What was signed so long ago that the text of it had to go is not asked for again.
        var tasks = ReviewPlan.Of(since, now, _time, Limits, events, id => signed.TryGetValue(id, out var it) ? it.Signed.At : null).Where(it => !(it.To <= gone)).ToList();
        var earlier = signed.Where(it => tasks.All(task => task.Id != it.Key)).Select(it => new ReviewTask(it.Key, it.Value.Signed.Contents.Kind, it.Value.Signed.Contents.From, it.Value.Signed.Contents.To, it.Value.Signed.At));
        return [.. earlier.Concat(tasks).Select(it => View(it, signed.TryGetValue(it.Id, out var state) ? state : default, now)).OrderBy(it => it.Task.Due).ThenBy(it => it.Task.Id, StringComparer.Ordinal)];
    }

    private ReviewView View(ReviewTask task, (SignedReview? Signed, Acknowledgement? Acknowledged) state, DateTimeOffset now)
    {
        var view = new ReviewView(task, state.Signed, state.Acknowledged, null);
        return view with
        {
            Overdue = view.Signature is null ? now >= task.Due ? "sign" : null
                : view.AwaitsChief ? now >= view.Signature.At.AddDays(Limits.AcknowledgeDays) ? "acknowledge" : null
                : view.HasOpenInstruction && DateOnly.FromDateTime(_time.Local(now).DateTime) > view.Acknowledged!.Instruction!.Due ? "instruction" : null,
        };
    }

    private ReviewView Find(SqliteConnection store, string? id) =>
        List(store).Find(it => it.Task.Id == id) ?? throw new InputException("review", $"there is no review {id} to be made", "Choose one of the queue");
}
