using PhysSec.Core.Proof;

namespace PhysSec.Verify;

/// <summary>Judges the checkpoints: the pack's own, those that the hub says have left it, and those that the verifier holds.</summary>
internal static class CheckpointJudge
{
    private static readonly TimeSpan _ahead = TimeSpan.FromDays(1);

    /// <summary>The pack's checkpoint and the key that signed it.</summary>
    public static (Checkpoint Checkpoint, NoteKey Key) Head(PackManifest manifest, Own own, List<Finding> findings)
    {
        var note = SignedNote.Parse(manifest.Checkpoint);
        var (checkpoint, key) = (Checkpoint.Parse(note.Text), NoteKey.Parse(manifest.Key));
        if (note.IsSignedBy(key, PackVerifier.Check) && key.Name == checkpoint.Origin && checkpoint.Origin.StartsWith($"physsec/{manifest.Site}/", StringComparison.Ordinal))
        {
            findings.Add(new(
                FindingKind.Proven, "note", $"検証基準値({checkpoint.Size} 件、{checkpoint.At:yyyy-MM-dd HH:mm} UTC)はハブの鍵で署名されています",
                $"the checkpoint ({checkpoint.Size} records, {checkpoint.At:yyyy-MM-dd HH:mm} UTC) is signed with the hub's key"));
        }
        else
        {
            findings.Add(new(FindingKind.Wrong, "note", "検証基準値の署名が正しくありません", "the checkpoint's signature is wrong"));
        }

        if (own.Now is { } now && checkpoint.At > now + _ahead)
        {
            findings.Add(new(
                FindingKind.Wrong, "future", $"検証基準値の日時({checkpoint.At:yyyy-MM-dd HH:mm} UTC)は未来です。ハブの時計が進められています",
                $"the checkpoint is of a time that has not come ({checkpoint.At:yyyy-MM-dd HH:mm} UTC): the hub's clock was set ahead"));
        }

        if (own.Key is null)
        {
            findings.Add(new(
                FindingKind.Open, "key", $"鍵 {key} はこのパックに書かれていたものです。事前に控えた鍵と見比べてください",
                $"the key {key} is the pack's own word: compare it with the one that you noted earlier"));
        }
        else if (NoteKey.Parse(own.Key).Public.Span.SequenceEqual(key.Public.Span))
        {
            findings.Add(new(FindingKind.Proven, "key", "鍵は、お手元の控えと同じです", "the key is the one that you hold"));
        }
        else
        {
            findings.Add(new(FindingKind.Wrong, "key", "鍵が、お手元の控えと異なります", "the key is not the one that you hold"));
        }

        return (checkpoint, key);
    }

    public static void Witnesses(PackManifest manifest, Checkpoint head, NoteKey key, Own own, RecordJudge records, List<Finding> findings)
    {
        var begins = new Dictionary<(string, long, TreeHash), bool>();
        var (newest, givenUp) = (0L, 0);
        foreach (var it in manifest.Witnessed)
        {
            var (note, earlier) = Read(it.Note);
            var path = it.Path.Select(step => TreeHash.TryParse(step, out var hash) ? hash : throw new FormatException("a proof holds what is no hash")).ToList();
            if (GivenUp(earlier, head, records) is not null)
            {
                givenUp++;
                continue;
            }

            var good = IsOurs(note, earlier, key) && MerkleTree.IsConsistent(earlier.Size, earlier.Root, head.Size, head.Root, path);
            begins[(earlier.Origin, earlier.Size, earlier.Root)] = good;
            if (good) newest = Math.Max(newest, earlier.Size);
            else findings.Add(new(
                FindingKind.Wrong, "witness", $"台帳は、以前外部へ渡された検証基準値({earlier.Size} 件)から続いていません",
                $"the ledger does not continue the checkpoint over {earlier.Size} records that had left the hub"));
        }

        if (givenUp > 0)
        {
            findings.Add(new(
                FindingKind.Open, "given-up", $"外部へ渡された検証基準値 {givenUp} 件は、ハブをバックアップから復元した際に、その後半が失われたと宣言されています",
                $"of {givenUp} checkpoints that had left the hub the end was declared lost when the hub was restored from a backup"));
        }

        var compared = new List<long>();
        var seen = own.Cosigners.Count(it => Cosigned(it, manifest, head, begins, compared, findings));
        if (newest > 0 && own.Checkpoints.Count == 0 && seen == 0)
        {
            findings.Add(new(
                FindingKind.Open, "witness", $"ハブによれば {newest} 件目までの検証基準値が外部にあります。お手元の検証基準値と照合すると、それまでの書換えがないことを確かめられます",
                $"the hub says that a checkpoint over {newest} records is held outside: bring yours, and it is proven that nothing before it was rewritten"));
        }

        if (own.Checkpoints.Count == 0 && seen == 0)
        {
            findings.Add(new(
                FindingKind.Open, "own", "お手元の検証基準値との照合はしていません。ハブの管理者が台帳全体を作り直した可能性は否定できません",
                "no checkpoint of your own was compared: that the hub's administrator made a whole new ledger is not excluded"));
        }

        foreach (var text in own.Checkpoints) findings.Add(OwnOne(text, head, key, records, begins, compared));
        Unwitnessed(newest, compared, records, findings);
    }

