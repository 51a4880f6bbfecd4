using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Sensing;
using PhysSec.Core.Wire;

namespace PhysSec.Node.Control;

/// <summary>Every measured point: its newest value, its quality and its conditions.</summary>
internal sealed class PointBoard
{
    private static readonly TimeSpan _recordEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _lookEvery = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<PointDescription> _descriptions;
    private readonly List<Point> _points;
    private TimeSpan? _recordedAt;
    private TimeSpan _lookedAt;

    internal PointBoard(IReadOnlyList<PointDescription> points) =>
        (_descriptions, _points) = (points, [.. points.Select(it => new Point(it))]);

    internal void Start(StepContext step, AlarmBoard alarms)
    {
        foreach (var it in _points)
        {
            it.State = PointState.Start(step.Uptime);
            it.SampledAt = step.Uptime;
            it.Rule = RuleOf(it, step);
            foreach (var condition in PointWatch.Conditions)
                if (alarms.IsActive(PointWatch.AlarmClass(it.Rule, condition), it.Id.Value)) it.State = it.State.Holding(condition);
        }
    }

    /// <summary>True when a condition of one of these points can have raised this alarm under the rules in force.</summary>
    internal bool Owns(string alarmClass, string source) =>
        _points.Exists(it => it.Id.Value == source && PointWatch.Conditions.Any(condition => PointWatch.AlarmClass(it.Rule, condition) == alarmClass));

    internal void Take(StepContext step, AlarmBoard alarms, IReadOnlyList<Sample> samples)
    {
        var changed = new List<Point>();
        foreach (var it in samples) Take(step, alarms, it, changed);
        foreach (var it in _descriptions.Where(it => it.Quantity == DerivedPoints.DewPointQuantity).ToList())
            if (Derive(it, samples) is { } derived) Take(step, alarms, derived, changed);
        Record(step, changed);
    }

    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        if (step.Uptime - _lookedAt < _lookEvery) return;
        _lookedAt = step.Uptime;
        var changed = new List<Point>();
        foreach (var it in _points)
        {
            Watch(step, alarms, it, null);
            if (it.Quality == "unknown" || step.Uptime - it.SampledAt < it.StaleAfter) continue;
            Qualify(it, "stale", changed);
            if (changed.Contains(it)) step.Publish(it.Id, it.Value, it.Quality, it.Description.Unit);
        }

        Record(step, changed);
        if (_recordedAt is { } last && step.Uptime - last < _recordEvery) return;
        var known = _points.Where(it => it.Quality != "unknown").ToList();
        if (known.Count == 0) return;
        _recordedAt = step.Uptime;
        Record(step, known);
    }

    /// <summary>A limit that is gone or belongs to another class now ends its alarm; the next readings are judged by the new rule.</summary>
    internal void PolicyChanged(StepContext step, AlarmBoard alarms)
    {
        foreach (var it in _points)
        {
            var rule = RuleOf(it, step);
            foreach (var condition in PointWatch.Conditions)
            {
                var before = PointWatch.AlarmClass(it.Rule, condition);
                var gone = condition switch
                {
                    Condition.High => rule.High is null,
                    Condition.Low => rule.Low is null,
                    Condition.Rate => rule.RateLimit is null,
                    _ => false,
                };
                if (!gone && before == PointWatch.AlarmClass(rule, condition)) continue;
                if (it.State.Holds(condition)) alarms.Clear(step, before, it.Id.Value, "the rule has changed");
                it.State = it.State.Without(condition);
            }

            it.Rule = rule;
        }
    }

    private void Take(StepContext step, AlarmBoard alarms, Sample sample, List<Point> changed)
    {
        if (_points.Find(it => it.Id == sample.Point) is not { } point) return; // Not of this board: nothing was promised about it.
        var reading = Judge(point.Description, sample);
        point.SampledAt = step.Uptime;
        if (reading.Value is { } value) point.Value = Math.Round(value, 3);
        Qualify(point, reading.Value is null ? "fault" : "good", changed);
        step.Publish(point.Id, reading.Value is null ? null : point.Value, point.Quality, point.Description.Unit);
        Watch(step, alarms, point, reading);
    }

    private static Reading Judge(PointDescription description, Sample sample)
    {
        if (sample.Fault is not null || sample.Value is not { } value || !double.IsFinite(value)) return Reading.Failed(sample.Fault ?? "noValue");
        return value >= description.Min && value <= description.Max ? Reading.Good(value) : Reading.Failed(Reading.OutOfRange);
    }

    private Sample? Derive(PointDescription dewPoint, IReadOnlyList<Sample> samples)
    {
        var temperature = Newest(DerivedPoints.Temperature);
        var humidity = Newest(DerivedPoints.Humidity);
        if (temperature is null && humidity is null) return null;
        if (temperature?.Value is not { } celsius || humidity?.Value is not { } relative) return Failed((temperature ?? humidity)!.Fault ?? "noValue");
        return celsius is < -45 or > 60 || relative is <= 0 or > 100
            ? Failed("notDefined")
            : new(dewPoint.Point, DewPoint.Of(celsius, relative), dewPoint.Unit, null);

        Sample? Newest(string quantity) =>
            DerivedPoints.Sibling(_descriptions, dewPoint, quantity) is { } sibling ? samples.FirstOrDefault(it => it.Point == sibling.Point) : null;

        Sample Failed(string fault) => new(dewPoint.Point, null, dewPoint.Unit, fault);
    }

    private static void Watch(StepContext step, AlarmBoard alarms, Point point, Reading? reading)
    {
        var (state, changes) = PointWatch.Step(point.State, point.Rule, reading, step.Uptime);
        point.State = state;
        foreach (var it in changes)
        {
            var unit = it.Condition switch
            {
                Condition.Silent => "s",
                Condition.Rate => point.Description.Unit + "/h",
                _ => point.Description.Unit,
            };
            var value = it.Value is { } number ? Math.Round(number, 3) : (double?)null;
            if (it.Raised) alarms.Raise(step, it.AlarmClass, point.Id.Value, it.Detail, value, it.Limit, unit);
            else alarms.Clear(step, it.AlarmClass, point.Id.Value, null, value);
        }
    }

    private static void Qualify(Point point, string quality, List<Point> changed)
    {
        if (point.Quality == quality) return;
        point.Quality = quality;
        changed.Add(point);
    }

    private static void Record(StepContext step, List<Point> points)
    {
        if (points.Count == 0) return;
        step.Measure(new([.. points.Select(it => new PointValue(it.Id, it.Quality == "good" ? it.Value : null, it.Quality))]));
    }

    private static SensingRule RuleOf(Point point, StepContext step) =>
        step.Policy?.Sensing.TryGetValue(point.Id, out var rule) == true
            ? rule
            : PointWatch.Unruled(point.Id, point.Description.PeriodSeconds);

    private sealed class Point(PointDescription description)
    {
        public PointDescription Description { get; } = description;

        public PointId Id => Description.Point;

        public TimeSpan StaleAfter { get; } = TimeSpan.FromSeconds(Math.Max(5, 3 * description.PeriodSeconds));

        public SensingRule Rule { get; set; } = PointWatch.Unruled(description.Point, description.PeriodSeconds);

        public PointState State { get; set; } = PointState.Start(TimeSpan.Zero);

        public TimeSpan SampledAt { get; set; }

        public double? Value { get; set; }

        public string Quality { get; set; } = "unknown";
    }
}
