using PhysSec.Hardware;
using PhysSec.Node.Journal;
using PhysSec.Node.Keys;

namespace PhysSec.Node.Enrolment;

/// <summary><c>physsec-node enroll</c>: makes this board a node of a site.</summary>
internal static class EnrolCommand
{
    private const int Usage = 64;
    private const int Configuration = 78;

    public const string Help = """
        physsec-node enroll 'CODE' --board FILE [--to DIR] [--state DIR] [--again] [--no-tpm]
                                           make this board a node, with the code that physsec-hub enroll printed; the key is made here and stays here,
                                           sealed to the board's TPM where there is one
        physsec-node enroll 'CODE' --restore [--to DIR] [--state DIR]
                                           make this spare board the node of physsec-hub enroll NAME --replace: with its board file, in the old board's place
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        string? code = null, board = null, to = "/etc/physsec-node", state = "/var/lib/physsec-node";
        var (again, restore, noTpm) = (false, false, false);
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--again":
                    again = true;
                    break;
                case "--no-tpm":
                    noTpm = true;
                    break;
                case "--restore":
                    restore = true;
                    break;
                case "--board" when i + 1 < args.Length:
                    board = Path.GetFullPath(args[++i]);
                    break;
                case "--to" when i + 1 < args.Length:
                    to = Path.GetFullPath(args[++i]);
                    break;
                case "--state" when i + 1 < args.Length:
                    state = Path.GetFullPath(args[++i]);
                    break;
                case var it when code is null && !it.StartsWith('-'):
                    code = it;
                    break;
                default:
                    return await SayAsync($"\"{args[i]}\" is not expected here\n{Help}", Usage);
            }
        }

        if (code is null) return await SayAsync($"the code is missing\n{Help}", Usage);
        if (restore && board is not null) return await SayAsync($"--restore brings the board file from the hub: leave --board out\n{Help}", Usage);
        if (restore && File.Exists(Path.Combine(state, JournalFiles.Name)))
            return await SayAsync($"{state} holds a journal: this board has been a node. A spare board is an empty one; set that folder aside, or give another with --state.", Usage);
        if (board is null && !restore) return await SayAsync($"--board is missing: the file that says what hangs on which pin\n{Help}", Usage);
        if (EnrolmentCode.Parse(code, out var fault) is not { } parsed) return await SayAsync($"the code: {fault}", Usage);
        var folder = new EnrolmentFolder(to, noTpm ? null : Tpm.OfBoard);
        if (folder.IsEnrolled && !again)
            return await SayAsync($"{folder.ConfigurationPath} is there: this board is a node already. With --again it becomes the code's node, with a new key and a new epoch.", Usage);
        try
        {
            if (board is not null) _ = BoardFile.Load(board); // A mistake in it is better seen now than at the start.
            using var key = folder.Key(anew: again);
            var answer = await EnrolmentClient.EnrolAsync(parsed, key, CancellationToken.None);
            if (restore) _ = BoardFile.Load(board = folder.StoreBoard(answer));
            folder.Store(answer, board!, state, anew: again);
            Console.WriteLine($"enrolled: node {answer.Node} of site {answer.Site}, epoch {answer.Epoch}; {folder.ConfigurationPath}");
            Console.WriteLine($"登録しました: サイト {answer.Site} の制御装置 {answer.Node}");
            if (restore)
            {
                Console.WriteLine($"restored: {board}; the old board is shut out. Prove the wiring and the ways out anew before people rely on it: physsec-node commission");
                Console.WriteLine("復旧しました: 旧基板は失効しました。運用を始める前に配線と退室経路を再確認してください: physsec-node commission");
            }

            return 0;
        }
        catch (TpmException failure)
        {
            return await SayAsync($"{failure.Message} Mend that, or keep the keys in files that the service alone may read: --no-tpm", 1);
        }
        catch (Exception failure) when (failure is EnrolmentException)
        {
            return await SayAsync(failure.Message, 1);
        }
        catch (BoardFileException failure)
        {
            return await SayAsync(failure.Message, Configuration);
        }
    }

    private static async Task<int> SayAsync(string text, int code)
    {
        await Console.Error.WriteLineAsync("physsec-node: " + text);
        return code;
    }
}
