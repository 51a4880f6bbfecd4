namespace PhysSec.Rig;

/// <summary>Where the built programs are, found from the rig's own place in the tree.</summary>
public static class Programs
{
    private static readonly string _root = FindRoot();

    /// <summary>The folder that holds PhysSec.sln.</summary>
    public static string Root => _root;

    public static string Hub => Built("hub/PhysSec.Hub", "physsec-hub.dll");

    public static string Node => Built("firmware/PhysSec.Node", "physsec-node.dll");

    public static string Verify => Built("hub/PhysSec.Verify", "physsec-verify.dll");

    public static string Board(string name) => Path.Combine(_root, "hardware", "boards", name + ".json");

    private static string Built(string project, string file)
    {
        var configuration = AppContext.BaseDirectory.Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";
        var path = Path.Combine(_root, project, "bin", configuration, "net10.0", file);
        return File.Exists(path) ? path
            : throw new RigException($"{path} is missing; build it: dotnet build {project} -c {configuration}");
    }

    private static string FindRoot()
    {
        for (var it = new DirectoryInfo(AppContext.BaseDirectory); it is not null; it = it.Parent)
            if (File.Exists(Path.Combine(it.FullName, "PhysSec.sln"))) return it.FullName;
        throw new RigException($"no PhysSec.sln above {AppContext.BaseDirectory}; start the rig from its place in the tree");
    }
}
