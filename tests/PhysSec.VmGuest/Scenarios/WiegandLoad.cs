using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.VmGuest.Machine;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>
/// Thousands of cards on a machine that is short of time. Every one is unknown, so every one is a refusal in the journal: a token there that no sent
/// card has is a wrong card, and there must be none; a sent card that is missing is a lost frame, and there may be one in a thousand.
/// </summary>
internal static class WiegandLoad
{
    private const double LostMax = 0.001;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(45);
    private static readonly TimeSpan _settle = TimeSpan.FromSeconds(2);

    /// <param name="report">Gets one line for each length and spacing.</param>
    /// <param name="site">Its journal is read at the end.</param>
    /// <param name="room">Its entry reader sends.</param>
    /// <param name="start">Starts the node.</param>
    /// <param name="frames">In all; a quarter for each length and spacing.</param>
    public static void Play(Report report, Site site, Room room, Func<NodeProcess> start, int frames)
    {
        using var node = start();
        if (node.AwaitReady(room.Lines) is null) throw new InvalidOperationException("the node did not start");
        EdgeLatency.Play(report, room, "on a quiet machine");
        using var busy = Priority.Burn();
        EdgeLatency.Play(report, room, "on a busy machine");
        var random = new Random(4711);
        foreach (var length in (int[])[26, 37])
            foreach (var spacing in (int[])[2, 1])
                Send(report, site, room, [.. Enumerable.Range(0, frames / 4).Select(_ => Card(random, length))], TimeSpan.FromMilliseconds(spacing));
        busy.Kill();
        if (node.EndInOrder() != 0) throw new InvalidOperationException("the node did not end in order");
        report.Judge(site.Journal);
    }

    private static void Send(Report report, Site site, Room room, CardBits[] cards, TimeSpan spacing) => report.Play(
        $"{cards.Length} frames of {cards[0].Length} bits, {spacing.TotalMilliseconds} ms apart, on a busy machine: no wrong card, at most 1 in 1,000 lost",
        _ =>
        {
            foreach (var card in cards)
            {
                room.Entry.Send(card, spacing);
                Monotonic.Sleep(_pause);
            }

            Monotonic.Sleep(_settle);
        },
        (it, facts) =>
        {
            var sent = cards.GroupBy(site.Token).ToDictionary(same => same.Key, same => same.Count());
            var read = facts.OfType<AccessDenied>().Select(fact => fact.Credential).OfType<CredentialToken>().ToList();
            var (wrong, lost, faults) = (0, 0, facts.OfType<ReaderFaulted>().Count());
            foreach (var token in read)
            {
                if (sent.TryGetValue(token, out var left) && left > 0) sent[token] = left - 1;
                else wrong++;
            }

            lost = sent.Values.Sum();
            it.Note($"{read.Count} read, {lost} lost, {wrong} wrong, {faults} faults named");
            it.Expect(wrong == 0, "a card was read that nobody showed");
            it.Expect(read.Count > 0, "no card was read at all");
            it.Expect(lost <= cards.Length * LostMax, "too many frames were lost");
            it.None<AccessGranted>(facts, "granted");
        });

    private static CardBits Card(Random random, int length)
    {
        CardBits card;
        do card = WiegandFrame.WithParity((ulong)random.NextInt64(1L << (length - 2)), length);
        while (card == Site.Card);
        return card;
    }
}
