using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed partial class PeopleCsvTests(ConsoleVisitor visitor)
{
    private const string Head = "登録者番号 (id),氏名 (name),フリガナ (kana),所属 (department),メール (email),区分 (kind),備考 (note)";

    private IPage Page => visitor.Administrator.Page;

    [Theory(Timeout = 120_000)]
    [InlineData("utf-8")]
    [InlineData("cp932")]
    public async Task Good_rows_are_taken_and_bad_rows_are_named_in_Japanese(string encoding)
    {
        var mark = encoding == "utf-8" ? "u" : "c";
        string[] rows =
        [
            Head,
            $"p-b-{mark}1,髙橋 﨑子,タカハシ サキコ,総務課,,職員,",
            $"p-b-{mark}2,田中 優希,tanaka,総務課,,職員,",
            $"p-b-{mark}3,,サトウ ハナコ,総務課,,職員,",
            $"p-b-{mark}4,鈴木 一,スズキ ハジメ,総務課,,robot,",
            "only,two",
            $"p-b-{mark}6,渡邉 ゆい,わたなべ ゆい,会計課,yui@example.jp,委託,",
            $"p-b-{mark}1,同じ 番号,オナジ バンゴウ,会計課,,職員,",
        ];
        await GiveAsync(encoding, rows);
        await Expect(Page.GetByTestId("csv-result")).ToContainTextAsync("追加 2件");
        await Expect(Page.GetByTestId("csv-row")).ToHaveTextAsync(["3", "4", "5", "6", "8"]);
        await Browser.PictureAsync(Page, $"csv-{encoding}-1280");
        await Page.SetViewportSizeAsync(360, 740);
        await Browser.PictureAsync(Page, $"csv-{encoding}-360");
        await Page.SetViewportSizeAsync(1280, 900);
        foreach (var cell in await Page.GetByTestId("csv-result").Locator("td:not(:nth-child(1))").AllInnerTextsAsync())
            Assert.Matches(Japanese(), cell);

        await Page.GotoAsync($"/people/p-b-{mark}1");
        await Expect(Page.Locator("h1")).ToHaveTextAsync("髙橋 﨑子");
        await Page.GotoAsync($"/people/p-b-{mark}6");
        await Expect(Page.GetByTestId("person-kana")).ToHaveValueAsync("ワタナベ ユイ");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_file_read_in_the_wrong_encoding_changes_nothing_and_says_what_to_do()
    {
        await GiveAsync("cp932", ["登録者番号,氏名,フリガナ,所属,メール,区分,備考", "p-b-w1,田中 優希,タナカ ユウキ,総務課,,職員,"], readAs: "utf-8");
        await Expect(Page.GetByTestId("csv-fault")).ToContainTextAsync("文字コードを選び直してください");
        await Browser.PictureAsync(Page, "csv-wrong-encoding-1280");
        Assert.Equal(0, await Page.GetByTestId("csv-result").CountAsync());
    }

    private async Task GiveAsync(string encoding, string[] rows, string? readAs = null)
    {
        await Page.GotoAsync("/people/csv");
        await Page.GetByTestId("csv-encoding").SelectOptionAsync(readAs ?? encoding);
        var code = encoding == "utf-8" ? Encoding.UTF8 : CodePagesEncodingProvider.Instance.GetEncoding(932)!;
        await Page.GetByTestId("csv-file").SetInputFilesAsync(new FilePayload
        {
            Name = "people.csv",
            MimeType = "text/csv",
            Buffer = [.. code.GetPreamble(), .. code.GetBytes(string.Join("\r\n", rows) + "\r\n")],
        });
    }

    [GeneratedRegex(@"[\u3040-\u30FF\u4E00-\u9FFF]")]
    private static partial Regex Japanese();
}
