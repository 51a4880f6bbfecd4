using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Proof;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using UglyToad.PdfPig;

namespace PhysSec.Tests.Review;

/// <summary>What is printed: the month's report and the working paper.</summary>
public sealed class PaperTests
{
    private static readonly Actor _auditor = new("suzuki", "auditor", "test");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_working_paper_names_application_approver_rule_escort_and_a_proof_that_holds()
    {
        await using var hub = await AfterEntriesAsync(30);
        var sample = await hub.Get<AuditSamples>().DrawAsync(_auditor, hub.Time.GetUtcNow().AddDays(-40), hub.Time.GetUtcNow(), 12, "令和8年度", Cancel);
        using var pdf = new MemoryStream();
        hub.Get<AuditSamplePdf>().Write(sample, _auditor, pdf);

        Assert.Equal((30, 12), (sample.Population, sample.Entries.Count));
        Assert.All(sample.Entries, it => Assert.True(MerkleTree.IsIncluded(it.Leaf.TreeHash, it.Record - 1, sample.Checkpoint.Value.Size, it.Path, sample.Checkpoint.Value.Root)));
        var (pages, text) = Read(pdf);
        for (var i = 0; i < pages.Count; i++) Assert.Contains($"{i + 1}/{pages.Count}", pages[i], StringComparison.Ordinal);
        foreach (var needed in new[] { "令和8年度", "R8-117", "主査小川", "課長大野", "髙橋﨑子", "サーバ保守", "立会一郎", "机上PC", "rightr-", "30件", sample.Checkpoint.Value.Root.ToString(), "取扱注意" })
            Assert.Contains(needed, text, StringComparison.Ordinal);
        foreach (var it in sample.Entries)
        {
            Assert.Contains(it.Leaf.TreeHash.ToString(), text, StringComparison.Ordinal);
            Assert.Contains(it.Granted.PolicyHash, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_request_for_a_sample_goes_on_record_before_anything_is_drawn_and_a_checkpoint_after_it_decides()
    {
        await using var hub = await AfterEntriesAsync(30);
        var (from, to) = (hub.Time.GetUtcNow().AddDays(-40), hub.Time.GetUtcNow());
        var sample = await hub.Get<AuditSamples>().DrawAsync(_auditor, from, to, 5, "令和8年度", Cancel);

        var asked = Assert.Single(Acts(hub, "audit.sample-asked"));
        Assert.Equal((sample.Request, "令和8年度"), (asked.Record, (string?)asked.After["seed"]));
        var unseeded = await hub.Get<AuditSamples>().DrawAsync(_auditor, from.AddDays(-100), from.AddDays(-50), 5, null, Cancel);
        Assert.Equal((unseeded.Seed, false), ((string?)Acts(hub, "audit.sample-asked")[1].After["seed"], (bool)Acts(hub, "audit.sample-asked")[1].After["seedGiven"]!)); // The hub's own too.
        Assert.True(sample.Checkpoint.Value.Size >= sample.Request); // It covers the request …
        var drawn = Acts(hub, "audit.sampled")[0];
        Assert.Equal((sample.Checkpoint.Value.Root.ToString(), 30, 5), ((string?)drawn.After["root"], (int)drawn.After["population"]!, drawn.After["records"]!.AsArray().Count));
        long[] population = [.. hub.Store.Read(it => it.Query("select id from ledger where kind = 'access.granted'", row => row.GetInt64(0)))];
        var byHand = population.OrderBy(it => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"令和8年度\n{sample.Checkpoint.Note.Split('\n')[2]}\n{it}")))), StringComparer.Ordinal);
        Assert.Equal(byHand.Take(5), sample.Entries.Select(it => it.Record)); // … and is in every key, as the paper says.

