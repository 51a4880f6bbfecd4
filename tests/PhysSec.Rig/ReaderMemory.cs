using PhysSec.Hardware;

namespace PhysSec.Rig;

/// <summary>The keys that the simulated OSDP readers have taken, as real ones would remember them without power: one file (0600) each.</summary>
internal sealed class ReaderMemory(string folder)
{
    /// <summary>Of the readers that are installed already.</summary>
    public IReadOnlyDictionary<string, OsdpKey> Keys =>
        Directory.EnumerateFiles(Files.Folder(folder)).ToDictionary(it => Path.GetFileName(it), it => OsdpKey.Create(Convert.FromHexString(File.ReadAllText(it)), out var key) == OsdpKeyFault.None
            ? key! : throw new RigException($"{it} holds no key; remove it and install the reader again"));

    public void Keep(string reader, OsdpKey key) => Files.WriteSecret(Path.Combine(Files.Folder(folder), reader), Convert.ToHexStringLower(key.Export()));
}
