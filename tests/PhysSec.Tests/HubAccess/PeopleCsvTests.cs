using System.Text;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.HubAccess;

public sealed class PeopleCsvTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("utf-8")]
    [InlineData("cp932")]
    public async Task An_export_comes_back_without_any_change(string encoding)
    {
        await using var desk = await Desk.OpenAsync();
        await desk.People.AddAsync(Desk.Admin, new("p-formula", "髙橋, \"一\"", "たかはし ハジメ", "=1+1", "h@example.jp", "contractor", Note: "-2"), Cancel);
        var csv = new PeopleCsv(desk.Store, desk.People, desk.Time);
        using var file = new MemoryStream();
        await csv.ExportAsync(Desk.Admin, file, encoding, Cancel);
        Assert.Equal(1, desk.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.people.exported'")));

        var result = await csv.ImportAsync(Desk.Admin, file.ToArray(), encoding, Cancel);

        Assert.Equal((0, 0, 3, 0), (result.Added, result.Changed, result.Unchanged, result.Faults.Count));
        Assert.Equal("タカハシ ハジメ", desk.People.Find("p-formula")!.Kana);
        if (encoding == "utf-8") Assert.Contains("'=1+1", Encoding.UTF8.GetString(file.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Good_rows_are_taken_and_bad_rows_are_named()
    {
        await using var desk = await Desk.OpenAsync();
        const string text = """
            登録者番号,氏名,フリガナ,所属,メール,区分,備考
            p-alice,青木 里奈,アオキ リナ,会計課,,職員,
            ,新井 一,アライ ハジメ,総務課,,staff,
            ,,カナ,総務課,,staff,
            ,佐藤,さとう漢字,総務課,,staff,
            ,佐藤,サトウ,総務課,,robot,
            only,two
            ,佐藤,サトウ,総務課,,staff,番号 1234 5678 9012
            p-x,佐藤,サトウ,総務課,none,staff,
            """;

        var result = await new PeopleCsv(desk.Store, desk.People, desk.Time).ImportAsync(Desk.Admin, Encoding.UTF8.GetBytes(text), "utf-8", Cancel);

        Assert.Equal((1, 1, 0), (result.Added, result.Changed, result.Unchanged));
        Assert.Equal([(4, "name"), (5, "kana"), (6, "kind"), (7, "row"), (8, "note"), (9, "email")], result.Faults.Select(it => (it.Row, it.Field)));
        Assert.Equal("会計課", desk.People.Find("p-alice")!.Department);
        Assert.Single(desk.People.List("あらい"));
    }

    [Fact]
    public async Task A_column_that_the_file_leaves_out_changes_nobody()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.People.AddAsync(Desk.Admin, new("p-1", "佐藤 一", "サトウ ハジメ", "総務課", "h@example.jp", "staff", Note: "夜間"), Cancel);

        var result = await new PeopleCsv(desk.Store, desk.People, desk.Time).ImportAsync(Desk.Admin, "id,name,kana,department,kind\np-1,佐藤 一,サトウ ハジメ,会計課,staff\n"u8.ToArray(), "utf-8", Cancel);

        Assert.Equal((0, 1, 0, 0), (result.Added, result.Changed, result.Unchanged, result.Faults.Count));
        var person = desk.People.Find("p-1")!;
        Assert.Equal(("会計課", "h@example.jp", "夜間"), (person.Department, person.Email, person.Note));
    }

    [Fact]
    public async Task A_quotation_mark_that_swallows_the_rest_of_the_file_is_named_and_nothing_of_it_taken()
    {
        await using var desk = await Desk.OpenAsync();
        const string text = "id,name,kana,department,email,kind,note\np-1,a,カナ,d,,staff,5\" tall\np-2,b,カナ,d,,staff,\"open\np-3,c,カナ,d,,staff,\np-4,d,カナ,d,,staff,\n";

        var result = await new PeopleCsv(desk.Store, desk.People, desk.Time).ImportAsync(Desk.Admin, Encoding.UTF8.GetBytes(text), "utf-8", Cancel);

        Assert.Equal((3, "row"), result.Faults.Select(it => (it.Row, it.Field)).Single());
        Assert.NotNull(desk.People.Find("p-1"));
        Assert.Null(desk.People.Find("p-2"));
    }

    [Fact]
    public async Task Bytes_that_the_encoding_does_not_know_spoil_only_their_row()
    {
        await using var desk = await Desk.OpenAsync();
        byte[] bytes =
        [
            .. "id,name,kana,department,email,kind,note\r\np-1,a"u8, 0xff, .. ",カナ,dept,,staff,\r\n"u8, .. "p-2,b,カナ,dept,,staff,\r\n"u8,
        ];

        var result = await new PeopleCsv(desk.Store, desk.People, desk.Time).ImportAsync(Desk.Admin, bytes, "utf-8", Cancel);

        Assert.Equal((2, "name"), (Assert.Single(result.Faults).Row, result.Faults[0].Field));
        Assert.NotNull(desk.People.Find("p-2"));
    }

    [Fact]
    public async Task A_file_without_the_columns_is_refused_whole()
    {
        await using var desk = await Desk.OpenAsync();
        var csv = new PeopleCsv(desk.Store, desk.People, desk.Time);

        await Assert.ThrowsAsync<InputException>(() => csv.ImportAsync(Desk.Admin, "a,b\r\n1,2\r\n"u8.ToArray(), "utf-8", Cancel));
        await Assert.ThrowsAsync<InputException>(() => csv.ImportAsync(Desk.Admin, [], "utf-8", Cancel));
    }
}
