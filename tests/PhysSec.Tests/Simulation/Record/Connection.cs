using MQTTnet;
using MQTTnet.Exceptions;
using PhysSec.Core;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>What a client sends: a message, a subscription (neither) or a goodbye; and whoever waits for the answer.</summary>
internal sealed record Up(MqttApplicationMessage? Message, TaskCompletionSource<bool> Answer, MqttClientDisconnectOptions? Bye);

/// <summary>One connection of a node: both directions keep their order, and what one end knows of it the other may not know yet.</summary>
internal sealed class Connection(Broker broker, LinkClient client, NodeId node, MqttApplicationMessage will)
{
    private readonly Queue<(DateTimeOffset Due, Action What)> _down = new();
    private DateTimeOffset _lastUp;
    private DateTimeOffset _lastDown;

    public LinkClient Client => client;

    public NodeId Node => node;

    public MqttApplicationMessage Will => will;

    /// <summary>As the client sees it.</summary>
    public bool Open { get; private set; } = true;

    /// <summary>As the broker sees it.</summary>
    public bool Held { get; private set; } = true;

    public bool Subscribed { get; set; }

    public DateTimeOffset? BlockedSince { get; set; }

    /// <summary>On its way to the broker, or waiting there for its turn.</summary>
    public LinkedList<(DateTimeOffset Due, Up What)> Ways { get; } = new();

    public void Send(Up what)
    {
        _lastUp = Later(_lastUp);
        Ways.AddLast((_lastUp, what));
    }

    /// <summary>Something that the client learns after its time on the way, and after everything before it.</summary>
    public void Tell(Action what)
    {
        _lastDown = Later(_lastDown);
        _down.Enqueue((_lastDown, what));
    }

    public void DeliverDown(DateTimeOffset now)
    {
        while (Open && _down.TryPeek(out var next) && next.Due <= now) _down.Dequeue().What();
    }

    /// <summary>The client is gone; the broker sees it when the line carries that.</summary>
    public void Abandon()
    {
        if (!Open) return;
        Open = false;
        Fail();
        if (!broker.IsCut(client.Board)) broker.Close(this);
    }

    /// <summary>The broker has let go of it, for whatever reason.</summary>
    public void LetGo() => Held = false;

    /// <summary>The client notices.</summary>
    public void Break()
    {
        if (!Open) return;
        Open = false;
        Fail();
        client.Lost();
    }

    private void Fail()
    {
        foreach (var (_, what) in Ways) what.Answer.TrySetException(new MqttCommunicationException("the connection is lost"));
    }

    private DateTimeOffset Later(DateTimeOffset last) => broker.Now + broker.Delay() is var due && due > last ? due : last;
}
