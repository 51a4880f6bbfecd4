using PhysSec.Core.Access;
using PhysSec.Hub.Access;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Web.Desk;

/// <summary>Zones, people, cards, rights and records, as the pages ask for them.</summary>
public sealed class DeskOfAccess(
    Zones zones, SchedulesStore schedules, People people, PeopleCsv csv, Credentials credentials, Pins pins, Rights rights, Presentations presentations, AccessLog log, Register register,
    Store store)
{
    public IReadOnlyList<ZoneSettings> Zones() => zones.List();

    public IReadOnlyList<ScheduleSettings> Schedules() => schedules.List();

    public IReadOnlyList<Person> People(string? search) => people.List(search);

    public Person? Person(string id) => people.Find(id);

    public string PersonName(string id) => people.NameOf(id) ?? id;

    public Task<Person> SavePersonAsync(SignedIn by, Person person)
    {
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(person);
        return person.Id.Length == 0 ? people.AddAsync(by.Actor, person) : people.ChangeAsync(by.Actor, person);
    }

    public async Task<ImportResult> ImportAsync(SignedIn by, byte[] bytes, string encoding)
    {
        ArgumentNullException.ThrowIfNull(by);
        return await csv.ImportAsync(by.Actor, bytes, encoding);
    }

    public IReadOnlyList<CredentialRow> Cards(string person) => credentials.List(person);

    public Task CardStateAsync(SignedIn by, string token, CredentialState state, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        return credentials.SetStateAsync(by.Actor, token, state, reason);
    }

    public PinRow? Pin(string person) => pins.Find(person);

    public Task<IssuedPin> IssuePinAsync(SignedIn by, string person, bool alone, string reason, int digits)
    {
        ArgumentNullException.ThrowIfNull(by);
        return pins.IssueAsync(by.Actor, person, alone, reason, digits);
    }

    public Task WithdrawPinAsync(SignedIn by, string person, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        return pins.WithdrawAsync(by.Actor, person, reason);
    }

    public IReadOnlyList<RightRow> Rights(string person) => rights.List(person);

    public Task AddRightAsync(SignedIn by, RightRow right)
    {
        ArgumentNullException.ThrowIfNull(by);
        return rights.AddAsync(by.Actor, right);
    }

    public Task RemoveRightAsync(SignedIn by, string id, string reason)
    {
        ArgumentNullException.ThrowIfNull(by);
        return rights.RemoveAsync(by.Actor, id, reason);
    }

    /// <summary>The next card at that reader within a minute: assigned to the person, or looked up where person is null.</summary>
    public Task<string> BeginCardAsync(SignedIn by, string door, Direction direction, string? person)
    {
        ArgumentNullException.ThrowIfNull(by);
        return presentations.BeginAsync(by.Actor, door, direction, person is null ? "identify" : "assign", person);
    }

    public PresentationState Card(string id) => presentations.Get(id);

    /// <summary>The first page of a search; the search itself is a record.</summary>
    public async Task<LogPage> SearchAsync(SignedIn by, LogFilter filter)
    {
        ArgumentNullException.ThrowIfNull(by);
        await log.SearchedAsync(by.Actor, filter);
        return log.Search(filter);
    }

    /// <summary>A further page, or the first one again, of a search that is on record.</summary>
    public LogPage More(LogFilter filter) => log.Search(filter);

    /// <summary>How many of the newest hundred came later than the record that has this number.</summary>
    public int CountNewer(LogFilter filter, long top) => log.Search(filter).Items.Count(it => it.Id > top);

    public async Task<IReadOnlyList<Visit>> RegisterAsync(SignedIn by, DateTimeOffset from, DateTimeOffset to)
    {
        ArgumentNullException.ThrowIfNull(by);
        await log.SearchedAsync(by.Actor, new(from, to, Kind: "register"));
        return register.List(from, to);
    }

    /// <summary>How many texts of the period were deleted at the end of their retention.</summary>
    public long Deleted(DateTimeOffset from, DateTimeOffset to) => store.Read(it => RetentionBook.Deleted(it, from, to));

    public Completeness Completeness(DateTimeOffset from, DateTimeOffset to) => store.Read(it => Reports.Completeness.Of(it, from, to));
}
