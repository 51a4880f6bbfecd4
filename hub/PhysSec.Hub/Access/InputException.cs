namespace PhysSec.Hub.Access;

/// <summary>What somebody entered cannot be taken: names the field, the fault and the remedy; it holds no secret.</summary>
public sealed class InputException(string field, string fault, string remedy) : Exception($"{field}: {fault}. {remedy}.")
{
    public string Field { get; } = field;

    public string Fault { get; } = fault;

    public string Remedy { get; } = remedy;
}
