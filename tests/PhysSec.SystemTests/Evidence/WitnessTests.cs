using System.Globalization;
using System.IO.Compression;
using PhysSec.Core.Proof;
using PhysSec.Rig;
using PhysSec.SystemTests.Browsing;
using PhysSec.Verify;

namespace PhysSec.SystemTests.Evidence;

/// <summary>The second machine's program against a hub that runs, over HTTPS, with a token that can do nothing else.</summary>
public sealed class WitnessTests : IAsyncLifetime
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-witness-");
    private readonly int _port = Ports.Free(1)[0];
    private Child? _hub;

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Hub => Path.Combine(_folder.FullName, "hub");

    private string State => Path.Combine(_folder.FullName, "witness");

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_hub is not null) await _hub.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_second_machine_cosigns_what_the_hub_adds_and_refuses_what_the_hub_rewrites()
    {
        await ConfigureAsync("[]");
        await HubAsync("init");
        var key = (await HubAsync("checkpoint")).Split(' ', '\n').Single(it => it.StartsWith("physsec/city/1+", StringComparison.Ordinal));
        await File.WriteAllTextAsync(TokenFile, (await HubAsync("token", "--name", "witness", "--role", "witness")).Trim().Split('\n')[^1].Trim(), Cancel);
        await StartAsync();

        // The first run makes the key; until the hub's configuration names it, its line is not taken.
        var (code, said) = await WitnessAsync(key, "--name", "audit-office");
        Assert.Equal(1, code);
        Assert.Contains("ledger.cosigners", said, StringComparison.Ordinal);
        var cosigner = said.Split('\n').Single(it => it.StartsWith("cosigner", StringComparison.Ordinal)).Split(' ')[^1].Trim();
        await _hub!.DisposeAsync();
        await ConfigureAsync($"[\"{cosigner}\"]");
        await StartAsync();

        Assert.Equal(0, (await WitnessAsync(key)).Code);
        await HubAsync("enroll", "room-a"); // Something is added.
        (code, said) = await WitnessAsync(key);
        Assert.True(code == 0, said);

        // The pack proves it to whoever holds the cosigner's key, and nothing else.
        var pack = Path.Combine(_folder.FullName, "evidence.zip");
        await HubAsync("evidence", "--to", pack, "--reason", "an audit");
        var verdict = await Child.RunAsync("verify", "dotnet", [Programs.Verify, pack, "--cosigner", cosigner], _limit, Cancel);
        Assert.Contains("audit-office saw the ledger", verdict, StringComparison.Ordinal);

        await PageAgreesAsync(await File.ReadAllBytesAsync(pack, Cancel), cosigner);

        // Its token opens nothing else.
        using (var http = Client(await File.ReadAllTextAsync(TokenFile, Cancel)))
        {
            Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await http.GetAsync("records", Cancel)).StatusCode);
            Assert.Equal(System.Net.HttpStatusCode.Forbidden, (await http.GetAsync("ledger/evidence.zip?reason=x", Cancel)).StatusCode);
            Assert.Equal(System.Net.HttpStatusCode.OK, (await http.GetAsync("ledger/newest", Cancel)).StatusCode);
        }

        // Somebody who has the machine rewrites the past and lets the program seal it anew.
        await _hub!.DisposeAsync();
        using (var store = new Microsoft.Data.Sqlite.SqliteConnection($"data source={Path.Combine(Hub, "hub.db")};pooling=false"))
        {
            store.Open();
            using var change = store.CreateCommand();
            change.CommandText = "update ledger set received_at = received_at - 60000000 where id = 2; delete from tiles; delete from meta where name = 'tree-size'; delete from witnesses; delete from checkpoints";
            change.ExecuteNonQuery();
        }

        await StartAsync();
        (code, said) = await WitnessAsync(key);
        Assert.Equal(2, code);
        Assert.Contains("was rewritten", said, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(State, "contradiction-*.txt"));
        Assert.Equal(2, (await WitnessAsync(key)).Code); // It does not forget.
    }

    private async Task PageAgreesAsync(byte[] pack, string cosigner)
    {
        await using var browser = await Browser.StartAsync();
        var page = await browser.VisitAsync(new Uri("file:///"), 1280, 900);
        var html = Path.Combine(_folder.FullName, "verify.html");
        using (var zip = new ZipArchive(new MemoryStream(pack))) await zip.GetEntry(EvidencePack.PageName)!.ExtractToFileAsync(html, Cancel);
        await page.GotoAsync(new Uri(html).ToString());
        var stranger = new NoteKey("stranger", new byte[32], NoteAlgorithm.Cosignature).ToString();
        foreach (var key in (string[])[cosigner, stranger])
        {
            var own = new Own([], null) { Cosigners = [key] };
            var program = PackVerifier.Verify(new MemoryStream(pack), own);
            var (codes, _, good) = await EvidenceTests.AskPageAsync(page, pack, own);
            Assert.Equal(EvidenceTests.Codes(program), codes);
            Assert.Equal(program.Good, good);
            Assert.Contains(key == cosigner ? "Proven:cosigned" : "Open:cosigned", codes, StringComparison.Ordinal);
        }
    }

    private Task<string> HubAsync(string verb, params string[] more) => Child.RunAsync($"hub {verb}", "dotnet", [Programs.Hub, verb, .. more, "--state", Hub], _limit, Cancel);

    private async Task ConfigureAsync(string cosigners)
    {
        Directory.CreateDirectory(Hub);
        await File.WriteAllTextAsync(
            Path.Combine(Hub, "hub.json"),
            $$"""{ "site": "city", "console": { "port": {{_port.ToString(CultureInfo.InvariantCulture)}}, "https": true }, "broker": { "port": 0 }, "ledger": { "cosigners": {{cosigners}} } }""", Cancel);
    }

    private async Task StartAsync()
    {
        _hub = Child.Start("hub", "dotnet", [Programs.Hub, "serve", "--state", Hub]);
        await Wait.UntilAsync("the hub to listen", () => Task.FromResult(_hub.Lines.Any(it => it.Contains("listening https://", StringComparison.Ordinal))), _limit, Cancel);
    }

    private async Task<(int Code, string Said)> WitnessAsync(string key, params string[] more)
    {
        await using var witness = Child.Start("witness", "dotnet",
            [Programs.Verify, "witness", "--hub", $"https://localhost:{_port.ToString(CultureInfo.InvariantCulture)}", "--key", key, "--token-file", TokenFile, "--state", State, "--ca", Path.Combine(Hub, "pki", "ca.crt"), .. more]);
        return (await witness.Ended.WaitAsync(_limit, Cancel), string.Join('\n', witness.Lines));
    }

    private HttpClient Client(string token)
    {
        var chain = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        chain.CustomTrustStore.Add(System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Hub, "pki", "ca.crt")));
        var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = chain } };
        var client = new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{_port.ToString(CultureInfo.InvariantCulture)}/api/v1/") };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token.Trim());
        return client;
    }
}
