using System.Text.Json.Nodes;
using PhysSec.Core.Alarms;

namespace PhysSec.Tests.Alarms;

public sealed class AlarmCatalogueTests
{
    private const string One = """
        {"id":"leak","priority":"critical","titleEn":"a","titleJa":"b","causeEn":"c","causeJa":"d","consequenceEn":"e","consequenceJa":"f",
         "responseEn":"g","responseJa":"h","owner":"i","timeLimitMinutes":10,"latched":true}
        """;

    public static TheoryData<string> Fields { get; } = [.. JsonNode.Parse(One)!.AsObject().Select(it => it.Key)];

    [Fact]
    public void Every_class_that_can_be_raised_has_its_meaning_and_its_answer() =>
        Assert.Equal(AlarmClasses.All.Order(), AlarmCatalogue.Shipped().All.Select(it => it.Id).Order());

    [Fact]
    public void Japanese_is_written_in_japanese_and_english_in_english() =>
        Assert.All(AlarmCatalogue.Shipped().All, it =>
        {
            string[] japanese = [it.TitleJa, it.CauseJa, it.ConsequenceJa, it.ResponseJa];
            string[] english = [it.TitleEn, it.CauseEn, it.ConsequenceEn, it.ResponseEn];
            Assert.All(japanese, text => Assert.Contains(text, c => c >= 0x3040));
            Assert.All(english, text => Assert.All(text, c => Assert.InRange(c, ' ', '~')));
            Assert.Contains(" / ", it.Owner, StringComparison.Ordinal);
        });

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_class_without_any_one_of_its_fields_does_not_load(string field)
    {
        var json = JsonNode.Parse(One)!.AsObject();
        json.Remove(field);
        var fault = Assert.Throws<AlarmCatalogueException>(() => AlarmCatalogue.Load($"[{json.ToJsonString()}]"));
        Assert.Contains(field, fault.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("\"titleJa\":\"b\"", "\"titleJa\":\" \"", "titleJa")]
    [InlineData("\"titleJa\":\"b\"", "\"titleJa\":null", "titleJa")]
    [InlineData("\"leak\"", "\"flood\"", "flood")]
    [InlineData(":10", ":0", "timeLimitMinutes")]
    [InlineData("critical", "urgent", "priority")]
    [InlineData("\"critical\"", "9", "priority")]
    [InlineData("\"owner\"", "\"boss\":\"x\",\"owner\"", "boss")]
    public void A_class_with_a_bad_field_does_not_load_and_says_which(string good, string bad, string named)
    {
        Assert.Single(AlarmCatalogue.Load($"[{One}]").All);
        var fault = Assert.Throws<AlarmCatalogueException>(() => AlarmCatalogue.Load($"[{One.Replace(good, bad, StringComparison.Ordinal)}]"));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    public void No_catalogue_is_refused(string json) => Assert.Throws<AlarmCatalogueException>(() => AlarmCatalogue.Load(json));

    [Fact]
    public void A_class_twice_is_refused() => Assert.Throws<AlarmCatalogueException>(() => AlarmCatalogue.Load($"[{One},{One}]"));

    [Fact]
    public void A_class_is_found_by_its_id()
    {
        var catalogue = AlarmCatalogue.Shipped();
        Assert.Equal(AlarmPriority.Critical, catalogue.Find(AlarmClasses.Leak)!.Priority);
        Assert.Null(catalogue.Find("flood"));
    }
}
