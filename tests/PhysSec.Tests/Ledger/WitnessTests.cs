using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Verify;
using PhysSec.Verify.Witness;

namespace PhysSec.Tests.Ledger;

/// <summary>A second machine cosigns what continues what it saw, and nothing else; its line is worth something to whoever holds its key.</summary>
public sealed class WitnessTests : IDisposable
{
    private static readonly DateTimeOffset _seen = new(2026, 11, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-witness-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_cosignature_says_when_its_key_saw_the_tree_and_nothing_after_any_change()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var witness = WitnessFolder.Open(_folder.FullName, "audit-office");
        var (note, value) = await OfferAsync(hub);
        var cosigned = witness.Cosign(note, value, _seen);
        Assert.Equal(_seen, Cosignature.TimeOf(cosigned, witness.Key, LedgerKey.Check));
        Assert.True(cosigned.IsSignedBy(hub.Get<Checkpoints>().Key, LedgerKey.Check)); // The hub's own line still stands.
        Assert.Equal(witness.Key, NoteKey.Parse(witness.Key.ToString(), NoteAlgorithm.Cosignature));
        Assert.Throws<FormatException>(() => NoteKey.Parse(witness.Key.ToString())); // It signs no checkpoints.

        Assert.Null(Cosignature.TimeOf(note, witness.Key, LedgerKey.Check));
        Assert.Null(Cosignature.TimeOf(cosigned with { Text = cosigned.Text.Replace("\n", "\n\n", StringComparison.Ordinal) }, witness.Key, LedgerKey.Check));
        Assert.Null(Cosignature.TimeOf(cosigned, witness.Key with { Name = "other" }, LedgerKey.Check));
        var line = cosigned.Signatures[^1].Signature.ToArray();
        for (var i = 0; i < line.Length; i++)
        {
            var changed = line.ToArray();
            changed[i] ^= 1;
            Assert.Null(Cosignature.TimeOf(cosigned with { Signatures = [cosigned.Signatures[0], cosigned.Signatures[1] with { Signature = changed }] }, witness.Key, LedgerKey.Check));
        }
    }

