using System.Text.Json.Nodes;
using PhysSec.Node;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Node;

public sealed class NodeConfigTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2026, 11, 24, 0, 0, 0, TimeSpan.Zero);
    private readonly TestSite _site = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-config-");
    private readonly string _path;

    public NodeConfigTests()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "board.json"), "{}");
        _path = _site.WriteConfig(_folder.FullName, "board.json", 8883);
    }

    public void Dispose()
    {
        _site.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void What_the_enrolment_gave_is_read_with_paths_from_its_own_folder()
    {
        using var config = NodeConfig.Load(_path, _now);
        Assert.Equal(("city", "node-a", 1L), (config.Site.Value, config.Node.Value, config.Epoch));
        Assert.Equal(new HubAddress("127.0.0.1", 8883, "localhost"), config.Hub);
        Assert.Equal(Path.Combine(_folder.FullName, "state"), config.StateFolder);
        Assert.Equal(_site.SiteKey, config.SiteKey);
        Assert.True(config.Certificate.HasPrivateKey);
    }

    [Theory]
    [InlineData("site", "\"Fukaya City\"", "site: 'Fukaya City' is no name.")]
    [InlineData("node", "\"node-b\"", "certificate: It belongs to 'node-a', not to 'node-b'.")]
    [InlineData("node", "7", "node: It is no text.")]
    [InlineData("board", "\"nowhere.json\"", "board: There is no file")]
    [InlineData("state", "null", "state: It is no text.")]
    [InlineData("hub", "\"localhost\"", "hub: It is missing or no object.")]
    [InlineData("hub", "{\"host\":\"h\",\"port\":99999,\"serverName\":\"h\"}", "hub.port: 99999 is not possible.")]
    [InlineData("hub", "{\"host\":\"h\",\"port\":1}", "hub.serverName: It is missing.")]
    [InlineData("ca", "\"site.key\"", "ca: The file")]
    [InlineData("ca", "\"absent\"", "ca: There is no file")]
    [InlineData("certificate", "\"hub.pub\"", "certificate: The file")]
    [InlineData("key", "\"ca.crt\"", "key: It is not the private key")]
    [InlineData("siteKey", "\"hub.pub\"", "siteKey: The file")]
    [InlineData("hubKey", "\"site.key\"", "hubKey: The file")]
    [InlineData("epoch", "-1", "epoch: -1 is not possible.")]
    [InlineData("epoch", "1.5", "epoch: 1.5 is not possible.")]
    [InlineData("colour", "1", "colour: There is no such field.")]
    public void A_mistake_is_named_with_its_field_its_fault_and_a_remedy(string field, string value, string said)
    {
        Change(json => json[field] = JsonNode.Parse(value));
        var failure = Assert.Throws<ConfigException>(() => NodeConfig.Load(_path, _now));
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.All(failure.Faults, it => Assert.NotEmpty(it.Remedy));
        Assert.DoesNotContain(Convert.ToHexString(_site.SiteKey), failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Every_mistake_is_named_in_one_go()
    {
        Change(json =>
        {
            json.Remove("site");
            json.Remove("epoch");
            json["ca"] = "absent";
        });
        Assert.Equal(["site", "epoch", "ca"], Assert.Throws<ConfigException>(() => NodeConfig.Load(_path, _now)).Faults.Select(it => it.Field));
    }

    [Fact]
    public void A_certificate_of_another_authority_is_a_mistake()
    {
        using var stranger = new TestSite();
        File.WriteAllText(Path.Combine(_folder.FullName, "ca.crt"), stranger.HubCertificate.ExportCertificatePem());
        Assert.Contains("was not issued by the authority", Assert.Throws<ConfigException>(() => NodeConfig.Load(_path, _now)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_expired_certificate_is_a_warning_because_doors_must_work_on()
    {
        using var config = NodeConfig.Load(_path, _now.AddYears(60));
        Assert.Contains(config.Warnings, it => it.Contains("expired", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "is no JSON")]
    [InlineData("[]", "is no JSON object")]
    [InlineData("{\n\n\"site\": }", "(line 3)")]
    public void A_file_that_is_no_configuration_says_so(string text, string said)
    {
        File.WriteAllText(_path, text);
        Assert.Contains(said, Assert.Throws<ConfigException>(() => NodeConfig.Load(_path, _now)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_says_so() =>
        Assert.Contains("cannot be read", Assert.Throws<ConfigException>(() => NodeConfig.Load(_path + ".x", _now)).Message, StringComparison.Ordinal);

    private void Change(Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(_path))!.AsObject();
        change(json);
        File.WriteAllText(_path, json.ToJsonString());
    }
}
