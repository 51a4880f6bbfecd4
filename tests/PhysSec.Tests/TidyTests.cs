using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace PhysSec.Tests;

/// <summary>The house rules that a compiler does not know.</summary>
public sealed class TidyTests
{
    private static readonly string _root = Root();

    [Fact]
    public void The_core_references_nothing_but_the_runtime() =>
        Assert.All(
            typeof(Core.NodeId).Assembly.GetReferencedAssemblies(),
            it => Assert.StartsWith("System.", it.Name, StringComparison.Ordinal));

    [Theory]
    [InlineData("hub/PhysSec.Core", new string[0])]
    [InlineData("hardware/PhysSec.Hardware", new string[0])]
    [InlineData("firmware/PhysSec.Node", new[] { "PhysSec.Core", "PhysSec.Hardware" })]
    [InlineData("hub/PhysSec.Hub", new[] { "PhysSec.Core" })]
    public void Dependencies_point_one_way(string project, string[] allowed)
    {
        var file = Assert.Single(Directory.GetFiles(Path.Combine(_root, project), "*.csproj"));
        var references = XDocument.Load(file).Descendants("ProjectReference")
            .Where(it => it.Parent!.Attribute("Condition") is null) // What is built on request only stands beside the house.
            .Select(it => Path.GetFileNameWithoutExtension(it.Attribute("Include")!.Value.Replace('\\', '/')))
            .Order(StringComparer.Ordinal);
        Assert.Equal(allowed, references);
    }

    [Fact]
    public void Only_one_file_spells_a_topic() =>
        Assert.Equal(
            ["Topics.cs"],
            Sources("hub", "firmware", "hardware").Where(it => File.ReadAllText(it).Contains("physsec/1", StringComparison.Ordinal)).Select(Path.GetFileName));

    [Fact]
    public void The_top_level_is_the_customers_own_list()
    {
        string[] allowed = ["firmware", "hub", "hardware", "tests"];
        var folders = Directory.GetDirectories(_root).Select(it => Path.GetFileName(it)!)
            .Where(it => !it.StartsWith('.') && it != "TestResults").Order(StringComparer.Ordinal); // The test runner leaves that one behind.
        Assert.All(folders, it => Assert.Contains(it, allowed));
        Assert.All(["PhysSec.sln", "README.md", "deploy.sh"], it => Assert.True(File.Exists(Path.Combine(_root, it)), it));
    }

    [Fact]
    public void Folders_are_features_and_not_kinds()
    {
        string[] kinds = ["Services", "Helpers", "Models", "Utils", "Common", "Interfaces", "Managers"];
        var folders = Sources("hub", "firmware", "hardware", "tests")
            .Select(it => Path.GetFileName(Path.GetDirectoryName(it)!)).Distinct();
        Assert.All(folders, it => Assert.DoesNotContain(it, kinds));
    }

    [Fact]
    public void Every_source_file_can_be_read_at_a_sitting() =>
        Assert.All(Sources("hub", "firmware", "hardware", "tests"), it =>
        {
            var lines = File.ReadLines(it).Count();
            Assert.True(lines <= 500, $"{Path.GetRelativePath(_root, it)} has {lines} lines; split it by idea (at most 500)");
        });

    [Fact]
    public void Nothing_is_left_unfinished_or_switched_off() =>
        Assert.All(Sources("hub", "firmware", "hardware", "tests").Where(it => !it.EndsWith("TidyTests.cs", StringComparison.Ordinal)), it =>
        {
            var text = File.ReadAllText(it);
            string[] marks = ["NotImplementedException", "TODO", "FIXME", "Assert.True(true", "Skip = "];
            Assert.All(marks, mark => Assert.False(text.Contains(mark, StringComparison.Ordinal), $"{Path.GetRelativePath(_root, it)} contains {mark}"));
        });

    [Fact]
    public void Only_the_shell_names_the_system_clock() =>
        Assert.All(
            Sources("hub/PhysSec.Core", "firmware/PhysSec.Node", "hub/PhysSec.Hub", "hardware/PhysSec.Hardware")
                .Where(it => File.ReadAllText(it).Contains("TimeProvider.System", StringComparison.Ordinal)),
            it => Assert.EndsWith("Program.cs", it, StringComparison.Ordinal));

    [Fact]
    public void Every_type_of_the_wire_is_public_and_sealed_or_abstract() =>
        Assert.All(
            typeof(Core.Wire.Topics).Assembly.GetExportedTypes().Where(it => it is { Namespace: "PhysSec.Core.Wire", IsClass: true } && !it.IsNested),
            it => Assert.True(it.IsSealed || it.IsAbstract, it.Name));

    private static IEnumerable<string> Sources(params string[] folders) =>
        folders.SelectMany(it => Directory.EnumerateFiles(Path.Combine(_root, it), "*.*", SearchOption.AllDirectories))
            .Where(it => it.EndsWith(".cs", StringComparison.Ordinal) || it.EndsWith(".razor", StringComparison.Ordinal))
            .Where(it => !it.Contains("/obj/", StringComparison.Ordinal) && !it.Contains("/bin/", StringComparison.Ordinal));

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