    // What lies beyond all that the verifier has compared; where that is nothing, beyond all that the hub says is held outside.
    private static void Unwitnessed(long newest, List<long> compared, RecordJudge records, List<Finding> findings)
    {
        if (compared.Count == 0 && newest == 0) return; // Then all of it does, which is said already.
        if (records.Beyond(compared.Count > 0 ? compared.Max() : newest) is not ( > 0, _) beyond) return;
        var (count, first) = (beyond.Count, beyond.Leaf + 1);
        findings.Add(compared.Count > 0
            ? new(
                FindingKind.Open, "unwitnessed", $"このパックの記録 {count} 件(台帳番号 {first} 以降)は、照合したどの検証基準値よりも後のものです。書換えがないことは証明されていません",
                $"{count} records of the pack (from record {first} of the ledger on) are newer than every checkpoint that was compared: that they were not rewritten is not proven", beyond.Leaf)
            : new(
                FindingKind.Open, "unwitnessed", $"このパックの記録 {count} 件(台帳番号 {first} 以降)は、外部にあるどの検証基準値よりも後のものです。書換えがないことは証明できません",
                $"{count} records of the pack (from record {first} of the ledger on) are newer than every checkpoint that is held outside: that they were not rewritten cannot be proven", beyond.Leaf));
    }

    // What the newest line of a second machine proves. A line can be taken out of the pack by whoever made it, so its absence proves nothing either way.
    private static bool Cosigned(string vkey, PackManifest manifest, Checkpoint head, Dictionary<(string, long, TreeHash), bool> begins, List<long> compared, List<Finding> findings)
    {
        var key = NoteKey.Parse(vkey, NoteAlgorithm.Cosignature);
        var lines = manifest.Witnessed.Select(it => Read(it.Note)).Append(Read(manifest.Checkpoint))
            .Where(it => it.Note.Signatures.Any(line => line.Name == key.Name && line.KeyId == key.Id) && begins.GetValueOrDefault((it.Checkpoint.Origin, it.Checkpoint.Size, it.Checkpoint.Root), it.Checkpoint == head))
            .Select(it => (it.Checkpoint, At: Cosignature.TimeOf(it.Note, key, PackVerifier.Check))).OrderBy(it => it.Checkpoint.Size).ToList();
        if (lines.Any(it => it.At is null))
        {
            findings.Add(new(FindingKind.Wrong, "cosigned", $"{key.Name} の連署が正しくありません", $"a cosignature of {key.Name} is wrong"));
            return false;
        }

        if (lines.Count == 0)
        {
            findings.Add(new(FindingKind.Open, "cosigned", $"このパックには {key.Name} の連署がありません", $"nothing in this pack is cosigned by {key.Name}"));
            return false;
        }

        var (seen, at) = lines[^1];
        compared.Add(seen.Size);
        findings.Add(new(
            FindingKind.Proven, "cosigned", $"{key.Name} は {at:yyyy-MM-dd HH:mm} UTC に {seen.Size} 件の台帳を確認して連署しています。その {seen.Size} 件は、その後、変更・削除・並べ替え・差し込みされていません",
            $"{key.Name} saw the ledger of {seen.Size} records at {at:yyyy-MM-dd HH:mm} UTC and cosigned it: nothing of these was changed, removed, reordered or slipped in since"));
        return true;
    }

