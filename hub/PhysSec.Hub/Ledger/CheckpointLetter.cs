using System.Globalization;
using System.Text;
using MimeKit;

namespace PhysSec.Hub.Ledger;

/// <summary>The mail that carries a checkpoint to an auditor: what it is, what to do with it, and the checkpoint itself, in the text and as a file.</summary>
internal static class CheckpointLetter
{
    public static MimeMessage Of(SignedCheckpoint it, string site, string key, TimeSpan siteOffset, string domain)
    {
        var at = it.Value.At.ToOffset(siteOffset).ToString("yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture);
        var count = it.Value.Size.ToString("N0", CultureInfo.InvariantCulture);
        var message = new MimeMessage
        {
            Subject = $"[PhysSec] 記録の検証基準値 / checkpoint of the record: {site}, {count}",
            MessageId = string.Create(CultureInfo.InvariantCulture, $"physsec-checkpoint-{it.Id}-{it.Value.At.ToUnixTimeSeconds()}@{domain}"),
        };
        var text = $"""
            {at} 現在の入退室等の記録 {count} 件の検証基準値です。このメールを削除せずに保管してください。
            後日「証拠パック」をこの値と照合すると、この時点までの記録が書き換え・削除・並べ替え・差し込みされていないことを、
            ハブの管理者を信頼せずに確かめられます(physsec-verify パック --checkpoint 添付ファイル)。

            This is the checkpoint of the {count} records that the ledger held at {at}. Keep this mail.
            An evidence pack that is compared with it later shows, without trusting the hub's administrator, that none of these
            records was changed, removed, reordered or slipped in (physsec-verify PACK --checkpoint FILE).

            鍵 / key: {key}

            {it.Note}
            """;
        message.Body = new Multipart("mixed")
        {
            new TextPart("plain") { Text = text },
            new MimePart("text", "plain")
            {
                Content = new MimeContent(new MemoryStream(Encoding.UTF8.GetBytes(it.Note))),
                ContentTransferEncoding = ContentEncoding.Base64,
                ContentDisposition = new ContentDisposition(ContentDisposition.Attachment),
                FileName = FileName(it),
            },
        };
        return message;
    }

    public static string FileName(SignedCheckpoint it) => string.Create(CultureInfo.InvariantCulture, $"checkpoint-{it.Value.HubEpoch}-{it.Value.Size:D12}.txt");
}
