using System.Text;

namespace PhysSec.Hardware;

/// <summary>Lines from a stream that nobody here controls: each at most <paramref name="longest"/> bytes.</summary>
internal sealed class BoundedLines(Stream stream, int longest)
{
    private readonly byte[] _buffer = new byte[longest + 1];
    private int _used;

    /// <summary>The next line without its end; null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">A line is too long or is not UTF-8.</exception>
    public async ValueTask<string?> ReadAsync(CancellationToken cancel)
    {
        for (var seen = 0; ;)
        {
            var end = Array.IndexOf(_buffer, (byte)'\n', seen, _used - seen);
            if (end >= 0) return Cut(end);
            if (_used == _buffer.Length) throw new InvalidDataException($"A line is longer than {longest} bytes.");

            seen = _used;
            var read = await stream.ReadAsync(_buffer.AsMemory(_used), cancel);
            if (read == 0) return null; // A last line without its end was cut off: it is not a line.

            _used += read;
        }
    }

    private string Cut(int end)
    {
        var length = end > 0 && _buffer[end - 1] == '\r' ? end - 1 : end;
        try
        {
            return _strict.GetString(_buffer, 0, length);
        }
        catch (DecoderFallbackException broken)
        {
            throw new InvalidDataException("A line is not UTF-8.", broken);
        }
        finally
        {
            _used -= end + 1;
            Array.Copy(_buffer, end + 1, _buffer, 0, _used);
        }
    }

    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);
}
