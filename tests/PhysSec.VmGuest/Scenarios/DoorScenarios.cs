using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.VmGuest.Machine;
using static PhysSec.VmGuest.Scenarios.Times;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>Who comes in, who does not, and what a door tells of itself.</summary>
internal static class DoorScenarios
{
    public static void Play(Report report, Room room)
    {
        report.Play("a known card releases the lock, and the door locks when it opens", it =>
        {
            var end = room.Badge(Site.Card);
            it.Within(Since(end, () => room.LockOn, Soon), "lock on");
            it.Expect(room.LedOn, "the reader's light is off");
            room.Leaf(open: true);
            it.Within(Monotonic.Until(() => !room.LockOn, Soon), "lock off");
            Monotonic.Sleep(Soon);
            room.Leaf(open: false);
            Monotonic.Sleep(Flash);
            it.Expect(!room.LedOn, "the reader's light stays on");
        }, (it, facts) =>
        {
            it.One<AccessGranted>(facts, fact => fact.Person == Site.Sato && fact.Direction == Direction.In && fact.PolicyVersion == 1, "granted to p-sato");
            it.One<Passage>(facts, fact => fact.Person == Site.Sato && fact.InsideAfter == 1, "p-sato went in");
            it.One<DoorChanged>(facts, fact => fact is { From: DoorPhase.Released, To: DoorPhase.Open, By: "contact" }, "released to open");
            it.One<DoorChanged>(facts, fact => fact is { From: DoorPhase.Open, To: DoorPhase.Locked }, "open to locked");
            it.None<AlarmRaised>(facts, "an alarm");
        });

        report.Play("an unknown card is refused with a tone, and the lock never moves", it =>
        {
            room.Badge(Site.UnknownCard);
            it.Within(Monotonic.Until(() => room.BuzzerOn, Soon), "tone");
            it.Expect(Monotonic.Until(() => room.LockOn || room.LedOn, Flash) is null, "the lock or the light came on");
            Monotonic.Sleep(Soon);
            it.Expect(!room.BuzzerOn, "the tone does not end");
        }, (it, facts) =>
        {
            it.One<AccessDenied>(facts, fact => fact is { Reason: DenialReason.UnknownCredential, Code: 30, Person: null }, "denied, unknown card");
            it.None<AccessGranted>(facts, "granted");
        });

        report.Play("a frame with a wrong parity is no card", it =>
        {
            room.Badge(Site.Card with { Value = Site.Card.Value ^ 1 });
            it.Expect(Monotonic.Until(() => room.LockOn, Flash) is null, "the lock came on");
        }, (it, facts) =>
        {
            it.One<ReaderFaulted>(facts, fact => fact.Fault == nameof(ReaderFault.Parity), "parity fault");
            it.None<AccessGranted>(facts, "granted");
            it.None<AccessDenied>(facts, "denied");
        });

        report.Play("a release that nobody uses ends by itself", it =>
        {
            room.Badge(Site.Card);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on");
            it.Within(Monotonic.Until(() => !room.LockOn, Release + Soon), "lock off");
            Monotonic.Sleep(Soon + Soon);
        }, (it, facts) =>
        {
            it.One<NoPassage>(facts, fact => fact.Person == Site.Sato, "p-sato did not go in");
            it.None<AlarmRaised>(facts, "an alarm");
        });

        report.Play("the exit button frees the door and the way out is no alarm", it =>
        {
            room.Button(pressed: true);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on");
            room.Button(pressed: false);
            room.Leaf(open: true);
            Monotonic.Sleep(Soon);
            it.Expect(!room.LockOn, "the lock stays on after the opening");
            room.Leaf(open: false);
            Monotonic.Sleep(Flash);
        }, (it, facts) =>
        {
            it.One<ExitRequested>(facts, fact => fact.InsideBefore == 1, "exit requested");
            it.One<Passage>(facts, fact => fact.Direction == Direction.Out, "somebody went out");
            it.None<AlarmRaised>(facts, "an alarm");
        });

        report.Play("a door opened without a release is forced: lamp and siren until it is shut", it =>
        {
            room.Leaf(open: true);
            it.Within(Monotonic.Until(() => room.LampOn && room.SirenOn, Soon), "lamp and siren");
            room.Leaf(open: false);
            it.Within(Monotonic.Until(() => !room.LampOn && !room.SirenOn, Soon), "quiet");
        }, (it, facts) =>
        {
            it.One<DoorChanged>(facts, fact => fact.To == DoorPhase.Forced, "forced");
            it.One<AlarmRaised>(facts, fact => fact.Class == AlarmClasses.DoorForced, "alarm door-forced");
            it.One<AlarmCleared>(facts, fact => fact.Class == AlarmClasses.DoorForced, "door-forced cleared");
        });

        report.Play("a door held open warns first and then raises an alarm until it is shut", it =>
        {
            room.Badge(Site.Card);
            it.Within(Monotonic.Until(() => room.LockOn, Soon), "lock on");
            room.Leaf(open: true);
            Monotonic.Sleep(TimeSpan.FromSeconds(Site.OpenSeconds - Site.PreAlarmSeconds - 0.5));
            it.Expect(!room.BuzzerOn, "the warning came too early");
            it.Within(Monotonic.Until(() => room.BuzzerOn, TimeSpan.FromSeconds(1)), "warning tone");
            it.Expect(!room.LampOn, "the alarm came with the warning");
            it.Within(Monotonic.Until(() => room.LampOn, TimeSpan.FromSeconds(Site.PreAlarmSeconds) + Soon), "lamp");
            room.Leaf(open: false);
            it.Within(Monotonic.Until(() => !room.LampOn && !room.BuzzerOn, Soon), "quiet");
        }, (it, facts) =>
        {
            it.One<DoorChanged>(facts, fact => fact.To == DoorPhase.PreAlarm, "pre-alarm");
            it.One<AlarmRaised>(facts, fact => fact.Class == AlarmClasses.DoorHeld && fact.Limit == Site.OpenSeconds, "alarm door-held");
            it.One<AlarmCleared>(facts, fact => fact.Class == AlarmClasses.DoorHeld, "door-held cleared");
        });
    }
}
