using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

/// <summary>The console alone, on a loopback port, with a clock that the test moves.</summary>
internal sealed class ConsoleRig : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-console-");
    private readonly Dictionary<string, string> _secrets = [];
    private WebApplication _app = null!;

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(9)));

    public HttpClient Client { get; private set; } = null!;

    public string? FirstLink { get; private set; }

    public AccountDesk Desk => _app.Services.GetRequiredService<AccountDesk>();

    public SecondFactor Factor => _app.Services.GetRequiredService<SecondFactor>();

    public ConsoleSessions Sessions => _app.Services.GetRequiredService<ConsoleSessions>();

    public Store Store => _app.Services.GetRequiredService<Store>();

    public static async Task<ConsoleRig> StartAsync()
    {
        var rig = new ConsoleRig();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "physsec-hub", ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(rig.Clock).AddSingleton(Store.Open(Path.Combine(rig._folder.FullName, "hub.db")));
        builder.Services.AddAuthentication(it => it.DefaultScheme = IdentityConstants.ApplicationScheme).AddIdentityCookies();
        builder.Services.AddAuthorization();
        builder.AddConsole(rig._folder.FullName, new("test", TimeZoneInfo.CreateCustomTimeZone("JST", TimeSpan.FromHours(9), "JST", "JST")));
        rig._app = builder.Build();
        rig._app.UseConsoleHeaders();
        rig._app.UseAuthentication();
        rig._app.UseAuthorization();
        rig._app.MapConsole();
        rig.FirstLink = await rig._app.PrepareConsoleAsync(rig._folder.FullName);
        await rig._app.StartAsync();
        var address = rig._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        rig.Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CheckCertificateRevocationList = true, CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(address) };
        return rig;
    }

    /// <summary>Makes the account of a link, with an authenticator of its own.</summary>
    public async Task<(string? Fault, SignedIn? Account, IReadOnlyList<string> Codes)> EnrolAsync(string link, string name, string password = "a long enough sentence")
    {
        var (fault, account, codes, secret) = await EnrolAsync(_app.Services, Clock, link, name, password);
        if (account is null) return (fault, null, codes);
        _secrets[account.Id] = secret;
        return (null, account, codes);
    }

    /// <summary>The same at a console that somebody else has put together.</summary>
    public static async Task<(string? Fault, SignedIn? Account, IReadOnlyList<string> Codes, string Secret)> EnrolAsync(
        IServiceProvider console, TimeProvider clock, string link, string name, string password = "a long enough sentence")
    {
        using var scope = console.CreateScope();
        var secret = Totp.NewSecret();
        var (fault, account, codes) = await console.GetRequiredService<AccountDesk>().EnrolAsync(
            scope.ServiceProvider.GetRequiredService<UserManager<Account>>(), CodeOf(link), name, password, secret, Totp.Code(secret, Totp.Step(clock.GetUtcNow())));
        return (fault, account is null ? null : new(account.Id, account.UserName!, account.Role, account.Scope), codes, secret);
    }

    public async Task<SignedIn> FirstAdministratorAsync() => (await EnrolAsync(FirstLink!, "Suzuki")).Account!;

    public async Task<Account?> SignInAsync(string name, string password, string code, string address = "192.0.2.1")
    {
        using var scope = _app.Services.CreateScope();
        return await scope.ServiceProvider.GetRequiredService<SignIn>().CheckAsync(name, password, code, address);
    }

    public System.Security.Claims.ClaimsPrincipal PrincipalOf(Account account)
    {
        using var scope = _app.Services.CreateScope();
        return scope.ServiceProvider.GetRequiredService<SignIn>().Principal(account);
    }

    /// <summary>The digits of the next half minute, which nobody has used.</summary>
    public string NextCode(SignedIn who)
    {
        Clock.Advance(TimeSpan.FromSeconds(30));
        return Totp.Code(_secrets[who.Id], Totp.Step(Clock.GetUtcNow()));
    }

    /// <summary>How often the ledger names this act.</summary>
    public long Acts(string verb) => Store.Read(it => it.Number("select count(*) from ledger where kind = $kind", ("$kind", "hub." + verb)));

    public static string CodeOf(string link) => link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..].ToString(CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
    }
}
