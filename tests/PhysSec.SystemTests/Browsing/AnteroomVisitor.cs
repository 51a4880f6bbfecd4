using PhysSec.Rig;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The tests that share the room with two doors and its administrator.</summary>
[CollectionDefinition]
public sealed class AnteroomCollection : ICollectionFixture<AnteroomVisitor>;

/// <summary>A room of its own, wired as the demo's (an OSDP reader, supervised lines, a fire contact), and somebody at its console.</summary>
public sealed class AnteroomVisitor : IAsyncLifetime
{
    private Instance? _instance;
    private Browser? _browser;
    private ConsolePerson? _administrator;

    public Instance Instance => _instance!;

    public ConsolePerson Administrator => _administrator!;

    public async ValueTask InitializeAsync()
    {
        var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(RunningRoom.Artefacts, "anteroom.log")) { AutoFlush = true });
        _instance = await Instance.StartAsync(new InstanceOptions { Board = InstanceOptions.TwoDoors, Say = log.WriteLine }, CancellationToken.None);
        _browser = await Browser.StartAsync();
        _administrator = await ConsolePerson.JoinAsync(
            await _browser.VisitAsync(_instance.Console, 1280, 900), _instance.FirstSignIn ?? throw new RigException("the hub gave no one-time sign-in link"), ConsoleVisitor.First);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        if (_instance is not null) await _instance.DisposeAsync();
    }
}
