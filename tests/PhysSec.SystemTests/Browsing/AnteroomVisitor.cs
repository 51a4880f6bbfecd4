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
    private ConsolePerson? _operator;

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

    /// <summary>Invited when a test first needs one.</summary>
    public async Task<ConsolePerson> OperatorAsync()
    {
        if (_operator is not null) return _operator;
        var page = Administrator.Page;
        await page.GotoAsync("/accounts");
        await page.GetByTestId("invite-role").SelectOptionAsync("operator");
        await page.GetByTestId("invite-reason").FillAsync("運用を担当するため");
        await page.GetByTestId("invite-submit").ClickAsync();
        var link = await page.GetByTestId("invitation-link").InnerTextAsync();
        return _operator = await ConsolePerson.JoinAsync(await _browser!.VisitAsync(Instance.Console, 1280, 900), link, "unyo");
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        if (_instance is not null) await _instance.DisposeAsync();
    }
}
