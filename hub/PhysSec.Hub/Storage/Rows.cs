using System.Globalization;
using Microsoft.Data.Sqlite;

namespace PhysSec.Hub.Storage;

/// <summary>Short forms of what every query does.</summary>
public static class Rows
{
    public static SqliteCommand Command(this SqliteConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, Plain(value));
        return command;
    }

    public static int Execute(this SqliteConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        using var lent = Lend(connection, sql, values);
        return lent.Command.ExecuteNonQuery();
    }

    public static List<T> Query<T>(this SqliteConnection connection, string sql, Func<SqliteDataReader, T> row, params (string Name, object? Value)[] values)
    {
        using var lent = Lend(connection, sql, values);
        using var reader = lent.Command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(row(reader));
        return rows;
    }

    public static T? One<T>(this SqliteConnection connection, string sql, Func<SqliteDataReader, T> row, params (string Name, object? Value)[] values)
        where T : class
    {
        using var lent = Lend(connection, sql, values);
        using var reader = lent.Command.ExecuteReader();
        return reader.Read() ? row(reader) : null;
    }

    public static long Number(this SqliteConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        using var lent = Lend(connection, sql, values);
        return Convert.ToInt64(lent.Command.ExecuteScalar() is { } it and not DBNull ? it : 0L, CultureInfo.InvariantCulture);
    }

    public static string? Text(this SqliteDataReader reader, string column) =>
        reader.GetOrdinal(column) is var i && reader.IsDBNull(i) ? null : reader.GetString(i);

    public static long Whole(this SqliteDataReader reader, string column) => reader.GetInt64(reader.GetOrdinal(column));

    public static double? Real(this SqliteDataReader reader, string column) =>
        reader.GetOrdinal(column) is var i && reader.IsDBNull(i) ? null : reader.GetDouble(i);

    public static bool Flag(this SqliteDataReader reader, string column) => reader.GetInt64(reader.GetOrdinal(column)) != 0;

    public static DateTimeOffset? Time(this SqliteDataReader reader, string column) =>
        reader.GetOrdinal(column) is var i && reader.IsDBNull(i) ? null : FromStored(reader.GetInt64(i));

    /// <summary>Times are stored as microseconds since 1970 UTC, so that they sort and compare as numbers.</summary>
    public static long ToStored(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / 10;

    public static DateTimeOffset FromStored(long value) => DateTimeOffset.UnixEpoch.AddTicks(value * 10);

    private static LentCommand Lend(SqliteConnection connection, string sql, (string Name, object? Value)[] values) =>
        (connection as WriterConnection)?.Lend(sql, values) ?? new LentCommand(connection.Command(sql, values), null);

    internal static object Plain(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset at => ToStored(at),
        bool flag => flag ? 1 : 0,
        Enum it => Convert.ToInt32(it, CultureInfo.InvariantCulture),
        _ => value,
    };
}
