using System.Globalization;
using PhysSec.Core.Proof;

namespace PhysSec.Hub.Ledger;

/// <summary>What a pack holds for people: the page that verifies it in a browser, and a text that says what is in it.</summary>
internal static class EvidencePage
{
    private static readonly Lazy<string> _text = new(() =>
    {
        using var stream = typeof(EvidencePage).Assembly.GetManifestResourceStream("verify.html")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    });

    public static string Text => _text.Value;

    public static string ReadMe(PackManifest it, Checkpoint head, long count) => string.Create(CultureInfo.InvariantCulture, $"""
        PhysSec 証拠パック / evidence pack
        ================================================================

        {it.Classification}
        サイト site:            {it.Site}
        作成 made:              {it.MadeAt:yyyy-MM-dd HH:mm:ss zzz}  {it.MadeBy}
        目的 reason:            {it.Reason}
        検索条件 asked for:     {it.Scope}
        記録 records:           {count}{(it.Count > 0 ? $" (台帳番号 {it.First + 1}~{it.First + it.Count}、この間のすべて / numbers {it.First + 1} to {it.First + it.Count} of the ledger, all of them)" : " (抽出 / a selection)")}
        検証基準値 checkpoint:  {head.Size} 件 records, {head.At:yyyy-MM-dd HH:mm:ss} UTC
                                {head.Root}
        鍵 key:                 {it.Key}

        確かめ方 / How to verify
        ----------------------------------------------------------------
        1. {EvidencePack.PageName} をブラウザーで開き、このファイル(ZIP のまま)を選びます。インターネットには接続しません。
           Open {EvidencePack.PageName} in a browser and choose this file (the ZIP as it is). Nothing is sent anywhere.
        2. または / or:  physsec-verify このファイル.zip --checkpoint 保管している検証基準値.txt

        パックに入っている {EvidencePack.PageName} は、パックを作った者が用意したものです。疑いがあるときは、別に入手した
        physsec-verify か、以前から保管している {EvidencePack.PageName} をお使いください。
        The page in the pack was put there by whoever made the pack. In doubt use physsec-verify from elsewhere, or a page that you kept.

        入っているもの / What is in it
        ----------------------------------------------------------------
        {EvidencePack.RecordsName,-16} 記録(1行1件。本文のない行は、内容を含めずに存在だけを示すもの)/ the records, one to a line; a line without a body shows only that a record is there
        {EvidencePack.ManifestName,-16} 証明・署名・鍵 / proofs, signatures, keys
        {EvidencePack.PolicyFolder,-16} 当時有効だった入室条件 / the access rules that were in force
        """);
}
