namespace PhysSec.Core.Access;

/// <summary>A policy that must not come into force. The message names the field, the fault and the remedy; it holds no secret.</summary>
public sealed class PolicyException(string field, string fault, string remedy) : Exception($"{field}: {fault}. {remedy}.")
{
    /// <summary>Where, for example <c>doors[door-a].releaseTime</c>.</summary>
    public string Field { get; } = field;

    public string Fault { get; } = fault;

    public string Remedy { get; } = remedy;
}
