using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using PhysSec.Core.Proof;
using PhysSec.Rig;
using PhysSec.SystemTests.Browsing;
using PhysSec.Verify;

namespace PhysSec.SystemTests.Evidence;

/// <summary>Evidence from a hub that runs, as an auditor gets it: checked by the program, by the page in the pack, and by somebody else's implementation.</summary>
public sealed class EvidenceTests(RunningRoom room)
{
    private const int Tamperings = 60;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_auditor_takes_evidence_and_the_program_proves_it_by_the_checkpoint_that_he_kept()
    {
        var (folder, pack, held) = await TakeAsync();
        using var _ = folder;
        var verdict = await Child.RunAsync("verify", "dotnet", [Programs.Verify, pack, "--checkpoint", held], _limit, Cancel);
        Assert.Contains("nothing is wrong", verdict, StringComparison.Ordinal);
        Assert.Contains("by your own checkpoint", verdict, StringComparison.Ordinal);

        // Another room's checkpoint is no witness of this one.
        var foreign = Path.Combine(folder.Path, "other.txt");
        await File.WriteAllTextAsync(foreign, (await File.ReadAllTextAsync(held, Cancel)).Replace("time 2", "time 1", StringComparison.Ordinal), Cancel);
        await using var refused = Child.Start("verify", "dotnet", [Programs.Verify, pack, "--checkpoint", foreign]);
        Assert.Equal(1, await refused.Ended.WaitAsync(_limit, Cancel));
    }

    [Fact]
    public async Task The_tree_the_notes_and_the_proofs_are_good_by_the_Go_projects_own_implementation()
    {
        var (folder, pack, held) = await TakeAsync();
        using var _ = folder;
        var manifest = Path.Combine(folder.Path, "manifest.json");
        using (var zip = await ZipFile.OpenReadAsync(pack, Cancel)) await zip.GetEntry(EvidencePack.ManifestName)!.ExtractToFileAsync(manifest, Cancel);
        var key = (string)JsonNode.Parse(await File.ReadAllTextAsync(manifest, Cancel))!["key"]!;
        var program = Path.Combine(folder.Path, "foreign");
        await Child.RunAsync("go build", "env", // Debian's sources of golang.org/x/mod; nothing is fetched.
            ["GO111MODULE=off", "GOPATH=/usr/share/gocode", $"GOCACHE={folder.Path}/cache", "GOFLAGS=-p=1", "go", "build", "-o", program, Path.Combine(Programs.Root, "tests/PhysSec.SystemTests/Evidence/foreign.go")],
            TimeSpan.FromMinutes(3), Cancel);
        string[] arguments = [new Uri(room.Instance.Console, "/api/v1/ledger").ToString(), room.Instance.Tokens["auditor"], key, held, manifest];
        Assert.Contains("good: ", await Child.RunAsync("foreign", program, arguments, _limit, Cancel), StringComparison.Ordinal);

        await File.WriteAllTextAsync(held, (await File.ReadAllTextAsync(held, Cancel)).Replace("time 2", "time 1", StringComparison.Ordinal), Cancel);
        await using var refused = Child.Start("foreign", program, arguments);
        Assert.NotEqual(0, await refused.Ended.WaitAsync(_limit, Cancel));
    }

    [Fact]
    public async Task The_page_in_the_pack_says_the_same_as_the_program_about_a_good_pack_and_about_spoilt_ones()
    {
        var (folder, pack, held) = await TakeAsync();
        using var _ = folder;
        var note = await File.ReadAllTextAsync(held, Cancel);
        var html = Path.Combine(folder.Path, "verify.html");
        using (var zip = await ZipFile.OpenReadAsync(pack, Cancel)) await zip.GetEntry(EvidencePack.PageName)!.ExtractToFileAsync(html, Cancel);
        await using var browser = await Browser.StartAsync();
        var page = await browser.VisitAsync(new Uri("file:///"), 1280, 900);
        await page.GotoAsync(new Uri(html).ToString());

        // As a person does it.
        await page.SetInputFilesAsync("#pack", pack);
        await page.WaitForSelectorAsync("#verdict:not([hidden])");
        Assert.Contains("未証明", await page.InnerTextAsync("#findings"), StringComparison.Ordinal);
        await page.FillAsync("#own", note);
        await page.Locator("#own").BlurAsync();
        await page.WaitForSelectorAsync("li.Proven:has-text('お手元の検証基準値による')");
        Assert.Contains("異常はありません", await page.InnerTextAsync("#verdict"), StringComparison.Ordinal);
        await Browser.PictureAsync(page, "evidence-page");

        var first = Environment.TickCount & 0xffffff;
        var good = await File.ReadAllBytesAsync(pack, Cancel);
        var key = PackKey(good);
        var wrong = 0;
        for (var seed = first; seed <= first + Tamperings; seed++)
        {
            var spoilt = seed == first ? good : Spoil(good, new Random(seed));
            foreach (var own in (Own[])[new([note], key), new([], null)])
            {
                if (!await IsGoodByBothAsync($"seed {seed}", spoilt, own)) wrong++;
            }
        }

        Assert.InRange(wrong, Tamperings, 2 * Tamperings); // Most of what was spoilt is found, whoever holds nothing included.
        foreach (var (leaf, spoilt) in WithNextNumber(good)) Assert.False(await IsGoodByBothAsync($"leaf {leaf} with the next one's number", spoilt, new([note], key)));

        async Task<bool> IsGoodByBothAsync(string what, byte[] spoilt, Own own)
        {
            var program = PackVerifier.Verify(new MemoryStream(spoilt), own);
            var (codes, firstWrong, isGood) = await AskPageAsync(page, spoilt, own);
            Assert.True(Codes(program) == codes && program.FirstWrong == firstWrong && program.Good == isGood,
                $"{what}: the program says {Codes(program)} at {program.FirstWrong}, the page {codes} at {firstWrong}");
            return isGood;
        }
    }

