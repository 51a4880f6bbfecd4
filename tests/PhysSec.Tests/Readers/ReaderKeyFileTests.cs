using PhysSec.Hardware;
using PhysSec.Node.Readers;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Readers;

public sealed class ReaderKeyFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keys");

    private string Place => Path.Combine(_folder.FullName, ReaderKeyFile.Name);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_was_stored_is_there_after_a_restart_and_the_rest_is_as_it_was()
    {
        var pin = new OsdpPin(new OsdpIdentity(0x00_5053, 1, 2, 0xDEAD_BEEF, 0x01_0203), 0x8000_0000_0000_0001);
        using var file = ReaderKeyFile.Open(Place);
        file.Store("0", new(new(Key(1), null), null));
        file.Store("door-b.entry", new(new(Key(2), Key(3)), pin));
        file.Store("2", new(new(null, Key(5)), pin with { ClientId = null }));
        file.Store("0", new(new(Key(1), Key(4)), null));

        file.Dispose();
        using var again = ReaderKeyFile.Open(Place);

        Assert.Equal(new OsdpReaderMemory(new(Key(1), Key(4)), null), again.Of("0"));
        Assert.Equal(new OsdpReaderMemory(new(Key(2), Key(3)), pin), again.Of("door-b.entry"));
        Assert.Equal(new OsdpReaderMemory(new(null, Key(5)), pin with { ClientId = null }), again.Of("2"));
        Assert.Equal(OsdpReaderMemory.None, again.Of("1"));
    }

    [Fact]
    public void It_is_its_owner_s_alone_and_one_that_others_may_read_is_refused()
    {
        Store("0", new(new(Key(1), null), null));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Place));

        File.SetUnixFileMode(Place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        Assert.Contains("read by others", Assert.Throws<InvalidDataException>(() => ReaderKeyFile.Open(Place)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0 x")]
    [InlineData("0 00 - -")]
    [InlineData("0 zz - -")]
    [InlineData("0 00000000000000000000000000000000 - -")]
    [InlineData("0 303132333435363738393a3b3c3d3e3f - -")]
    [InlineData("0 - - 00/11")]
    [InlineData("0 - - 000000000000000000000000/x")]
    [InlineData("0 - - -\n0 - - -")]
    public void A_spoilt_file_is_named_with_its_line_and_never_used(string text)
    {
        Store("9", OsdpReaderMemory.None);
        File.WriteAllText(Place, text);

        Assert.Contains($"{Place}, line", Assert.Throws<InvalidDataException>(() => ReaderKeyFile.Open(Place)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_does_not_take_it_leaves_what_was_kept_before()
    {
        using var file = ReaderKeyFile.Open(Place);
        file.Store("0", new(new(Key(1), null), null));
        _folder.Delete(recursive: true);

        Assert.ThrowsAny<IOException>(() => file.Store("0", new(new(Key(1), Key(2)), null)));

        Assert.Equal(new OsdpKeyState(Key(1), null), file.Of("0").Keys);
        _folder.Create();
    }

    [Fact]
    public void Two_programs_never_write_it_and_the_second_says_who_has_it()
    {
        using var service = ReaderKeyFile.Open(Place);
        service.Store("0", new(new(Key(1), null), null));
        using var tool = ReaderKeyFile.Open(Place);

        Assert.Equal(Key(1), tool.Of("0").Keys.Current); // To read it disturbs nobody.
        Assert.Contains("stop the service", tool.Fault, StringComparison.Ordinal);
        Assert.Throws<ReaderKeysHeldException>(tool.Hold);
        Assert.Throws<ReaderKeysHeldException>(() => tool.Store("0", OsdpReaderMemory.None));

        service.Store("1", new(new(Key(2), null), null));
        service.Dispose();
        tool.Store("0", new(new(Key(3), null), null));
        Assert.Null(tool.Fault);
        Assert.Equal(Key(2), tool.Of("1").Keys.Current); // What the other wrote last is not lost.
    }

    [Fact]
    public void Who_comes_late_to_the_file_writes_over_no_key_that_the_other_program_made()
    {
        using var tool = ReaderKeyFile.Open(Place);
        using var service = ReaderKeyFile.Open(Place);
        tool.Store("0", new(new(Key(1), null), null));
        tool.Dispose();

        Assert.Throws<IOException>(() => service.Store("0", new(new(null, Key(2)), null)));
        using var after = ReaderKeyFile.Open(Place);
        Assert.Equal(Key(1), after.Of("0").Keys.Current);
    }

    [Fact]
    public void Who_comes_late_to_a_spoilt_file_loses_nobody_s_key()
    {
        Store("1", new(new(Key(1), null), null));
        using var tool = ReaderKeyFile.Open(Place);
        using var service = ReaderKeyFile.Open(Place);
        var kept = File.ReadAllText(Place);
        File.WriteAllText(Place, "spoilt");
        tool.Dispose();
        for (var i = 0; i < 2; i++) Assert.Throws<IOException>(() => service.Store("0", new(new(Key(2), null), null)));

        File.WriteAllText(Place, kept);
        service.Store("0", new(new(Key(2), null), null));
        Assert.Equal((Key(1), Key(2)), (service.Of("1").Keys.Current, service.Of("0").Keys.Current));
    }

    private void Store(string reader, OsdpReaderMemory memory)
    {
        using var file = ReaderKeyFile.Open(Place);
        file.Store(reader, memory);
    }
}
