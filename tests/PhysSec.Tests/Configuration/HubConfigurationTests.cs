using System.Runtime.Versioning;
using PhysSec.Hub.Configuration;

namespace PhysSec.Tests.Configuration;

[SupportedOSPlatform("linux")]
public sealed class HubConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-config-");

    [Fact]
    public void The_smallest_configuration_is_a_site()
    {
        var it = Load("""{ "site": "fukaya" }""");

        Assert.Equal(("fukaya", "Asia/Tokyo", "127.0.0.1", 8080, "embedded", 8883), (it.Site, it.TimeZone, it.Console.Listen, it.Console.Port, it.Broker.Kind, it.Broker.Port));
        Assert.Equal((null, null), (it.Notify.Smtp, it.Notify.Webhook));
        Assert.Equal((3, 3, 1, 5), (it.Retention.Access, it.Retention.Alarms, it.Retention.Measurements, it.Retention.Acts));
    }

    [Theory]
    [InlineData("site", """{ }""")]
    [InlineData("site", """{ "site": "Fukaya City" }""")]
    [InlineData("timeZone", """{ "site": "a", "timeZone": "Mars/Olympus" }""")]
    [InlineData("console.listen", """{ "site": "a", "console": { "listen": "everywhere" } }""")]
    [InlineData("console.port", """{ "site": "a", "console": { "port": 70000 } }""")]
    [InlineData("broker.kind", """{ "site": "a", "broker": { "kind": "cloud" } }""")]
    [InlineData("broker.port", """{ "site": "a", "broker": { "kind": "external", "port": 0 } }""")]
    [InlineData("notify.repeatSeconds", """{ "site": "a", "notify": { "repeatSeconds": 1 } }""")]
    [InlineData("notify.language", """{ "site": "a", "notify": { "language": "fr" } }""")]
    [InlineData("notify.smtp.from", """{ "site": "a", "notify": { "smtp": { "host": "h", "from": "nobody at all", "to": ["a@b.jp"] } } }""")]
    [InlineData("notify.smtp.to", """{ "site": "a", "notify": { "smtp": { "host": "h", "from": "a@b.jp" } } }""")]
    [InlineData("notify.smtp.passwordFile", """{ "site": "a", "notify": { "smtp": { "host": "h", "from": "a@b.jp", "to": ["a@b.jp"], "user": "u" } } }""")]
    [InlineData("notify.webhook.url", """{ "site": "a", "notify": { "webhook": { "url": "ftp://x", "secretFile": "hub.json" } } }""")]
    [InlineData("notify.webhook.secretFile", """{ "site": "a", "notify": { "webhook": { "url": "http://x/", "secretFile": "not-there" } } }""")]
    [InlineData("retention.access", """{ "site": "a", "retention": { "access": 0 } }""")]
    [InlineData("retention.alarms", """{ "site": "a", "retention": { "alarms": 2 } }""")]
    [InlineData("retention.measurements", """{ "site": "a", "retention": { "measurements": -1 } }""")]
    [InlineData("retention.acts", """{ "site": "a", "retention": { "acts": 100 } }""")]
    [InlineData("doors.unlockMinutesMax", """{ "site": "a", "doors": { "unlockMinutesMax": 1441 } }""")]
    [InlineData("doors.unlockAloneMinutes", """{ "site": "a", "doors": { "unlockAloneMinutes": -1 } }""")]
    [InlineData("$.brokr", """{ "site": "a", "brokr": { } }""")]
    [InlineData("$.console.port", """{ "site": "a", "console": { "port": "eighty" } }""")]
    public void Each_mistake_is_named_with_its_field_and_its_remedy(string field, string text)
    {
        var fault = Assert.Single(Assert.Throws<ConfigurationException>(() => Load(text)).Faults);

        Assert.Equal(field, fault.Field);
        Assert.NotEmpty(fault.Fault);
        Assert.NotEmpty(fault.Remedy);
    }

    [Fact]
    public void All_mistakes_are_named_at_once() => Assert.Equal(
        ["site", "console.port", "notify.language"],
        Assert.Throws<ConfigurationException>(() => Load("""{ "console": { "port": -1 }, "notify": { "language": "" } }""")).Faults.Select(it => it.Field));

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("nowhere.json", Assert.Throws<ConfigurationException>(() => ConfigurationReader.Load(Path.Combine(_folder.FullName, "nowhere.json"))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_second_hub_on_the_same_state_is_refused_and_keys_are_for_the_service_alone()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "hub.json"), """{ "site": "a" }""", TestContext.Current.CancellationToken);
        await using var first = HubHome.Open(_folder.FullName, null, TimeProvider.System);

        Assert.Throws<HubBusyException>(() => HubHome.Open(_folder.FullName, null, TimeProvider.System));
        foreach (var file in new[] { "pki/ca.key", "keys/hub-signing.key", "keys/site.key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder.FullName, file)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private HubConfiguration Load(string text)
    {
        var path = Path.Combine(_folder.FullName, "hub.json");
        File.WriteAllText(path, text);
        return ConfigurationReader.Load(path);
    }
}
