using System.Globalization;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Reports;

/// <summary>A certificate of deletion (廃棄証明書) on paper, with the newest checkpoint that covers it.</summary>
public sealed class CertificateSheet(HubHome home, RetentionBook book, Checkpoints checkpoints, TimeProvider clock)
{
    private const int NumbersMax = 1_500;
    private static readonly PaperColumn[] _columns = [new("項目 Item", 3), new("内容 Content", 8)];

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(home.Configuration.TimeZone));

    /// <exception cref="InputException">There is no such certificate.</exception>
    public async Task WriteAsync(long record, Actor by, Stream target, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (book.Certificate(record) is not { } it) throw new InputException("certificate", $"certificate {record} does not exist", "Take the number from the list");
        var checkpoint = await checkpoints.MakeAsync(cancel);
        var (hash, value) = (home.Store.Read(store => store.One("select hash from ledger where id = $id", row => row.GetString(0), ("$id", record))) ?? "", it.Value);
        var title = $"廃棄証明書 Certificate of deletion {Number(record)}";
        using var paper = new Paper(title, landscape: false);
        paper.Heading("廃棄証明書 Certificate of deletion", 16);
        paper.Line(RegisterSheet.Both("retention.paper-head", ("site", home.Configuration.Site), ("n", record), ("at", _time.Wareki(it.At))));
        paper.Line(RegisterSheet.Both("register.classification"));
        paper.Gap();
        paper.Line(RegisterSheet.Both("retention.paper-text"));
        paper.Gap();
        paper.Table(_columns,
        [
            [RegisterSheet.Both("retention.class"), RegisterSheet.Both("retention-class." + value.Class)],
            [RegisterSheet.Both("retention.period"), RegisterSheet.Both("retention.years", ("n", value.Years))],
            [RegisterSheet.Both("retention.received-before"), _time.Full(Rows.FromStored(value.ReceivedBefore))],
            [RegisterSheet.Both("retention.deleted-at"), _time.Full(it.At)],
            [RegisterSheet.Both("retention.count"), Number(value.Count)],
            [RegisterSheet.Both("retention.numbers"), Short(value.Numbers)],
            [RegisterSheet.Both("retention.digest"), value.Digest],
            [RegisterSheet.Both("retention.before"), $"{Number(value.Size)} / {value.Root}"],
            [RegisterSheet.Both("retention.record"), $"{Number(record)} / {hash}"],
        ]);
        paper.Gap();
        paper.Heading(RegisterSheet.Both("retention.paper-stays"));
        paper.Line(RegisterSheet.Both("retention.paper-stays-text"));
        paper.Line(RegisterSheet.Both("retention.paper-copies"));
        paper.Gap();
        paper.Keep(190);
        paper.Heading(RegisterSheet.Both("sheet.checkpoint-head"));
        paper.Code(checkpoint.Note, 96);
        paper.Verbatim(checkpoint.Note);
        paper.Verbatim(RegisterSheet.Both("evidence.key") + ": " + checkpoints.Key);
        paper.Gap(40);
        paper.Seals([RegisterSheet.Both("sheet.seal-manager"), RegisterSheet.Both("sheet.seal-chief"), RegisterSheet.Both("sheet.seal-auditor")]);
        paper.Save(
            target,
            $"{title} — {home.Configuration.Site} — {RegisterSheet.Both("register.classification")} — {RegisterSheet.Both("sheet.copy-of", ("who", by.Name), ("at", _time.Full(clock.GetUtcNow())))}");
    }

    // The record itself has them all; on paper the beginning and the end.
    private static string Short(string numbers)
    {
        if (numbers.Length <= NumbersMax) return numbers.Replace(",", ", ", StringComparison.Ordinal);
        var ranges = RecordRanges.Parse(numbers);
        return $"{numbers[..numbers.LastIndexOf(',', NumbersMax)].Replace(",", ", ", StringComparison.Ordinal)}, … {Number(ranges[^1].Last)} ({Number(ranges.Count)})";
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
