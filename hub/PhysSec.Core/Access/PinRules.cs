namespace PhysSec.Core.Access;

/// <summary>How long codes must be, and how often they can be guessed.</summary>
public static class PinRules
{
    public const int DigitsMin = 4;
    public const int DigitsMax = 8;

    /// <summary>
    /// Codes beside each one that opens, for codes that work alone: one guess succeeds at most once in a thousand (EN 60839-11-1; R-ACC-09). 4, 5, 6 digits for up to 10, 100, 1000 codes;
    /// a person's duress code counts as a code too, for it opens.
    /// </summary>
    public const int SpacePerCode = 1000;

    /// <summary>The fewest digits for so many codes that work without a card; more than <see cref="DigitsMax"/> when there are too many.</summary>
    public static int DigitsAlone(int codes)
    {
        var digits = DigitsMin;
        while (Math.Pow(10, digits) < (double)SpacePerCode * codes) digits++;
        return digits;
    }

    /// <summary>The most wrong codes that a budget takes in any stretch of this length, however it is used and whatever was restarted in between.</summary>
    public static long GuessesIn(GuessBudget budget, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(budget);
        return budget.Burst + (long)(time.TotalSeconds / budget.RefillSeconds);
    }

    /// <summary>What the zone asks for now. A policy that is too old, where the zone goes on with one, asks for card and PIN.</summary>
    public static FactorRule Needed(ZonePolicy zone, bool tooOld)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return tooOld && zone.OnTooOld == TooOldRule.SecondFactor ? FactorRule.CardAndPin : zone.Factors;
    }

    /// <summary>Whether a door of the zone ever asks for a code.</summary>
    public static bool AsksForPin(ZonePolicy zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return zone.Factors is FactorRule.PinOnly or FactorRule.CardAndPin || zone.OnTooOld == TooOldRule.SecondFactor;
    }

    /// <summary>Whether what was shown is as much as what is needed. A code alone is less than a card, and two cards are another thing than card and PIN.</summary>
    public static bool Satisfies(FactorRule shown, FactorRule needed) => needed switch
    {
        FactorRule.Card => shown is FactorRule.Card or FactorRule.CardAndPin or FactorRule.TwoCards,
        FactorRule.PinOnly => shown is FactorRule.PinOnly or FactorRule.CardAndPin,
        FactorRule.CardAndPin or FactorRule.TwoCards => shown == needed,
    };
}