    private static Finding OwnOne(string text, Checkpoint head, NoteKey key, RecordJudge records, Dictionary<(string, long, TreeHash), bool> begins, List<long> compared)
    {
        SignedNote note;
        Checkpoint mine;
        try
        {
            (note, mine) = Read(text);
        }
        catch (FormatException fault)
        {
            return new(FindingKind.Wrong, "own", $"お手元の検証基準値を読み取れません:{fault.Message}", $"your checkpoint cannot be read: {fault.Message}");
        }

        if (!IsOurs(note, mine, key))
            return new(FindingKind.Wrong, "own", "お手元の検証基準値は、この台帳の鍵で署名されていません", "your checkpoint is not signed with this ledger's key");
        if (GivenUp(mine, head, records) is { } lost)
        {
            return new(
                FindingKind.Open, "given-up",
                $"お手元の検証基準値({mine.At:yyyy-MM-dd HH:mm} UTC、{mine.Size} 件)は、ハブを {lost.AsOf.UtcDateTime:yyyy-MM-dd HH:mm} UTC のバックアップから復元した際に失われたと宣言されています(台帳番号 {lost.Leaf + 1})。{mine.Size - lost.Leaf} 件以上が証明できません。復元の事実を、ハブの運用者以外に確かめてください",
                $"your checkpoint ({mine.At:yyyy-MM-dd HH:mm} UTC, {mine.Size} records) was declared lost when the hub was restored from a backup of {lost.AsOf.UtcDateTime:yyyy-MM-dd HH:mm} UTC (record {lost.Leaf + 1}): {mine.Size - lost.Leaf} records or more are not proven. Ask others than those who run the hub whether it was restored",
                lost.Leaf);
        }

        if (mine.Origin == head.Origin && mine.Size > head.Size)
        {
            return new(
                FindingKind.Wrong, "truncated", $"お手元の検証基準値は {mine.Size} 件ですが、このパックの台帳は {head.Size} 件です。記録が切り捨てられたか、パックが古いものです",
                $"your checkpoint covers {mine.Size} records, the pack's ledger has {head.Size}: records were cut off, or the pack is older", head.Size);
        }

        var good = begins.GetValueOrDefault((mine.Origin, mine.Size, mine.Root)) || (mine.Size == head.Size && mine.Root == head.Root)
            || (mine.Size <= head.Size && records.RootOf(mine.Size) == mine.Root);
        if (good) compared.Add(mine.Size);
        return good
            ? new(
                FindingKind.Proven, "own", $"{mine.At:yyyy-MM-dd HH:mm} UTC の時点の {mine.Size} 件は、その後、変更・削除・並べ替え・差し込みされていません(お手元の検証基準値による)",
                $"the first {mine.Size} records are as they were at {mine.At:yyyy-MM-dd HH:mm} UTC: nothing was changed, removed, reordered or slipped in since (by your own checkpoint)")
            : new(
                FindingKind.Wrong, "own", $"お手元の検証基準値({mine.Size} 件)と一致する台帳ではありません。書き換えられたか、証明が取り除かれています",
                $"the ledger does not begin with your checkpoint over {mine.Size} records: it was rewritten, or the proof was taken out");
    }

    // A checkpoint of an earlier life of the hub that covers more than the backup did; the restore itself is on record. What was signed before the backup was taken is in the backup,
    // whoever says otherwise.
    private static (long Leaf, DateTimeOffset AsOf)? GivenUp(Checkpoint it, Checkpoint head, RecordJudge records)
    {
        if (it.HubEpoch is not { } epoch || !(epoch < head.HubEpoch)) return null;
        var later = records.Restored.Where(restored => restored.Key > epoch).Select(restored => restored.Value).ToList();
        if (later.Count == 0) return null;
        var lost = later.MinBy(restored => restored.Leaf);
        return lost.Leaf < it.Size && it.At > lost.AsOf ? lost : null;
    }

    private static (SignedNote Note, Checkpoint Checkpoint) Read(string text)
    {
        var note = PackVerifier.Note(text);
        return (note, Checkpoint.Parse(note.Text));
    }

    private static bool IsOurs(SignedNote note, Checkpoint it, NoteKey key) => note.IsSignedBy(key with { Name = it.Origin }, PackVerifier.Check);
}
