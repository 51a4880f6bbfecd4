using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Enrolment;

/// <summary>
/// The folder that makes a board a node: node.json and what it names. The key is made here and never leaves; node.json is written last, so that an interrupted
/// enrolment leaves no half node and is repeated with the same code.
/// </summary>
/// <param name="folder">Usually /etc/physsec-node.</param>
/// <param name="tpm">Opens the TPM that keys are sealed to; null, or null from it: there is none, and they are files that the service alone may read.</param>
[SuppressMessage("Interoperability", "CA1416", Justification = "A node runs on Linux.")]
public sealed class EnrolmentFolder(string folder, Func<Tpm?>? tpm = null)
{
    public const string Configuration = "node.json";
    private const string KeyFile = "node.key";
    private const string BoardName = "board.json";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string ConfigurationPath => Path.Combine(folder, Configuration);

    public bool IsEnrolled => File.Exists(ConfigurationPath);

    /// <summary>The board's own key pair, P-256; made at the first call.</summary>
    /// <param name="anew">Makes another one, to be used from <see cref="Store"/> on.</param>
    /// <exception cref="EnrolmentException">The folder cannot be written, or the key in it is none.</exception>
    public ECDsa Key(bool anew)
    {
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // An interrupted attempt goes on with its key: the hub gives the same board the same code's node again.
            var path = Path.Combine(folder, anew ? KeyFile + ".next" : KeyFile);
            if (!File.Exists(path))
            {
                using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                WriteSecret(Path.GetFileName(path), made.ExportPkcs8PrivateKeyPem());
            }

            var key = ECDsa.Create();
            key.ImportFromPem(Secret(path));
            return key;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EnrolmentException($"{folder} cannot be written: {failure.Message} Run this as the user of the service, or give another folder with --to.", failure);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException or TpmException { ForeignOrSpoilt: true })
        {
            throw new EnrolmentException($"{Path.Combine(folder, KeyFile)} holds no key. Remove the file and try again with a new code.", failure);
        }
    }

    /// <summary>Which node this board is; nulls before it is one.</summary>
    public (string? Site, string? Node) Identity()
    {
        if (!IsEnrolled) return (null, null);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(ConfigurationPath));
            return (json.RootElement.GetProperty("site").GetString(), json.RootElement.GetProperty("node").GetString());
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new EnrolmentException($"{ConfigurationPath} cannot be read: {failure.Message} physsec-node check says more.", failure);
        }
    }

    /// <summary>Stores what the hub gave.</summary>
    /// <param name="answer">Of the hub, checked.</param>
    /// <param name="board">Path of the board file.</param>
    /// <param name="state">Path of the journal's folder.</param>
    /// <param name="anew">The key of <see cref="Key"/> was made anew.</param>
    /// <exception cref="EnrolmentException">The folder cannot be written.</exception>
    public void Store(Core.Wire.Enrolment answer, string board, string state, bool anew)
    {
        ArgumentNullException.ThrowIfNull(answer);
        try
        {
            if (anew)
            {
                File.Delete(ConfigurationPath); // From here to the end the board is no node: never one with another's key.
                File.Move(Path.Combine(folder, KeyFile + ".next"), Path.Combine(folder, KeyFile), overwrite: true);
            }

            Write("ca.crt", answer.Authority);
            Write("node.crt", answer.Certificate);
            Write("hub.pub", answer.HubKey);
            WriteSecret("site.key", answer.SiteKey);
            Write(Configuration, Json(answer, board, state));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EnrolmentException($"{folder} cannot be written: {failure.Message} Make room or give rights, then use the same code again.", failure);
        }
    }

    /// <summary>Stores the board file of the node that this board replaces; its path.</summary>
    /// <exception cref="EnrolmentException">The hub gave none, or the folder cannot be written.</exception>
    public string StoreBoard(Core.Wire.Enrolment answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        if (answer.Board is null) throw new EnrolmentException("The hub gave no board file: the code was not made with --replace. Use the same code again with --board FILE.");
        try
        {
            Write(BoardName, answer.Board);
            return Path.Combine(folder, BoardName);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EnrolmentException($"{folder} cannot be written: {failure.Message} Make room or give rights, then use the same code again.", failure);
        }
    }

    private static string Json(Core.Wire.Enrolment answer, string board, string state)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("site", answer.Site);
            json.WriteString("node", answer.Node);
            json.WriteNumber("epoch", answer.Epoch);
            json.WriteString("board", board);
            json.WriteString("state", state);
            json.WriteStartObject("hub");
            json.WriteString("host", answer.Broker.Host);
            json.WriteNumber("port", answer.Broker.Port);
            json.WriteString("serverName", answer.Broker.Host);
            json.WriteEndObject();
            json.WriteString("ca", "ca.crt");
            json.WriteString("certificate", "node.crt");
            json.WriteString("key", KeyFile);
            json.WriteString("hubKey", "hub.pub");
            json.WriteString("siteKey", "site.key");
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private string Secret(string path)
    {
        var text = File.ReadAllText(path);
        if (!SealedText.Is(text)) return text;
        using var chip = tpm?.Invoke();
        return SealedText.Open(text, chip);
    }

    private void WriteSecret(string name, string text)
    {
        using var chip = tpm?.Invoke();
        Write(name, chip is null ? text : SealedText.Make(text, chip));
    }

    /// <summary>Durable, whole or not at all, readable by the service alone.</summary>
    private void Write(string name, string text) => WriteDurably(Path.Combine(folder, name), text);

    internal static void WriteDurably(string path, string text)
    {
        var beside = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.new");
        using (var file = new FileStream(beside, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = Private }))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text.TrimEnd() + "\n"));
        }

        Journal.JournalFiles.FlushFile(beside);
        File.Move(beside, path, overwrite: true);
        Journal.JournalFiles.FlushFolder(Path.GetDirectoryName(path)!);
    }
}
