using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Hosting.Systemd;
using PhysSec.Hub.Access;
using PhysSec.Hub.Api;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Web;

namespace PhysSec.Hub;

/// <summary>The hub as one process: store, broker, both roads, API and console.</summary>
internal static class Serving
{
    private const string FirstSignIn = "first-sign-in.txt";

    public static async Task<int> RunAsync(string folder, string? configuration, TimeProvider clock)
    {
        await using var state = HubHome.Open(folder, configuration, clock);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 })
        {
            // AddSystemd looks at the parent process, which ProtectProc=invisible hides. The socket that systemd gives is the better sign.
            builder.Services.AddSingleton<ISystemdNotifier, SystemdNotifier>().AddSingleton<IHostLifetime, SystemdLifetime>();
        }

        builder.Logging.ClearProviders().AddSimpleConsole(it => it.SingleLine = true).AddFilter("Microsoft", LogLevel.Warning);
        Listen(builder, state, clock);
        AddServices(builder.Services, state, clock);
        builder.AddConsole(state.Folder, new ConsoleSite(state.Configuration.Site, SiteZone(state.Configuration.TimeZone)));

        await using var app = builder.Build();
        app.UseConsoleHeaders();
        app.UseExceptionHandler(Problems.Options);
        app.UseWhen(it => it.Request.Path.StartsWithSegments("/api"), api => api.UseStatusCodePages()); // No refusal without a sentence.
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.MapOpenApi();
        HubApi.Map(app);
        app.MapConsole();
        var link = await app.PrepareConsoleAsync(state.Folder);
        await app.StartAsync();

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First(it => !it.Contains("unix:", StringComparison.Ordinal));
        app.Services.GetRequiredService<Enrolments>().Console = new Uri(address);
        SayFirstSignIn(state.Folder, address, link);
        var broker = app.Services.GetRequiredService<NodeLink>();
        var host = state.Configuration.Broker.Kind == "embedded" ? state.Configuration.Broker.Listen : state.Configuration.Broker.Host;
        Console.WriteLine($"listening {address} broker mqtts://{host}:{broker.Port}");
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static TimeZoneInfo SiteZone(string id) => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone)
        ? zone : TimeZoneInfo.CreateCustomTimeZone(id, TimeSpan.FromHours(9), id, id); // Asia/Tokyo has had no summer time since 1951.

    private static void Listen(WebApplicationBuilder builder, HubHome state, TimeProvider clock)
    {
        var console = state.Configuration.Console;
        var address = IPAddress.Parse(console.Listen);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 16 << 20;
            kestrel.Listen(address, console.Port, endpoint =>
            {
                if (!console.IsSecure) return;
                var issued = state.Authority.Issue(state.Configuration.Names[0], Kinds.Broker, clock.GetUtcNow(), state.Configuration.Names);
                using var pem = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
                endpoint.UseHttps(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null));
            });
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(LocalSocket.Claim(state.Folder)));
    }

    internal static void AddServices(IServiceCollection services, HubHome state, TimeProvider clock)
    {
        services.AddSingleton(clock).AddSingleton(state).AddSingleton(state.Store).AddSingleton(state.Keys).AddSingleton(state.Configuration);
        services.AddHub();
        services.AddAuthentication(it => it.DefaultScheme = IdentityConstants.ApplicationScheme)
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.Name, null)
            .AddIdentityCookies();
        services.AddRateLimiter(HubApi.AddLimits);
        services.AddAuthorization(it => HubApi.AddPolicies(it));
        services.AddOpenApi(it => it.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "PhysSec hub";
            document.Info.Version = "1";
            return Task.CompletedTask;
        }));
        services.AddProblemDetails();
        services.Configure<RouteHandlerOptions>(it => it.ThrowOnBadRequest = true); // So that the answer names the field.
        services.ConfigureHttpJsonOptions(it =>
        {
            it.SerializerOptions.Encoder = AccessJson.Options.Encoder;
            foreach (var converter in AccessJson.Options.Converters) it.SerializerOptions.Converters.Add(converter);
        });
        services.Configure<HostOptions>(it => it.ShutdownTimeout = TimeSpan.FromSeconds(10));
    }

    private static void SayFirstSignIn(string folder, string address, string? link)
    {
        var file = Path.Combine(folder, FirstSignIn);
        if (link is null)
        {
            File.Delete(file);
            return;
        }

        PrivateFiles.Write(file, link + "\n");
        var where = Console.IsOutputRedirected ? $"the link is in {file} リンクはこのファイルにあります" : address + link; // A log outlives the link and is read by others.
        Console.WriteLine($"first sign-in, once, within 24 h (初回サインイン・1回限り): {where}");
    }
}
