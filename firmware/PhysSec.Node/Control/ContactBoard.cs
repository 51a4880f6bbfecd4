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
        _contacts.Exists(it => it.Setup.Device == source && (alarmClass == AlarmClasses.SensorSilent || alarmClass == ClassOf(it.Setup.Role)));

    /// <summary>False when nothing changed: contacts are read again after a jam.</summary>
    internal bool Take(StepContext step, AlarmBoard alarms, ContactChanged it)
    {
        var contact = _contacts.Find(known => known.Setup.Device == it.Device);
        if (contact is null) _contacts.Add(contact = new(new(it.Device, it.Role, it.Door)));
        if (contact.Heard && contact.Active == it.Active) return false;
        (contact.Heard, contact.Active) = (true, it.Active);

        step.Publish(new(it.Device), it.Active, it.Active is null ? "fault" : "good", "");
        if (it.Active is not { } active)
        {
            // UNKNOWN-IS-NOT-OK: what this contact has raised stays raised.
            alarms.Raise(step, AlarmClasses.SensorSilent, it.Device, "the contact cannot be read");
            return true;
        }

        alarms.Clear(step, AlarmClasses.SensorSilent, it.Device);
        if (ClassOf(it.Role) is not { } alarmClass) return true;
        var wrong = it.Role == ContactRole.Mains ? !active : active;
        if (wrong) alarms.Raise(step, alarmClass, it.Device);
        else alarms.Clear(step, alarmClass, it.Device);
        return true;
    }

    internal void Pass(StepContext step, AlarmBoard alarms)
    {
        if (step.Uptime - _startedAt < FirstWordWithin) return;
        foreach (var it in _contacts.Where(it => !it.Heard))
            alarms.Raise(step, AlarmClasses.SensorSilent, it.Setup.Device, "the contact has said nothing since the start");
    }

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
    }
}
