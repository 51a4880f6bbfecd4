using PhysSec.Hub.Access;

namespace PhysSec.Hub.Review;

/// <summary>What a reviewer writes: several lines, each as any other text that people enter.</summary>
internal static class ReviewText
{
    private const int LinesMax = 20;

    public static string Filled(string field, string? value) => Optional(field, value) ?? throw new InputException(field, "it is empty", "Fill it in");

    /// <summary>Null for nothing.</summary>
    /// <exception cref="InputException">More than 20 lines, or a line that cannot be taken.</exception>
    public static string? Optional(string field, string? value)
    {
        var lines = (value ?? "").ReplaceLineEndings("\n").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > LinesMax) throw new InputException(field, $"it has {lines.Length} lines", $"Write at most {LinesMax} lines");
        return lines.Length == 0 ? null : string.Join('\n', lines.Select(it => Input.Filled(field, it)));
    }
}
