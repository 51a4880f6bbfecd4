using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using MudBlazor.Services;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Desk;
using PhysSec.Hub.Web.Entry;
using PhysSec.Hub.Web.Frame;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web;

/// <summary>What the console needs to know of its site.</summary>
public sealed record ConsoleSite(string Name, TimeZoneInfo TimeZone);

/// <summary>Puts the console into the hub's process. Nothing it serves refers to another machine.</summary>
public static class ConsoleSetup
{
    /// <summary>Accounts live in <c>operators.db</c>, the keys of cookies and authenticator secrets in <c>keys/console</c>, both under the state directory.</summary>
    public static WebApplicationBuilder AddConsole(this WebApplicationBuilder builder, string stateDirectory, ConsoleSite site)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(site);
        builder.WebHost.UseStaticWebAssets();
        // A request line holds one-time codes and search terms: neither belongs in a log.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error).AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error);
        var services = builder.Services;
        var keys = Directory.CreateDirectory(
            Path.Combine(stateDirectory, "keys", "console"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        services.AddDataProtection().SetApplicationName("physsec-console").PersistKeysToFileSystem(keys);
        services.AddDbContextFactory<OperatorsDb>(it => it.UseSqlite($"Data Source={Path.Combine(stateDirectory, "operators.db")}"));

        services.AddIdentityCore<Account>(it =>
        {
            it.Password = new() { RequiredLength = 12, RequireDigit = false, RequireLowercase = false, RequireUppercase = false, RequireNonAlphanumeric = false, RequiredUniqueChars = 4 };
            it.Lockout = new() { AllowedForNewUsers = false }; // SignInTries: a lock on the name alone would let anybody lock everybody out.
            it.User.AllowedUserNameCharacters = "";
        }).AddEntityFrameworkStores<OperatorsDb>();
        services.ConfigureApplicationCookie(Cookie);

        services.AddSingleton(site);
        services.AddSingleton(new SiteTime(site.TimeZone));
        services.AddSingleton<SecondFactor>();
        services.AddSingleton<SignInTries>();
        services.AddSingleton<AccountDesk>();
        services.AddSingleton<ConsoleSessions>();
        services.AddSingleton<ConsoleRecords>();
        services.AddSingleton<DeskOfAccess>();
        services.AddSingleton<ConsoleDesk>();
        services.AddSingleton<DoorDesk>();
        services.AddSingleton<ReviewDesk>();
        services.AddScoped<SignIn>();
        services.AddScoped<Words>();
        services.AddScoped<ConsoleGate>();
        services.AddScoped<AuthenticationStateProvider, CircuitIdentity>();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        services.AddAntiforgery(it =>
        {
            it.Cookie.Name = "physsec-form";
            it.Cookie.SameSite = SameSiteMode.Strict;
            it.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddMudServices();
        services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(it =>
        {
            it.KeepAliveInterval = TimeSpan.FromSeconds(3); // The page says within 10 s that the connection is lost.
            it.ClientTimeoutInterval = TimeSpan.FromSeconds(90); // Browsers slow the timers of hidden tabs down to one a minute.
        });
        return builder;
    }

    /// <summary>Call before any endpoint is mapped: it stamps every answer with the security headers.</summary>
    public static WebApplication UseConsoleHeaders(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy =
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
                "form-action 'self'; frame-ancestors 'none'; base-uri 'self'";
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            return next(context);
        });
        return app;
    }

    /// <summary>Pages, assets and the small endpoints around sign-in. Authentication and authorization must already be in the pipeline.</summary>
    public static WebApplication MapConsole(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseAntiforgery();
        app.MapStaticAssets(Path.Combine(AppContext.BaseDirectory, "physsec-hub.staticwebassets.endpoints.json")).AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(it => it.ContentSecurityFrameAncestorsPolicy = null); // UseConsoleHeaders says it.
        EntryEndpoints.Map(app);
        return app;
    }

    /// <summary>Makes the accounts' database where there is none yet, readable by its owner only.</summary>
    /// <returns>The path of a one-time sign-in link while no account exists; null afterwards.</returns>
    public static async Task<string?> PrepareConsoleAsync(this WebApplication app, string stateDirectory)
    {
        ArgumentNullException.ThrowIfNull(app);
        // The file is there with its mode before SQLite opens it: the write-ahead log inherits the mode.
        var owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (File.Open(Path.Combine(stateDirectory, "operators.db"), new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, UnixCreateMode = owner }))
        {
        }

        var databases = app.Services.GetRequiredService<IDbContextFactory<OperatorsDb>>();
        await using (var db = await databases.CreateDbContextAsync())
        {
            await db.Database.EnsureCreatedAsync();
            await db.AddNewColumnsAsync();
        }

        return await app.Services.GetRequiredService<AccountDesk>().FirstLinkAsync();
    }

    private static void Cookie(CookieAuthenticationOptions it)
    {
        it.Cookie.Name = "physsec-session";
        it.Cookie.HttpOnly = true;
        it.Cookie.SameSite = SameSiteMode.Strict;
        it.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        it.LoginPath = "/sign-in";
        it.AccessDeniedPath = "/not-allowed";
        it.ReturnUrlParameter = "back";
        it.ExpireTimeSpan = ConsoleSessions.Idle;
        it.SlidingExpiration = true;
        it.Events.OnValidatePrincipal = async context =>
        {
            var sessions = context.HttpContext.RequestServices.GetRequiredService<ConsoleSessions>();
            if (context.Principal is { } user && await sessions.IsAliveAsync(user))
            {
                sessions.Touch(user.FindFirst(SignedIn.SessionClaim)!.Value);
                return;
            }

            context.RejectPrincipal();
        };
        it.Events.OnRedirectToLogin = context => Redirect(context, StatusCodes.Status401Unauthorized);
        it.Events.OnRedirectToAccessDenied = context => Redirect(context, StatusCodes.Status403Forbidden);
    }

    /// <summary>A program that calls the API is told the status; a person is led to a page.</summary>
    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api", StringComparison.Ordinal)) context.Response.StatusCode = status;
        else context.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }
}
