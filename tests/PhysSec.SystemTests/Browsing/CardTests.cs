using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class CardTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IPage Page => visitor.Administrator.Page;

    [Fact(Timeout = 120_000)]
    public async Task A_card_is_assigned_by_showing_it_to_the_chosen_reader()
    {
        await Page.GotoAsync("/people/p-heidi");
        var cards = Page.GetByTestId("card");
        await Expect(cards).ToHaveCountAsync(1);
        await BeginAsync("door-a in");
        await Browser.PictureAsync(Page, "card-wait-1280");
        await visitor.Instance.ActAsync("card 77 2001 in", Cancel);
        await Expect(Page.GetByTestId("card-wait-result")).ToContainTextAsync("割り当てました");
        await Expect(cards).ToHaveCountAsync(2);
        await Browser.PictureAsync(Page, "card-assigned-1280");

        await BeginAsync("door-a in");
        await visitor.Instance.ActAsync("badge bob in", Cancel); // Somebody else's.
        await Expect(Page.GetByTestId("card-wait-result")).ToContainTextAsync("このカードは馬場 健さん");
        await Expect(cards).ToHaveCountAsync(2);
    }

    [Fact(Timeout = 120_000)]
    public async Task Whose_card_it_is_is_answered_and_a_strangers_is_said_to_be_unknown()
    {
        await Page.GotoAsync("/people/whose-card");
        await BeginAsync("door-a out");
        await visitor.Instance.ActAsync("badge frank out", Cancel);
        await Expect(Page.GetByTestId("card-wait-result")).ToContainTextAsync("福田 文雄");
        await Browser.PictureAsync(Page, "whose-card-1280");

        await BeginAsync("door-a in");
        await visitor.Instance.ActAsync("badge mallory in", Cancel);
        await Expect(Page.GetByTestId("card-wait-result")).ToContainTextAsync("登録されていません");
    }

    private async Task BeginAsync(string reader)
    {
        await Page.GetByTestId("card-reader").SelectOptionAsync(reader);
        await Page.GetByTestId("card-wait-begin").ClickAsync();
        await Expect(Page.GetByTestId("card-wait")).ToHaveAttributeAsync("data-state", "waiting");
    }
}
