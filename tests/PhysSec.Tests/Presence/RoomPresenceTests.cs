using CsCheck;
using PhysSec.Core;
using PhysSec.Core.Presence;

namespace PhysSec.Tests.Presence;

public sealed class RoomPresenceTests
{
    private static readonly PersonId _ana = new("p-ana");
    private static readonly PersonId _ben = new("p-ben");

    [Fact]
    public void Who_enters_is_inside_until_they_leave_by_badge()
    {
        var room = RoomPresence.Empty.Entered(_ben).Entered(_ana);
        Assert.Equal([_ana, _ben], room.Persons);
        Assert.Equal([_ben], room.Left(_ana).Persons);
        Assert.True(room.Left(_ana).Left(_ben).IsEmpty);
    }

    [Fact]
    public void When_one_is_inside_the_button_tells_who_left() =>
        Assert.Equal(RoomPresence.Empty, RoomPresence.Empty.Entered(_ana).Left(null));

    [Fact]
    public void When_several_are_inside_the_button_does_not_tell_who_left_and_nobody_is_invented()
    {
        var room = RoomPresence.Empty.Entered(_ana).Entered(_ben).Left(null);
        Assert.Equal((2, 1, 1), (room.Persons.Count, room.LeftUnidentified, room.Inside));
        Assert.True(room.Left(null).IsEmpty);
        Assert.Empty(room.Left(null).Persons);
        Assert.True(room.Left(_ana).IsEmpty);
    }

    [Fact]
    public void Who_enters_again_had_left_unseen_and_is_counted_once()
    {
        var room = RoomPresence.Empty.Entered(_ana).Entered(_ben).Left(null).Entered(_ana);
        Assert.Equal((2, 0, 2), (room.Persons.Count, room.LeftUnidentified, room.Inside));
        Assert.Equal(1, RoomPresence.Empty.Entered(_ana).Entered(_ana).Inside);
    }

    [Fact]
    public void Somebody_let_in_from_the_console_makes_the_room_not_empty()
    {
        var room = RoomPresence.Empty.Entered(null);
        Assert.Equal((false, 1), (room.IsEmpty, room.Inside));
        Assert.True(room.Left(null).IsEmpty);
        Assert.Equal(1, room.Entered(_ana).Left(_ana).Inside);
    }

    [Fact]
    public void Leaving_an_empty_room_leaves_it_empty()
    {
        Assert.Same(RoomPresence.Empty, RoomPresence.Empty.Left(null));
        Assert.True(RoomPresence.Empty.Left(_ana).IsEmpty);
    }

    [Fact]
    public void What_was_stored_comes_back()
    {
        var room = RoomPresence.Empty.Entered(_ana).Entered(_ben).Entered(null).Left(_ben);
        var again = RoomPresence.From(room.Persons, room.LeftUnidentified, room.EnteredUnidentified);
        Assert.Equal(room.Persons, again.Persons);
        Assert.Equal(room.Inside, again.Inside);
        Assert.Same(RoomPresence.Empty, RoomPresence.From([_ana], 5, -3));
    }

    [Fact]
    public void The_count_is_never_negative_and_empty_means_nobody_is_named() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 3]).Array[0, 60].Sample(day =>
        {
            var room = RoomPresence.Empty;
            foreach (var (entering, who) in day)
            {
                var person = who == 0 ? (PersonId?)null : new PersonId($"p-{who}");
                var before = room.Inside;
                room = entering ? room.Entered(person) : room.Left(person);
                Assert.InRange(room.Inside - before, -1, 1);
                Assert.Equal(room.Inside == 0, room.IsEmpty);
                if (room.IsEmpty) Assert.Empty(room.Persons);
                if (entering) Assert.False(room.IsEmpty);
            }
        });
}
