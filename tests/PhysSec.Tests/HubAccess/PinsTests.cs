using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Tests.HubAccess;

/// <summary>PINs at the hub: drawn, shown once, kept nowhere.</summary>
public sealed class PinsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_PIN_is_known_to_whoever_was_shown_it_and_to_nothing_in_the_store()
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);

        var issued = await pins.IssueAsync(Desk.Admin, "p-alice", alone: true, "新任", cancel: Cancel);

        Assert.Matches("^[0-9]{6}$", issued.Code);
        Assert.Matches("^[0-9]{6}$", issued.Duress);
        var row = pins.Find("p-alice")!;
        Assert.Equal((6, true, Desk.Start), (row.Digits, row.Alone, row.IssuedAt));
        var act = desk.Log.Search(new(Kind: "hub.pin")).Items.Single();
        Assert.Equal(("hub.pin.issued", "p-alice"), (act.Kind, act.Person));
        var stored = desk.Store.Read(it => PinsAsStored(it)) + string.Concat(desk.Log.Search(new()).Items.Select(it => it.Body));
        Assert.DoesNotContain(issued.Code, stored, StringComparison.Ordinal);
        Assert.DoesNotContain(issued.Duress, stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_codes_open_the_node_s_policy_and_only_where_a_door_asks_for_one()
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);
        var issued = await pins.IssueAsync(Desk.Admin, "p-alice", alone: false, "新任", cancel: Cancel);
        await desk.Rights.AddAsync(Desk.Admin, Desk.Right("p-alice", "room-a"), Cancel);
        Assert.Null(Compile(desk).Pins); // No door of the node asks for a code.

        await desk.Zones.PutAsync(Desk.Admin, desk.Zones.Get("room-a")! with { Factors = FactorRule.CardAndPin }, cancel: Cancel);

        var policy = Compile(desk);
        var pin = Assert.Single(policy.Pins!);
        var key = PinKey.Of(desk.Keys.Card);
        Assert.Equal((PinMatch.Right, PinMatch.Duress), (key.Match(pin, issued.Code), key.Match(pin, issued.Duress)));
        Assert.Equal((FactorRule.CardAndPin, PinLimits.Default), (policy.Zones[0].Factors, policy.PinLimits));
        Assert.Null(pin.Alone);
        Assert.Null(Compile(desk, "node-b").Pins);
    }

    [Fact]
    public async Task A_code_that_works_alone_comes_with_a_token_that_says_nothing_of_it()
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);
        await desk.Zones.PutAsync(Desk.Admin, desk.Zones.Get("room-a")! with { Level = 1, Factors = FactorRule.PinOnly }, cancel: Cancel);
        await desk.Rights.AddAsync(Desk.Admin, Desk.Right("p-alice", "room-a"), Cancel);
        var issued = await pins.IssueAsync(Desk.Admin, "p-alice", alone: true, "新任", cancel: Cancel);

        var index = PolicyIndex.Build(Compile(desk), "hash");
        var known = index.Alone(PinKey.Of(desk.Keys.Card).Tag(issued.Duress))!.Value;

        Assert.Equal((PinMatch.Duress, new PersonId("p-alice")), (known.Match, index.Credentials[known.Token].Person));
        Assert.NotEqual(PinKey.Of(desk.Keys.Card).Tag(issued.Code), known.Token.Value);
        Assert.IsType<AccessDecision.Granted>(AccessRules.Decide(new(new("door-a"), Direction.In, known.Token, FactorRule.PinOnly), index, TimeSpan.Zero, Desk.Start, false, true));
    }

    [Fact]
    public async Task A_zone_of_level_two_is_never_opened_by_a_code_alone()
    {
        await using var desk = await Desk.OpenAsync();
        var fault = await Assert.ThrowsAsync<InputException>(() => desk.Zones.PutAsync(Desk.Admin, desk.Zones.Get("room-a")! with { Level = 2, Required = Assurance.High, Factors = FactorRule.PinOnly }, cancel: Cancel));
        Assert.Equal("zones[room-a].factors", fault.Field);
    }

    [Theory]
    [InlineData(3, false, "3 digits are no PIN")]
    [InlineData(9, false, "9 digits are no PIN")]
    [InlineData(4, false, null)]
    [InlineData(4, true, null)]
    public async Task A_PIN_has_four_to_eight_digits(int digits, bool alone, string? fault)
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);
        var said = await Record.ExceptionAsync(() => pins.IssueAsync(Desk.Admin, "p-alice", alone, "新任", digits, Cancel));
        Assert.Equal(fault, (said as InputException)?.Fault);
    }

    [Fact]
    public async Task The_sixth_who_needs_no_card_is_refused_until_all_codes_are_long_enough()
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);
        for (var i = 0; i < 6; i++) await desk.People.AddAsync(Desk.Admin, new($"p-{i}", $"人{i}", "ヒト", "課", null, "staff"), Cancel);
        for (var i = 0; i < 5; i++) await pins.IssueAsync(Desk.Admin, $"p-{i}", alone: true, "新任", digits: 4, Cancel);

        var sixth = await Assert.ThrowsAsync<InputException>(() => pins.IssueAsync(Desk.Admin, "p-5", alone: true, "新任", digits: 4, Cancel));
        var others = await Assert.ThrowsAsync<InputException>(() => pins.IssueAsync(Desk.Admin, "p-5", alone: true, "新任", digits: 5, Cancel));
        Assert.Equal(("Give at least 5", "Issue that one anew with 5 digits first"), (sixth.Remedy, others.Remedy));

        for (var i = 0; i < 5; i++) await pins.IssueAsync(Desk.Admin, $"p-{i}", alone: true, "桁数変更", digits: 5, Cancel);
        await pins.IssueAsync(Desk.Admin, "p-5", alone: true, "新任", digits: 5, Cancel);
        Assert.Equal(12, desk.Store.Read(Pins.All).SelectMany(it => new[] { it.AloneRight, it.AloneDuress }).Distinct().Count());
    }

    [Fact]
    public async Task A_withdrawn_PIN_is_gone_from_the_policy_and_on_record()
    {
        await using var desk = await Desk.OpenAsync();
        var pins = new Pins(desk.Store, desk.Time, desk.Keys, desk.Signal);
        await desk.Zones.PutAsync(Desk.Admin, desk.Zones.Get("room-a")! with { Factors = FactorRule.CardAndPin }, cancel: Cancel);
        await desk.Rights.AddAsync(Desk.Admin, Desk.Right("p-alice", "room-a"), Cancel);
        await pins.IssueAsync(Desk.Admin, "p-alice", alone: false, "新任", cancel: Cancel);
        await pins.WithdrawAsync(Desk.Admin, "p-alice", "異動", Cancel);

        Assert.Null(pins.Find("p-alice"));
        Assert.Null(Compile(desk).Pins);
        Assert.Equal(["hub.pin.withdrawn", "hub.pin.issued"], desk.Log.Search(new(Kind: "hub.pin")).Items.Select(it => it.Kind));
        Assert.Equal("person", (await Assert.ThrowsAsync<InputException>(() => pins.WithdrawAsync(Desk.Admin, "p-alice", "異動", Cancel))).Field);
    }

    [Theory]
    [InlineData("1234", "1234", true)]
    [InlineData("1234", "1235", true)]
    [InlineData("1234", "1324", true)]
    [InlineData("1234", "1256", false)]
    [InlineData("1234", "4231", false)]
    public void A_slip_of_the_finger_never_makes_the_one_code_the_other(string one, string other, bool near) => Assert.Equal(near, Pins.Near(one, other));

    [Theory]
    [InlineData(FactorRule.Card, "青木 里奈さんのdoor-aへの入室を許可しました。", "青木 里奈 was let in at door-a.")]
    [InlineData(FactorRule.PinOnly, "青木 里奈さんのdoor-aへの入室を許可しました(暗証番号のみ)。", "青木 里奈 was let in at door-a (PIN alone).")]
    [InlineData(FactorRule.CardAndPin, "青木 里奈さんのdoor-aへの入室を許可しました(カードと暗証番号)。", "青木 里奈 was let in at door-a (card and PIN).")]
    [InlineData(FactorRule.TwoCards, "青木 里奈さんのdoor-aへの入室を許可しました(二人のカード)。", "青木 里奈 was let in at door-a (two people's cards).")]
    public async Task The_log_says_in_both_languages_what_was_shown(FactorRule shown, string ja, string en)
    {
        await using var desk = await Desk.OpenAsync();
        await desk.RecordAsync(0, new AccessGranted(
            new("door-a"), Direction.In, new(new('a', 64)), new("p-alice"), new("r-1"), 1, "h", 0, "right r-1", Assurance.Low, Factors: shown));
        var row = desk.Log.Search(new(Kind: "access")).Items.Single();
        foreach (var (language, sentence) in new[] { (Words.Japanese, ja), (Words.English, en) })
        {
            var words = new Words();
            words.Use(language);
            Assert.Equal(sentence, words.Sentence(row, it => it ?? ""));
        }
    }

    private static Policy Compile(Desk desk, string node = "node-a") =>
        desk.Store.Read(it => PolicyCompiler.Compile(it, new(node), 7, Desk.Start, new("fukaya"), "Asia/Tokyo"));

    private static string PinsAsStored(Microsoft.Data.Sqlite.SqliteConnection store) =>
        string.Concat(store.Query("select * from pins", it => string.Join(' ', Enumerable.Range(0, it.FieldCount).Select(it.GetValue))));
}
