using PhysSec.Hub.Live;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Desk;

/// <summary>A point in words. A value that is not good never looks alive.</summary>
internal static class PointText
{
    public static bool IsKnown(PointNow point) => point.Quality == "good" && (point.Value is not null || point.On is not null);

    public static string Name(Words words, PointNow point) =>
        Words.All.ContainsKey($"point.{point.Point}") ? words.Member("point", point.Point)
        : Words.All.ContainsKey($"point.{Tail(point.Point)}") ? words.Say("point-of", ("point", words.Member("point", Tail(point.Point))), ("device", Head(point.Point)))
        : Words.All.ContainsKey($"quantity.{point.Quantity}") ? words.Say("point-of", ("point", words.Member("quantity", point.Quantity!)), ("device", Head(point.Point)))
        : point.Point;

    public static string Value(Words words, PointNow point) => (point.Value, point.On) switch
    {
        ({ } number, _) => $"{Phrases.Number(number)} {point.Unit}".TrimEnd(),
        (_, { } flag) => words.Member("contact", $"{(Words.All.ContainsKey($"contact.{Tail(point.Point)}.true") ? Tail(point.Point) : "other")}.{(flag ? "true" : "false")}"),
        _ => "—",
    };

    public static string Since(Words words, PointNow point) => words.Say("age.ago", ("age", words.Age(TimeSpan.FromSeconds(point.AgeSeconds))));

    /// <summary>Why there is no value to trust.</summary>
    public static string Missing(Words words, PointNow point) =>
        point.Quality == "fault" ? words["point.fault"] : words.Say("point.stale", ("age", words.Age(TimeSpan.FromSeconds(point.AgeSeconds))));

    private static string Head(string id) => id.LastIndexOf('.') is var dot && dot > 0 ? id[..dot] : id;

    private static string Tail(string id) => id[(id.LastIndexOf('.') + 1)..];
}
