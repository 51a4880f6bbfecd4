using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>The period of a class. Next: a shorter one that waits, and from when it counts.</summary>
public sealed record RetentionPeriod(string Class, int? Years, int? Next, DateTimeOffset? NextAt, long Through);

/// <summary>
/// The periods in force. A longer one counts at once. The first one of a class and each shorter one wait for a week on record, so that whoever edits hub.json cannot wipe
/// out evidence before somebody has seen it coming.
/// </summary>
internal static class RetentionPeriods
{
    // A gap in the daily rounds counts as no time of waiting: a clock that was set ahead shortens nothing.
    private static readonly TimeSpan _gap = TimeSpan.FromDays(2);
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);

    public static List<RetentionPeriod> All(SqliteConnection store) => store.Query(
        "select class, years, next_years, next_at, through from retention",
        it => new RetentionPeriod(it.GetString(0), it.GetInt32(1) is var years and > 0 ? years : null, it.IsDBNull(2) ? null : it.GetInt32(2), it.Time("next_at"), it.GetInt64(4)));

    /// <summary>Brings what hub.json says into force or announces it. Inside a transaction.</summary>
    /// <returns>The classes whose shorter period waits.</returns>
    public static List<RetentionPeriod> Apply(SqliteConnection store, RetentionConfiguration wanted, DateTimeOffset now)
    {
        var known = All(store).ToDictionary(it => it.Class, StringComparer.Ordinal);
        foreach (var name in RecordClasses.All)
        {
            var (years, has) = (wanted.Years(name), known.GetValueOrDefault(name));
            if (has is null)
            {
                // Zero: nothing is deleted yet.
                var first = Announce(store, name, years, null, now + RetentionTerms.Wait, now);
                store.Execute("insert into retention (class, years, next_years, next_at) values ($class, 0, $years, $at)", ("$class", name), ("$years", years), ("$at", first));
                continue;
            }

            if (has.NextAt <= now)
            {
                has = has with { Years = has.Next, Next = null, NextAt = null };
                Save(store, has);
            }

            if (years == (has.Next ?? has.Years)) continue;
            if (years >= has.Years)
            {
                Announce(store, name, years, has.Years, now, now);
                Save(store, has with { Years = years, Next = null, NextAt = null });
            }
            else
            {
                Save(store, has with { Next = years, NextAt = Announce(store, name, years, has.Years, now + RetentionTerms.Wait, now) });
            }
        }

        return [.. All(store).Where(it => it is { Years: not null, Next: not null })];
    }

    /// <summary>So long nobody has seen a round.</summary>
    public static void Postpone(SqliteConnection store, TimeSpan since)
    {
        if (since > _gap) store.Execute("update retention set next_at = next_at + $more where next_at is not null", ("$more", (since - _day).Ticks / 10));
    }

    private static void Save(SqliteConnection store, RetentionPeriod it) => store.Execute(
        "update retention set years = $years, next_years = $next, next_at = $at where class = $class",
        ("$years", it.Years ?? 0), ("$next", it.Next), ("$at", it.NextAt), ("$class", it.Class));

    private static DateTimeOffset Announce(SqliteConnection store, string name, int years, int? was, DateTimeOffset inForce, DateTimeOffset now)
    {
        Records.Act(store, new Act(Actor.System, RetentionTerms.RuleVerb, name, "hub.json", null, AccessJson.Node(new RetentionRule(name, years, was, Rows.ToStored(inForce)))), now);
        return inForce;
    }
}
