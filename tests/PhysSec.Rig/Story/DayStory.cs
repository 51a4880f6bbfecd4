using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Core.Wire;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Rig.Story;

/// <summary>
/// A scripted day in a server room without a person. Each line is played on the room, then read back through the hub's
/// API; the first that differs ends the day.
/// </summary>
public static class DayStory
{
    /// <returns>0 when every line came out, 1 otherwise (the sentence is printed).</returns>
    public static async Task<int> PlayAsync(Instance instance, TextWriter output, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(instance);
        ArgumentNullException.ThrowIfNull(output);
        var tale = new Tale(instance, output, cancel);
        var begin = TimeProvider.System.GetUtcNow();
        try
        {
            await Doors.PlayAsync(tale);
            await Anteroom.PlayAsync(tale);
            await Climate.PlayAsync(tale);
            await Links.PlayAsync(tale);
            await Power.PlayAsync(tale);
            await Closing.PlayAsync(tale, begin);
        }
        catch (RigException differs)
        {
            await output.WriteLineAsync($"✗ the story stops here: {differs.Message}");
            await output.WriteLineAsync("✗ この行が予定と異なりました。");
            return 1;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"✓ all {tale.Lines} lines came out as they must, in {(TimeProvider.System.GetUtcNow() - begin).TotalSeconds:F0} s  全{tale.Lines}行、予定どおり"));
        return 0;
    }
}

/// <summary>What every chapter uses: lines, the room, and reading back through the API.</summary>
internal sealed class Tale(Instance instance, TextWriter output, CancellationToken cancel)
{
    /// <summary>How long anything may take to show up at the hub.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private const int ShownAtMost = 5;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    private readonly List<(string Badge, DateTimeOffset From, DateTimeOffset To)> _shownAgain = [];
    private DateTimeOffset _since = TimeProvider.System.GetUtcNow();

    public Instance Instance { get; } = instance;

    public CancellationToken Cancel { get; } = cancel;

    public int Lines { get; private set; }

    public Task TitleAsync(string ja, string en) => output.WriteLineAsync($"\n── {ja}  {en}");

    /// <summary>Plays one line and prints it when it has come out.</summary>
    public async Task LineAsync(string ja, string en, Func<Task> play)
    {
        _since = TimeProvider.System.GetUtcNow();
        try
        {
            await play();
        }
        catch (Exception failure) when (failure is RigException or HttpRequestException or IOException)
        {
            throw new RigException($"\"{en}\" ({ja}): {failure.Message}");
        }

        Lines++;
        var at = _since.ToOffset(TimeSpan.FromHours(9)).ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        await output.WriteLineAsync($"{at} ✓ {ja}  {en}");
    }

    public Task PrintAsync(string text) => output.WriteLineAsync(text);

    public Task<string> ActAsync(string command) => Instance.ActAsync(command, Cancel);

    /// <summary>As <see cref="ActAsync"/>, for commands with a code in them: no message quotes it.</summary>
    public async Task EnterCodeAsync(string command)
    {
        var answer = await RoomClient.SendAsync(Instance.RoomSocket, command, Cancel);
        Must(answer.StartsWith("ok", StringComparison.Ordinal), $"the room did not take card and code: {answer}");
    }

    /// <summary>The records of the running node since this line began, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> RecordsAsync(DateTimeOffset? from = null)
    {
        var since = Uri.EscapeDataString((from ?? _since).ToString("O", CultureInfo.InvariantCulture));
        var items = HubApi.Items(await Instance.Auditor.GetAsync($"records?from={since}&node={Instance.LiveNode}&limit=500", Cancel));
        return [.. items.OrderBy(it => (long)it["epoch"]!).ThenBy(it => (string?)it["stream"], StringComparer.Ordinal).ThenBy(it => (long)it["seq"]!)];
    }

    /// <summary>Waits for one record of this line.</summary>
    public Task<JsonNode> RecordAsync(string what, Func<JsonNode, bool> wanted) => Wait.ForAsync(
        $"the record of {what} at the hub",
        async () => (await RecordsAsync()).FirstOrDefault(wanted), Limit, Cancel);

    public Task<JsonNode> GrantedAsync(string badge, string direction = "in") => RecordAsync(
        $"{badge} let {direction}",
        it => Is(it, "access.granted") && (string?)it["person"] == $"p-{badge}" && Same(it["direction"], direction));

    /// <summary>Shows a card that must be refused for this reason. A machine that could not read or record it at that moment says so on record, and the card is shown again.</summary>
    public async Task RefusedAsync(string badge, string reason)
    {
        for (var shown = 1; ; shown++)
        {
            await ActAsync($"badge {badge}");
            var seen = await Wait.ForAsync($"the record of {badge} refused because of {reason} at the hub", async () =>
            {
                var records = await RecordsAsync();
                if (records.Any(it => Is(it, "access.denied") && Same(it["reason"], reason))) return "refused";
                var disturbed = records.Count(it => Is(it, "reader.fault") || (Is(it, "access.denied") && Same(it["reason"], "JournalFault")));
                return disturbed >= shown && shown < ShownAtMost ? "disturbed" : null;
            }, Limit, Cancel);
            if (seen == "refused") return;
            await PrintAsync($"         {badge}: もう一度かざす  the card is shown again");
        }
    }

