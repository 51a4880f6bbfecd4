using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class PersonTests(ConsoleVisitor visitor)
{
    private IPage Page => visitor.Administrator.Page;

    [Fact(Timeout = 60_000)]
    public async Task A_person_is_added_after_a_fault_was_corrected_and_the_page_becomes_theirs()
    {
        await Page.GotoAsync("/people/new");
        await Page.GetByTestId("person-name").FillAsync("秋山 恵");
        await Page.GetByTestId("person-kana").FillAsync("akiyama");
        await Page.GetByTestId("person-department").FillAsync("総務課");
        await Page.GetByTestId("person-save").ClickAsync();
        await Expect(Page.GetByTestId("person-fault")).ToContainTextAsync("カタカナで入力してください");
        await Browser.PictureAsync(Page, "person-fault-1280");

        await Page.GetByTestId("person-kana").FillAsync("あきやま めぐみ");
        await Page.GetByTestId("person-save").ClickAsync();
        await Expect(Page.Locator("h1")).ToHaveTextAsync("秋山 恵");
        await Expect(Page.GetByTestId("person-fault")).ToHaveCountAsync(0);
        await Expect(Page.GetByTestId("right-add")).ToBeVisibleAsync();
        await Expect(Page.GetByTestId("person-kana")).ToHaveValueAsync("アキヤマ メグミ");
    }
}
