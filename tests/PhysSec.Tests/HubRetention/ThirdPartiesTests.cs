using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Reports;
using PhysSec.Tests.Ingest;

namespace PhysSec.Tests.HubRetention;

/// <summary>Who is somebody else in a free text.</summary>
public sealed class ThirdPartiesTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Registered beside the subject: 林 明, 近藤 結衣, 森 蘭 (who was 原口 蘭), the account t.tanaka.
    [Theory]
    [InlineData("小林 明", "小林 明が同行", "小林 明が同行")]
    [InlineData("小林 明", "小林明と林明", "小林明と■")]
    [InlineData("小林 明", "小林　明、林　明、林 明", "小林　明、■、■")]
    [InlineData("小林 明", "小林さんと林さん", "小林さんと■さん")]
    [InlineData("小林 明", "林係長、主査林、林に貸与", "■係長、主査■、■に貸与")]
    [InlineData("小林 明", "林業課の森林", "林業課の森林")]
    [InlineData("森 蘭子", "林 明と森 蘭子", "■と森 蘭子")]
    [InlineData("小林 明", "近　藤さん、ｺﾝﾄﾞｳ ﾕｲ、こんどうゆい", "■さん、■、■")]
    [InlineData("小林 明", "メモリ増設をモリさんと", "メモリ増設を■さんと")]
    [InlineData("小林 明", "原口蘭の後任", "■の後任")]
    [InlineData("小林 明", "ｔ．ｔａｎａｋａとt.tanaka2", "■とt.tanaka2")]
    [InlineData("小林 明", "P-HAYASHIとp-subjectとp-hayashi2", "■とp-subjectとp-hayashi2")]
    public async Task A_name_is_found_however_it_is_written_and_never_in_a_longer_one(string subject, string text, string told)
    {
        await using var hub = RunningHub.WithoutBroker();
        var people = hub.Get<People>();
        var own = await people.AddAsync(RunningHub.Admin, new("p-subject", subject, "コバヤシ アキラ", "総務課", null, "staff"), Cancel);
        await people.AddAsync(RunningHub.Admin, new("p-hayashi", "林 明", "ハヤシ アキラ", "総務課", null, "staff"), Cancel);
        await people.AddAsync(RunningHub.Admin, new("p-kondo", "近藤 結衣", "コンドウ ユイ", "総務課", null, "staff"), Cancel);
        var before = await people.AddAsync(RunningHub.Admin, new("p-mori", "原口 蘭", "ハラグチ ラン", "総務課", null, "staff"), Cancel);
        await people.ChangeAsync(new Actor("t.tanaka", "administrator", "console"), before with { Name = "森 蘭", Kana = "モリ ラン" }, null, Cancel);
        Assert.Equal(told, hub.Store.Read(it => ThirdParties.Of(it, own, "■")).Mask(text));
    }

    [Fact]
    public async Task A_family_name_that_somebody_else_has_too_is_not_the_subject_s()
    {
        await using var hub = RunningHub.WithoutBroker();
        var own = await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-a", "青木 里奈", "アオキ リナ", "総務課", null, "staff"), Cancel);
        await hub.Get<People>().AddAsync(RunningHub.Admin, new("p-b", "青木 大輔", "アオキ ダイスケ", "総務課", null, "staff"), Cancel);
        Assert.Equal("■さん、青木里奈", hub.Store.Read(it => ThirdParties.Of(it, own, "■")).Mask("青木さん、青木里奈"));
    }

    [Theory]
    [InlineData("１２３４５６７８９０１２")]
    [InlineData("１２３４　５６７８　９０１２")]
    [InlineData("１２３４－５６７８－９０１２")]
    [InlineData("1234‐5678‐9012")]
    [InlineData("番号1234ー5678ー9012")]
    public void An_individual_number_is_refused_in_every_width(string text) => Assert.Throws<InputException>(() => Input.Filled("note", text));

    [Theory]
    [InlineData("ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟｳﾞｰ", "ガギグ パピヴー")]
    [InlineData("がぎ　ぱぴゔー", "ガギ パピヴー")]
    [InlineData("か\u3099は\u309a", "ガパ")]
    public void A_reading_is_one_whichever_kana_it_was_typed_in(string typed, string kana) => Assert.Equal(kana, Input.Kana("kana", typed));

    [Fact]
    public void A_name_from_a_Mac_is_stored_with_its_marks_joined_and_its_widths_as_typed() => Assert.Equal("がＡ", Input.Filled("name", "か\u3099Ａ"));
}
