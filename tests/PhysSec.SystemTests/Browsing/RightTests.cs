using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

[Collection<ConsoleCollection>]
public sealed class RightTests(ConsoleVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IPage Page => visitor.Administrator.Page;

    [Fact(Timeout = 120_000)]
    public async Task A_right_that_another_person_approved_opens_the_door_and_its_removal_closes_it()
    {
        await Page.GotoAsync("/people/p-heidi");
        await Page.GetByTestId("right-add").ClickAsync();
        await Page.GetByTestId("right-schedule").SelectOptionAsync("always");
        await Page.Locator("#r-to").FillAsync("2099-03-31");
        await Page.GetByTestId("right-applicant").FillAsync("会計課 原 ひで子");
        await Page.GetByTestId("right-approver").FillAsync("会計課 原 ひで子");
        await Page.GetByTestId("right-number").FillAsync("R8-2001");
        await Page.GetByTestId("right-purpose").FillAsync("決算機の保守立会い");
        await Page.GetByTestId("right-save").ClickAsync();
        await Expect(Page.GetByTestId("right-fault")).ToContainTextAsync("別の人が承認してください");
        await Browser.PictureAsync(Page, "right-refused-1280");
        await Expect(Page.GetByTestId("right")).ToHaveCountAsync(0);

        await Page.GetByTestId("right-approver").FillAsync("会計課長 大谷");
        var policy = await PolicyAsync();
        await Page.GetByTestId("right-save").ClickAsync();
        await Expect(Page.GetByTestId("right")).ToHaveCountAsync(1);
        await Expect(Page.GetByTestId("right")).ToContainTextAsync("2099-03-31"); // The last day, as it was entered.
        await Browser.PictureAsync(Page, "right-1280");
        await InForceAfterAsync(policy);
        var door = Page.Locator("[data-testid=door][data-door=door-a]");
        await Page.GotoAsync("/doors");
        await visitor.ShowAsync("heidi", door.GetByTestId("door-last"), "原 ひで子さんの入室を許可しました");
        await Expect(door).ToHaveAttributeAsync("data-state", "locked", new() { Timeout = 15_000 }); // Not passed: the release has ended.

        await Page.GotoAsync("/people/p-heidi");
        await Page.GetByTestId("right-remove").ClickAsync();
        await Page.GetByTestId("dialog-reason").FillAsync("作業が終わった");
        policy = await PolicyAsync();
        await Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(Page.GetByTestId("right")).ToHaveCountAsync(0);
        await InForceAfterAsync(policy);
        await Page.GotoAsync("/doors");
        await visitor.ShowAsync("heidi", door.GetByTestId("door-last"), "原 ひで子さんを拒否しました");
    }

    private async Task<long> PolicyAsync() => HubApi.Items(await visitor.Instance.Operator.GetAsync("nodes", Cancel))
        .Where(it => (string?)it["id"] == Instance.LiveNode).Select(it => (long)it["policyInForce"]!).Single();

    private Task InForceAfterAsync(long policy) =>
        Wait.UntilAsync("the node to follow the change", async () => await PolicyAsync() > policy, TimeSpan.FromSeconds(20), Cancel);
}