    [Fact]
    public async Task Page_and_program_agree_on_which_missing_texts_were_deleted_by_right_and_which_were_not()
    {
        var (folder, pack, _) = await TakeAsync();
        using var _1 = folder;
        var html = Path.Combine(folder.Path, "verify.html");
        using (var zip = await ZipFile.OpenReadAsync(pack, Cancel)) await zip.GetEntry(EvidencePack.PageName)!.ExtractToFileAsync(html, Cancel);
        await using var browser = await Browser.StartAsync();
        var page = await browser.VisitAsync(new Uri("file:///"), 1280, 900);
        await page.GotoAsync(new Uri(html).ToString());
        var first = Environment.TickCount & 0xffffff;
        foreach (var (mistake, code) in DeletionPack.Mistakes)
        {
            for (var seed = first; seed < first + 5; seed++)
            {
                var (made, key, now) = DeletionPack.Make(mistake, new Random(seed));
                var own = new Own([], key, now);
                var program = PackVerifier.Verify(new MemoryStream(made), own);
                var said = $"seed {seed}, {mistake}:\n{string.Join('\n', program.Findings.Select(it => $"{it.Kind} {it.Code} {it.En}"))}";
                Assert.True(program.Good == code is null, said);
                Assert.True(code is null ? program.Findings.Any(it => it.Code == "deleted") : program.Findings.Any(it => it.Kind == FindingKind.Wrong && it.Code == code), said);
                var (codes, firstWrong, isGood) = await AskPageAsync(page, made, own);
                Assert.True((Codes(program), program.FirstWrong, program.Good) == (codes, firstWrong, isGood), $"{said}\nThe page says {codes} at {firstWrong}");
            }
        }

        // As a person sees it.
        var good = Path.Combine(folder.Path, "deleted.zip");
        await File.WriteAllBytesAsync(good, DeletionPack.Make("none", new Random(first)).Pack, Cancel);
        await page.SetInputFilesAsync("#pack", good);
        await page.WaitForSelectorAsync("li:has-text('保存期間の満了により廃棄')");
        await Browser.PictureAsync(page, "evidence-page-deleted");
    }

    private async Task<(Scratch Folder, string Pack, string Held)> TakeAsync()
    {
        var folder = new Scratch();
        await room.RecordsStillFlowAsync(Cancel);
        var held = Path.Combine(folder.Path, "held.txt");
        await File.WriteAllTextAsync(held, await room.Instance.Auditor.TextAsync("ledger/checkpoint", Cancel), Cancel);
        await room.RecordsStillFlowAsync(Cancel);
        var pack = Path.Combine(folder.Path, "evidence.zip");
        var said = await Child.RunAsync(
            "evidence", "dotnet", [Programs.Hub, "evidence", "--state", room.Instance.HubFolder, "--to", pack, "--reason", "an audit", "--with-measurements"], _limit, Cancel);
        Assert.Contains("physsec-verify", said, StringComparison.Ordinal);
        return (folder, pack, held);
    }

    internal static async Task<(string Codes, long? FirstWrong, bool Good)> AskPageAsync(IPage page, byte[] pack, Own own)
    {
        var answer = JsonNode.Parse(await page.EvaluateAsync<string>(
            """
            async ([pack, own, key, cosigners, now]) => {
              const it = await physsecVerify(Uint8Array.from(atob(pack), c => c.charCodeAt(0)).buffer, own, key, cosigners, null, null, now);
              return JSON.stringify({ good: it.good, firstWrong: it.firstWrong, codes: it.findings.map(f => `${f.kind}:${f.code}`).sort().join(' ') });
            }
            """,
            new object?[] { Convert.ToBase64String(pack), own.Checkpoints.ToArray(), own.Key, own.Cosigners.ToArray(), own.Now?.ToUnixTimeMilliseconds() }))!;
        return ((string)answer["codes"]!, (long?)answer["firstWrong"], (bool)answer["good"]!);
    }

