using System.Diagnostics;
using System.Globalization;
using PhysSec.Hub.Access;
using PhysSec.Rig;

namespace PhysSec.Benchmarks.Record;

/// <summary>Searches of the filled store as the console and the API run them: 100 records a page, the first page and one from the middle of the three years.</summary>
internal sealed class SearchBenchmark(BenchHub hub, string database, long records)
{
    private const int Queries = 200;
    private const double BudgetMilliseconds = 200;

    private static readonly string[] _kinds = ["access", "access.denied", "access.passage", "door", "alarm", "hub", "hub.notification", "no-such-kind"];
    private static readonly string[] _reasons = ["outsideHours", "unknownCredential", "contact", "leak", "exit-badge", "no-such-reason"];
    private static readonly string[] _names = ["青木", "第77", "馬場 第1", "第4999", "どこにもいない"];

    private readonly AccessLog _log = hub.Get<AccessLog>();
    private readonly Random _random = new(1);

    public async Task RunAsync(TextWriter output, CancellationToken cancel)
    {
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{"search of " + records.ToString("N0", CultureInfo.InvariantCulture) + " records",-42} {"first touch, ms",19} {"again, ms",19}   budget p95 {BudgetMilliseconds:0} ms"));
        await output.WriteLineAsync($"{"(p50 / p95; hits on the first page, median)",-42} {"p50",9} {"p95",9} {"p50",9} {"p95",9}");
        foreach (var (name, make) in Fields())
        {
            var filters = Enumerable.Range(0, Queries).Select(_ => make()).ToList();
            foreach (var (page, its) in new[] { ("", filters), (", a deep page", filters.ConvertAll(it => it with { Cursor = _random.NextInt64(records / 10, records * 6 / 10) })) })
            {
                cancel.ThrowIfCancellationRequested();
                await ForgetAsync();
                var hits = new List<int>();
                var first = new Percentiles(its.Select(it => Time(it, hits)));
                var (p50, p95) = (first.At(0.5), first.At(0.95)); // The first round is over before the second begins.
                var again = new Percentiles(its.Select(it => Time(it, null)));
                hits.Sort();
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name + page,-36} {hits[hits.Count / 2],5} {p50,9:0.0} {p95,9:0.0} {again.At(0.5),9:0.0} {again.At(0.95),9:0.0}   {(again.At(0.95) <= BudgetMilliseconds ? "kept" : "MISSED")}{(p95 <= BudgetMilliseconds ? "" : " (first touch over)")}"));
            }
        }
    }

    /// <summary>The whole answer as a file, and what it takes of memory.</summary>
    public async Task ExportAsync(TextWriter output, CancellationToken cancel)
    {
        var to = LedgerFill.Start + ((LedgerFill.End - LedgerFill.Start) * Math.Min(1, 1_000_000.0 / records));
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var sink = new Sink();
        var start = Stopwatch.GetTimestamp();
        await _log.WriteCsvAsync(sink, new LogFilter(From: LedgerFill.Start, To: to), BenchHub.Admin, cancel);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"CSV of {sink.Lines:N0} lines: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, {sink.Length / 1e6:N0} MB; managed memory at most {Math.Max(0, sink.MemoryMax - before) / 1e6:0} MB more than before it"));
        start = Stopwatch.GetTimestamp();
        var month = LedgerFill.Start.AddMonths(17);
        var visits = hub.Get<Register>().List(month, month.AddMonths(1));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"register of a month: {visits.Count:N0} lines in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
    }

    private (string Name, Func<LogFilter> Make)[] Fields() =>
    [
        ("person", () => new(Person: Building.Person(_random.Next(Building.People)))),
        ("person by part of the name", () => new(Person: Any(_names))),
        ("card", () => new(Credential: Building.Card(_random.Next(Building.People)).Prefix)),
        ("card by four digits", () => new(Credential: Building.Card(_random.Next(Building.People)).Prefix[..4])),
        ("door", () => new(Door: Building.Door(_random.Next(Building.Doors)))),
        ("zone", () => new(Zone: Building.Zone(_random.Next(Building.Zones)))),
        ("time: an hour", () => Within(new(), TimeSpan.FromHours(1))),
        ("time: a month", () => Within(new(), TimeSpan.FromDays(30))),
        ("outcome", () => new(Outcome: Any("denied", "granted", "no-such-outcome"))),
        ("reason", () => new(Reason: Any(_reasons))),
        ("kind", () => new(Kind: Any(_kinds))),
        ("node", () => new(Node: Building.Node(_random.Next(Building.Nodes)))),
        ("late", () => new(Late: true)),
        ("alarm", () => new(Alarm: $"{Building.Node(_random.Next(Building.Nodes))}/{Any(Building.Classes)}:{Building.Door(_random.Next(Building.Doors))}")),
        ("alarm by class", () => new(Alarm: Any(Building.Classes))),
        ("values that do not exist", () => Any(new LogFilter(Person: "p-none"), new(Door: "door-x"), new(Zone: "zone-x"), new(Alarm: "none"), new(Credential: "0000f"), new(Node: "node-x"))),
        ("person + door + a month", () => Within(new(Person: Building.Person(_random.Next(Building.People)), Door: Building.Door(Building.AnyDoor(_random))), TimeSpan.FromDays(30))),
        ("door + denied", () => new(Door: Building.Door(_random.Next(Building.Doors)), Outcome: "denied")),
        ("door + access (as the page asks)", () => new(Door: Building.Door(_random.Next(Building.Doors)), Kind: "access")),
        ("door + reason", () => new(Door: Building.Door(_random.Next(Building.Doors)), Reason: Any("outsideHours", "leak", "exit-badge"))),
        ("zone + denied + a month", () => Within(new(Zone: Building.Zone(_random.Next(Building.Zones)), Outcome: "denied", Kind: "access"), TimeSpan.FromDays(30))),
        ("access + a minute", () => Within(new(Kind: "access"), TimeSpan.FromMinutes(1))),
        ("door + access + an hour", () => Within(new(Door: Building.Door(Building.AnyDoor(_random)), Kind: "access"), TimeSpan.FromHours(1))),
        ("the first day of all", () => new(To: LedgerFill.Start.AddDays(1), Kind: Any("access", "door"))),
    ];

    private T Any<T>(params T[] of) => of[_random.Next(of.Length)];

    private LogFilter Within(LogFilter it, TimeSpan length)
    {
        var from = LedgerFill.Start + ((LedgerFill.End - LedgerFill.Start - length) * _random.NextDouble());
        return it with { From = from, To = from + length };
    }

    private double Time(LogFilter filter, List<int>? hits)
    {
        var start = Stopwatch.GetTimestamp();
        var page = _log.Search(filter);
        hits?.Add(page.Items.Count);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    // The kernel forgets the file's pages, so that the disk answers.
    private Task<string> ForgetAsync() => Child.RunAsync("dd", "dd", [$"if={database}", "iflag=nocache", "count=0"], TimeSpan.FromMinutes(1), CancellationToken.None);

    /// <summary>Takes what is written and keeps nothing of it.</summary>
    private sealed class Sink : Stream
    {
        private const int LookEvery = 1 << 20;
        private long _looked;
        private long _length;

        public long Lines { get; private set; }

        public long MemoryMax { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Lines += buffer.Count((byte)'\n');
            _length += buffer.Length;
            if (_length - _looked < LookEvery) return;
            _looked = _length;
            MemoryMax = Math.Max(MemoryMax, GC.GetTotalMemory(forceFullCollection: false));
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
