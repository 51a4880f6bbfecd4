using System.Text;
using PhysSec.Rig;

namespace PhysSec.SystemTests;

public sealed class PeopleFileTests(RunningRoom room)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Bad_rows_of_a_people_file_are_named_and_the_good_rows_are_taken()
    {
        var template = await room.Instance.Administrator.TextAsync("people.csv?encoding=utf-8", Cancel);
        var head = template.TrimStart('\ufeff').Split('\n')[0].TrimEnd('\r').Split(',');
        string Row(params (string Column, string Value)[] values) =>
            string.Join(',', head.Select(it => values.FirstOrDefault(v => it.Contains(v.Column, StringComparison.OrdinalIgnoreCase)).Value ?? ""));
        string[] rows =
        [
            string.Join(',', head),
            Row(("id", "p-csv-1"), ("name", "山田 太郎"), ("kana", "ヤマダ タロウ"), ("department", "総務課"), ("kind", "staff")),
            Row(("id", "p-csv-2"), ("name", ""), ("kana", "カナ"), ("department", "総務課"), ("kind", "staff")),
            Row(("id", "P CSV 3!"), ("name", "佐藤 花子"), ("kana", "サトウ ハナコ"), ("department", "総務課"), ("kind", "staff")),
            Row(("id", "p-csv-4"), ("name", "鈴木 一"), ("kana", "スズキ ハジメ"), ("department", "総務課"), ("kind", "robot")),
            "only,two",
            Row(("id", "p-csv-6"), ("name", "高橋 次郎"), ("kana", "タカハシ ジロウ"), ("department", "会計課"), ("kind", "contractor")),
        ];

        var answer = await room.Instance.Administrator.PostAsync(
            "people.csv?encoding=utf-8", Encoding.UTF8.GetBytes(string.Join("\r\n", rows) + "\r\n"), "text/csv", Cancel);

        Assert.Equal(2, (int)answer["added"]!);
        Assert.Equal([3, 4, 5, 6], answer["faults"]!.AsArray().Select(it => (int)it!["row"]!).Distinct().Order());
        Assert.All(answer["faults"]!.AsArray(), it => Assert.NotEmpty((string)it!["remedy"]!));
        Assert.Equal("山田 太郎", (string?)(await room.Instance.Administrator.GetAsync("people/p-csv-1", Cancel))["name"]);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_people_file_that_is_no_text_is_refused_and_changes_nothing()
    {
        var before = (await room.Instance.Administrator.GetAsync("people", Cancel)).ToJsonString();
        var bytes = new byte[5_000];
        new Random(1).NextBytes(bytes);

        var failure = await Record.ExceptionAsync(() => room.Instance.Administrator.PostAsync("people.csv?encoding=utf-8", bytes, "text/csv", Cancel));

        if (failure is not null) Assert.IsType<RigException>(failure);
        Assert.Equal(before, (await room.Instance.Administrator.GetAsync("people", Cancel)).ToJsonString());
    }
}