        var again = await hub.Get<AuditSamples>().DrawAsync(_auditor, from, to, 5, "令和8年度", Cancel);
        Assert.NotEqual(sample.Entries.Select(it => it.Key), again.Entries.Select(it => it.Key)); // Whoever tries a seed learns nothing about the next time.
    }

    [Fact]
    public async Task The_working_paper_says_whether_the_seed_was_given_and_how_often_the_period_was_drawn_before()
    {
        await using var hub = await AfterEntriesAsync(3);
        var (from, to) = (hub.Time.GetUtcNow().AddDays(-40), hub.Time.GetUtcNow());
        async Task<(AuditSample Sample, string Text)> DrawAsync(DateTimeOffset since, DateTimeOffset until, string? seed)
        {
            var sample = await hub.Get<AuditSamples>().DrawAsync(_auditor, since, until, 2, seed, Cancel);
            using var pdf = new MemoryStream();
            hub.Get<AuditSamplePdf>().Write(sample, _auditor, pdf);
            return (sample, Read(pdf).Text);
        }

        var (first, text) = await DrawAsync(from, to, null);
        Assert.Equal((false, 0L), (first.SeedGiven, first.Earlier));
        Assert.Contains($"{first.Seed}(自動で決定", text, StringComparison.Ordinal);
        Assert.Contains("請求された抽出:0件", text, StringComparison.Ordinal);
        Assert.Contains($"台帳の{first.Request}番", text, StringComparison.Ordinal);

        (var second, text) = await DrawAsync(from.AddSeconds(1), to, "令和8年度"); // A period that is moved by a second is no other one.
        Assert.Equal((true, 1L), (second.SeedGiven, second.Earlier));
        Assert.Contains("令和8年度(請求者が指定", text, StringComparison.Ordinal);
        Assert.Contains("請求された抽出:1件", text, StringComparison.Ordinal);
        Assert.Equal(0, (await DrawAsync(from.AddYears(-1), from, null)).Sample.Earlier);
    }

    [Fact]
    public async Task What_cannot_be_drawn_is_refused_and_leaves_no_request()
    {
        await using var hub = await AfterEntriesAsync(3);
        var (from, to) = (hub.Time.GetUtcNow().AddDays(-40), hub.Time.GetUtcNow());
        foreach (var (count, given, field) in new[] { (0, "a", "count"), (201, "a", "count"), (5, new string('a', 65), "seed") })
            Assert.Equal(field, (await Assert.ThrowsAsync<InputException>(() => hub.Get<AuditSamples>().DrawAsync(_auditor, from, to, count, given, Cancel))).Field);
        Assert.Empty(Acts(hub, "audit.sample-asked"));
    }

    [Fact]
    public async Task The_months_report_counts_what_happened_and_says_who_signed_and_what_the_chief_wants()
    {
        await using var hub = await AfterEntriesAsync(30);
        var (reviews, report) = (hub.Get<Reviews>(), hub.Get<ReviewReport>());
        var totals = report.Totals(reviews.Find("2026-11").Task);
        Assert.Equal((30, 29, 0, 2, 1), (totals.Entries, totals.Exits, totals.Unread, totals.Denials, totals.Missing));

        using var unsigned = new MemoryStream();
        await report.WriteAsync("2026-11", _auditor, unsigned, Cancel);
        Assert.Contains("まだ署名されていません", Read(unsigned).Text, StringComparison.Ordinal);

        var digest = (await reviews.LookAsync("2026-11", Cancel)).Findings.Digest;
        await reviews.SignAsync(_auditor, "2026-11", new(digest, true, "退室の記録欠けを本人に確認する", new Dictionary<string, string> { [Patterns.FirstDoor] = "新任のため", [Matters.ClockStep] = "時計は合っている" }), cancel: Cancel);
        await reviews.AcknowledgeAsync(new("yamada", "administrator", "test"), "2026-11", null, new("読取機を点検する", "施設課", new(2026, 12, 20)), Cancel);
        using var pdf = new MemoryStream();
        await report.WriteAsync("2026-11", _auditor, pdf, Cancel);
        var (pages, text) = Read(pdf);
        for (var i = 0; i < pages.Count; i++) Assert.Contains($"{i + 1}/{pages.Count}", pages[i], StringComparison.Ordinal);
        foreach (var needed in new[] { "令和8年11月", "退室の記録欠けを本人に確認する", "新任のため", "時計は合っている", "署名のときに表示された一覧", "読取機を点検する", "施設課", "2026-12-20", "初めて入室しました", "申告のない欠番0件", digest, "yamada" })
            Assert.Contains(needed, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_character_that_the_font_lacks_is_seen_as_missing_and_can_be_looked_up()
    {
        JapaneseFont.Need();
        Assert.Equal("髙橋 﨑子 〓[1F512] ①〜 ASCII\n二行目", JapaneseFont.Shown("髙橋 﨑子 🔒 ①〜 ASCII\n二行目"));
        Assert.Equal("辻", JapaneseFont.Shown("辻\U000E0100")); // The form of a variant is not shown, the character is.
    }

    [Fact]
    public void Every_text_of_the_console_can_be_printed() =>
        Assert.All(Hub.Web.Language.Words.All.Values.SelectMany(it => it), it => Assert.DoesNotContain("〓", JapaneseFont.Shown(it), StringComparison.Ordinal));

    private static List<(long Record, JsonNode After)> Acts(RunningHub hub, string verb) => hub.Store.Read(it => it.Query(
        "select id, body from ledger where kind = $kind order by id", row => (row.GetInt64(0), JsonNode.Parse(row.GetString(1))!["fact"]!["after"]!), ("$kind", "hub." + verb)));

    private static (List<string> Pages, string Text) Read(MemoryStream pdf)
    {
        using var read = PdfDocument.Open(pdf.ToArray());
        Assert.All(read.GetPages().SelectMany(it => it.Letters), it => Assert.Contains("IPAexGothic", it.FontName, StringComparison.OrdinalIgnoreCase));
        var pages = read.GetPages().Select(it => string.Concat(it.Letters.Select(letter => letter.Value)).Replace(" ", "", StringComparison.Ordinal)).ToList();
        Assert.All(pages, it => Assert.DoesNotContain("〓", it, StringComparison.Ordinal));
        return (pages, string.Concat(pages));
    }

    /// <summary>So many entries in November 2026, one without an exit, and two refusals; it is 2026-12-01.</summary>
    private static async Task<RunningHub> AfterEntriesAsync(int entries)
    {
        var hub = RunningHub.WithoutBroker();
        await hub.Get<ReviewWatch>().RoundAsync(Cancel);
        await hub.Get<Zones>().PutAsync(RunningHub.Admin, new("room-a", "サーバ室", "Server room", 1, 72, Assurance.Low, JournalFaultRule.Refuse), cancel: Cancel);
        await hub.Get<SchedulesStore>().PutAsync(RunningHub.Admin, new("always", "終日", "Always", [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)]), cancel: Cancel);
        using var node = await hub.EnrolAsync("node-a");
        await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room-a", "正面扉", "Front door", 5, 15, 20, 10, Assurance.Low), cancel: Cancel);
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-taka", "髙橋 﨑子", "タカハシ サキコ", "情報政策課", null, "staff"));
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-tachi", "立会 一郎", "タチアイ イチロウ", "総務課", null, "staff"));
        var right = await hub.Get<Rights>().AddAsync(
            RunningHub.Admin, new("", "p-taka", "room-a", "always", hub.Time.GetUtcNow(), hub.Time.GetUtcNow().AddDays(90), "主査 小川", "課長 大野", "R8-117", "サーバ保守"), Cancel);
        var (door, person, token, start) = (new DoorId("door-a"), new PersonId("p-taka"), new CredentialToken(new string('a', 64)), hub.Time.GetUtcNow());
        for (var i = 0; i < entries; i++)
        {
            var at = start.AddHours(8 * i);
            node.Write(new AccessGranted(
                door, Direction.In, token, person, new RightId(right.Id), 3, new string('b', 64), 60, $"right {right.Id}, schedule always", Assurance.Low, null, new PersonId("p-tachi"), ["机上PC"]), at);
            node.Write(new Passage(door, Direction.In, person, 1), at.AddSeconds(5));
            if (i > 0) node.Write(new Passage(door, Direction.Out, person, 0), at.AddMinutes(30));
        }

        for (var i = 0; i < 2; i++)
            node.Write(new AccessDenied(door, Direction.In, token, person, DenialReason.OutsideHours, (int)DenialReason.OutsideHours, null, 3, new string('b', 64), 60), start.AddDays(20).AddHours(i));
        hub.Time.Advance(TimeSpan.FromDays(29));
        await hub.TakeBatchAsync(node, 1, (3 * entries) - 1 + 2);
        return hub;
    }
}
