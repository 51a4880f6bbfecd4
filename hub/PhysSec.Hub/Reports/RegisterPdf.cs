namespace PhysSec.Hub.Reports;

/// <summary>The month's register on paper.</summary>
internal static class RegisterPdf
{
    private static readonly double[] _shares = [3, 9, 11, 12, 10, 9, 9, 9, 9, 19];

    public static void Write(RegisterSheet sheet, RegisterMonth month, Stream target)
    {
        var title = $"入退室管理簿 Register of entries and exits {sheet.Period(month)}";
        using var paper = new Paper(title, landscape: true);
        paper.Heading("入退室管理簿 Register of entries and exits", 16);
        paper.Line(RegisterSheet.Both("sheet.head", ("site", month.Site), ("month", sheet.Period(month)), ("n", month.Visits.Count)));
        paper.Line(RegisterSheet.Both("register.classification"));
        paper.Gap();
        paper.Table([.. RegisterSheet.Columns.Select((it, i) => new PaperColumn(RegisterSheet.Both(it), _shares[i]))], sheet.Lines(month));
        if (month.Visits.Count == 0) paper.Line(RegisterSheet.Both("register.empty"));
        paper.Gap();
        paper.Heading(RegisterSheet.Both("sheet.complete-head"));
        foreach (var it in sheet.Statements(month)) paper.Line(it);
        paper.Gap();
        paper.Keep(190);
        paper.Heading(RegisterSheet.Both("sheet.checkpoint-head"));
        paper.Code(month.Checkpoint.Note, 96);
        paper.Verbatim(month.Checkpoint.Note);
        paper.Verbatim(RegisterSheet.Both("evidence.key") + ": " + month.Key);
        paper.Gap(40);
        paper.Seals([RegisterSheet.Both("sheet.seal-manager"), RegisterSheet.Both("sheet.seal-chief"), RegisterSheet.Both("sheet.seal-auditor")]);
        paper.Save(target, $"{title} — {month.Site} — {RegisterSheet.Both("register.classification")} — {RegisterSheet.Both("sheet.copy-of", ("who", month.MadeBy), ("at", sheet.Full(month.MadeAt)))}");
    }
}
