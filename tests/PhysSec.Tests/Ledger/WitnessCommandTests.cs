using Microsoft.AspNetCore.Builder;
using PhysSec.Core.Proof;
using PhysSec.Hub.Api;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Api;
using PhysSec.Tests.Ingest;
using PhysSec.Verify.Witness;

namespace PhysSec.Tests.Ledger;

/// <summary>What the second machine's program says to whoever runs it, against a hub that is served.</summary>
public sealed class WitnessCommandTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-witness-");
    private RunningHub _hub = null!;
    private WebApplication _app = null!;
    private string _key = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_folder.FullName, "state");

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    public async ValueTask InitializeAsync()
    {
        using (var witness = WitnessFolder.Open(State, "audit-office")) _hub = RunningHub.WithoutBroker(ledger: $$"""{ "cosigners": ["{{witness.Key}}"] }""");
        _key = _hub.Get<Checkpoints>().Key.ToString();
        await File.WriteAllTextAsync(TokenFile, await _hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "witness", "witness", 8760, mayRelease: false), Cancel);
        _app = await ServedApiTests.ServeAsync(_hub);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _hub.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_hub_that_cannot_prove_its_ledger_any_more_is_refused_as_one_that_contradicts_itself()
    {
        await CosignAsync();
        await LedgerTreeTests.ActAsync(_hub, "something.done", 600);
        await _hub.Store.WriteAsync(it => it.Execute("delete from tiles where id = 0"), Cancel); // Whatever is newer needs none of these hashes.

        var (code, said) = await RunAsync();
        Assert.Equal(2, code);
        Assert.Contains("NOT COSIGNED", said, StringComparison.Ordinal);
        Assert.Contains("cannot prove its own ledger: the tree's tile 0/0 is incomplete", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("all of it was in the backup")]
    [InlineData("the backup was older than what was cosigned last")]
    [InlineData("it was rewritten from the first record on")]
    public async Task A_restored_ledger_that_a_person_accepts_is_compared_as_far_as_it_goes_and_the_rest_is_named(string what)
    {
        var older = await CosignAsync();
        _hub.Time.Advance(TimeSpan.FromDays(1));
        await LedgerTreeTests.ActAsync(_hub, "something.done", 20);
        var newer = await CosignAsync();
        await RestoreAsync(what, older.Size + 1);
        Assert.Equal(2, (await RunAsync()).Code);

        var (code, said) = await RunAsync("--accept", "physsec/city/7");
        Assert.Equal(0, code);
        var compared = what.StartsWith("all", StringComparison.Ordinal) ? newer.Size : what.StartsWith("the", StringComparison.Ordinal) ? older.Size : 0;
        Assert.Contains(compared > 0 ? $"the first {compared} records are as they were cosigned" : "nothing that was cosigned before could be compared", said, StringComparison.Ordinal);
        Assert.Equal(compared < newer.Size, said.Contains($"NOT COMPARED 未照合: records {compared + 1}–{newer.Size}", StringComparison.Ordinal));
        Assert.Equal(newer, Read(Assert.Single(Directory.GetFiles(State, "before-restore-*.txt"))));

        await LedgerTreeTests.ActAsync(_hub, "something.done");
        (code, said) = await RunAsync();
        Assert.Equal(0, code);
        Assert.DoesNotContain("accepted", said, StringComparison.Ordinal);
    }

    private async Task<Checkpoint> CosignAsync()
    {
        await LedgerTreeTests.ActAsync(_hub, "something.done");
        var (code, said) = await RunAsync();
        Assert.True(code == 0, said);
        return Read(Path.Combine(State, "newest.txt"));
    }

    // As a backup that holds the first so many records, or another past, and goes on.
    private async Task RestoreAsync(string what, long kept)
    {
        await _hub.Store.WriteAsync(
            it =>
            {
                if (what.StartsWith("the", StringComparison.Ordinal)) it.Execute("delete from ledger where id > $kept", ("$kept", kept));
                if (what.StartsWith("it", StringComparison.Ordinal)) it.Execute("update ledger set received_at = received_at - 1 where id = 1");
                it.Execute("delete from witnesses; delete from checkpoints; delete from tiles; update meta set value = '0' where name = 'tree-size'; update meta set value = '7' where name = 'hub-epoch'");
            },
            Cancel);
        await LedgerTreeTests.ActAsync(_hub, "something.done", 40);
    }

    private static Checkpoint Read(string file) => Checkpoint.Parse(SignedNote.Parse(File.ReadAllText(file)).Text);

    private async Task<(int Code, string Said)> RunAsync(params string[] more)
    {
        using var said = new StringWriter();
        var code = await WitnessCommand.RunAsync(["--hub", _app.Urls.First(), "--key", _key, "--token-file", TokenFile, "--state", State, .. more], _hub.Time, said, Cancel);
        return (code, said.ToString());
    }
}
