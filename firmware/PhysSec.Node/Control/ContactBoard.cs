using PhysSec.Core;
using PhysSec.Core.Alarms;

namespace PhysSec.Node.Control;

/// <summary>The contacts of the board: what each one says, and whether it says anything.</summary>
internal sealed class ContactBoard(IReadOnlyList<ContactSetup> contacts)
{
    /// <summary>A contact that has said nothing for this long after the start is silent.</summary>
    internal static readonly TimeSpan FirstWordWithin = TimeSpan.FromSeconds(10);

    private readonly List<Contact> _contacts = [.. contacts.Select(it => new Contact(it))];
    private TimeSpan _startedAt;

    internal void Start(StepContext step) => _startedAt = step.Uptime;

    internal bool Owns(string alarmClass, string source) =>
        _contacts.Exists(it => it.Setup.Device == source && (alarmClass is AlarmClasses.SensorSilent or AlarmClasses.Tamper || alarmClass == ClassOf(it.Setup.Role)));

    /// <summary>False when nothing changed: contacts are read again after a jam.</summary>
    internal bool Take(StepContext step, AlarmBoard alarms, ContactChanged it)
    {
        var contact = _contacts.Find(known => known.Setup.Device == it.Device);
        if (contact is null) _contacts.Add(contact = new(new(it.Device, it.Role, it.Door)));
        if (contact.Heard && contact.Active == it.Active && contact.Line == it.Line) return false;
        (contact.Heard, contact.Active, contact.Line) = (true, it.Active, it.Line);

        step.Publish(new(it.Device), it.Active, it.Active is null ? "fault" : "good", "");
        if (it.Active is not { } active)
        {
            // UNKNOWN-IS-NOT-OK: what this contact has raised stays raised.
            var (unknown, detail) = Unknown(it.Line);
            alarms.Raise(step, unknown, it.Device, detail);
            return true;
        }

        alarms.Clear(step, AlarmClasses.SensorSilent, it.Device);
        if (ClassOf(it.Role) is not AlarmClasses.Tamper) alarms.Clear(step, AlarmClasses.Tamper, it.Device); // That of its line.
        if (ClassOf(it.Role) is not { } alarmClass) return true;
        var wrong = it.Role == ContactRole.Mains ? !active : active;
        if (wrong) alarms.Raise(step, alarmClass, it.Device);
        else alarms.Clear(step, alarmClass, it.Device);
        return true;
    }

    /// <summary>What the contacts of a door's bolts say together; where they differ, as the one says that does not obey.</summary>
    internal bool? Secured(DoorId door, bool released)
    {
        var said = _contacts.Where(it => it.Setup.Role == ContactRole.LockFeedback && it.Setup.Door == door).Select(it => it.Active).Distinct().ToList();
        return said.Contains(released) ? released : said.Contains(null) ? null : !released;
    }

    internal bool AnySays(ContactRole role, DoorId door) => _contacts.Exists(it => it.Setup.Role == role && it.Setup.Door == door && it.Active == true);

    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        if (step.Uptime - _startedAt < FirstWordWithin) return;
        foreach (var it in _contacts.Where(it => !it.Heard))
            alarms.Raise(step, AlarmClasses.SensorSilent, it.Setup.Device, "the contact has said nothing since the start");
    }

    /// <summary>A wire that is cut, shorted, earthed or driven from outside is tampering until somebody has looked; what fits no state is a fault.</summary>
    private static (string Class, string Detail) Unknown(LineFault? line) => line switch
    {
        null => (AlarmClasses.SensorSilent, "the contact cannot be read"),
        LineFault.Cut => (AlarmClasses.Tamper, "the line is cut"),
        LineFault.Shorted => (AlarmClasses.Tamper, "the line is shorted"),
        LineFault.Ground => (AlarmClasses.Tamper, "the line touches earth"),
        LineFault.ForeignVoltage => (AlarmClasses.Tamper, "a foreign voltage is on the line"),
        LineFault.OutOfBand => (AlarmClasses.SensorSilent, "the line is in none of its states: look at its resistors and joints"),
        LineFault.Unreadable => (AlarmClasses.SensorSilent, "the line's converter cannot be read"),
        _ => (AlarmClasses.SensorSilent, "the line is in no known state"),
    };

    private static string? ClassOf(ContactRole role) => role switch
    {
        ContactRole.Leak => AlarmClasses.Leak,
        ContactRole.Mains => AlarmClasses.MainsLost,
        ContactRole.DoorTamper or ContactRole.EnclosureTamper => AlarmClasses.Tamper,
        ContactRole.DoorLeaf or ContactRole.ExitButton or ContactRole.LockFeedback or ContactRole.GuardArmed => null,
        ContactRole.FireRelease or ContactRole.BreakGlass or ContactRole.SeismicRelease => null, // The door says what it made of it.
        _ => null,
    };

    private sealed class Contact(ContactSetup setup)
    {
        public ContactSetup Setup { get; } = setup;

        public bool Heard { get; set; }

        public bool? Active { get; set; }

        public LineFault? Line { get; set; }
    }
}
