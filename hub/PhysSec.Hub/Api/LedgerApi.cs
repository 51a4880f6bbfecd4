using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Api;

/// <summary>The ledger's tree in the layout of C2SP tlog-tiles, so that other people's tools can read it. It names no person and no door.</summary>
internal static class LedgerApi
{
    private const int IndexMax = 1 << 30;
    private const int NoteMax = 64 << 10;

    public static void Map(RouteGroupBuilder api)
    {
        var proofs = api.MapGroup("/ledger").RequireAuthorization(HubApi.W);
        proofs.MapGet("/newest", async (Checkpoints checkpoints, HttpContext http) => new { note = (await checkpoints.MakeAsync(http.RequestAborted)).Note, key = checkpoints.Key.ToString() })
            .WithSummary("The newest checkpoint and its key, to look at: it does not count as held outside. 検証基準値の表示");
        proofs.MapGet("/consistency", (Store store, long first, long second) => new { consistency = Consistency(store, first, second) })
            .WithSummary("RFC 6962: proves that the tree of the first size is the beginning of that of the second. 一貫性の証明");
        proofs.MapPost("/cosignatures", async (Checkpoints checkpoints, HttpContext http) =>
        {
            await checkpoints.CosignedAsync(http.Actor(), await NoteAsync(http), http.RequestAborted);
            return Results.NoContent();
        }).WithSummary("A checkpoint with the line of a second machine below it (text/plain). 連署の受付");
        var ledger = api.MapGroup("/ledger").RequireAuthorization(HubApi.U);
        ledger.MapGet("/checkpoint", async (Checkpoints checkpoints, HttpContext http) =>
        {
            var made = await checkpoints.MakeAsync(http.RequestAborted);
            // Whoever has fetched it can show it later.
            await checkpoints.LeftAsync(http.Actor(), made, $"api:{http.Actor().Name}", http.Connection.RemoteIpAddress?.ToString() ?? "local", http.RequestAborted);
            return Results.Text(made.Note);
        }).WithSummary("The newest signed checkpoint. 検証基準値");
        ledger.MapPost("/evidence", (EvidenceWriter evidence, HubHome home, NewEvidence it, HttpContext http) => GiveAsync(evidence, home, it, http)).WithSummary("An evidence pack. 証拠パック");
        ledger.MapGet("/evidence.zip", (EvidenceWriter evidence, HubHome home, [AsParameters] NewEvidence it, HttpContext http) => GiveAsync(evidence, home, it, http))
            .WithSummary("The same by an address, for a browser. 証拠パック");
        ledger.MapGet("/key", (Checkpoints checkpoints) => Results.Text(checkpoints.Key + "\n")).WithSummary("The key that signs checkpoints. 検証用の公開鍵");
        ledger.MapGet("/tile/entries/{**path}", (Store store, string path) => Entries(store, path)).WithSummary("What the leaves say, 256 at a time. 記録の要約");
        ledger.MapGet("/tile/{level:int:range(0, 5)}/{**path}", (Store store, int level, string path) => Tile(store, level, path)).WithSummary("The tree's hashes, 256 at a time. ハッシュ値");
    }

    /// <summary>What the pack shall hold; all optional but the reason. A period alone: everything that the hub received in it.</summary>
    public sealed record NewEvidence(
        DateTimeOffset? From, DateTimeOffset? Until, string? Person, string? Door, string? Outcome, string? Kind, string? Node, bool? Measurements, string? Reason, string? To,
        string? Credential = null, string? Zone = null, string? Alarm = null)
    {
        // What an auditor looked for is nobody else's business.
        internal EvidenceRequest Request(HttpContext http) =>
            new(new LogFilter(From, Until, Person, Door, Outcome, null, Kind, Node, Searches: http.User.IsInRole("auditor"), Credential: Credential, Zone: Zone, Alarm: Alarm), Reason, Measurements ?? false);
    }

