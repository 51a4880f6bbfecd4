using System.Globalization;
using PhysSec.Core.Proof;

namespace PhysSec.Verify.Witness;

/// <summary>Two checkpoints of one ledger that cannot both be true: records were changed, dropped or slipped in, or the hub shows different people different ledgers.</summary>
internal sealed class ContradictionException(string message) : Exception(message);

/// <summary>The witness refuses, and a person has to say what to do.</summary>
internal sealed class RefusedException(string message) : Exception(message);

/// <summary>Judges what the hub offers against what this machine has cosigned before.</summary>
internal static class WitnessRound
{
    /// <summary>Why nothing is cosigned; null: the offered one may be.</summary>
    /// <param name="held">What this machine cosigned last; null: it begins.</param>
    /// <param name="offered">A note.</param>
    /// <param name="ledger">The ledger's key as a person noted it.</param>
    /// <param name="accepted">An origin that a person has allowed to take the place of the held one, after the hub was restored from a backup.</param>
    /// <param name="prove">Gives the proof from one size to another.</param>
    /// <exception cref="ContradictionException">Both cannot be true.</exception>
    /// <exception cref="RefusedException">It is not signed with the noted key, or a restored hub is not accepted yet.</exception>
    public static async Task<Checkpoint> JudgeAsync(SignedNote? held, SignedNote offered, NoteKey ledger, string? accepted, Func<long, long, Task<IReadOnlyList<TreeHash>>> prove)
    {
        var value = Checkpoint.Parse(offered.Text);
        if (!offered.IsSignedBy(ledger with { Name = value.Origin }, PackVerifier.Check)) throw new RefusedException("the checkpoint is not signed with the ledger's key (--key)");
        if (SiteOf(value.Origin) is not { } site || site != SiteOf(ledger.Name)) throw new RefusedException($"the checkpoint is of the ledger {value.Origin}, not of {ledger.Name}");
        if (held is null) return value;
        var before = Checkpoint.Parse(held.Text);
        if (value.Origin != before.Origin)
        {
            if (value.Origin != accepted || !(value.HubEpoch > before.HubEpoch))
            {
                throw new RefusedException(
                    $"the hub signs as {value.Origin} now and did as {before.Origin}: it was restored from a backup, or somebody wants it to look so. Ask those who run it; then allow it once with --accept {value.Origin}");
            }

            return value;
        }

        if (value.Size < before.Size)
            throw new ContradictionException(string.Create(CultureInfo.InvariantCulture, $"the ledger had {before.Size} records and now has {value.Size}: records were cut off"));
        var path = value.Size == before.Size ? [] : before.Size == 0 ? [] : await prove(before.Size, value.Size);
        return MerkleTree.IsConsistent(before.Size, before.Root, value.Size, value.Root, path) ? value
            : throw new ContradictionException(string.Create(CultureInfo.InvariantCulture, $"the ledger of {value.Size} records does not begin with the {before.Size} that were cosigned: it was rewritten"));
    }

    /// <summary>After a restore: the newest of the cosigned checkpoints with which the ledger still begins; null: with none of them.</summary>
    /// <param name="cosigned">All that this machine has kept, whatever their origin.</param>
    /// <param name="value">What is offered.</param>
    /// <param name="prove">Gives the proof from one size to another.</param>
    public static async Task<Checkpoint?> StillBeginsWithAsync(IEnumerable<Checkpoint> cosigned, Checkpoint value, Func<long, long, Task<IReadOnlyList<TreeHash>>> prove)
    {
        foreach (var it in cosigned.Where(it => it.Size > 0 && it.Size <= value.Size && SiteOf(it.Origin) == SiteOf(value.Origin)).OrderByDescending(it => it.Size))
            if (MerkleTree.IsConsistent(it.Size, it.Root, value.Size, value.Root, it.Size == value.Size ? [] : await prove(it.Size, value.Size))) return it;
        return null;
    }

    private static string? SiteOf(string origin) => origin.Split('/') is ["physsec", var site, _] ? site : null;
}