    [Fact]
    public async Task A_ledger_that_grows_is_cosigned_again_and_again_and_what_was_cosigned_is_kept()
    {
        await using var hub = RunningHub.WithoutBroker();
        for (var i = 0; i < 5; i++)
        {
            using var witness = WitnessFolder.Open(_folder.FullName, i == 0 ? "audit-office" : null); // The machine starts anew each time.
            var (note, value) = await OfferAsync(hub);
            Assert.Equal(value, await JudgeAsync(hub, witness, note));
            witness.Cosign(note, value, _seen.AddHours(i));
            Assert.Equal(note.Text, witness.Newest!.Text);
            await LedgerTreeTests.ActAsync(hub, $"act-{i}");
        }

        Assert.Equal(["2026-11-02.txt", "cosigner.key", "in-use.lock", "newest.txt"], _folder.GetFiles().Select(it => it.Name).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows()) Assert.All(_folder.GetFiles().Where(it => it.Length > 0), it => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, it.UnixFileMode));
    }

    [Theory]
    [InlineData("an older text", "update ledger set received_at = received_at - 1 where id = 2")]
    [InlineData("a record dropped", "delete from ledger where id = 2; update ledger set id = id - 1 where id > 2")]
    [InlineData("cut off", "delete from ledger where id > 3")]
    public async Task A_ledger_that_was_sealed_anew_after_a_change_is_never_cosigned(string what, string change)
    {
        await using var room = await EvidenceRoom.MakeAsync(20);
        using var witness = WitnessFolder.Open(_folder.FullName, "audit-office");
        var (note, value) = await OfferAsync(room.Hub);
        witness.Cosign(note, value, _seen);

        using var store = room.Copy();
        store.Execute("pragma foreign_keys = off");
        store.Execute(change);
        room.Reseal(store);
        var resealed = SignedNote.Parse(store.One("select note from checkpoints order by id desc limit 1", it => it.GetString(0))!);
        var fault = await Assert.ThrowsAsync<ContradictionException>(() => WitnessRound.JudgeAsync(
            witness.Newest, resealed, room.Key, null, (first, second) => Task.FromResult(MerkleTree.Consistency(first, second, LedgerTree.Of(store)))));
        Assert.NotEmpty(fault.Message);
        Assert.Contains(what, File.ReadAllText(witness.KeepContradiction(note, resealed.ToString(), what, _seen)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restored_hub_waits_for_a_person_and_another_ledger_or_key_is_refused()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var witness = WitnessFolder.Open(_folder.FullName, "audit-office");
        var (note, value) = await OfferAsync(hub);
        witness.Cosign(note, value, _seen);
        await hub.Store.WriteAsync(it => it.Execute("update meta set value = '2' where name = 'hub-epoch'"), Cancel);
        var (restored, _) = await OfferAsync(hub);
        await Assert.ThrowsAsync<RefusedException>(() => JudgeAsync(hub, witness, restored));
        await Assert.ThrowsAsync<RefusedException>(() => JudgeAsync(hub, witness, restored, "physsec/city/3"));
        Assert.Equal("physsec/city/2", (await JudgeAsync(hub, witness, restored, "physsec/city/2")).Origin);

        await using var other = RunningHub.WithoutBroker();
        var (foreign, _) = await OfferAsync(other);
        await Assert.ThrowsAsync<RefusedException>(() => JudgeAsync(hub, witness, foreign)); // Another hub's key under the same name.
        var key = hub.Get<Checkpoints>().Key;
        await Assert.ThrowsAsync<RefusedException>(() => WitnessRound.JudgeAsync(null, note, key with { Name = "physsec/town/1" }, null, (_, _) => throw new InvalidOperationException()));
    }

    [Fact]
    public async Task The_hub_takes_the_line_of_a_machine_that_it_knows_and_counts_the_checkpoint_as_held_outside()
    {
        using var witness = WitnessFolder.Open(_folder.FullName, "audit-office");
        await using var hub = RunningHub.WithoutBroker(ledger: $$"""{ "cosigners": ["{{witness.Key}}"] }""");
        var checkpoints = hub.Get<Checkpoints>();
        var (note, value) = await OfferAsync(hub);
        await RefusedAsync("no machine", note.ToString());
        using var stranger = WitnessFolder.Open(Path.Combine(_folder.FullName, "stranger"), "stranger");
        await RefusedAsync("no machine", stranger.Cosign(note, value, _seen).ToString());
        await RefusedAsync("a signed note", "hello");
        var longer = value with { Size = value.Size + 1 };
        await RefusedAsync("no such checkpoint", witness.Cosign(note with { Text = longer.Text }, longer, _seen).ToString());
        Assert.Null(checkpoints.NewestWitnessed());

        var both = stranger.Cosign(witness.Cosign(note, value, _seen), value, _seen);
        await checkpoints.CosignedAsync(RunningHub.Admin, both.ToString(), Cancel);
        await checkpoints.CosignedAsync(RunningHub.Admin, witness.Cosign(note, value, _seen.AddHours(1)).ToString(), Cancel);
        var held = checkpoints.NewestWitnessed()!;
        Assert.Equal(["cosigner:audit-office"], held.Witnesses);
        Assert.Equal(_seen.AddHours(1), Cosignature.TimeOf(SignedNote.Parse(held.Note), witness.Key, LedgerKey.Check));
        Assert.Equal(2, SignedNote.Parse(held.Note).Signatures.Count); // The stranger's line is not passed on.
        Assert.Equal(1, hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.checkpoint.cosigned'")));

        async Task RefusedAsync(string why, string text) =>
            Assert.Contains(why, (await Assert.ThrowsAsync<InputException>(() => checkpoints.CosignedAsync(RunningHub.Admin, text, Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_holds_only_the_cosigners_key_finds_what_was_rewritten_since()
    {
        using var witness = WitnessFolder.Open(_folder.FullName, "audit-office");
        await using var room = await EvidenceRoom.MakeAsync(20, $$"""{ "cosigners": ["{{witness.Key}}"] }""");
        var (note, value) = await OfferAsync(room.Hub);
        await room.Hub.Get<Checkpoints>().CosignedAsync(RunningHub.Admin, witness.Cosign(note, value, _seen).ToString(), Cancel);
        var own = new Own([], null) { Cosigners = [witness.Key.ToString()] };
        using var store = room.Copy();
        var good = PackVerifier.Verify(room.Pack(store), own);
        Assert.True(good.Good, EvidenceTests.Said(good));
        Assert.Contains(good.Findings, it => it is { Code: "cosigned", Kind: FindingKind.Proven } && it.En.Contains("audit-office saw", StringComparison.Ordinal));
        Assert.DoesNotContain(good.Findings, it => it.Code == "own");

        store.Execute("update ledger set received_at = received_at - 1 where id = 2");
        room.Reseal(store);
        var bad = PackVerifier.Verify(room.Pack(store), own);
        Assert.False(bad.Good);
        store.Execute("delete from witnesses"); // Nor does it help to take the line out: then nothing is proven by it, and the verdict says so.
        var silent = PackVerifier.Verify(room.Pack(store), own);
        Assert.Contains(silent.Findings, it => it is { Code: "cosigned", Kind: FindingKind.Open });
        Assert.Contains(silent.Findings, it => it is { Code: "own", Kind: FindingKind.Open });
    }

    [Fact]
    public async Task Two_processes_never_work_with_one_key_and_a_key_whose_memory_is_gone_signs_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        using (var first = WitnessFolder.Open(_folder.FullName, "audit-office"))
        {
            Assert.Throws<IOException>(() => WitnessFolder.Open(_folder.FullName, null));
            var (note, value) = await OfferAsync(hub);
            first.Cosign(note, value, _seen);
        }

        File.Delete(Path.Combine(_folder.FullName, "newest.txt"));
        using var second = WitnessFolder.Open(_folder.FullName, null);
        Assert.Contains("new key", Assert.Throws<FormatException>(() => second.Newest).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("audit office")]
    [InlineData("audit+office")]
    [InlineData(null)]
    public void A_new_key_needs_a_name_that_a_note_can_carry(string? name) => Assert.Throws<FormatException>(() => WitnessFolder.Open(_folder.FullName, name));

    private static async Task<(SignedNote Note, Checkpoint Value)> OfferAsync(RunningHub hub)
    {
        var made = await hub.Get<Checkpoints>().MakeAsync(Cancel);
        return (SignedNote.Parse(made.Note), made.Value);
    }

    private static Task<Checkpoint> JudgeAsync(RunningHub hub, WitnessFolder witness, SignedNote note, string? accepted = null) => WitnessRound.JudgeAsync(
        witness.Newest, note, hub.Get<Checkpoints>().Key with { Name = "physsec/city/1" }, accepted,
        (first, second) => Task.FromResult(hub.Store.Read(it => MerkleTree.Consistency(first, second, LedgerTree.Of(it)))));
}
