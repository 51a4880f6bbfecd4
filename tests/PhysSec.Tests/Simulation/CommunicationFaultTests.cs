using System.Collections.Concurrent;
using System.Security.Cryptography;
using CsCheck;
using PhysSec.Node.Journal;
using PhysSec.Tests.Journal;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Simulation;

/// <summary>R-ACC-14, SECURE-BY-DEFAULT, FRESH, EGRESS.</summary>
public sealed class CommunicationFaultTests(ITestOutputHelper output) : IDisposable
{
    private const int Trials = 10_000;

    private readonly TestSite _site = new();
    private readonly ECDsa _stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ConcurrentBag<(JournalFolder Folder, JournalStore Store)> _journals = [];

    public void Dispose()
    {
        foreach (var (folder, store) in _journals)
        {
            store.Dispose();
            folder.Dispose();
        }

        _stranger.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void Ten_thousand_trials_of_failing_communications_release_no_door_and_leave_the_way_out_free()
    {
        var (faults, commanded, exits) = (0L, 0L, 0L);
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            if (!_journals.TryTake(out var journal)) journal = Open();
            try
            {
                var trial = new CommunicationTrial(_site, journal.Store, _stranger, seed);
                trial.Begin();
                Assert.Equal(0, trial.Releases);
                trial.ReleaseByCommand();
                Assert.Equal(1, trial.Releases); // The trial can see a release, and the next ones play this one again.
                Assert.False(trial.Free, "the released door was not locked again in time");

                trial.GoWrong(12);
                Assert.Equal(1, trial.Releases);
                Assert.False(trial.Free, "a door stands released without anybody");

                trial.PressExitButton();
                Assert.Equal(2, trial.Releases);
                Interlocked.Add(ref faults, trial.Faults);
                Interlocked.Increment(ref commanded);
                Interlocked.Increment(ref exits);
            }
            finally
            {
                _journals.Add(journal);
            }
        }, iter: Trials, threads: 2);
        output.WriteLine($"{commanded} trials, {faults} faults: 0 releases by them; {commanded} of {commanded} commands and {exits} of {exits} exit buttons released once");
    }

    private static (JournalFolder, JournalStore) Open()
    {
        var folder = new JournalFolder();
        return (folder, folder.Open());
    }
}
