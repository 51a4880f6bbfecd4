using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Wire;

namespace PhysSec.Tests.Wire;

/// <summary>Golden files pin every message: within a version of the wire, fields are only added.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Names { get; } = new(WireSamples.All.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_is_written_as_exactly_these_bytes(string name)
    {
        var (message, type) = WireSamples.All[name];
        Assert.Equal(Encoding.UTF8.GetString(Golden(name)), JsonSerializer.Serialize(message, type));
        Assert.Equal(Golden(name), JsonSerializer.SerializeToUtf8Bytes(message, type));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_read_and_written_again_is_the_same(string name)
    {
        var type = WireSamples.All[name].Type;
        var read = JsonSerializer.Deserialize(Golden(name), type);
        Assert.Equal(Golden(name), JsonSerializer.SerializeToUtf8Bytes(read, type));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_with_a_field_of_a_later_minor_version_is_still_read(string name)
    {
        var type = WireSamples.All[name].Type;
        var text = Encoding.UTF8.GetString(Golden(name));
        var later = $"{text[..^1]},\"addedLater\":{{\"x\":[1]}}}}";
        var read = JsonSerializer.Deserialize(later, type);
        Assert.Equal(Golden(name), JsonSerializer.SerializeToUtf8Bytes(read, type));
    }

    [Fact]
    public void Every_fact_has_a_golden_file() =>
        Assert.All(
            typeof(Fact).GetCustomAttributes<JsonDerivedTypeAttribute>(),
            it => Assert.Contains($"record-{((string)it.TypeDiscriminator!).Replace('.', '-')}", WireSamples.All.Keys));

    [Fact]
    public void No_golden_file_is_left_over() =>
        Assert.Equal(
            WireSamples.All.Keys.Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder(), "*.json").Select(it => Path.GetFileNameWithoutExtension(it)).Order(StringComparer.Ordinal));

    [Fact]
    public void Japanese_stays_readable_on_the_wire() =>
        Assert.Contains("宅配の受け取り", Encoding.UTF8.GetString(Golden("command")), StringComparison.Ordinal);

    private static byte[] Golden(string name) => File.ReadAllBytes(Path.Combine(Folder(), name + ".json"));

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "golden");
}
