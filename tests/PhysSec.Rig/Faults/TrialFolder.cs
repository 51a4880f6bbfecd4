namespace PhysSec.Rig.Faults;

/// <summary>A folder for everything of one trial, whose disks are under our control; gone at the end.</summary>
internal sealed class TrialFolder : IDisposable
{
    public TrialFolder()
    {
        Path = Directory.CreateTempSubdirectory("physsec-fault-").FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0b111_000_001); // The mail server's user passes through.
    }

    public string Path { get; }

    /// <summary>Where the node's journal will be.</summary>
    public string NodeState
    {
        get
        {
            Files.Folder(Path, "node");
            return Files.Folder(Path, "node", "state");
        }
    }

    /// <summary>Where the hub's store will be.</summary>
    public string HubState => Files.Folder(Path, "hub");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
