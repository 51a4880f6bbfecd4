using PhysSec.Node.Control;

namespace PhysSec.Node.Uplink;

/// <summary>
/// What of the refused policies belongs on record. Whoever can speak on the topic can repeat a refusal for ever: each is recorded at once, and from then on at most once a
/// minute with how often it came. Another refusal does not drown in it.
/// </summary>
public sealed class PolicyRefusals
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);

    /// <summary>More different refusals than this in a minute count as one: their texts can be varied too.</summary>
    public const int KindsMax = 16;

    private const string Others = "";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TimeSpan Recorded, PolicyRejected Last, long Repeats)> _kinds = new(StringComparer.Ordinal);

    /// <summary>The refusal, when it belongs on record now; null when it is only counted.</summary>
    public PolicyRejected? Take(PolicyRejected refused, TimeSpan uptime)
    {
        lock (_gate)
        {
            var kind = _kinds.ContainsKey(refused.Fault) || _kinds.Count < KindsMax ? refused.Fault : Others;
            var known = _kinds.TryGetValue(kind, out var seen);
            _kinds[kind] = known ? (seen.Recorded, refused, seen.Repeats + 1) : (uptime, refused, 0);
            return known ? null : refused;
        }
    }

    /// <summary>What was repeated and has waited for its minute: the last of each kind, with the count. Called about every second.</summary>
    public IReadOnlyList<PolicyRejected> Due(TimeSpan uptime)
    {
        lock (_gate)
        {
            List<PolicyRejected> due = [];
            foreach (var (kind, (recorded, last, repeats)) in _kinds.Where(it => uptime - it.Value.Recorded >= Every).ToList())
            {
                if (repeats == 0)
                {
                    _kinds.Remove(kind);
                    continue;
                }

                due.Add(last with { Fault = kind == Others ? $"{last.Fault}; {repeats} policies were refused for one reason or another" : $"{last.Fault}; {repeats} times since the last record" });
                _kinds[kind] = (uptime, last, 0);
            }

            return due;
        }
    }
}
