using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

/// <summary>A simulated room on a socket in a folder of its own.</summary>
internal sealed class RunningRoom : IAsyncDisposable
{
    private static readonly BoardFile _any = BoardFile.Parse(
        """{"hardware":{"kind":"simulated","socket":"?"},"devices":[{"id":"x","type":"output","role":"lamp","line":2,"active":"high"}]}""", "room");

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("room");
    private CancellationTokenSource _stop = new();
    private Task _serving = Task.CompletedTask;

    private readonly IReadOnlyList<DeviceEntry>? _devices;

    /// <param name="devices">The room's wiring; null = that of the shipped boards.</param>
    public RunningRoom(IReadOnlyList<DeviceEntry>? devices = null)
    {
        _devices = devices;
        Start();
    }

    public string Socket => Path.Combine(_folder.FullName, "room.sock");

    public BoardFile BoardFile => _any with { Hardware = _any.Hardware with { Socket = Socket } };

    public BoardFile OneRoom => BoardFile with
    {
        Hardware = BoardFile.Hardware with { Socket = Socket },
        Devices = new RoomParameters().Devices,
    };

    public void Start()
    {
        _stop = new CancellationTokenSource();
        var badges = new Dictionary<string, (int, int)> { ["alice"] = (123, 45_678), ["bob"] = (1, 1) };
        var parameters = new RoomParameters { ExitPress = TimeSpan.FromMilliseconds(100) };
        if (_devices is not null) parameters = parameters with { Devices = _devices };
        _serving = new RoomServer(Socket, parameters, badges, TimeProvider.System).RunAsync(_stop.Token); // Listens when this returns.
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _stop.Dispose();
    }

    public async Task<string> SayAsync(string command) =>
        await RoomClient.SendAsync(Socket, command, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }
}
