using CsCheck;
using PhysSec.Core.Wire;
using PhysSec.Node.Journal;
using static PhysSec.Tests.Journal.JournalFolder;

namespace PhysSec.Tests.Journal;

/// <summary>RECORDED, ONCE: a damaged journal is set aside or read as it was; it is never silently read as something else.</summary>
public sealed class JournalDamageTests : IDisposable
{
    private readonly JournalFolder _folder = new();
    private readonly Dictionary<string, byte[]> _files;
    private readonly IReadOnlyList<StoredRecord> _truth;
    private readonly IReadOnlyList<StoredRecord> _measured;

    public JournalDamageTests()
    {
        using (var store = _folder.Open())
        {
            for (var i = 0; i < 60; i++) store.Add(i, Opened(), Measured(i));
            store.Acknowledge(1, "a", 10, 1);
            store.Add(60, Opened());
            _truth = store.All();
            _measured = store.All(Streams.Measurements);

            // As a power cut leaves it: the log beside the file, nothing folded in.
            _files = Directory.GetFiles(_folder.Path).ToDictionary(it => Path.GetFileName(it), File.ReadAllBytes);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_flipped_bit_anywhere_never_yields_a_wrong_record(bool folded)
    {
        if (folded) Fold();
        var places = _files.SelectMany(it => Enumerable.Range(0, it.Value.Length).Select(at => (it.Key, at))).ToArray();
        Gen.Select(Gen.Int[0, places.Length - 1].Select(it => places[it]), Gen.Int[0, 7]).Sample((place, bit) =>
        {
            Write(place.Key, bytes => bytes[place.at] ^= (byte)(1 << bit));
            return ReadsTheTruthOrSaysSo();
        }, iter: 150, threads: 1);
    }

    [Fact]
    public void A_damaged_key_in_the_middle_of_the_tree_is_never_taken_for_another()
    {
        Fold();
        var file = _files["journal.db"];
        var inner = Enumerable.Range(0, file.Length / 4096).Single(it => file[it * 4096] == 2) * 4096; // Its records sit on it whole.
        var page = System.Text.Encoding.Latin1.GetString(file, inner, 4096);
        var keys = System.Text.RegularExpressions.Regex.Matches(page, "[0-9a-f]{64}\\{");
        Assert.NotEmpty(keys);
        foreach (var (at, bit) in keys.SelectMany(it => Enumerable.Range(it.Index - 12, 12)).SelectMany(it => Enumerable.Range(0, 8), (at, bit) => (inner + at, bit)))
        {
            Write("journal.db", bytes => bytes[at] ^= (byte)(1 << bit));
            Assert.True(ReadsTheTruthOrSaysSo(), $"byte {at}, bit {bit}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_cut_anywhere_never_yields_a_wrong_record(bool folded)
    {
        if (folded) Fold();
        var places = _files.SelectMany(it => Enumerable.Range(0, it.Value.Length).Select(at => (it.Key, at))).ToArray();
        Gen.Int[0, places.Length - 1].Select(it => places[it]).Sample(place =>
        {
            Write(place.Key, _ => { }, cut: place.at);
            return ReadsTheTruthOrSaysSo();
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void A_missing_log_costs_at_most_the_tail()
    {
        foreach (var file in Directory.GetFiles(_folder.Path)) File.Delete(file);
        File.WriteAllBytes(_folder.File, _files["journal.db"]);
        Assert.True(ReadsTheTruthOrSaysSo());
    }

    /// <summary>Either set aside and said so, or a true beginning; where the read finds damage it says so.</summary>
    private bool ReadsTheTruthOrSaysSo()
    {
        using var store = _folder.Open(checkBytesMax: 0);
        if (store.Repaired is not null) return store.Epoch == 0 && store.State("a").Seq == 0;
        return TrueBeginning(store, Streams.Access, _truth) && TrueBeginning(store, Streams.Measurements, _measured);
    }

    private static bool TrueBeginning(JournalStore store, string stream, IReadOnlyList<StoredRecord> truth)
    {
        var state = store.State(stream);
        var found = new List<StoredRecord>();
        try
        {
            while (store.Read(1, stream, found.Count + 1, long.MaxValue, 7, int.MaxValue) is { Count: > 0 } run) found.AddRange(run);
        }
        catch (JournalException)
        {
            // Only what the hub has already acknowledged may turn out to be damaged this late.
            return found.Count < state.Acknowledged && found.SequenceEqual(truth.Take(found.Count));
        }

        return found.SequenceEqual(truth.Take(found.Count)) && found.Count == state.Seq
            && state.Hash == (found.Count == 0 ? Chain.Genesis : truth[found.Count - 1].Hash);
    }

    private void Fold()
    {
        using (_folder.Open()) { }
        _files.Clear();
        foreach (var file in Directory.GetFiles(_folder.Path)) _files[Path.GetFileName(file)] = File.ReadAllBytes(file);
    }

    private void Write(string damaged, Action<byte[]> damage, int? cut = null)
    {
        foreach (var file in Directory.GetFiles(_folder.Path)) File.Delete(file);
        foreach (var (name, bytes) in _files)
        {
            var copy = bytes.ToArray();
            if (name == damaged) damage(copy);
            File.WriteAllBytes(Path.Combine(_folder.Path, name), name == damaged && cut is { } length ? copy[..length] : copy);
        }
    }
}
