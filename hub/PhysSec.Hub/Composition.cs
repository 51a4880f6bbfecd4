using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Api;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Live;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Reports;
using PhysSec.Hub.Retention;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub;

/// <summary>Who owns what: one instance each.</summary>
internal static class Composition
{
    public static IServiceCollection AddHub(this IServiceCollection services)
    {
        services.AddSingleton<PolicySignal>().AddSingleton<People>().AddSingleton<PeopleCsv>().AddSingleton<Credentials>().AddSingleton<Pins>().AddSingleton<Zones>().AddSingleton<Doors>()
            .AddSingleton<SchedulesStore>().AddSingleton<ClosedDays>().AddSingleton<SensingRules>().AddSingleton<Rights>().AddSingleton<Presentations>()
            .AddSingleton<AccessLog>().AddSingleton<Register>().AddSingleton<LateEntries>().AddSingleton<RegisterSheet>().AddSingleton<Tokens>().AddSingleton<PolicyPublisher>()
            .AddSingleton<DoorSheets>().AddSingleton<AssuranceWatch>().AddSingleton<KeyRegister>().AddSingleton<KeySheet>().AddSingleton<KeyWatch>();
        services.AddSingleton(AlarmCatalogue.Shipped()).AddSingleton<AlarmBoard>().AddSingleton<NotificationLog>().AddSingleton<LiveBoard>();
        services.AddSingleton<Nodes>().AddSingleton<Enrolments>().AddSingleton<Erasures>().AddSingleton<TurnedAway>().AddSingleton<NodeLink>().AddSingleton<DoorCommands>().AddSingleton<Unlockings>().AddSingleton<ReleasePaths>().AddSingleton<Ingestion>();
        services.AddHostedService<HubService>(); // First: whoever comes later finds the broker there; at the end it stops last.
        services.AddHostedService(it => it.GetRequiredService<PolicyPublisher>());
        services.AddHostedService<FleetWatch>();
        services.AddHostedService(it => it.GetRequiredService<AssuranceWatch>());
        services.AddHostedService(it => it.GetRequiredService<KeyWatch>());
        services.AddSingleton<DiskLook>(it => () => DiskWatch.Of(it.GetRequiredService<Configuration.HubHome>().Folder));
        services.AddSingleton<DiskWatch>().AddHostedService(it => it.GetRequiredService<DiskWatch>());
        services.AddHostedService<Watchdog>();
        services.AddSingleton<Renewals>().AddHostedService(it => it.GetRequiredService<Renewals>());
        services.AddHostedService<StoreWatch>();
        services.AddHostedService<AlarmRepeater>();
        services.AddHostedService<Notifier>();
        services.AddSingleton<Checkpoints>().AddSingleton<EvidenceWriter>().AddSingleton<CheckpointKeeper>().AddHostedService(it => it.GetRequiredService<CheckpointKeeper>());
        services.AddSingleton<SubjectExtract>().AddSingleton<CertificateSheet>().AddSingleton<RetentionBook>();
        services.AddSingleton<LegalHolds>().AddSingleton<RetentionClock>().AddSingleton<RetentionKeeper>().AddHostedService(it => it.GetRequiredService<RetentionKeeper>());
        services.AddSingleton<Reviews>().AddSingleton<ReviewReport>().AddSingleton<AuditSamples>().AddSingleton<AuditSamplePdf>().AddSingleton<ReviewWatch>().AddHostedService(it => it.GetRequiredService<ReviewWatch>());
        return services;
    }
}
