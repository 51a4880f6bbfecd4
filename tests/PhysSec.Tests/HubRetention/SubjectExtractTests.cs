using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubRetention;

/// <summary>A person gets what the hub holds about them, and nothing about anybody else.</summary>
public sealed class SubjectExtractTests
{
    private const string Subject = "p-00";
    private static readonly string[] _families = ["青木", "馬場", "近藤", "土井", "江口", "青木", "林"];
    private static readonly string[] _given = ["里奈", "健", "結衣", "翔", "美咲", "大輔", "亮"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_extract_holds_the_person_s_records_and_cards_by_their_beginning()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Get<Credentials>().AddAsync(RunningHub.Admin, "p-alice", new CredentialToken(new string('c', 64)), cancel: Cancel);
        await room.Hub.Get<SchedulesStore>().PutAsync(RunningHub.Admin, new("always", "終日", "Always", [new(Enum.GetValues<DayOfWeek>(), new(0, 0), new(0, 0), true)]), cancel: Cancel);
        await room.Hub.Get<Rights>().AddAsync(RunningHub.Admin, new("", "p-alice", "room-a", "always", room.Hub.Time.GetUtcNow(), room.Hub.Time.GetUtcNow().AddDays(30), "主査 小川", "課長 大野", "R8-1", "馬場さんの立会い"), Cancel);
        room.Node.Write(new AccessDenied(RetentionRoom.Door, Direction.In, new(new string('c', 64)), RetentionRoom.Alice, DenialReason.OutsideHours, 65, "what the rule is", 1, new string('d', 64), 0), room.Hub.Time.GetUtcNow());
        await room.SendAsync();

        var files = await ExtractAsync(room.Hub, "p-alice");
        Assert.Equal(["extract.pdf", "person.csv", "records.csv", "visits.csv"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("青木 里奈", files["person.csv"], StringComparison.Ordinal);
        Assert.Contains("cccccccc…", files["person.csv"], StringComparison.Ordinal);
        Assert.Contains("第三者 third partyさんの立会い", files["person.csv"], StringComparison.Ordinal);
        Assert.Contains("許可された時間帯の外です。", files["records.csv"], StringComparison.Ordinal);
        Assert.Equal(2, files["records.csv"].Split("通過 passage").Length - 1);
        Assert.Contains("第三者 third party", files["visits.csv"], StringComparison.Ordinal); // Who escorted.
        Assert.StartsWith("%PDF-", files["extract.pdf"], StringComparison.Ordinal);
        string[] secrets = ["馬場", "ババ", "p-bob", "小川", "大野", "what the rule is", "ddddddddd", "ccccccccc", "tanaka"];
        Assert.All(files.Where(it => it.Key.EndsWith(".csv", StringComparison.Ordinal)), it => Assert.All(secrets, secret => Assert.DoesNotContain(secret, it.Value, StringComparison.Ordinal)));
        Assert.All(files.Where(it => it.Key.EndsWith(".csv", StringComparison.Ordinal)), it => Assert.Contains("取扱注意", it.Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_made_it_and_why_is_on_record_and_without_a_reason_or_a_person_there_is_none()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var extract = room.Hub.Get<SubjectExtract>();
        await Assert.ThrowsAsync<InputException>(() => extract.WriteAsync(RunningHub.Admin, "p-alice", " ", new MemoryStream(), Cancel));
        await Assert.ThrowsAsync<InputException>(() => extract.WriteAsync(RunningHub.Admin, "p-nobody", "開示請求", new MemoryStream(), Cancel));
        Assert.Equal(0, room.Of("hub.person.extract-made").Kept);
        await ExtractAsync(room.Hub, "p-alice");
        Assert.Equal(1, room.Hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.person.extract-made' and person = 'p-alice' and body ->> '$.fact.reason' = '開示請求 第1号'")));
    }

    [Fact]
    public async Task That_an_auditor_searched_for_somebody_or_holds_their_records_is_not_told()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Get<AccessLog>().SearchedAsync(new("kansa", "auditor", "test"), new(Person: "p-alice"), cancel: Cancel);
        await room.Hub.Get<LegalHolds>().SetAsync(new("kansa", "auditor", "test"), "a", new(room.Hub.Time.GetUtcNow(), null, "p-alice"), "内部調査", Cancel);
        var files = await ExtractAsync(room.Hub, "p-alice");
        Assert.All(["log.searched", "内部調査", "kansa", "検索", "廃棄停止"], it => Assert.DoesNotContain(it, files["records.csv"], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deleted_texts_are_not_in_it_and_do_not_stop_it()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.PassAsync(TimeSpan.FromDays(4 * 366));
        var files = await ExtractAsync(room.Hub, "p-alice");
        Assert.DoesNotContain("通過", files["records.csv"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_visitor_on_paper_whom_the_person_escorted_is_a_third_party()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var at = room.Hub.Time.GetUtcNow();
        await room.Hub.Get<LateEntries>().AddAsync(
            RunningHub.Admin, new(Name: "来訪 一郎", Department: "株式会社北南", Purpose: "保守", Door: "door-a", In: at.AddHours(-2), Out: at.AddHours(-1), Escort: "p-alice"), "来訪 一郎の用紙", Cancel);
        var files = await ExtractAsync(room.Hub, "p-alice");
        Assert.All(["来訪", "北南"], it => Assert.DoesNotContain(it, files["records.csv"], StringComparison.Ordinal));
        Assert.Contains("本人 the person", files["records.csv"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("青木 里奈", true)]
    [InlineData("青木　里奈", true)]
    [InlineData("青木 里美", false)]
    public async Task An_entry_of_the_same_name_made_later_is_told_and_marked_to_be_confirmed(string name, bool told)
    {
        await using var room = await RetentionRoom.MakeAsync();
        var at = room.Hub.Time.GetUtcNow();
        await room.Hub.Get<LateEntries>().AddAsync(
            RunningHub.Admin, new(Name: name, Department: "会計課", Purpose: "棚卸し", Door: "door-a", In: at.AddDays(-70), Out: at.AddDays(-70).AddHours(1)), "用紙 第7号", Cancel);
        var files = await ExtractAsync(room.Hub, "p-alice");
        foreach (var file in (string[])["records.csv", "visits.csv"])
        {
            Assert.Equal(told, files[file].Contains("【要確認】", StringComparison.Ordinal));
            Assert.Equal(told, files[file].Contains("棚卸し", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_line_that_was_completed_later_tells_of_it_and_of_who_it_was_about()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var line = room.Hub.Get<Register>().List(room.Hub.Time.GetUtcNow().AddDays(-1), room.Hub.Time.GetUtcNow().AddDays(1)).First(it => it.Person == "p-alice");
        room.Hub.Time.Advance(TimeSpan.FromHours(1));
        await room.Hub.Get<LateEntries>().AddAsync(RunningHub.Admin, new(line.Id, Out: room.Hub.Time.GetUtcNow()), "退室の記録漏れ", Cancel);
        Assert.Contains("退室の記録漏れ", (await ExtractAsync(room.Hub, "p-alice"))["records.csv"], StringComparison.Ordinal);
        Assert.DoesNotContain("退室の記録漏れ", (await ExtractAsync(room.Hub, "p-bob"))["records.csv"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_id_that_is_also_a_word_brings_no_record_of_others()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Get<People>().AddAsync(RunningHub.Admin, new("leak", "水野 泉", "ミズノ イズミ", "総務課", null, "staff"), Cancel);
        Assert.DoesNotContain("警報", (await ExtractAsync(room.Hub, "leak"))["records.csv"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_reviewer_wrote_about_a_list_is_told_to_nobody_who_stands_in_it()
    {
        await using var room = await RetentionRoom.MakeAsync();
        await room.Hub.Store.WriteAsync(
            it => Records.Act(it, new Act(RunningHub.Admin, "review.signed", "2026-11", "夜間の入室を引き続き見る", After: JsonNode.Parse("""{"list":{"items":[{"person":"p-alice"}]}}""")), room.Hub.Time.GetUtcNow()),
            Cancel);
        Assert.DoesNotContain("引き続き見る", (await ExtractAsync(room.Hub, "p-alice"))["records.csv"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_note_on_a_person_is_told_without_the_others_in_it()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var alice = room.Hub.Get<People>().Find("p-alice")!;
        await room.Hub.Get<People>().ChangeAsync(RunningHub.Admin, alice with { Note = "育休。代理は馬場さん" }, cancel: Cancel);
        var files = await ExtractAsync(room.Hub, "p-alice");
        foreach (var file in (string[])["person.csv", "records.csv"]) Assert.Contains("育休。代理は第三者", files[file], StringComparison.Ordinal);
    }

    /// <summary>The last evening of a month in UTC is the first morning of the next one in Japan; and a visit over midnight is one visit.</summary>
    [Fact]
    public async Task The_first_morning_of_a_month_is_not_lost_and_a_visit_over_its_midnight_is_told_once()
    {
        await using var room = await RetentionRoom.MakeAsync();
        var now = room.Hub.Time.GetUtcNow();
        var midnight = new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.FromHours(9)).AddMonths(3);
        var hours = midnight - now;
        room.Hub.Time.Advance(hours + TimeSpan.FromHours(2));
        room.Node.Write(new Passage(RetentionRoom.Door, Direction.In, RetentionRoom.Alice, 1), midnight.AddMonths(-1).AddMinutes(-30));
        room.Node.Write(new Passage(RetentionRoom.Door, Direction.Out, RetentionRoom.Alice, 0), midnight.AddMonths(-1).AddMinutes(30));
        room.Node.Write(new Passage(RetentionRoom.Door, Direction.In, RetentionRoom.Alice, 1), midnight.AddMinutes(20));
        room.Node.Write(new Passage(RetentionRoom.Door, Direction.Out, RetentionRoom.Alice, 0), midnight.AddMinutes(40));
        await room.SendAsync();
        var visits = (await ExtractAsync(room.Hub, "p-alice"))["visits.csv"].Split('\n');
        Assert.Single(visits, it => it.Contains($"{midnight:yyyy-MM-dd} 00:20", StringComparison.Ordinal));
        Assert.Single(visits, it => it.Contains($"{midnight.AddMonths(-1):yyyy-MM-dd} 00:30", StringComparison.Ordinal));
    }

    /// <summary>Whatever happened: no other person's name, family name, reading, id or token. The seed is printed.</summary>
    [Fact]
    public async Task Whatever_happened_nobody_else_is_in_it()
    {
        for (var round = 0; round < 6; round++)
        {
            var seed = Environment.TickCount + round;
            var random = new Random(seed);
            await using var hub = RunningHub.WithoutBroker();
            using var node = await hub.EnrolAsync("node-a");
            var at = hub.Time.GetUtcNow();
            List<Person> all = [];
            for (var i = 0; i < 7; i++)
                all.Add(await hub.Get<People>().AddAsync(RunningHub.Admin, new($"p-{i:00}", $"{_families[i]} {_given[i]}", $"カナ{"アイウエオカキ"[i]} セイ", i == 3 ? "近藤班" : "総務課", $"m{i}@city.example.jp", "staff"), Cancel));
            var others = all.Skip(1).ToArray();
            string Free() => random.Next(3) switch
            {
                0 => $"{Any(others, random).Name}と同行",
                1 => $"{Any(others, random).Name.Split(' ')[0]}様 {Token(random)} の件",
                _ => $"{Any(others, random).Id}/{Any(others, random).Email}",
            };
            for (var i = 0; i < 120; i++)
            {
                var (who, escort) = (Any(all, random), random.Next(2) == 0 ? Any(all, random) : null);
                var card = new CredentialToken(Token(random));
                at = at.AddMinutes(random.Next(1, 90));
                node.Write(
                    random.Next(6) switch
                    {
                        0 => new AccessDenied(new("door-a"), Direction.In, card, new(who.Id), DenialReason.OutsideHours, 65, Free(), 1, Token(random), 0),
                        1 => new Passage(new("door-a"), random.Next(2) == 0 ? Direction.In : Direction.Out, new(who.Id), 1),
                        2 => new AlarmRaised("lost-card:door-a", "lost-card", "door-a", null, null, null, $"\"{who.Id}\" {Free()}"),
                        3 => new CommandExecuted("release", "n", Any(others, random).Name, Free(), "done", null),
                        4 => new NoPassage(new("door-a"), Direction.In, new(who.Id)),
                        _ => new AccessGranted(new("door-a"), Direction.In, card, new(who.Id), null, 1, Token(random), 0, Free(), Assurance.Low, Free(), escort is null ? null : new(escort.Id), [Free()]),
                    },
                    at);
                if (random.Next(10) == 0) await hub.Get<People>().ChangeAsync(new(Any(others, random).Name, "administrator", "test"), all[0] with { Note = Free() }, Free(), Cancel);
            }

            await hub.TakeBatchAsync(node, 1, 120);
            var files = await ExtractAsync(hub, Subject);
            foreach (var (name, text) in files.Where(it => it.Key.EndsWith(".csv", StringComparison.Ordinal)))
            {
                var plain = text.Replace(all[0].Name, "", StringComparison.Ordinal);
                foreach (var it in others)
                {
                    string[] forbidden = [it.Name, it.Name.Replace(" ", "", StringComparison.Ordinal), it.Id, it.Kana, it.Email!, .. it.Name.Split(' ')[0] is { Length: > 1 } family ? [family] : Array.Empty<string>()];
                    Assert.All(forbidden, secret => Assert.False(plain.Contains(secret, StringComparison.OrdinalIgnoreCase), $"seed {seed}: {name} tells {secret}"));
                }

                Assert.DoesNotMatch("[0-9a-f]{16}", plain);
            }

            Assert.True(files["records.csv"].Split('\n').Length > 10, $"seed {seed}: the person's own records are there");
        }
    }

    private static T Any<T>(IReadOnlyList<T> of, Random random) => of[random.Next(of.Count)];

    private static string Token(Random random) => new(random.GetItems("abcdef".AsSpan(), 64)); // No digits: twelve in a row would be taken for an individual number.

    private static async Task<Dictionary<string, string>> ExtractAsync(RunningHub hub, string person)
    {
        using var file = new MemoryStream();
        await hub.Get<SubjectExtract>().WriteAsync(RunningHub.Admin, person, "開示請求 第1号", file, Cancel);
        using var zip = new ZipArchive(file, ZipArchiveMode.Read);
        return zip.Entries.ToDictionary(it => it.FullName, it =>
        {
            using var reader = new StreamReader(it.Open(), it.FullName.EndsWith(".pdf", StringComparison.Ordinal) ? Encoding.Latin1 : Encoding.UTF8);
            return reader.ReadToEnd();
        });
    }
}