    public Task<JsonNode> PassageAsync(string? person, string direction) => RecordAsync(
        $"{person ?? "somebody"} passing {direction}",
        it => Is(it, "access.passage") && Same(it["direction"], direction) && (string?)it["person"] == person);

    /// <summary>Waits until an alarm of this class and source is in the state that <paramref name="active"/> says.</summary>
    public Task<JsonNode> AlarmAsync(string alarmClass, bool active, string? source = null, TimeSpan? limit = null) => Wait.ForAsync(
        $"the alarm {alarmClass} to be {(active ? "active" : "over")}",
        async () => HubApi.Items(await Instance.Operator.GetAsync("alarms?state=all", Cancel)).FirstOrDefault(it =>
            (string?)it["class"] == alarmClass && (source is null || (string?)it["source"] == source) && (bool)it["active"]! == active),
        limit ?? Limit, Cancel);

    public async Task AcknowledgeAsync(JsonNode alarm, string reason)
    {
        var key = (string)alarm["key"]!;
        await Instance.Operator.PostAsync($"alarms/{Uri.EscapeDataString(key)}/acknowledge", new JsonObject { ["reason"] = reason }, Cancel);
        await Wait.UntilAsync($"the acknowledgement of {key} with who and why", async () =>
            HubApi.Items(await Instance.Operator.GetAsync("alarms/history", Cancel)).Any(it =>
                (string?)it["key"] == key && ((string?)it["what"])?.StartsWith("ack", StringComparison.OrdinalIgnoreCase) == true), Limit, Cancel);
    }

    /// <summary>Shows a badge and walks through: leaf opened and closed behind.</summary>
    public async Task WalkInAsync(string badge, string direction = "in")
    {
        await LetThroughAsync(badge, direction);
        await ActAsync("open");
        await LockedAgainAsync();
    }

    /// <summary>Shows a badge until the lock lets go.</summary>
    public Task LetThroughAsync(string badge, string direction = "in") =>
        LetThroughAsync(badge, () => ActAsync($"badge {badge} {direction}"), async () => (bool)(await Instance.RoomAsync(Cancel))["lockOutput"]!);

    /// <summary>Does at a reader what lets somebody in until the lock lets go.</summary>
    public async Task LetThroughAsync(string badge, Func<Task> present, Func<Task<bool>> free)
    {
        // Who is not let in at once shows the card again, as a person does: a reader on a busy machine may drop a frame, a slow disk may hold a release back.
        // The record must say each time which it was (see WhyShownAgainAsync), and a card granted twice would show there as well.
        for (var left = ShownAtMost; ; left--)
        {
            var shown = TimeProvider.System.GetUtcNow();
            await present();
            try
            {
                await Wait.UntilAsync($"the lock to let {badge} through", free, _patience, Cancel);
                break;
            }
            catch (RigException) when (left > 1)
            {
                _shownAgain.Add((badge, shown, TimeProvider.System.GetUtcNow()));
                await PrintAsync($"         {badge}: もう一度かざす  the card is shown again");
            }
        }
    }

    /// <summary>A card that had to be shown again has its reason on record: a frame that the reader lost, or a release that the journal held back.</summary>
    public async Task WhyShownAgainAsync()
    {
        foreach (var (badge, from, to) in _shownAgain)
        {
            var records = (await RecordsAsync(from)).Where(it => (string?)it["stream"] == Streams.Access && At(it) <= to).ToList();
            var why = records.FirstOrDefault(it => Is(it, "reader.fault") || (Is(it, "access.denied") && (string?)it["person"] == $"p-{badge}"));
            Must(why is not null, $"{badge}'s card had to be shown again at {from:HH:mm:ss} UTC, and nothing on record says why; on record are: "
                + string.Join(", ", records.Select(it => $"{(string?)it["kind"]} {(string?)it["person"]} {(string?)it["reason"]}".TrimEnd())));
            await PrintAsync($"         {badge}: {(string?)why!["kind"]} {(string?)why["reason"] ?? (string?)HubApi.Fact(why)["fault"]}");
        }
    }

    /// <summary>Closes the leaf behind somebody. The lock lets go of its release when the node has seen the leaf open: nobody is quicker than the contact.</summary>
    public async Task LockedAgainAsync()
    {
        await Wait.UntilAsync("the lock to end its release", async () => !(bool)(await Instance.RoomAsync(Cancel))["lockOutput"]!, Limit, Cancel);
        await ActAsync("close");
    }

    public static void Must(bool condition, string otherwise)
    {
        if (!condition) throw new RigException(otherwise);
    }

    /// <summary>Those who were really let through: a grant that reached the disk too late is followed by the refusal that it became.</summary>
    public static IEnumerable<JsonNode> LetThrough(IReadOnlyList<JsonNode> records) => records.Where(it => Is(it, "access.granted")
        && !records.Any(other => Is(other, "access.denied") && At(other) == At(it) && (string?)other["credential"] == (string?)it["credential"]));

    private static DateTimeOffset At(JsonNode record) => DateTimeOffset.Parse((string)record["at"]!, CultureInfo.InvariantCulture);

    public static bool Is(JsonNode record, string kind) => (string?)record["kind"] == kind;

    public static bool Same(JsonNode? value, string expected) =>
        string.Equals((string?)value, expected, StringComparison.OrdinalIgnoreCase);
}
