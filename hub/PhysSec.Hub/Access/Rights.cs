using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>A right as applied for and approved; see <see cref="Right"/>. ApplicationNumber is the 申請番号.</summary>
public sealed record RightRow(
    string Id, string Person, string Zone, string Schedule, DateTimeOffset ValidFrom, DateTimeOffset ValidTo, string Applicant, string Approver,
    string ApplicationNumber, string Purpose, DateTimeOffset? RemovedAt = null)
{
    internal Right Policy => new(new(Id), new(Person), new(Zone), new(Schedule), ValidFrom, ValidTo, Applicant, Approver, ApplicationNumber, Purpose);
}

/// <summary>Who may enter where and when. A right is removed, never deleted.</summary>
public sealed class Rights(Store store, TimeProvider time, PolicySignal changed)
{
    private const string IdLetters = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Rights in force and to come, newest last.</summary>
    /// <param name="person">Null: everybody's.</param>
    /// <param name="removed">Also those that were removed.</param>
    public IReadOnlyList<RightRow> List(string? person = null, bool removed = false) => store.Read(it => it.Query(
        "select * from rights where ($person is null or person = $person) and ($removed or removed_at is null) order by person, valid_from, id",
        Row, ("$person", person), ("$removed", removed)));

    /// <summary>Adds the right under a new id; the id and the removal of the argument do not count.</summary>
    /// <exception cref="InputException">Applicant and approver are one, the validity ends before it begins, or person, zone or schedule does not exist.</exception>
    public async Task<RightRow> AddAsync(Actor actor, RightRow right, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(right);
        var added = right with
        {
            Id = "r-" + RandomNumberGenerator.GetString(IdLetters, 10),
            Applicant = Input.Filled("applicant", right.Applicant),
            Approver = Input.Filled("approver", right.Approver),
            ApplicationNumber = Input.Filled("applicationNumber", right.ApplicationNumber),
            Purpose = Input.Filled("purpose", right.Purpose),
            RemovedAt = null,
        };
        if (string.Equals(added.Applicant, added.Approver, StringComparison.OrdinalIgnoreCase))
            throw new InputException("approver", "the applicant approved their own application", "Have another person approve it");
        if (added.ValidFrom >= added.ValidTo) throw new InputException("validTo", "it is not after validFrom", "Correct the validity");
        await store.WriteAsync(it =>
        {
            if (People.Find(it, added.Person) is null) Input.Missing("person", "person", added.Person);
            var (zone, schedule) = (Zones.All(it).Find(z => z.Id == added.Zone), SchedulesStore.All(it).Find(s => s.Id == added.Schedule));
            if (zone is null) Input.Missing("zone", "zone", added.Zone);
            if (schedule is null) Input.Missing("schedule", "schedule", added.Schedule);
            Input.Check(zones: [zone.Policy], schedules: [schedule.Policy], rights: [added.Policy]);
            it.Execute(
                """
                insert into rights (id, person, zone, schedule, valid_from, valid_to, applicant, approver, application, purpose)
                values ($id, $person, $zone, $schedule, $from, $to, $applicant, $approver, $application, $purpose)
                """,
                ("$id", added.Id), ("$person", added.Person), ("$zone", added.Zone), ("$schedule", added.Schedule), ("$from", added.ValidFrom), ("$to", added.ValidTo),
                ("$applicant", added.Applicant), ("$approver", added.Approver), ("$application", added.ApplicationNumber), ("$purpose", added.Purpose));
            Records.Act(it, new Act(actor, "right.added", added.Id, null, null, AccessJson.Node(added), Person: added.Person), time.GetUtcNow());
        }, cancel);
        changed.Raise();
        return added;
    }

    /// <exception cref="InputException">There is no such right, or no reason is given.</exception>
    public async Task RemoveAsync(Actor actor, string id, string reason, CancellationToken cancel = default)
    {
        var why = Input.Filled("reason", reason);
        await store.WriteAsync(it =>
        {
            var before = it.One("select * from rights where id = $id and removed_at is null", Row, ("$id", id));
            if (before is null) Input.Missing("right", "right", id);
            var now = time.GetUtcNow();
            it.Execute("update rights set removed_at = $now where id = $id", ("$now", now), ("$id", id));
            Records.Act(it, new Act(actor, "right.removed", id, why, AccessJson.Node(before), null, Person: before.Person), now);
        }, cancel);
        changed.Raise();
    }

    internal static List<RightRow> InForce(SqliteConnection store) => store.Query("select * from rights where removed_at is null order by id", Row);

    internal static RightRow Row(SqliteDataReader it) => new(
        it.Text("id")!, it.Text("person")!, it.Text("zone")!, it.Text("schedule")!, it.Time("valid_from")!.Value, it.Time("valid_to")!.Value, it.Text("applicant")!,
        it.Text("approver")!, it.Text("application")!, it.Text("purpose")!, it.Time("removed_at"));
}
