using System.Globalization;
using System.Text.Json.Nodes;
using PhysSec.Core;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Rig.Peers;

namespace PhysSec.Rig;

/// <summary>
/// One running PhysSec: hub and node as processes of their own, the simulated room in this one, and the peers they talk
/// to. A hub or node that is killed leaves the world standing.
/// </summary>
public sealed class Instance : IAsyncDisposable
{
    public const string Site = "fukaya";
    public const string LiveNode = "node-1";
    public const string ToolNode = "tool-1";
    public const string Door = "door-a";
    public const string SecondDoor = "door-b";

    private static readonly TimeSpan _start = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _restartPause = TimeSpan.FromSeconds(1);

    private readonly InstanceOptions _options;
    private readonly bool _temporary;
    private readonly CancellationToken _stopping;
    private readonly CancellationTokenSource _end = new();
    private readonly string? _socketFolder;
    private BrokerFiles? _brokerFiles;
    private Task _room = Task.CompletedTask;
    private bool _expectEnd;

    private Instance(InstanceOptions options, CancellationToken stopping)
    {
        (_options, _stopping) = (options, stopping);
        _temporary = options.State is null;
        State = options.State is { } state ? Path.GetFullPath(state) : Directory.CreateTempSubdirectory("physsec-").FullName;
        // Others may pass through, so that the mail server's user reaches its folder; each folder inside is closed.
        if (!Directory.Exists(State)) Directory.CreateDirectory(State);
        if (_temporary) File.SetUnixFileMode(State, (UnixFileMode)0b111_000_001);
        RoomSocket = Path.Combine(State, "room.sock");
        if (RoomSocket.Length > 90) // A socket's path has at most 107 bytes.
            RoomSocket = Path.Combine(_socketFolder = Directory.CreateTempSubdirectory("physsec-room-").FullName, "room.sock");
    }

    public string State { get; }

    public string RoomSocket { get; }

    public Uri Console { get; private set; } = new("http://127.0.0.1");

    public int BrokerPort { get; private set; }

    /// <summary>API tokens by role.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; private set; } = new Dictionary<string, string>();

    public HubApi Administrator { get; private set; } = null!;

    public HubApi Operator { get; private set; } = null!;

    public HubApi Auditor { get; private set; } = null!;

    public Child Hub { get; private set; } = null!;

    public Child Node { get; private set; } = null!;

    public MailServer Mail { get; private set; } = null!;

    public Webhook Webhook { get; private set; } = null!;

    public Mosquitto? Mosquitto { get; private set; }

    public Ups? Ups { get; private set; }

    /// <summary>Every process that was started for this instance and may still run.</summary>
    public int[] Pids => [Hub.Pid, Node.Pid, Mail.Pid, .. Mosquitto is { } broker ? [broker.Pid] : Array.Empty<int>(), .. Ups?.Pids ?? []];

    /// <summary>True when this start also made everything that the hub knows.</summary>
    public bool Fresh { get; private set; }

    /// <summary>The sign-in link of a hub that has no account yet; null otherwise.</summary>
    public string? FirstSignIn { get; private set; }

    public string Authority => Path.Combine(HubFolder, "pki", "ca.crt");

    public string HubFolder => Path.Combine(State, "hub");

    public string NodeFolder => Path.Combine(State, "node");

    public bool HasSecondDoor => _options.Board == InstanceOptions.TwoDoors;

    private BrokerKind Broker => _options.Broker;

    /// <summary>Starts everything and returns when the node is online.</summary>
    /// <exception cref="RigException">Says what did not start; what had started is stopped again.</exception>
    public static async Task<Instance> StartAsync(InstanceOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var instance = new Instance(options, cancel);
        try
        {
            await instance.StartAllAsync(cancel);
            return instance;
        }
        catch
        {
            await instance.DisposeAsync();
            throw;
        }
    }

    /// <summary>One command to the room; its answer.</summary>
    /// <exception cref="RigException">The room refuses it.</exception>
    public async Task<string> ActAsync(string command, CancellationToken cancel = default)
    {
        var answer = await RoomClient.SendAsync(RoomSocket, command, cancel);
        return answer.StartsWith("ok", StringComparison.Ordinal) ? answer : throw new RigException($"room: {command}: {answer}");
    }

    /// <summary>What the room looks like now.</summary>
    public async Task<JsonNode> RoomAsync(CancellationToken cancel = default) =>
        JsonNode.Parse((await ActAsync("status", cancel))[3..])!;

    public async Task KillHubAsync()
    {
        _expectEnd = true;
        await Hub.KillAsync();
    }

