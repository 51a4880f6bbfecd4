using System.Collections.Concurrent;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>
/// Counts failed sign-ins, in memory. Who guesses is stopped, not who is guessed at: five failures close an account for the address they came from, twenty close every
/// account for it, and a hundred from anywhere close the account for addresses that it has not signed in from. So nobody locks an administrator out from the next desk.
/// A try counts as failed until it has succeeded, so that tries side by side do not get past each other.
/// </summary>
public sealed class SignInTries(TimeProvider clock)
{
    public const int FromOneAddressMax = 5;
    public const int OfOneAddressMax = 20;
    public const int FromAnywhereMax = 100;
    private const int KeysMax = 100_000;
    private const int SpokenOfMax = 10;

    /// <summary>Failures are forgotten after this time without another one.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Count, DateTimeOffset Last)> _failed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Account, string Address), bool> _known = new();

    /// <summary>False: too many tries have failed; this one is not even looked at.</summary>
    public bool Begin(string account, string address)
    {
        lock (_gate)
        {
            Forget();
            if (Count($"@{address}") >= OfOneAddressMax || Count($"{account}@{address}") >= FromOneAddressMax) return false;
            if (Count($"{account}@") >= FromAnywhereMax && !_known.ContainsKey((account, address))) return false;
            foreach (var key in Keys(account, address)) _failed[key] = (Count(key) + 1, clock.GetUtcNow());
            return true;
        }
    }

    public void Succeeded(string account, string address)
    {
        _known[(account, address)] = true;
        lock (_gate)
        {
            _failed.Remove($"{account}@{address}");
            foreach (var key in Keys(account, address).Where(_failed.ContainsKey)) _failed[key] = _failed[key] with { Count = Math.Max(0, _failed[key].Count - 1) };
        }
    }

    /// <summary>How often this address has failed lately, when that is worth a record: each of the first ten times, then every tenth, hundredth and so on. Null: not now.</summary>
    public int? WorthARecord(string address)
    {
        lock (_gate)
        {
            var key = $"#{address}";
            var count = Count(key) + 1;
            _failed[key] = (count, clock.GetUtcNow());
            var step = 1;
            while (count >= step * SpokenOfMax) step *= SpokenOfMax;
            return count % step == 0 ? count : null;
        }
    }

    private static string[] Keys(string account, string address) => [$"{account}@{address}", $"@{address}", $"{account}@"];

    private int Count(string key) => _failed.TryGetValue(key, out var it) && clock.GetUtcNow() - it.Last < Pause ? it.Count : 0;

    private void Forget()
    {
        if (_failed.Count < KeysMax) return;
        var now = clock.GetUtcNow();
        foreach (var key in _failed.Where(it => now - it.Value.Last >= Pause).Select(it => it.Key).ToList()) _failed.Remove(key);
    }
}
