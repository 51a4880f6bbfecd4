using System.Security.Cryptography;
using PhysSec.Hardware;
using PhysSec.Node.Enrolment;
using PhysSec.Node.Health;
using PhysSec.Node.Keys;
using PhysSec.Node.Readers;

namespace PhysSec.Node.Commissioning;

/// <summary><c>physsec-node commission</c>: the installer's checklist, at the board, before people trust it.</summary>
internal static class CommissionCommand
{
    private const int Usage = 64;
    private const int TryAgain = 75;
    private const int Configuration = 78;

    public const string Help = """
        physsec-node commission --board FILE --installer NAME [--to DIR] [--state DIR] [--anew]
                                           while no node runs: each input moved, each output seen, each way out proved; a signed result in DIR/commissioning.
                                           Stopped with q, it goes on later; what did not pass is asked again. Exit 0: all passed, 1: points are open, 75: stopped.
        physsec-node commission --verify FILE [--certificate FILE]
                                           whether a result is as it was signed, and by which board
        """;

    public static async Task<int> RunAsync(string[] args, TimeProvider clock)
    {
        string? board = null, installer = null, verify = null, certificate = null, to = "/etc/physsec-node", state = "/var/lib/physsec-node";
        var anew = false;
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--anew":
                    anew = true;
                    continue;
                case "--board" when value is not null:
                    board = value;
                    break;
                case "--installer" when value is not null:
                    installer = value.Trim();
                    break;
                case "--to" when value is not null:
                    to = Path.GetFullPath(value);
                    break;
                case "--state" when value is not null:
                    state = Path.GetFullPath(value);
                    break;
                case "--verify" when value is not null:
                    verify = value;
                    break;
                case "--certificate" when value is not null:
                    certificate = value;
                    break;
                default:
                    return await FailAsync($"\"{args[i]}\" is not expected here\n{Help}", Usage);
            }

            i++;
        }

        if (verify is not null) return await VerifyAsync(verify, certificate);
        if (board is null) return await FailAsync($"--board is missing: the file that says what hangs on which pin\n{Help}", Usage);
        if (installer is not { Length: > 0 and <= 100 }) return await FailAsync($"--installer is missing: the name of whoever stands here (1–100 characters)\n{Help}", Usage);
        if (HealthFile.RunningNode(state, clock) is { } running) return await FailAsync($"a node runs here ({running}); stop it first: systemctl stop physsec-node. 先に制御装置サービスを停止してください。", TryAgain);
        try
        {
            using var keys = ReaderKeyFile.Open(Path.Combine(state, ReaderKeyFile.Name), Tpm.OfBoard);
            if (Directory.Exists(state)) keys.Hold(); // Where there is no folder yet there are no keys.
            using var session = new CommissioningSession(board, installer, new CommissioningFolder(state), new EnrolmentFolder(to, Tpm.OfBoard), keys, anew, clock);
            return await session.RunAsync(Console.In, Console.Out) switch
            {
                null => TryAgain,
                true => 0,
                false => 1,
            };
        }
        catch (ReaderKeysHeldException held)
        {
            return await FailAsync(held.Message, TryAgain);
        }
        catch (BoardFileException failure)
        {
            return await FailAsync(failure.Message, Configuration);
        }
        catch (Exception failure) when (failure is BoardOpenException or EnrolmentException or TpmException)
        {
            return await FailAsync(failure.Message, 1);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return await FailAsync($"{failure.Message} Run this as the user of the service, or give other folders with --to and --state.", 1);
        }
    }

    private static async Task<int> VerifyAsync(string file, string? certificate)
    {
        try
        {
            var (result, publicKey) = CommissioningResult.Verify(await File.ReadAllTextAsync(file));
            Console.WriteLine(CommissioningFolder.Text(result, publicKey));
            if (certificate is null)
            {
                Console.WriteLine("The signature fits. Whose key it is, only the board's certificate tells: --certificate FILE. 署名は正しいです。");
                return 0;
            }

            using var named = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(certificate));
            if (!named.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey))
                return await FailAsync($"the signature fits, but {certificate} ({named.Subject}) is another board's. 別の制御装置の署名です。", 1);
            Console.WriteLine($"Signed by the board of {named.Subject}. この証明書の制御装置が署名しました。");
            return 0;
        }
        catch (Exception failure) when (failure is InvalidDataException)
        {
            return await FailAsync($"{file}: {failure.Message}. 署名が一致しません。", 1);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return await FailAsync($"{failure.Message}", 1);
        }
    }

    private static async Task<int> FailAsync(string text, int code)
    {
        await Console.Error.WriteLineAsync("physsec-node: " + text);
        return code;
    }
}
