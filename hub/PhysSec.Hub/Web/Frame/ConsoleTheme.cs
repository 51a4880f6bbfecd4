using MudBlazor;

namespace PhysSec.Hub.Web.Frame;

/// <summary>Grey by default. The same greys as in console.css, for the parts that come from MudBlazor.</summary>
internal static class ConsoleTheme
{
    private static readonly string[] _fonts =
        ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", "Meiryo", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight()
        {
            Primary = "#1c4f72",
            Secondary = "#4b5762",
            Background = "#eef0f2",
            Surface = "#ffffff",
            TextPrimary = "#1a2229",
            TextSecondary = "#4b5762",
            ActionDefault = "#4b5762",
            Error = "#a3120a",
            Warning = "#8a4b00",
            Info = "#1c4f72",
            Success = "#2c5f3c",
            LinesInputs = "#76828c",
            Divider = "#d3d8dc",
        },
        PaletteDark = new PaletteDark()
        {
            Primary = "#8fc3e6",
            Secondary = "#b3bdc6",
            Background = "#12171b",
            Surface = "#1b2228",
            TextPrimary = "#e6eaed",
            TextSecondary = "#b3bdc6",
            ActionDefault = "#b3bdc6",
            Error = "#ff8a80",
            Warning = "#ffb74d",
            Info = "#8fc3e6",
            Success = "#93cfa4",
            LinesInputs = "#83909b",
            Divider = "#333d46",
            PrimaryContrastText = "#10161a",
        },
        Typography = new() { Default = new DefaultTypography { FontFamily = _fonts }, Button = new ButtonTypography { TextTransform = "none", FontFamily = _fonts } },
        LayoutProperties = new() { DefaultBorderRadius = "6px" },
    };
}
