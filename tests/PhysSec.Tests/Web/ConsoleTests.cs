using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

/// <summary>The console as a browser meets it.</summary>
public sealed partial class ConsoleTests : IAsyncLifetime
{
    private ConsoleRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await ConsoleRig.StartAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/first?code=none")]
    [InlineData("/not-allowed")]
    [InlineData("/console.css")]
    [InlineData("/console.js")]
    [InlineData("/favicon.svg")]
    public async Task Nothing_that_is_served_refers_to_another_machine(string path)
    {
        var text = await _rig.Client.GetStringAsync(path, TestContext.Current.CancellationToken);
        Assert.DoesNotMatch(Elsewhere(), text.Replace("http://www.w3.org/", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_answer_carries_the_security_headers()
    {
        using var answer = await _rig.Client.GetAsync("/sign-in", TestContext.Current.CancellationToken);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/alarms")]
    [InlineData("/doors")]
    [InlineData("/log")]
    [InlineData("/register")]
    [InlineData("/turned-away")]
    [InlineData("/evidence")]
    [InlineData("/people")]
    [InlineData("/people/p-1")]
    [InlineData("/people/csv")]
    [InlineData("/nodes")]
    [InlineData("/notifications")]
    [InlineData("/accounts")]
    public async Task No_page_opens_before_somebody_has_signed_in(string path)
    {
        using var answer = await _rig.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.StartsWith("/sign-in", answer.Headers.Location!.PathAndQuery, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/language/en?back=//evil.example")]
    [InlineData("/language/en?back=https://evil.example")]
    [InlineData("/theme/dark?back=/\\evil.example")]
    public async Task A_link_never_leads_to_another_place(string path)
    {
        using var answer = await _rig.Client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal("/", answer.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("ja", "パスワード")]
    [InlineData("en", "Password")]
    public async Task The_language_can_be_chosen_before_sign_in(string language, string expected)
    {
        await _rig.Client.GetAsync($"/language/{language}?back=/sign-in", TestContext.Current.CancellationToken);
        var page = await _rig.Client.GetStringAsync("/sign-in", TestContext.Current.CancellationToken);
        Assert.Contains($"<html lang=\"{language}\"", page, StringComparison.Ordinal);
        Assert.Contains(expected, WebUtility.HtmlDecode(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_page_says_who_may_open_it()
    {
        var pages = typeof(Roles).Assembly.GetTypes().Where(it => it.GetCustomAttributes<RouteAttribute>().Any()).ToList();
        Assert.NotEmpty(pages);
        Assert.All(pages, it => Assert.True(
            it.GetCustomAttribute<AuthorizeAttribute>() is { Roles.Length: > 0 } || it.GetCustomAttribute<AllowAnonymousAttribute>() is not null, it.Name));
    }

    [Theory]
    [InlineData("PeoplePage", "administrator")]
    [InlineData("PersonPage", "administrator")]
    [InlineData("PeopleCsvPage", "administrator")]
    [InlineData("WhoseCardPage", "administrator")]
    [InlineData("DoorsPage", "administrator,operator")]
    [InlineData("LogSearchPage", "administrator,auditor")]
    [InlineData("RegisterPage", "administrator,auditor")]
    [InlineData("TurnedAwayPage", "administrator,auditor")]
    [InlineData("ProofPage", "administrator,auditor")]
    [InlineData("AccountsPage", "administrator,auditor")]
    public void Each_role_opens_its_own_pages_only(string page, string roles) =>
        Assert.Equal(roles, Assert.Single(typeof(Roles).Assembly.GetTypes(), it => it.Name == page).GetCustomAttribute<AuthorizeAttribute>()!.Roles);

    [GeneratedRegex("""(?:https?:)?//[a-z0-9-]+\.[a-z]""", RegexOptions.IgnoreCase)]
    private static partial Regex Elsewhere();
}