    internal static string Codes(Verdict verdict) => string.Join(' ', verdict.Findings.Select(it => $"{it.Kind}:{it.Code}").Order(StringComparer.Ordinal));

    private static string PackKey(byte[] pack) => (string)JsonNode.Parse(Unpack(pack)[EvidencePack.ManifestName])!["key"]!;

    private static Dictionary<string, string> Unpack(byte[] pack)
    {
        using var zip = new ZipArchive(new MemoryStream(pack), ZipArchiveMode.Read);
        return zip.Entries.ToDictionary(it => it.FullName, it =>
        {
            using var reader = new StreamReader(it.Open());
            return reader.ReadToEnd();
        });
    }

    // One field of one line, a line, or a part of the manifest.
    private static byte[] Spoil(byte[] pack, Random random)
    {
        var files = Unpack(pack);
        var lines = files[EvidencePack.RecordsName].TrimEnd('\n').Split('\n').ToList();
        var manifest = JsonNode.Parse(files[EvidencePack.ManifestName])!;
        var at = random.Next(lines.Count);
        switch (random.Next(9))
        {
            case 0:
                lines.RemoveAt(at);
                break;
            case 1:
                (lines[at], lines[(at + 1) % lines.Count]) = (lines[(at + 1) % lines.Count], lines[at]);
                break;
            case 2 or 3:
                var line = JsonNode.Parse(lines[at])!.AsObject();
                var field = line.ElementAt(random.Next(line.Count));
                line[field.Key] = field.Value!.GetValueKind() switch
                {
                    System.Text.Json.JsonValueKind.Number => (long)field.Value + 1,
                    System.Text.Json.JsonValueKind.String => Changed((string)field.Value!, random),
                    _ => !(bool)field.Value,
                };
                lines[at] = line.ToJsonString();
                break;
            case 4:
                manifest["rest"]!.AsArray().Add(Convert.ToBase64String(new byte[32]));
                break;
            case 5:
                var signature = manifest["signatures"]!.AsArray()[random.Next(manifest["signatures"]!.AsArray().Count)]!;
                signature["signature"] = Changed((string)signature["signature"]!, random);
                break;
            case 6:
                var witness = manifest["witnessed"]!.AsArray()[random.Next(manifest["witnessed"]!.AsArray().Count)]!;
                if (random.Next(2) == 0 && witness["path"]!.AsArray().Count > 0) witness["path"]!.AsArray()[0] = Convert.ToBase64String(new byte[32]);
                else witness["note"] = Changed((string)witness["note"]!, random);
                break;
            case 7:
                var policy = files.Keys.Where(it => it.StartsWith(EvidencePack.PolicyFolder, StringComparison.Ordinal)).ElementAt(0);
                files[policy] = Changed(files[policy], random);
                break;
            default:
                manifest["checkpoint"] = Changed((string)manifest["checkpoint"]!, random);
                break;
        }

        files[EvidencePack.RecordsName] = string.Join('\n', lines) + "\n";
        files[EvidencePack.ManifestName] = manifest.ToJsonString();
        return Packed(files);
    }

    // Two records with one number, along the longest chain: a sort that reorders equals does so at few places, some of them among any forty.
    private static IEnumerable<(long Leaf, byte[] Pack)> WithNextNumber(byte[] pack)
    {
        var files = Unpack(pack);
        var lines = files[EvidencePack.RecordsName].TrimEnd('\n').Split('\n');
        var chain = lines.Select((it, i) => (Line: JsonNode.Parse(it)!.AsObject(), At: i))
            .GroupBy(it => $"{it.Line["source"]} {it.Line["epoch"]} {it.Line["stream"]}", StringComparer.Ordinal).MaxBy(it => it.Count())!;
        foreach (var (line, at) in chain.Take(40))
        {
            line["seq"] = (long)line["seq"]! + 1;
            files[EvidencePack.RecordsName] = string.Join('\n', [.. lines[..at], line.ToJsonString(), .. lines[(at + 1)..]]) + "\n";
            yield return ((long)line["leaf"]!, Packed(files));
        }
    }

    private static byte[] Packed(Dictionary<string, string> files)
    {
        using var spoilt = new MemoryStream();
        using (var zip = new ZipArchive(spoilt, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                using var writer = new StreamWriter(zip.CreateEntry(name).Open(), new UTF8Encoding(false));
                writer.Write(text);
            }
        }

        return spoilt.ToArray();
    }

    private static string Changed(string text, Random random)
    {
        var at = random.Next(text.Length);
        return text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..];
    }

    private sealed class Scratch : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("physsec-evidence-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