    // Packed aside, so that nobody is handed half a pack as a whole one.
    private static async Task<IResult> GiveAsync(EvidenceWriter evidence, HubHome home, NewEvidence it, HttpContext http)
    {
        if (it.To is not null && !http.Actor().AtTheMachine) throw new InputException("to", "a file is written on the hub's own machine only", "leave it out, or use physsec-hub evidence");
        if (it.To is not null && File.Exists(it.To)) throw new InputException("to", $"{it.To} is there already", "give a new name");
        var partial = it.To is { } to ? to + ".partial" : Path.Combine(home.Folder, $"evidence-{Path.GetRandomFileName()}.partial");
        var file = Aside(partial, keep: it.To is not null);
        try
        {
            await evidence.WriteAsync(http.Actor(), it.Request(http), file, http.RequestAborted);
            file.Position = 0;
            if (it.To is null) return Results.File(file, "application/zip", "evidence.zip");
            file.Flush(flushToDisk: true);
            await file.DisposeAsync();
            File.Move(partial, it.To);
            return Results.Ok(new { file = it.To });
        }
        catch
        {
            await file.DisposeAsync();
            if (it.To is not null) File.Delete(partial);
            throw;
        }
    }

    /// <summary>A file for the hub's user alone; it goes when it is closed, unless it is kept.</summary>
    internal static FileStream Aside(string path, bool keep) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.ReadWrite,
        Options = keep ? FileOptions.None : FileOptions.DeleteOnClose,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    private static List<string> Consistency(Store store, long first, long second) => store.Read(it =>
    {
        var size = LedgerTree.Size(it);
        if (second < 1 || second > size) throw new InputException("second", $"the ledger has {size} records", $"give 1–{size}");
        if (first < 1 || first > second) throw new InputException("first", $"{first} is out of range", $"give 1–{second}");
        return MerkleTree.Consistency(first, second, LedgerTree.Of(it)).Select(step => step.ToString()).ToList();
    });

    private static async Task<string> NoteAsync(HttpContext http)
    {
        var buffer = new byte[NoteMax];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, NoteMax, throwOnEndOfStream: false, http.RequestAborted);
        if (length == NoteMax) throw new InputException("note", "it is too long for a checkpoint", "send the note that /newest gave, with your line below it");
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static IResult Tile(Store store, int level, string path) => Place(path) is not { } at ? Results.NotFound() : store.Read(it =>
    {
        var hashes = LedgerTree.Tile(it, level, at.Index);
        return at.Width * TreeHash.Size > hashes.Length ? Results.NotFound() : Results.Bytes(hashes[..(at.Width * TreeHash.Size)]);
    });

    private static IResult Entries(Store store, string path) => Place(path) is not { } at ? Results.NotFound() : store.Read(it =>
    {
        using var bundle = new MemoryStream();
        using var command = it.Command(
            $"select {LedgerTree.Columns} from ledger where id > $first and id <= $last order by id",
            ("$first", at.Index * LedgerTree.TileWidth), ("$last", Math.Min((at.Index * LedgerTree.TileWidth) + at.Width, LedgerTree.Size(it))));
        using var rows = command.ExecuteReader();
        var count = 0;
        for (; rows.Read(); count++) Add(bundle, rows);
        return count == at.Width ? Results.Bytes(bundle.ToArray()) : Results.NotFound();
    });

    private static void Add(MemoryStream bundle, SqliteDataReader row)
    {
        var text = Encoding.UTF8.GetBytes(LedgerTree.Leaf(row).Text);
        bundle.Write([(byte)(text.Length >> 8), (byte)(text.Length & 0xff)]);
        bundle.Write(text);
    }

    // x001/x234/067 is 1234067; the last part may be 067.p/17 for a tile that has 17 hashes so far.
    private static (long Index, int Width)? Place(string path)
    {
        var width = LedgerTree.TileWidth;
        var parts = path.Split('/');
        if (parts.Length >= 2 && parts[^2].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out width) || width is < 1 or >= LedgerTree.TileWidth) return null;
            parts = [.. parts[..^2], parts[^2][..^2]];
        }

        long index = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            var digits = i < parts.Length - 1 ? parts[i].StartsWith('x') ? parts[i][1..] : "" : parts[i];
            if (digits.Length != 3 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || index > IndexMax) return null;
            index = (index * 1000) + number;
        }

        return (index, width);
    }
}
