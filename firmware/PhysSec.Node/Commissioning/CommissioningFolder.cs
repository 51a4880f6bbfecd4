using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Node.Enrolment;

namespace PhysSec.Node.Commissioning;

/// <summary>Where a commissioning is kept: <c>commissioning/</c> in the state folder.</summary>
[SuppressMessage("Interoperability", "CA1416", Justification = "A node runs on Linux.")]
internal sealed class CommissioningFolder(string state)
{
    private readonly string _folder = Path.Combine(state, "commissioning");

    private string ProgressPath => Path.Combine(_folder, "progress.json");

    private string LinesPath => Path.Combine(_folder, "lines.json");

    public static string BoardHash(string boardPath) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(boardPath)));

    /// <summary>What was reached before; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public CommissioningProgress? Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(ProgressPath), CommissioningJson.Default.CommissioningProgress);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{ProgressPath} is damaged; --anew begins from the first check.", failure);
        }
    }

    /// <summary>What was measured at supervised lines.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<LineCalibration> Calibrations()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(LinesPath), CommissioningJson.Default.IReadOnlyListLineCalibration) ?? [];
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{LinesPath} is damaged: calibrate the lines again.", failure);
        }
    }

    /// <summary>In the place of an earlier one of the same input.</summary>
    public void Keep(LineCalibration calibration)
    {
        Make();
        IReadOnlyList<LineCalibration> all = [.. Calibrations().Where(it => it.Device != calibration.Device), calibration];
        EnrolmentFolder.WriteDurably(LinesPath, JsonSerializer.Serialize(all, CommissioningJson.Default.IReadOnlyListLineCalibration));
    }

    public void Keep(CommissioningProgress progress)
    {
        Make();
        EnrolmentFolder.WriteDurably(ProgressPath, JsonSerializer.Serialize(progress, CommissioningJson.Default.CommissioningProgress));
    }

    /// <summary>The signed file and its text for people. What passed is remembered while points are open: the next run asks for those alone.</summary>
    /// <returns>The signed file's path.</returns>
    public string Finish(CommissioningResult result, string signed, byte[] publicKey)
    {
        Make();
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"commissioning-{result.Ended.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.json"));
        EnrolmentFolder.WriteDurably(path, signed);
        EnrolmentFolder.WriteDurably(Path.ChangeExtension(path, ".txt"), Text(result, publicKey));
        if (result.Complete) File.Delete(ProgressPath);
        return path;
    }

    /// <summary>The newest finished commissioning that this board's key has signed; null: there is none.</summary>
    /// <param name="key">The board's.</param>
    /// <param name="fault">Told of one that cannot be believed.</param>
    public BoardCommissioned? Newest(ECDsa key, Action<string> fault)
    {
        try
        {
            if (!Directory.Exists(_folder)) return null;
            foreach (var path in Directory.EnumerateFiles(_folder, "commissioning-*.json").OrderDescending(StringComparer.Ordinal))
            {
                var text = File.ReadAllText(path);
                var (it, signer) = CommissioningResult.Verify(text);
                if (signer.AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                {
                    return new(it.Board, it.BoardHash, it.Simulated, it.Installer, it.Ended, it.Complete, [.. it.Steps.Where(step => step.Outcome != Outcome.Passed).Select(step => step.Check)],
                        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            fault($"the commissioning in {_folder} is not believed: {failure.Message}");
        }

        return null;
    }

    /// <summary>One page for the installer's file.</summary>
    public static string Text(CommissioningResult result, byte[] publicKey)
    {
        var page = new StringBuilder();
        page.AppendLine(CultureInfo.InvariantCulture, $"設置確認書 Commissioning record{(result.Simulated ? " — SIMULATED BOARD, proves nothing about a real door 模擬" : "")}");
        page.AppendLine(CultureInfo.InvariantCulture, $"制御装置 node      {(result.Node is null ? "(未登録 not enrolled)" : $"{result.Site} / {result.Node}")}");
        page.AppendLine(CultureInfo.InvariantCulture, $"盤 board file      {result.Board}, SHA-256 {result.BoardHash[..16]}…, version {result.Firmware}");
        page.AppendLine(CultureInfo.InvariantCulture, $"確認者 installer   {result.Installer}");
        page.AppendLine(CultureInfo.InvariantCulture, $"日時 time          {result.Started:yyyy-MM-dd HH:mm zzz} – {result.Ended:yyyy-MM-dd HH:mm zzz}");
        page.AppendLine();
        foreach (var it in result.Steps)
        {
            var mark = it.Outcome switch { Outcome.Passed => "✓", Outcome.Failed => "✗", _ => "－" };
            page.AppendLine(CultureInfo.InvariantCulture, $"{mark} {it.Check}  {it.Seen}{(it.Reason is null ? "" : $"  理由 reason: {it.Reason}")}");
        }

        page.AppendLine();
        page.AppendLine(result.Complete ? "すべて合格 Every check passed." : $"未了あり {result.Steps.Count(it => it.Outcome != Outcome.Passed)} of {result.Steps.Count} checks are open.");
        page.Append(CultureInfo.InvariantCulture, $"署名鍵 key         {CommissioningResult.Fingerprint(publicKey)}");
        return page.ToString();
    }

    private void Make() => Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
