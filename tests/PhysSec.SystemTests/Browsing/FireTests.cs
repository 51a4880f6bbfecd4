using Microsoft.Playwright;
using PhysSec.Rig;
using static Microsoft.Playwright.Assertions;

namespace PhysSec.SystemTests.Browsing;

/// <summary>The fire panel calls, is reset, and a person at the console lets the doors lock again.</summary>
[Collection<AnteroomCollection>]
public sealed class FireTests(AnteroomVisitor visitor)
{
    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task After_a_fire_the_door_stays_free_until_the_panel_is_reset_and_a_person_confirms_and_says_so_all_the_while()
    {
        var who = visitor.Administrator;
        await who.Page.GotoAsync("/doors");
        var (room, anteroom) = (Door(who.Page, Instance.Door), Door(who.Page, Instance.SecondDoor));
        await Expect(room.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
        await visitor.Instance.ActAsync("fire on", Cancel);
        try
        {
            await Expect(room.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "released");
            await Expect(anteroom.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
            await Expect(room.GetByTestId("door-confirm")).ToBeDisabledAsync();
            await Expect(room.GetByTestId("door-confirm-why")).ToBeVisibleAsync();
            Assert.Equal(0, await room.GetByTestId("door-release").CountAsync());
            await Browser.PictureAsync(who.Page, "fire-1280");
        }
        finally
        {
            await visitor.Instance.ActAsync("fire off", CancellationToken.None);
        }

        await Expect(room.GetByTestId("door-confirm")).ToBeEnabledAsync();
        Assert.True((bool)(await visitor.Instance.RoomAsync(Cancel))["lockFree"]!, "the door locked by itself when the panel was reset");
        await ConfirmAsync(who, room);
        await Expect(room.GetByTestId("door-picture")).ToHaveAttributeAsync("data-lock", "locked");
        await Expect(room.GetByTestId("door-confirm")).ToHaveCountAsync(0);
        await ConfirmAsync(who, anteroom);
        await Expect(anteroom.GetByTestId("door-confirm")).ToHaveCountAsync(0);
        Assert.False((bool)(await visitor.Instance.RoomAsync(Cancel))["lockFree"]!);
        await Browser.PictureAsync(who.Page, "fire-confirmed-1280");
    }

    private static ILocator Door(IPage page, string door) => page.Locator($"[data-testid=door][data-door={door}]");

    private static async Task ConfirmAsync(ConsolePerson who, ILocator door)
    {
        await door.GetByTestId("door-confirm").ClickAsync();
        await who.Page.GetByTestId("dialog-reason").FillAsync("受信機の復旧と在室者なしを確認");
        await who.Page.GetByTestId("dialog-code").FillAsync(await who.NextCodeAsync());
        await who.Page.GetByTestId("dialog-confirm").ClickAsync();
        await Expect(who.Page.GetByTestId("dialog")).ToHaveCountAsync(0);
    }
}
