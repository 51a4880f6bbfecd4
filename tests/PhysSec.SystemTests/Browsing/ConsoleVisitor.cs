using Microsoft.Data.Sqlite;
using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The tests that share one browser and its people.</summary>
[CollectionDefinition]
public sealed class ConsoleCollection : ICollectionFixture<ConsoleVisitor>;

/// <summary>Who works at the console of the shared room. The first administrator comes through the one-time link; the others are invited when a test first needs them.</summary>
public sealed class ConsoleVisitor(RunningRoom room) : IAsyncLifetime
{
    public const string First = "kanri";
    private const int Desktop = 1280;

    private Browser? _browser;
    private ConsolePerson? _administrator;
    private ConsolePerson? _second;
    private ConsolePerson? _operator;
    private ConsolePerson? _auditor;

    public Instance Instance => room.Instance;

    public Browser Browser => _browser!;

    public ConsolePerson Administrator => _administrator!;

    public async ValueTask InitializeAsync()
    {
        _browser = await Browser.StartAsync();
        _administrator = await JoinAsync(room.Instance.FirstSignIn ?? throw new RigException("the hub gave no one-time sign-in link"), First, "first-sign-in-1280");
    }

    public async Task<ConsolePerson> OperatorAsync() =>
        _operator ??= await JoinAsync(await InvitedAsync("operator", "運用を担当するため"), "unyo");

    /// <summary>Invited by the only administrator a moment ago.</summary>
    public async Task<ConsolePerson> SecondAdministratorAsync() =>
        _second ??= await JoinAsync(await InvitedAsync("administrator", "2人目の管理者"), "fukukan");

    /// <summary>Requested by the first administrator, approved by the second.</summary>
    public async Task<ConsolePerson> AuditorAsync()
    {
        if (_auditor is not null) return _auditor;

        var second = await SecondAdministratorAsync();
        ADayPasses(Instance);
        await RequestAuditorAsync();
        return _auditor = await JoinAsync(await ApprovedAsync(second), "kansa");
    }

    /// <summary>Fills in the invitation; what comes of it depends on the role.</summary>
    public async Task InviteAsync(string role, string reason)
    {
        var page = Administrator.Page;
        await page.GotoAsync("/accounts");
        await page.GetByTestId("invite-role").SelectOptionAsync(role);
        await page.GetByTestId("invite-reason").FillAsync(reason);
        await page.GetByTestId("invite-submit").ClickAsync();
    }

    public async Task RequestAuditorAsync()
    {
        await InviteAsync("auditor", "年次監査のため");
        await Expect(Administrator.Page.GetByTestId("pending-row")).ToHaveCountAsync(1);
    }

    /// <summary>The approver's own code; the link that comes of it.</summary>
    public static async Task<string> ApprovedAsync(ConsolePerson approver)
    {
        ArgumentNullException.ThrowIfNull(approver);
        await approver.Page.GotoAsync("/accounts");
        await approver.Page.GetByTestId("pending-approve").ClickAsync();
        await approver.Page.GetByTestId("dialog-code").FillAsync(await approver.NextCodeAsync());
        await approver.Page.GetByTestId("dialog-confirm").ClickAsync();
        return await approver.Page.GetByTestId("invitation-link").InnerTextAsync();
    }

    public async Task<ConsolePerson> JoinAsync(string link, string name, string? picture = null) =>
        await ConsolePerson.JoinAsync(await Browser.VisitAsync(Instance.Console, Desktop, 900), link, name, picture);

    /// <summary>Shows a card until the page says what is expected: whoever a slow disk held back shows it once more, as a person does.</summary>
    public async Task ShowAsync(string badge, ILocator answer, string expected)
    {
        for (var again = false; ; again = true)
        {
            await Instance.ActAsync($"badge {badge}");
            try
            {
                await Expect(answer).ToContainTextAsync(expected);
                return;
            }
            catch (PlaywrightException) when (!again)
            {
                continue;
            }
        }
    }

    /// <summary>As if the accounts that one administrator made alone had been made a day earlier.</summary>
    public static void ADayPasses(Instance instance)
    {
        ArgumentNullException.ThrowIfNull(instance);
        using var accounts = new SqliteConnection($"Data Source={Path.Combine(instance.HubFolder, "operators.db")};Pooling=False");
        accounts.Open();
        using var command = accounts.CreateCommand();
        command.CommandText = "update AspNetUsers set AloneAt = '2026-01-01 00:00:00+00:00' where AloneAt is not null";
        Assert.NotEqual(0, command.ExecuteNonQuery());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
    }

    private async Task<string> InvitedAsync(string role, string reason)
    {
        await InviteAsync(role, reason);
        return await Administrator.Page.GetByTestId("invitation-link").InnerTextAsync();
    }
}
