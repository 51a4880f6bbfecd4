using PhysSec.Hardware;

namespace PhysSec.Tests.Osdp;

/// <summary>Keys that are always the same, and that are keys.</summary>
internal static class ReaderKeys
{
    public static OsdpKey Key(int seed)
    {
        var bytes = new byte[OsdpKey.Length];
        new Random(seed).NextBytes(bytes);
        Assert.Equal(OsdpKeyFault.None, OsdpKey.Create(bytes, out var key));
        return key!;
    }
}
