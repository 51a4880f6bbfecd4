using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Web.Entry;

/// <summary>Language, theme, sign of life and sign-out: what needs a plain request because it sets a cookie.</summary>
internal static class EntryEndpoints
{
    public const string ThemeCookie = "physsec-theme";

    public static void Map(WebApplication app)
    {
        app.MapGet("/language/{to}", (string to, string? back, HttpContext context) =>
        {
            Keep(context, Words.Cookie, to == Words.English ? Words.English : Words.Japanese);
            return Results.LocalRedirect(Local(back));
        }).AllowAnonymous().ExcludeFromDescription();

        app.MapGet("/theme/{to}", (string to, string? back, HttpContext context) =>
        {
            Keep(context, ThemeCookie, to is "light" or "dark" ? to : "system");
            return Results.LocalRedirect(Local(back));
        }).AllowAnonymous().ExcludeFromDescription();

        // The page asks while its person is at work; the cookie slides and the session stays.
        app.MapGet("/alive", () => Results.NoContent()).RequireAuthorization(Signed).ExcludeFromDescription();

        // No token: the session cookie is SameSite=Strict, so no other site can send it.
        app.MapPost("/sign-out", async (HttpContext context, ConsoleRecords records, ConsoleSessions sessions) =>
        {
            if (SignedIn.From(context.User) is { } actor)
            {
                sessions.End(context.User.FindFirst(SignedIn.SessionClaim)?.Value ?? "");
                await records.AddAsync(actor, "sign-out", actor.Name, "");
            }

            await context.SignOutAsync(IdentityConstants.ApplicationScheme);
            return Results.LocalRedirect("/sign-in");
        }).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
    }

    /// <summary>A path of this console, or its front page: a link must not lead elsewhere.</summary>
    public static string Local(string? path) =>
        path is { Length: > 0 } && path[0] == '/' && !path.StartsWith("//", StringComparison.Ordinal) && !path.StartsWith("/\\", StringComparison.Ordinal) ? path : "/";

    private static void Signed(Microsoft.AspNetCore.Authorization.AuthorizationPolicyBuilder it) =>
        it.AddAuthenticationSchemes(IdentityConstants.ApplicationScheme).RequireAuthenticatedUser();

    private static void Keep(HttpContext context, string name, string value) =>
        context.Response.Cookies.Append(name, value, new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            MaxAge = TimeSpan.FromDays(365),
            IsEssential = true,
        });
}
