using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Storage;

/// <summary>SQLite's own limit of a file's size answers as a full disk does.</summary>
internal static class FullDisk
{
    private const int Full = 13;

    /// <summary>Writes until nothing more fits.</summary>
    public static async Task FillAsync(this Store store)
    {
        await store.WriteAsync(it => it.Execute("pragma max_page_count = 1"), TestContext.Current.CancellationToken); // No less than the file has already.
        var fault = await Assert.ThrowsAsync<SqliteException>(() => store.WriteAsync(it => it.Execute("insert into meta values ('full', hex(zeroblob(1000000)))"), TestContext.Current.CancellationToken));
        Assert.Equal(Full, fault.SqliteErrorCode);
    }

    public static Task FreeAsync(this Store store) => store.WriteAsync(it => it.Execute("pragma max_page_count = 1000000"), TestContext.Current.CancellationToken);
}