    public async Task StartHubAsync(CancellationToken cancel)
    {
        Hub = Child.Start("hub", "dotnet", [Programs.Hub, "serve", "--state", HubFolder], _options.Say, _options.HubEnvironment);
        var line = await Hub.LineAsync(it => it.Contains("listening http", StringComparison.Ordinal), "that it listens", _start, cancel);
        Console = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Split(' ')[0]);
        _expectEnd = false;
        Watch(Hub, StartHubAsync);
    }

    /// <summary>kill -9 of the external broker.</summary>
    public Task KillBrokerAsync() => Mosquitto!.KillAsync();

    /// <summary>Starts the external broker, with what the one before had saved.</summary>
    public async Task StartBrokerAsync(CancellationToken cancel) =>
        Mosquitto = await Mosquitto.StartAsync(Path.Combine(State, "mosquitto"), new SiteId(Site), BrokerPort, _brokerFiles!, cancel);

    public async Task KillNodeAsync()
    {
        _expectEnd = true;
        await Node.KillAsync();
    }

    /// <summary>Starts the node's process; returns at once.</summary>
    public void StartNode(IReadOnlyList<string>? wrapper = null)
    {
        string[] command = [.. wrapper ?? [], .. _options.NodeProgram ?? ["dotnet", Programs.Node], "--config", Path.Combine(NodeFolder, "node.json")];
        Node = Child.Start("node", command[0], command[1..], _options.Say, _options.NodeEnvironment);
        _expectEnd = false;
        Watch(Node, _ => { StartNode(); return Task.CompletedTask; });
    }

    /// <summary>Until the hub shows the node online with the newest policy in force.</summary>
    public Task NodeReadyAsync(CancellationToken cancel) => Wait.UntilAsync(
        "the node to be online with the newest policy in force",
        async () => Node.Ended.IsCompleted
            ? throw new RigException($"the node ended with code {Node.Ended.Result}. {Node.Tail()}")
            : (await Operator.GetAsync("nodes", cancel)).AsArray().Any(it =>
                (string?)it!["id"] == LiveNode && (string?)it["state"] is "online" or "degraded"
                && (long?)it["policyVersion"] is > 0 and var pushed && pushed == (long?)it["policyInForce"]),
        _start, cancel);

    public async ValueTask DisposeAsync()
    {
        _expectEnd = true;
        await _end.CancelAsync();
        if (Node is not null) await Node.DisposeAsync();
        if (Hub is not null) await Hub.DisposeAsync();
        if (Mosquitto is not null) await Mosquitto.DisposeAsync();
        if (Ups is not null) await Ups.DisposeAsync();
        if (Webhook is not null) await Webhook.DisposeAsync();
        if (Mail is not null) await Mail.DisposeAsync();
        await _room;
        foreach (var it in new[] { Administrator, Operator, Auditor }) it?.Dispose();
        Endpoints.Forget(State);
        if (_socketFolder is not null) Directory.Delete(_socketFolder, recursive: true);
        if (_temporary) Directory.Delete(State, recursive: true);
        _end.Dispose();
    }

    private async Task StartAllAsync(CancellationToken cancel)
    {
        var folders = new NodeFiles(this);
        var provisioned = Path.Combine(State, "provisioned");
        Fresh = !File.Exists(provisioned);
        var ports = Ports.Free(5); // Chosen together, so that they differ.
        BrokerPort = ports[1];

        Mail = await MailServer.StartAsync(Path.Combine(State, "mail"), ports[2], cancel);
        var secret = HubFiles.WebhookSecret(this);
        Webhook = new Webhook(ports[3], secret);
        if (_options.Ups) Ups = await Ups.StartAsync(Files.Folder(State, "ups"), ports[4], cancel);
        HubFiles.WriteConfiguration(this, Broker, ports[0], _options.Review);

        await HubFiles.RunAsync("init", HubFolder, [], cancel);
        Tokens = await HubFiles.TokensAsync(this, cancel);
        if (Broker == BrokerKind.Mosquitto)
        {
            await HubFiles.EavesdropperAsync(this, cancel);
            _brokerFiles = await HubFiles.BrokerAsync(this, cancel);
            await StartBrokerAsync(cancel);
        }

        await HubFiles.ObserverAsync(this, cancel);
        await StartHubAsync(cancel);
        (Administrator, Operator, Auditor) = (Api("administrator"), Api("operator"), Api("auditor"));
        FirstSignIn = HubFiles.FirstSignIn(this);

        folders.WriteBoard(_options.Board, Ups?.Port);
        var board = BoardFile.Load(Path.Combine(NodeFolder, "board.json"));
        StartRoom(board);
        if (Fresh)
        {
            await Provision.RunAsync(this, folders, cancel);
            if (board.Devices.OfType<OsdpEntry>().ToList() is [_, ..] readers) await folders.InstallReadersAsync(readers, cancel);
            if (HasSecondDoor) await SecondRoom.RunAsync(this, cancel);
        }

        await File.WriteAllTextAsync(provisioned, "", cancel);
        folders.WritePort();
        StartNode();
        await NodeReadyAsync(cancel);
        Endpoints.Write(this);
    }

    private HubApi Api(string role) => new(Console, Tokens[role]);

    private void StartRoom(BoardFile board)
    {
        var memory = new ReaderMemory(Path.Combine(State, "readers"));
        var room = new RoomServer(RoomSocket, RoomParameters.For(board), DemoPerson.Badges, TimeProvider.System, memory.Keys, memory.Keep);
        _room = room.RunAsync(_end.Token);
    }

    private void Watch(Child child, Func<CancellationToken, Task> again)
    {
        _ = WatchAsync();

        async Task WatchAsync()
        {
            var code = await child.Ended;
            if (_expectEnd || _end.IsCancellationRequested || _stopping.IsCancellationRequested) return; // Ctrl-C reaches the children too.
            _options.Say?.Invoke(string.Create(CultureInfo.InvariantCulture, $"rig | the {child.Name} ended with code {code} 予期しない終了"));
            if (!_options.Restart) return;
            await Task.Delay(_restartPause, TimeProvider.System, _end.Token);
            _options.Say?.Invoke($"rig | starting the {child.Name} again, as systemd would 再起動します");
            await again(_end.Token);
            Endpoints.Write(this);
        }
    }
}
