using System.Text.Json;

namespace PhysSec.Rig;

/// <summary>The two codes of a demo's person, which exist nowhere else in the clear: what somebody who was handed them knows by heart.</summary>
/// <param name="Code">Their PIN.</param>
/// <param name="Duress">To be entered when somebody forces them.</param>
public sealed record Codes(string Code, string Duress)
{
    public override string ToString() => nameof(Codes);

    /// <summary>Where a demo keeps them (0600).</summary>
    public static string FileIn(string state) => Path.Combine(state, "codes.json");

    /// <summary>By badge; of a demo that has issued none, empty.</summary>
    public static IReadOnlyDictionary<string, Codes> Read(string state) => File.Exists(FileIn(state))
        ? JsonSerializer.Deserialize<Dictionary<string, Codes>>(File.ReadAllText(FileIn(state)))!
        : new Dictionary<string, Codes>();

    internal static void Write(string state, IReadOnlyDictionary<string, Codes> codes) => Files.WriteSecret(FileIn(state), JsonSerializer.Serialize(codes));
}
