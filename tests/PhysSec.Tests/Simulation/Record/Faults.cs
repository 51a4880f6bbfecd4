namespace PhysSec.Tests.Simulation.Record;

/// <summary>What goes wrong in a round: some of the kinds, each at random moments.</summary>
internal sealed class Faults
{
    private readonly Round _round;
    private readonly Random _random;
    private readonly List<(string Name, int OneIn, Action Do)> _kinds;

    /// <param name="round">Where.</param>
    /// <param name="random">When.</param>
    /// <param name="only">These kinds and no others, and often; null: most of them.</param>
    public Faults(Round round, Random random, IReadOnlyCollection<string>? only = null)
    {
        (_round, _random) = (round, random);
        List<(string, int, Action)> all =
        [
            ("line cut", 30, round.Broker.CutOne),
            ("partition", 60, Partition),
            ("slow line", 60, Slow),
            ("hub killed", 120, HubKilled),
            ("hub killed at an await", 120, () => round.Hub.Life.DiesAt = round.Hub.Life.Age + random.Next(60)),
            ("hub restored from a backup", 150, round.RestoreHub),
            ("backup taken", 60, round.TakeBackup),
            ("node killed", 100, () => WithOne(it => Restart(it, () => { }))),
            ("node killed at an await", 60, () => WithOne(it => it.Life.DiesAt = it.Life.Age + random.Next(40))),
            ("torn write", 120, () => WithOne(Torn)),
            ("damaged journal", 200, () => WithOne(it => Restart(it, () => Damage(it)))),
            ("card imaged", 80, () => WithOne(it => it.Image = it.Disk())),
            ("re-imaged node", 150, () => WithOne(it => Restart(it, () => Reimage(it)))),
            ("cloned card", 400, Clone),
            ("full disk", 100, () => WithOne(it => it.Thin())),
        ];
        if (!round.Broker.Embedded) all.AddRange([("broker crash", 120, BrokerCrash), ("hub's line cut", 60, round.Broker.LoseHub)]);
        _kinds = only is not null ? [.. all.Where(it => only.Contains(it.Item1)).Select(it => it with { Item2 = it.Item2 / 3 })] : [.. all.Where(_ => random.Next(3) > 0)]; // Most kinds, never the same ones: a few alone find what all together hide.
    }

    public void Draw()
    {
        foreach (var (name, oneIn, what) in _kinds)
        {
            if (_random.Next(oneIn) != 0) continue;
            _round.Tally.Fault(name);
            _round.Say?.Invoke(name);
            what();
        }

        if (!_round.Broker.Embedded && !_round.Broker.HubLinked && _random.Next(5) == 0) _round.Broker.LinkHub();
    }

    private void WithOne(Action<Board> what)
    {
        if (_round.Boards.Where(it => it.Running).ToList() is { Count: > 0 } running) what(running[_random.Next(running.Count)]);
    }

    private void Partition() => WithOne(it =>
    {
        var which = _random.Next(3);
        _round.Broker.Cut(it.Name, up: which != 1, down: which != 0);
        _round.After(_random.Next(1, 40), () => _round.Broker.Cut(it.Name, false, false));
    });

    private void Slow()
    {
        _round.Broker.DelayMax = _random.Next(500, 6_000);
        _round.After(_random.Next(1, 20), () => _round.Broker.DelayMax = 150);
    }

    private void HubKilled()
    {
        _round.KillHub();
        _round.After(_random.Next(15), _round.StartHub);
    }

    private void BrokerCrash()
    {
        _round.Broker.Crash();
        _round.After(_random.Next(10), _round.Broker.Revive);
    }

    private void Restart(Board it, Action meanwhile)
    {
        it.Kill();
        meanwhile();
        if (_random.Next(2) == 0) _round.StartBoard(it);
        else _round.After(_random.Next(6), () => _round.StartBoard(it));
    }

    private void Torn(Board it)
    {
        it.Tear(_round.Something());
        _round.After(_random.Next(4), () => _round.StartBoard(it));
    }

    private void Damage(Board it)
    {
        var disk = it.Disk();
        var (name, bytes) = disk.Where(file => file.Value.Length > 0).OrderBy(file => file.Key, StringComparer.Ordinal).ElementAt(_random.Next(disk.Count(file => file.Value.Length > 0)));
        var at = _random.Next(bytes.Length);
        switch (_random.Next(3))
        {
            case 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                bytes.AsSpan(at, Math.Min(512, bytes.Length - at)).Clear();
                break;
            default:
                disk[name] = bytes[..at];
                break;
        }

        it.Write(disk);
    }

    /// <summary>An older copy of the card, or an empty one.</summary>
    private void Reimage(Board it) => it.Write(it.Image is { } image && _random.Next(3) > 0 ? image : []);

    private void Clone()
    {
        if (_round.Boards.Count < 4) WithOne(_round.Clone);
    }
}
