using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub;
using PhysSec.Hub.Access;
using PhysSec.Hub.Api;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Web;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Storage;

namespace PhysSec.Tests.Api;

public sealed class ServedApiTests
{
    [Theory]
    [InlineData("node-a%2Fleak%3Aleak")]
    [InlineData("node-a%2fleak:leak")]
    public async Task A_program_acknowledges_what_a_node_raised_by_its_escaped_key(string escaped)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(new AlarmRaised("leak:leak", AlarmClasses.Leak, "leak", null, null, null, null), hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 1);
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "siem", "operator", 24, mayRelease: false));

        using var answer = await client.PostAsJsonAsync($"/api/v1/alarms/{escaped}/acknowledge", new { reason = "拭き取り中" }, cancel);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("拭き取り中", hub.Alarms.List().Single().AckReason);
    }

    [Fact]
    public async Task A_hub_whose_disk_is_full_does_not_say_that_its_store_is_well()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        Assert.Contains("\"store\":true", await client.GetStringAsync("/api/v1/health", cancel), StringComparison.Ordinal);

        await hub.Store.FillAsync();

        Assert.Contains("\"store\":false", await client.GetStringAsync("/api/v1/health", cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_call_deletes_a_record_whoever_makes_it()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        await using var app = await ServeAsync(hub);
        var retention = app.Services.GetServices<EndpointDataSource>().SelectMany(it => it.Endpoints).OfType<RouteEndpoint>()
            .Where(it => it.RoutePattern.RawText!.Contains("/retention", StringComparison.Ordinal))
            .Select(it => $"{string.Join(',', it.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)} {it.RoutePattern.RawText}").Order(StringComparer.Ordinal);
        Assert.Equal(["GET /api/v1/retention/", "GET /api/v1/retention/certificates/{record:long}.pdf", "POST /api/v1/retention/holds"], retention);

        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "root", "administrator", 24, mayRelease: true));
        var before = hub.Count("ledger");
        foreach (var path in new[] { "records", "records/1", "retention", "retention/certificates/1", "ledger", "register" })
            Assert.Contains((await client.DeleteAsync($"/api/v1/{path}", cancel)).StatusCode, (HttpStatusCode[])[HttpStatusCode.MethodNotAllowed, HttpStatusCode.NotFound]);
        Assert.Equal(before, hub.Count("ledger"));
    }

    [Theory]
    [InlineData("operator", HttpStatusCode.Forbidden)]
    [InlineData("auditor", HttpStatusCode.Forbidden)]
    [InlineData("administrator", HttpStatusCode.OK)]
    public async Task A_PIN_is_issued_by_administrators_alone_and_its_answer_is_kept_by_no_cache(string role, HttpStatusCode expected)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        await hub.Get<People>().AddAsync(Actor.CommandLine, new("p-alice", "青木 里奈", "アオキ リナ", "情報政策課", null, "staff"), cancel);
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "it", role, 24, mayRelease: false));

        using var answer = await client.PostAsJsonAsync("/api/v1/people/p-alice/pin", new { reason = "新任", digits = 5 }, cancel);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK, hub.Get<Pins>().Find("p-alice") is not null);
        if (expected != HttpStatusCode.OK) return;
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var said = (await answer.Content.ReadFromJsonAsync<JsonObject>(cancel))!;
        Assert.Matches("^[0-9]{5}$", (string)said["code"]!);
        Assert.Matches("^[0-9]{5}$", (string)said["duress"]!);
        Assert.DoesNotContain((string)said["code"]!, await client.GetStringAsync("/api/v1/people/p-alice/pin", cancel), StringComparison.Ordinal);
        using var withdrawn = await client.PostAsJsonAsync("/api/v1/people/p-alice/pin/withdraw", new { reason = "異動" }, cancel);
        Assert.Null(hub.Get<Pins>().Find("p-alice"));
    }

    [Theory]
    [InlineData("administrator", HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData("operator", HttpStatusCode.Forbidden, HttpStatusCode.OK)]
    [InlineData("auditor", HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    public async Task Administrators_register_keys_operators_lend_them_and_auditors_read(string role, HttpStatusCode adds, HttpStatusCode lends)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var room = await HubAccess.KeyRoom.OpenAsync();
        await using var app = await ServeAsync(room.Hub);
        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await room.Hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "it", role, 24, mayRelease: false));

        using var added = await client.PostAsJsonAsync("/api/v1/keys", new { door = "door-a", label = "合鍵", kind = "main", reason = "納品" }, cancel);
        using var lent = await client.PostAsJsonAsync($"/api/v1/keys/{room.Key}/lend", new { person = "p-alice", purpose = "点検", dueAt = room.Now.AddHours(1) }, cancel);
        Assert.Equal((adds, lends), (added.StatusCode, lent.StatusCode));
        if (lends == HttpStatusCode.OK) Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync($"/api/v1/keys/{room.Key}/lend", new { person = "p-alice", purpose = "点検", dueAt = room.Now.AddHours(1) }, cancel)).StatusCode);
        else await room.LendAsync();
        await room.ForceAsync();
        await room.RoundAsync();

        var mine = JsonNode.Parse(await client.GetStringAsync("/api/v1/keys", cancel))!.AsArray().Single(it => (string?)it!["key"]!["id"] == room.Key)!;
        Assert.Equal("青木 里奈", (string?)mine["loan"]!["personName"]);
        Assert.Single(JsonNode.Parse(await client.GetStringAsync("/api/v1/keys/loans", cancel))!.AsArray());
        Assert.Contains("青木 里奈", await client.GetStringAsync("/api/v1/keys/loans.csv", cancel), StringComparison.Ordinal);
        var finding = JsonNode.Parse(await client.GetStringAsync("/api/v1/alarms?state=active", cancel))!.AsArray().Single()!["keyLoan"]!;
        Assert.Equal(("matched", "青木 里奈"), ((string?)finding["verdict"], (string?)finding["holders"]![0]!["personName"]));
        Assert.Equal(lends == HttpStatusCode.OK ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, (await client.PostAsJsonAsync($"/api/v1/keys/{room.Key}/return", new { }, cancel)).StatusCode);
        Assert.Equal(adds == HttpStatusCode.OK ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, (await client.PostAsJsonAsync($"/api/v1/keys/{room.Key}/remove", new { reason = "交換" }, cancel)).StatusCode);
    }

    [Theory]
    [InlineData("operator", "retention", HttpStatusCode.Forbidden)]
    [InlineData("auditor", "retention", HttpStatusCode.OK)]
    [InlineData("auditor", "people/p-alice/extract.zip?reason=x", HttpStatusCode.Forbidden)]
    [InlineData("operator", "people/p-alice/extract.zip?reason=x", HttpStatusCode.Forbidden)]
    [InlineData("administrator", "people/p-alice/extract.zip", HttpStatusCode.UnprocessableEntity)]
    [InlineData("administrator", "retention/certificates/7.pdf", HttpStatusCode.UnprocessableEntity)]
    public async Task Retention_is_for_those_who_look_after_the_record_and_an_extract_for_administrators(string role, string path, HttpStatusCode expected)
    {
        await using var hub = RunningHub.WithoutBroker();
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "it", role, 24, mayRelease: false));
        Assert.Equal(expected, (await client.GetAsync($"/api/v1/{path}", TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task What_an_auditor_looked_for_no_administrator_gets_by_any_way()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        await using var app = await ServeAsync(hub);
        using var auditor = Client(app);
        using var administrator = Client(app);
        auditor.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "kansa", "auditor", 24, mayRelease: false));
        administrator.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "kanri", "administrator", 24, mayRelease: false));
        string[] searches = ["records?person=p-suspect&kind=access", "records.csv?person=p-suspect", "register?from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z", "register.csv?month=2026-09", "policies/p-suspect"];
        foreach (var it in searches)
        {
            using var answer = await auditor.GetAsync("/api/v1/" + it, cancel);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{it}: {answer.StatusCode}");
            if (it.StartsWith("records.csv", StringComparison.Ordinal)) Assert.Matches("^records_confidentiality-2_tokenkansa_[0-9]{8}T[0-9]{6}Z.csv$", answer.Content.Headers.ContentDisposition!.FileName);
        }

        using (var pack = await auditor.PostAsJsonAsync("/api/v1/ledger/evidence", new { person = "p-suspect", reason = "the-case" }, cancel)) Assert.Equal(HttpStatusCode.OK, pack.StatusCode);
        using (var paper = await auditor.GetAsync("/api/v1/audit-sample.pdf?from=2026-08-01T00:00:00Z&to=2026-09-01T00:00:00Z&seed=the-seed", cancel)) Assert.Equal(HttpStatusCode.OK, paper.StatusCode);
        var seen = await auditor.GetStringAsync("/api/v1/records?kind=hub&limit=100", cancel);
        string[] secrets = ["p-suspect", "the-case", "2026-10-01T00:00:00", "log.searched", "evidence.made", "the-seed", "2026-08-01T00:00:00", "audit.sample-asked", "audit.sampled"];
        Assert.All(secrets, it => Assert.Contains(it, seen, StringComparison.Ordinal));

        foreach (var it in new[] { "records?kind=hub&limit=500", "records?limit=500", "records?node=hub", "records?kind=hub.log.searched", "records?kind=hub.log", "records?kind=hub.evidence.made", "records?kind=hub.audit", "records.csv", "records.csv?kind=hub.evidence", "register", "alarms/history", "notifications", "ledger/tile/entries/000.p/1", "dead-letters" })
        {
            using var answer = await administrator.GetAsync("/api/v1/" + it, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            Assert.All(secrets, secret => Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{it} tells {secret}"));
        }

        using var taken = await administrator.PostAsJsonAsync("/api/v1/ledger/evidence", new { reason = "audit of the record" }, cancel);
        using var zip = new ZipArchive(await taken.Content.ReadAsStreamAsync(cancel));
        foreach (var entry in zip.Entries)
        {
            using var reader = new StreamReader(entry.Open());
            var text = await reader.ReadToEndAsync(cancel);
            Assert.All(secrets.Except(["log.searched", "evidence.made"]), secret => Assert.False(text.Contains(secret, StringComparison.Ordinal), $"the pack's {entry.Name} tells {secret}"));
        }
    }

    [Fact]
    public async Task A_door_s_residual_risks_are_read_by_everybody_and_accepted_by_an_administrator_alone()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", 2, 72, Core.Access.Assurance.High, Core.Access.JournalFaultRule.Refuse), cancel: cancel);
        await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room", "扉", "Door", 5, 15, 20, 10, Core.Access.Assurance.Low), cancel: cancel);
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        async Task AsAsync(string role) => client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, role, role, 24, mayRelease: false));

        await AsAsync("auditor");
        var sheet = JsonNode.Parse(await client.GetStringAsync("/api/v1/doors/door-a/risk", cancel))!;
        using var refused = await client.PostAsJsonAsync("/api/v1/doors/door-a/risk/accept", new { hash = (string)sheet["hash"]!, reason = "なし" }, cancel);
        await AsAsync("administrator");
        using var accepted = await client.PostAsJsonAsync("/api/v1/doors/door-a/risk/accept", new { hash = (string)sheet["hash"]!, reason = "監視カメラで補う" }, cancel);
        var all = JsonNode.Parse(await client.GetStringAsync("/api/v1/door-risks", cancel))!.AsArray();

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.NoContent), (refused.StatusCode, accepted.StatusCode));
        Assert.Equal((false, true), ((bool)sheet["accepted"]!, (bool)Assert.Single(all)!["accepted"]!));
        Assert.Null(sheet["sheet"]!["readers"]); // No board has said what hangs there.
    }

    [Fact]
    public async Task Two_equal_searches_have_digests_that_nobody_can_guess()
    {
        await using var hub = RunningHub.WithoutBroker();
        var log = hub.Get<AccessLog>();
        for (var i = 0; i < 2; i++) await log.SearchedAsync(new("kansa", "auditor", "test"), new(Person: "p-suspect"), cancel: TestContext.Current.CancellationToken);
        var salts = log.Search(new(Kind: "hub.log.searched", Searches: true)).Items.Select(it => (string)JsonNode.Parse(it.Body)!["fact"]!["after"]!["salt"]!).ToArray();
        Assert.Equal(2, salts.Distinct().Count());
        Assert.All(salts, it => Assert.Equal(32, it.Length));
    }

    [Theory]
    [InlineData("release")]
    [InlineData("unlock")]
    [InlineData("block")]
    [InlineData("override-end")]
    [InlineData("confirm-release")]
    [InlineData("lockdown")]
    [InlineData("readers/entry/install")]
    public async Task A_token_that_was_not_made_for_it_moves_no_door(string act)
    {
        await using var hub = RunningHub.WithoutBroker();
        await using var app = await ServeAsync(hub);
        using var client = Client(app);
        client.DefaultRequestHeaders.Authorization = new("Bearer", await hub.Get<Tokens>().MakeAsync(Actor.CommandLine, "it", "administrator", 24, mayRelease: false));
        using var answer = await client.PostAsJsonAsync($"/api/v1/doors/door-a/{act}", new { minutes = 5, on = true, reason = "搬入" }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_program_gives_readers_their_keys_only_as_an_administrator_and_sees_them_as_their_node_says()
    {
        await using var room = await Web.DoorRoom.OpenAsync();
        var (admin, oper) = (await TokenAsync("administrator"), await TokenAsync("operator"));
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(oper)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(admin)).StatusCode);
        Assert.Equal(("reader", "replace"), (room.Node.Taken.Single().Verb, room.Node.Taken.Single().Arguments["act"]));

        room.Say(new("locked", false, false, false, "normal", 0, 0, null, [], Readers: [new(PhysSec.Core.Access.Direction.In, PhysSec.Core.Wire.ReaderLink.Online, null, null, "8c1f0e2d3b4a5968", false, null, null)]));
        using var look = new HttpRequestMessage(HttpMethod.Get, "/api/v1/doors/door-a/readers");
        look.Headers.Authorization = new("Bearer", oper);
        using var client = Client(room.App);
        using var seen = await client.SendAsync(look, TestContext.Current.CancellationToken);
        Assert.Equal("8c1f0e2d3b4a5968", (string?)JsonNode.Parse(await seen.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["readers"]![0]!["key"]);

        Task<string> TokenAsync(string role) => room.Get<Tokens>().MakeAsync(Actor.CommandLine, role, role, 24, mayRelease: true);

        async Task<HttpResponseMessage> PostAsync(string token)
        {
            using var http = Client(room.App);
            http.DefaultRequestHeaders.Authorization = new("Bearer", token);
            return await http.PostAsJsonAsync("/api/v1/doors/door-a/readers/entry/replace", new { minutes = 5, reason = "交換" }, TestContext.Current.CancellationToken);
        }
    }

    private static HttpClient Client(WebApplication app) =>
        new() { BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };

    // The API on a loopback port over a hub that is there already; of its loops none runs.
    internal static async Task<WebApplication> ServeAsync(RunningHub hub)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "physsec-hub", ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var ours = builder.Services.Count;
        Serving.AddServices(builder.Services, hub.Home, hub.Time);
        builder.AddConsole(hub.Home.Folder, new ConsoleSite("test", TimeZoneInfo.Utc));
        foreach (var loop in builder.Services.Skip(ours).Where(it => it.ServiceType == typeof(IHostedService)).ToList()) builder.Services.Remove(loop);
        builder.Services.AddSingleton(hub.Alarms);
        var app = builder.Build();
        app.UseExceptionHandler(Problems.Options);
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        HubApi.Map(app);
        await app.StartAsync();
        return app;
    }
}
