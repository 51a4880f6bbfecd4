using Microsoft.Data.Sqlite;

namespace PhysSec.Hub.Storage;

/// <summary>The store's one writing connection. It keeps its statements prepared: reading the same SQL anew for each record costs more than storing the record.</summary>
internal sealed class WriterConnection(string connection) : SqliteConnection(connection)
{
    private const int KeptMax = 256; // A text that is made up each time must not fill the memory.

    private readonly Dictionary<string, LentCommand> _kept = new(StringComparer.Ordinal);

    /// <summary>A prepared statement with these values; null: the kept one is at work further up the stack, or there are too many.</summary>
    public LentCommand? Lend(string sql, (string Name, object? Value)[] values)
    {
        if (!_kept.TryGetValue(sql, out var it))
        {
            if (_kept.Count == KeptMax) return null;
            _kept.Add(sql, it = new LentCommand(this.Command(sql, values), this));
        }
        else if (it.AtWork)
        {
            return null;
        }
        else
        {
            it.Fill(values);
        }

        it.AtWork = true;
        return it;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var it in _kept.Values) it.Command.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A command for one use; a kept one goes back to its connection, another is disposed.</summary>
internal sealed class LentCommand(SqliteCommand command, WriterConnection? keeper) : IDisposable
{
    public SqliteCommand Command => command;

    public bool AtWork { get; set; }

    public void Fill((string Name, object? Value)[] values)
    {
        var its = command.Parameters;
        for (var i = 0; i < values.Length && its.Count == values.Length; i++)
        {
            if (its[i].ParameterName != values[i].Name) its.Clear();
            else its[i].Value = Rows.Plain(values[i].Value);
        }

        if (its.Count == values.Length) return;
        its.Clear();
        foreach (var (name, value) in values) its.AddWithValue(name, Rows.Plain(value));
    }

    public void Dispose()
    {
        AtWork = false;
        if (keeper is null) command.Dispose();
    }
}
