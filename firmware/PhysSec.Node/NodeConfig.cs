using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PhysSec.Core;
using PhysSec.Node.Keys;

namespace PhysSec.Node;

/// <summary>One mistake in node.json or in a file that it names.</summary>
public sealed record ConfigFault(string Field, string Fault, string Remedy)
{
    public override string ToString() => $"{Field}: {Fault} {Remedy}";
}

/// <summary>A configuration that must not be used. Carries every fault found.</summary>
public sealed class ConfigException(string file, IReadOnlyList<ConfigFault> faults)
    : Exception($"{file} has {faults.Count} fault(s):\n" + string.Join('\n', faults.Select(it => "  " + it)))
{
    public IReadOnlyList<ConfigFault> Faults { get; } = faults;
}

/// <summary>Where the hub is. ServerName is what its certificate must say.</summary>
public sealed record HubAddress(string Host, int Port, string ServerName);

/// <summary>
/// Everything a node is told at its enrolment, read and checked once, before anything runs. It holds keys: it has no text form.
/// </summary>
public sealed class NodeConfig : IDisposable
{
    public required SiteId Site { get; init; }

    public required NodeId Node { get; init; }

    /// <summary>Absolute path of the board file.</summary>
    public required string BoardPath { get; init; }

    /// <summary>Absolute path of the folder that holds the journal.</summary>
    public required string StateFolder { get; init; }

    public required HubAddress Hub { get; init; }

    /// <summary>The site's certificate authority: the only one that is trusted.</summary>
    public required X509Certificate2 Authority { get; init; }

    /// <summary>The node's own certificate with its private key.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>Signs batches; belongs to the certificate.</summary>
    public required ECDsa DeviceKey { get; init; }

    /// <summary>Verifies what the hub says.</summary>
    public required ECDsa HubKey { get; init; }

    /// <summary>Turns card numbers into tokens; 32 bytes.</summary>
    public required byte[] SiteKey { get; init; }

    /// <summary>The epoch given at enrolment; used only where no journal ever stood.</summary>
    public required long Epoch { get; init; }

    /// <summary>What is not wrong but deserves a word.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Reads node.json and the files that it names, relative to its own folder.</summary>
    /// <param name="path">Of node.json.</param>
    /// <param name="now">For the certificate.</param>
    /// <param name="tpm">Opens the TPM that a key is sealed to; null: the board's.</param>
    /// <exception cref="ConfigException">Every fault found.</exception>
    /// <exception cref="TpmException">A key is sealed, and the TPM does not answer (yet).</exception>
    public static NodeConfig Load(string path, DateTimeOffset now, Func<Tpm?>? tpm = null) => new NodeConfigReader(path, tpm ?? Tpm.OfBoard).Read(now);

    /// <summary>Where the board file is, whatever else is wrong with node.json.</summary>
    /// <exception cref="ConfigException">It names none that is there.</exception>
    public static string BoardOf(string path) => new NodeConfigReader(path, static () => null).Board();

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(SiteKey);
        DeviceKey.Dispose();
        HubKey.Dispose();
        Certificate.Dispose();
        Authority.Dispose();
    }
}
